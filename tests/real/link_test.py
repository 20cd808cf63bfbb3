#!/usr/bin/env python3
"""Lets the kernel talk to itself across `hawser link`, from one namespace to another.

peers.py says how it is run.
"""

import contextlib
import json
import re
import signal
import subprocess
import sys

import peers
from networks import hosts
from peers import LONG, RealPeers, digest_of, make_file, wait_until

LEFT, RIGHT = "10.7.0.1", "10.7.0.2"


def totals(said, way):
    """Frames, those that were delivered, and the line of reasons of one direction."""
    found = re.search(rf"^{way}: (\d+) frames, \d+ bytes, (\d+) delivered[^\n]*\n(?:    dropped: (.*)\n)?", said,
                      re.MULTILINE)
    return int(found[1]), int(found[2]), found[3] or ""


class EmulatedLink(RealPeers):
    """left == TAP == hawser link == TAP == right"""

    @contextlib.contextmanager
    def running(self, *arguments):
        """`hawser link`; gives a function that ends it and returns what it said at the end."""
        link = subprocess.Popen([peers.program, "link", *arguments], stdout=subprocess.PIPE, text=True)

        def end():
            link.send_signal(signal.SIGINT)
            said = link.communicate(timeout=LONG)[0]
            self.assertEqual(link.returncode, 0)
            return said
        try:
            yield end
        finally:
            link.kill()
            link.wait()

    @contextlib.contextmanager
    def linked(self, *options):
        """Gives the two hosts as well."""
        with hosts(2) as (left, right), self.running("tap:left", "tap:right", *options) as end:
            wait_until(lambda: peers.is_interface("right"), "the link")
            for host, name, address in [(left, "left", LEFT), (right, "right", RIGHT)]:
                peers.run("ip", "link", "set", name, "netns", str(host.holder.pid))
                # No stray frames of IPv6 among those that are counted.
                host.run("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
                host.run("ip", "address", "add", f"{address}/24", "dev", name)
                host.run("ip", "link", "set", name, "up")
            yield left, right, end

    def transfer(self, left, right, digest):
        """The file "sent", by TCP of the kernel."""
        with open(self.path("got"), "wb") as got, open(self.path("sent"), "rb") as sent:
            server = subprocess.Popen(right.inside("ncat", "-l", "-n", "--recv-only", RIGHT, "5000"), stdout=got)
            wait_until(lambda: ":5000" in right.run("ss", "-ltn"), "the listener")
            subprocess.run(left.inside("ncat", "-n", "--send-only", RIGHT, "5000"), stdin=sent, timeout=LONG,
                           check=True)
            self.assertEqual(server.wait(LONG), 0)
        self.assertEqual(digest_of(self.path("got")), digest)

    def test_delay_is_never_less_and_losses_are_counted(self):
        with self.linked("--delay", "15ms", "--seed", "7", "there", "--loss", "20%") as (left, right, end):
            # Neighbours are known, so that only echoes pass.
            for host, name, other in [(left, "left", right), (right, "right", left)]:
                peer = "right" if name == "left" else "left"
                mac = re.search(r"link/ether (\S+)", other.run("ip", "link", "show", peer))[1]
                host.run("ip", "neigh", "replace", RIGHT if name == "left" else LEFT, "lladdr", mac, "dev", name)
            done = subprocess.run(left.inside("ping", "-n", "-q", "-c", "100", "-i", "0.01", RIGHT),
                                  stdout=subprocess.PIPE, text=True, timeout=LONG, check=False)
            received = int(re.search(r"(\d+) received", done.stdout)[1])
            self.assertGreaterEqual(float(re.search(r"min/avg/max/mdev = ([\d.]+)/", done.stdout)[1]), 30)
            said = end()
        self.assertIn("seed 7", said)
        frames, delivered, dropped = totals(said, "tap:left -> tap:right")
        self.assertGreaterEqual(frames, 100)
        self.assertEqual(dropped, f"{frames - delivered} lost")
        self.assertGreaterEqual(delivered, received)
        self.assertTrue(5 <= frames - delivered <= 40, said)  # of 100 at 20 %
        self.assertEqual(totals(said, "tap:right -> tap:left")[2], "")

    def test_segments_that_a_sender_left_to_its_card_are_lost_one_by_one(self):
        """left == veth == packet socket: hawser link :packet socket == veth == right"""
        digest = make_file(self.path("sent"), 8 << 20)
        with hosts(2) as (left, right):
            for host, name, address in [(left, "left", LEFT), (right, "right", RIGHT)]:
                peers.run("ip", "link", "add", f"{name}0", "type", "veth", "peer", "name", name)
                peers.run("sysctl", "-qw", f"net.ipv6.conf.{name}0.disable_ipv6=1")
                peers.run("ip", "link", "set", f"{name}0", "up")
                peers.run("ip", "link", "set", name, "netns", str(host.holder.pid))
                host.run("ip", "address", "add", f"{address}/24", "dev", name)
                host.run("ip", "link", "set", name, "up")
            with self.running("packet:left0", "packet:right0", "--delay", "2ms", "there", "--loss", "1%") as end:
                wait_until(lambda: subprocess.run(left.inside("ping", "-c", "1", "-W", "1", RIGHT), check=False,
                                                  stdout=subprocess.DEVNULL).returncode == 0, "a first echo")
                self.transfer(left, right, digest)
                said = end()
        frames, delivered, dropped = totals(said, "packet:left0 -> packet:right0")
        self.assertGreater(frames, (8 << 20) / 1460)
        self.assertLess((frames - delivered) / frames, 0.03)
        self.assertEqual(dropped, f"{frames - delivered} lost")
        self.assertNotIn("refused", said)

    def test_it_is_changed_while_it_runs(self):
        def hawser(*arguments):
            return peers.run(peers.program, "link", *arguments)
        with self.linked("--name", "test", "--delay", "1ms", "--seed", "1") as (left, _, end):
            hawser("set", "test", "--delay", "40ms", "back", "--partition", "on")
            there, back = json.loads(hawser("show", "test", "--json"))
            self.assertEqual(there["impairment"], {"delay": "40ms"})
            self.assertEqual(back["impairment"], {"delay": "40ms", "partition": "on"})
            ping = ["ping", "-n", "-q", "-c", "1", "-W", "1", RIGHT]
            self.assertEqual(subprocess.run(left.inside(*ping), check=False, stdout=subprocess.DEVNULL).returncode, 1)
            hawser("set", "back", "--partition", "off")  # the only one needs no name
            said = subprocess.run(left.inside(*ping), check=True, stdout=subprocess.PIPE, text=True).stdout
            self.assertGreaterEqual(float(re.search(r"min/avg/max/mdev = ([\d.]+)/", said)[1]), 80)
            self.assertIn("    impairments: --delay 40ms\n", hawser("show"))
            said = end()
        self.assertRegex(totals(said, "tap:right -> tap:left")[2], r"\d+ partitioned")

    def test_tcp_of_the_kernel_crosses_a_bad_link(self):
        digest = make_file(self.path("sent"), 2 << 20)
        with self.linked("--delay", "2ms", "--loss", "1%", "--rate", "50mbit", "--reorder", "1%", "--duplicate", "1%",
                         "--corrupt", "0.5%") as (left, right, end):
            self.transfer(left, right, digest)
            said = end()
        self.assertRegex(said, r"of the delivered: \d+ corrupted, \d+ duplicated, \d+ reordered")


if __name__ == "__main__":
    sys.exit(peers.main(__doc__, ["ncat", "nsenter", "ping", "setpriv", "sysctl"]))
