#!/usr/bin/env python3
"""Lets `hawser` be a host on an Ethernet with the kernel: ping, arping, ndisc6 and traceroute against it.

The Ethernet is a TAP interface, or a pair of veth interfaces whose one end the stack shares with the
kernel through a packet socket. peers.py says how it is run.
"""

import contextlib
import re
import subprocess
import sys

import peers
from networks import Here, cable
from peers import KERNEL, KERNEL6, OURS, OURS6, RealPeers, digest_of, make_file, run, wait_until

ADDRESSES = ["--address", f"{OURS}/24", "--address", f"{OURS6}/64"]


class OnEthernet(RealPeers):
    """`hawser serve` on an Ethernet; `kernel_end` is the kernel's interface to it."""

    @contextlib.contextmanager
    def serving_on(self, link, *options, record=True):
        command = self.command("serve", self.folder, "--link", link, *ADDRESSES, *options, record=record)
        with open(self.path("serve.log"), "w") as log:
            server = subprocess.Popen(command, stderr=log)
        try:
            wait_until(lambda: self.log().count("Serving") == 2 or server.poll() is not None, "the server")
            self.assertIsNone(server.poll(), self.log())
            yield server
        except BaseException:
            print(self.log(), file=sys.stderr)
            raise
        finally:
            server.terminate()
            server.wait(30)

    def check_tools(self, interface):
        """The kernel's tools find a host like any other."""
        for address in [OURS, OURS6]:
            said = run("ping", "-n", "-c", "3", "-i", "0.2", address)
            self.assertIn("3 received, 0% packet loss", re.sub(r"received, \+\d+ \w+,", "received,", said))
            said = run("ping", "-n", "-c", "3", "-i", "0.2", "-s", "20000", address)
            self.assertIn("3 received, 0% packet loss", said)
            self.assertIn(" 1 ", run("traceroute", "-n", "-q", "1", "-m", "3", address))
        self.assertRegex(run("arping", "-c", "2", "-I", interface, OURS), r"2 packets received|Received 2")
        self.assertIn("Target link-layer address", run("ndisc6", OURS6, interface))
        self.assertEqual(run("traceroute", "-n", "-q", "1", "-m", "3", OURS).count("\n"), 2)


class Tap(OnEthernet):
    def test_the_kernels_tools(self):
        with self.serving_on("tap:hw0", "--host-address", f"{KERNEL}/24", "--host-address",
                             f"{KERNEL6}/64"):
            self.check_tools("hw0")

    def test_a_neighbour_that_is_gone_is_an_error(self):
        command = self.command("get", f"http://{KERNEL[:-1]}77/x", "--link", "tap:hw0", *ADDRESSES,
                               "--host-address", f"{KERNEL}/24", "-o", self.path("out"))
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("route to host", done.stderr.lower().replace("unreachable", "route to host"))


class PacketSocket(OnEthernet):
    def test_the_kernels_tools(self):
        cable(Here(), Here(), ("w0", "w1"), a_addresses=[f"{KERNEL}/24", f"{KERNEL6}/64"])
        with self.serving_on("packet:w1"):
            self.check_tools("w0")

    def test_curl_gets_a_file(self):
        cable(Here(), Here(), ("w0", "w1"), a_addresses=[f"{KERNEL}/24", f"{KERNEL6}/64"])
        digest = make_file(self.path("big"), 32 << 20)
        # Recording completes the checksums that the kernel has left open; here they stay so.
        with self.serving_on("packet:w1", record=False):
            for address in [OURS, f"[{OURS6}]"]:
                self.assertEqual(self.curl_big(address), digest)


class Router(OnEthernet):
    """radvd advertises a prefix and itself as the router."""

    PREFIX = "fd00:aa:1:2"

    def test_an_address_and_a_route_come_by_themselves(self):
        config = self.path("radvd.conf")
        with open(config, "w") as file:
            file.write(f"interface hw0 {{ AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4;"
                       f" prefix {self.PREFIX}::/64 {{}}; }};")
        run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
        with self.serving_on("tap:hw0", "--host-address", f"{KERNEL}/24"):
            run("ip", "address", "add", f"{self.PREFIX}::1/64", "dev", "hw0", "nodad")
            radvd = subprocess.Popen(["radvd", "--nodaemon", "--config", config, "--pidfile",
                                      self.path("radvd.pid"), "--logmethod", "stderr"],
                                     stderr=subprocess.DEVNULL)
            self.addCleanup(radvd.wait)
            self.addCleanup(radvd.terminate)
            wait_until(lambda: self.own_address() is not None, "an address of the prefix")
            # Also from another network, to which only the advertised route leads.
            run("ip", "address", "add", "fd00:bb::1/128", "dev", "lo")
            for source in [f"{self.PREFIX}::1", "fd00:bb::1"]:
                said = run("ping", "-n", "-c", "2", "-i", "0.2", "-I", source, self.own_address())
                self.assertIn("2 received", said)
            routes = run(peers.program, "route", "-H").splitlines()
            self.assertTrue([line for line in routes if line.startswith("default") and "fe80::" in line],
                            routes)

    def test_without_an_address_it_takes_the_advertised_one(self):
        # It was refused: the kernel's address was in no network of ours.
        config = self.path("radvd.conf")
        with open(config, "w") as file:
            file.write(f"interface hw0 {{ AdvSendAdvert on; IgnoreIfMissing on; MinRtrAdvInterval 3;"
                       f" MaxRtrAdvInterval 4; prefix {self.PREFIX}::/64 {{}}; }};")
        run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
        digest = make_file(self.path("big"), 1 << 20)
        command = self.command("serve", self.folder, "--link", "tap:hw0",
                               "--host-address", f"{self.PREFIX}::1/64")
        with open(self.path("serve.log"), "w") as log:
            server = subprocess.Popen(command, stderr=log)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        wait_until(lambda: peers.is_interface("hw0"), "the link")
        radvd = subprocess.Popen(["radvd", "--nodaemon", "--config", config, "--pidfile",
                                  self.path("radvd.pid"), "--logmethod", "stderr"],
                                 stderr=subprocess.DEVNULL)
        self.addCleanup(radvd.wait)
        self.addCleanup(radvd.terminate)
        wait_until(lambda: "Serving" in self.log() or server.poll() is not None, "the server")
        self.assertIn(f"http://[{self.PREFIX}:", self.log())
        self.assertEqual(self.curl_big(f"[{self.own_address()}]"), digest)

    def own_address(self):
        """That which is ready to be used."""
        lines = [line.split() for line in run(peers.program, "addr", "-H").splitlines()]
        found = [line for line in lines if line[1].startswith(self.PREFIX) and "preferred" in line]
        return found[0][1].split("/")[0] if found else None


if __name__ == "__main__":
    sys.exit(peers.main(__doc__, ["arping", "curl", "ndisc6", "nsenter", "ping", "radvd", "setpriv", "traceroute"]))
