#!/usr/bin/env python3
"""Measures the goodput of one TCP connection across `hawser link`, the kernel's and ours side by side.

    sudo bench/link/compare.py [--bin DIR] [--rates 10,100] [--rtts 1,20,100] [--losses 0,1,3]
        [--algorithms cubic,reno,bbr] [--seconds 5] [--rounds 1]

Two network namespaces are joined by `hawser link`; in each there is the kernel's stack and, by a packet socket, ours.
For every rate (Mbit/s), round trip (ms), loss (per cent, by chance, of data and not of ACKs) and algorithm of
congestion control three transfers follow each other: kernel to kernel, Hawser to kernel, kernel to Hawser. The queue
holds what the path does in a round trip, and 64 KiB at least. A table in Markdown goes to standard output, with the
ratios to the kernel among itself; medians when there are several rounds.

It needs root, /dev/net/tun, and the programs hawser and hawser-link-peer (HAWSER_BUILD_BENCH) in DIR.
"""

import argparse
import contextlib
import itertools
import os
import select
import signal
import statistics
import subprocess
import sys
import time

LEFT, RIGHT, OUR_LEFT, OUR_RIGHT = "10.7.0.1", "10.7.0.2", "10.7.0.11", "10.7.0.12"
KERNEL_BUFFER = "4096 131072 67108864"


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


class Namespace:
    def __init__(self, name):
        self.name = name
        run("ip", "netns", "add", name)

    def inside(self, *command):
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command):
        return run(*self.inside(*command))

    def set_up(self, interface, address):
        run("ip", "link", "set", interface, "netns", self.name)
        for setting in [f"net.ipv6.conf.{interface}.disable_ipv6=1", "net.ipv4.tcp_no_metrics_save=1",
                        f"net.ipv4.tcp_rmem={KERNEL_BUFFER}", f"net.ipv4.tcp_wmem={KERNEL_BUFFER}"]:
            self.run("sysctl", "-qw", setting)
        self.run("ip", "address", "add", f"{address}/24", "dev", interface)
        self.run("ip", "link", "set", interface, "up")


class Bench:
    def __init__(self, stack, options):
        self.options = options
        number = os.getpid()
        self.left, self.right = Namespace(f"hwl-{number}"), Namespace(f"hwr-{number}")
        for namespace in (self.left, self.right):
            stack.callback(subprocess.run, ["ip", "netns", "delete", namespace.name], check=False)
        self.name = f"compare-{number}"
        self.hawser = os.path.join(options.bin, "hawser")
        self.peer = os.path.join(options.bin, "hawser-link-peer")
        ends = [f"hwl{number}", f"hwr{number}"]
        link = subprocess.Popen([self.hawser, "link", *[f"tap:{end}" for end in ends], "--name", self.name, "--seed", "1"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        stack.callback(lambda: (link.send_signal(signal.SIGINT), link.wait()))
        link.stderr.readline()  # it says that it links
        self.left.set_up(ends[0], LEFT)
        self.right.set_up(ends[1], RIGHT)
        self.ours = {"left": f"hawser:{ends[0]}:{OUR_LEFT}/24", "right": f"hawser:{ends[1]}:{OUR_RIGHT}/24"}
        self.port = 5000

    def impair(self, rate, rtt, loss):
        queue = max(64 << 10, int(rate * 1e6 / 8 * rtt / 1e3))
        run(self.hawser, "link", "set", self.name, "--rate", f"{rate}mbit", "--delay", f"{rtt / 2}ms", "--queue",
            str(queue), "there", "--loss", f"{loss}%", "back", "--loss", "0")

    def transfer(self, sender, receiver, algorithm):
        """Mbit/s from left to right; each is "kernel" or "hawser"."""
        self.port += 1
        to = OUR_RIGHT if receiver == "hawser" else RIGHT
        seconds = str(self.options.seconds)
        get = subprocess.Popen(self.right.inside(
            self.peer, self.ours["right"] if receiver == "hawser" else "kernel", "receive", to, str(self.port), seconds),
            stdout=subprocess.PIPE, text=True)
        put = None
        try:
            if not select.select([get.stdout], [], [], 10)[0] or get.stdout.readline() != "ready\n":
                return None
            put = subprocess.Popen(self.left.inside(
                self.peer, self.ours["left"] if sender == "hawser" else "kernel", "send", to, str(self.port), algorithm,
                seconds))
            said = get.communicate(timeout=self.options.seconds + 20)[0]
            return float(said) / 1e6 if get.returncode == 0 else None
        except subprocess.TimeoutExpired:
            return None
        finally:
            for end in (get, put):
                if end is not None:
                    end.kill()
                    end.wait()


def numbers(text):
    return [float(word) if "." in word else int(word) for word in text.split(",")]


def ratio(ours, theirs):
    return f"{ours / theirs:.2f}" if ours is not None and theirs else "-"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/release/bin")
    parser.add_argument("--rates", type=numbers, default=[10, 100, 1000])
    parser.add_argument("--rtts", type=numbers, default=[1, 20, 100])
    parser.add_argument("--losses", type=numbers, default=[0, 1, 3])
    parser.add_argument("--algorithms", default="cubic,reno,bbr")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    pairs = [("kernel", "kernel"), ("hawser", "kernel"), ("kernel", "hawser")]
    ratios = {pair: [] for pair in pairs[1:]}
    with contextlib.ExitStack() as stack:
        bench = Bench(stack, options)
        print("| algorithm | Mbit/s | RTT ms | loss % | kernel → kernel | Hawser → kernel | ratio | kernel → Hawser | ratio |"
              "\n|---|---|---|---|---|---|---|---|---|", flush=True)
        for algorithm, rate, rtt, loss in itertools.product(options.algorithms.split(","), options.rates, options.rtts,
                                                            options.losses):
            bench.impair(rate, rtt, loss)
            got = {pair: [] for pair in pairs}
            for _ in range(options.rounds):
                for pair in pairs:
                    got[pair].append(bench.transfer(*pair, algorithm))
                    time.sleep(2 * rtt / 1e3)  # what is on its way is not the next one's
            median = {pair: statistics.median(values) if None not in values else None for pair, values in got.items()}
            kernel, out, back = (median[pair] for pair in pairs)
            for pair in pairs[1:]:
                if kernel and median[pair] is not None:
                    ratios[pair].append(median[pair] / kernel)
            shown = ["failed" if value is None else f"{value:.1f}" for value in (kernel, out, back)]
            print(f"| {algorithm} | {rate} | {rtt} | {loss} | {shown[0]} | {shown[1]} | {ratio(out, kernel)} | {shown[2]} | "
                  f"{ratio(back, kernel)} |", flush=True)
    for (sender, receiver), values in ratios.items():
        if values:
            print(f"\n{sender} → {receiver}: median ratio {statistics.median(values):.2f}, least {min(values):.2f}, "
                  f"{sum(value < 0.8 for value in values)} of {len(values)} below 0.8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
