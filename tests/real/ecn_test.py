#!/usr/bin/env python3
"""Explicit congestion notification with the kernel's TCP: agreed upon whoever asks, marks echoed and heeded.

peers.py says how it is run.
"""

import contextlib
import json
import os
import subprocess
import sys
import unittest.mock

import captures
import peers
from peers import KERNEL, LINK, LONG, OURS, RealPeers, digest_of, make_file, run, wait_until

PORT = "7000"
SIZE = 2 << 20
# Slow enough to be looked at; the link marks what meets a queue, and loses nothing.
MARKING = ["--rate", "30mbit", "--queue", "4m", "--mark-above", "60k"]


def kernel_counter(name):
    """One of /proc/net/netstat of this namespace."""
    with open("/proc/self/net/netstat") as file:
        lines = [line.split() for line in file]
    for names, values in zip(lines[::2], lines[1::2]):
        if name in names:
            return int(values[names.index(name)])
    raise AssertionError(f"the kernel does not count {name}")


class Ecn(RealPeers):
    def setUp(self):
        super().setUp()
        variables = unittest.mock.patch.dict(os.environ, {"XDG_RUNTIME_DIR": self.folder})
        variables.start()
        self.addCleanup(variables.stop)
        self.digest = make_file(self.path("sent"), SIZE)

    @contextlib.contextmanager
    def process(self, *command, stdin=None, stdout=None):
        with contextlib.ExitStack() as stack:
            streams = {"stdin": subprocess.DEVNULL}
            if stdin:
                streams["stdin"] = stack.enter_context(open(self.path(stdin), "rb"))
            if stdout:
                streams["stdout"] = stack.enter_context(open(self.path(stdout), "wb"))
            process = subprocess.Popen(command, **streams)
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def ours(self):
        """What our host says of its connection."""
        done = subprocess.run(self.command("ss", "-t", "--json"), stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, timeout=LONG)
        sockets = json.loads(done.stdout) if done.returncode == 0 else []
        return next((s["connection"] for s in sockets if "connection" in s), {})

    def segments(self, condition):
        """How many there were of that kind, as our stack sent and got them."""
        (capture,) = captures.captures_in(self.captures)
        return len(captures.read(capture, condition, fields=["frame.number"]))

    def check_agreement(self, asker, answerer):
        syn = "tcp.flags.syn == 1 && tcp.flags.ece == 1 && ip.dsfield.ecn == 0"
        self.assertGreater(self.segments(f"{syn} && tcp.flags.cwr == 1 && ip.src == {asker}"), 0)
        self.assertGreater(self.segments(f"{syn} && tcp.flags.cwr == 0 && ip.src == {answerer}"), 0)

    def test_the_kernel_asks_and_is_told_of_marks(self):
        run("sysctl", "-qw", "net.ipv4.tcp_ecn=1", "net.ipv4.tcp_congestion_control=reno")
        listen = self.command("listen", PORT, *LINK, *MARKING)
        with self.process(*listen, stdout="got") as server:
            wait_until(lambda: f":{PORT}" in subprocess.run(
                self.command("ss", "-lt"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                text=True, timeout=LONG).stdout, "our listener")
            with self.process("ncat", "--send-only", OURS, PORT, stdin="sent") as client:
                wait_until(lambda: self.ours().get("marks_received", 0) > 0, "a mark")
                self.assertTrue(self.ours()["ecn_echoes"] and self.ours()["ecn_capable"])
                self.assertEqual(client.wait(LONG), 0)
            self.assertEqual(server.wait(LONG), 0)
        self.assertEqual(digest_of(self.path("got")), self.digest)
        self.check_agreement(asker=KERNEL, answerer=OURS)
        self.assertGreater(kernel_counter("TCPDeliveredCE"), 0)  # it has heard our echo
        self.assertGreater(self.segments(f"tcp.flags.cwr == 1 && tcp.len > 0 && ip.src == {KERNEL}"), 0)
        self.assertGreater(self.segments(f"tcp.flags.ece == 0 && tcp.ack > 100000 && ip.src == {OURS}"), 0)

    def test_we_ask_and_heed_what_the_kernel_tells(self):
        with self.process("ncat", "-l", PORT, stdout="got") as server:
            wait_until(lambda: f":{PORT} " in run("ss", "-Hltn"), "ncat")
            connect = self.command("connect", KERNEL, PORT, *LINK, "--ecn", "on", *MARKING)
            with self.process(*connect, stdin="sent") as client:
                wait_until(lambda: self.ours().get("mark_reductions", 0) > 0, "a reduction")
                self.assertTrue(self.ours()["ecn_capable"])
                self.assertGreater(self.ours()["echoes_received"], 0)
                self.assertEqual(self.ours()["retransmits"], 0)
                self.assertEqual(client.wait(LONG), 0)
            self.assertEqual(server.wait(LONG), 0)
        self.assertEqual(digest_of(self.path("got")), self.digest)
        self.check_agreement(asker=OURS, answerer=KERNEL)
        self.assertGreater(kernel_counter("InCEPkts"), 0)
        self.assertGreater(self.segments(f"tcp.flags.cwr == 1 && tcp.len > 0 && ip.src == {OURS}"), 0)


if __name__ == "__main__":
    sys.exit(peers.main(__doc__, ["ncat"]))
