#!/usr/bin/env python3
"""Lets the kernel talk to itself across `hawser link`, from one namespace to another.

peers.py says how it is run.
"""

import contextlib
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
    def linked(self, *options):
        """Gives the two hosts, and a function that ends the link and returns what it said at the end."""
        with hosts(2) as (left, right):
            link = subprocess.Popen([peers.program, "link", "tap:left", "tap:right", *options],
                                    stdout=subprocess.PIPE, text=True)
            try:
                wait_until(lambda: peers.is_interface("right"), "the link")
                for host, name, address in [(left, "left", LEFT), (right, "right", RIGHT)]:
                    peers.run("ip", "link", "set", name, "netns", str(host.holder.pid))
                    # No stray frames of IPv6 among those that are counted.
                    host.run("sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=1")
                    host.run("ip", "address", "add", f"{address}/24", "dev", name)
                    host.run("ip", "link", "set", name, "up")

                def end():
                    link.send_signal(signal.SIGINT)
                    said = link.communicate(timeout=LONG)[0]
                    self.assertEqual(link.returncode, 0)
                    return said
                yield left, right, end
            finally:
                link.kill()
                link.wait()

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

    def test_tcp_of_the_kernel_crosses_a_bad_link(self):
        digest = make_file(self.path("sent"), 2 << 20)
        with self.linked("--delay", "2ms", "--loss", "1%", "--rate", "50mbit", "--reorder", "1%", "--duplicate", "1%",
                         "--corrupt", "0.5%") as (left, right, end):
            with open(self.path("got"), "wb") as got, open(self.path("sent"), "rb") as sent:
                server = subprocess.Popen(right.inside("ncat", "-l", "-n", "--recv-only", RIGHT, "5000"), stdout=got)
                wait_until(lambda: ":5000" in right.run("ss", "-ltn"), "the listener")
                subprocess.run(left.inside("ncat", "-n", "--send-only", RIGHT, "5000"), stdin=sent, timeout=LONG,
                               check=True)
                self.assertEqual(server.wait(LONG), 0)
            said = end()
        self.assertEqual(digest_of(self.path("got")), digest)
        self.assertRegex(said, r"of the delivered: \d+ corrupted, \d+ duplicated, \d+ reordered")


if __name__ == "__main__":
    sys.exit(peers.main(__doc__, ["ncat", "nsenter", "ping", "setpriv", "sysctl"]))
