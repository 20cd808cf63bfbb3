#!/usr/bin/env python3
"""Lets `hawser` meet networks of the kernel's: routers, narrow links, filters.

peers.py says how it is run.
"""

import contextlib
import re
import subprocess
import sys

import peers
from networks import Here, become_router, cable, hosts
from peers import LINK, LONG, OURS, OURS6, RealPeers, digest_of, make_file

GATEWAYS = ["--gateway", peers.KERNEL, "--gateway", peers.KERNEL6]


class Narrow(RealPeers):
    """A link of 1280 bytes between `hawser` and a host.

    hawser == TUN == this namespace ── 1500 ── first router ── 1280 ── second router ── 1500 ── host
    """

    FAR, FAR6 = "10.8.3.2", "fd00:8:3::2"

    @contextlib.contextmanager
    def narrow_network(self):
        """Gives the first router and the host at the far end."""
        with hosts(3) as (first, second, client):
            here = Here()
            cable(here, first, ("a0", "a1"), a_addresses=["10.8.1.1/24", "fd00:8:1::1/64"],
                  b_addresses=["10.8.1.2/24", "fd00:8:1::2/64"])
            cable(first, second, ("b0", "b1"), mtu=1280, a_addresses=["10.8.2.1/24", "fd00:8:2::1/64"],
                  b_addresses=["10.8.2.2/24", "fd00:8:2::2/64"])
            cable(second, client, ("c0", "c1"), a_addresses=["10.8.3.1/24", "fd00:8:3::1/64"],
                  b_addresses=["10.8.3.2/24", "fd00:8:3::2/64"])
            for router in [here, first, second]:
                become_router(router)
            for host, far, near in [(here, 3, "1::2"), (first, 3, "2::2")]:
                way4 = near.replace("::", ".")
                host.run("ip", "route", "add", f"10.8.{far}.0/24", "via", f"10.8.{way4}")
                host.run("ip", "route", "add", f"fd00:8:{far}::/64", "via", f"fd00:8:{near}")
            for host, near in [(second, "2::1"), (first, "1::1"), (client, "3::1")]:
                way4 = near.replace("::", ".")
                host.run("ip", "route", "add", "10.9.0.0/24", "via", f"10.8.{way4}")
                host.run("ip", "route", "add", "fd00:9::/64", "via", f"fd00:8:{near}")
            yield first, client


class PathMtu(Narrow):
    """64 MiB from `hawser serve` to curl."""

    SIZE = 64 << 20

    def fetch(self, client, address):
        out = self.path("out")
        subprocess.run(client.inside("curl", "-sSfg", "--max-time", str(LONG), "-o", out,
                                     f"http://{address}/big"), check=True)
        return digest_of(out)

    def test_a_router_that_tells_is_heeded(self):
        digest = make_file(self.path("big"), self.SIZE)
        with self.narrow_network() as (_, client), self.serving(*GATEWAYS):
            self.assertEqual(self.fetch(client, OURS), digest)
            self.assertEqual(self.fetch(client, f"[{OURS6}]"), digest)

    def test_a_router_that_is_silenced_is_found_out(self):
        digest = make_file(self.path("big"), self.SIZE)
        with self.narrow_network() as (router, client), self.serving(*GATEWAYS):
            router.run("nft", "add table inet silence; add chain inet silence output "
                       "{ type filter hook output priority 0; }; "
                       "add rule inet silence output icmp type destination-unreachable drop; "
                       "add rule inet silence output icmpv6 type packet-too-big drop")
            self.assertEqual(self.fetch(client, OURS), digest)
            self.assertEqual(self.fetch(client, f"[{OURS6}]"), digest)


class LargePings(Narrow):
    """Echoes in fragments of 1500 bytes, which the narrow link does not take: a router cuts those of IPv4
    once more, and says so of IPv6."""

    SIZE = 20000

    def check(self, said):
        # Of IPv6 the first are what finds out how narrow the path is, there and back.
        self.assertRegex(said, r"10 packets transmitted, ([89]|10) received")
        self.assertEqual(said.count(f"{self.SIZE + 8} bytes from"), int(re.search(r"(\d+) received", said)[1]))

    def test_the_kernel_pings(self):
        with self.narrow_network() as (_, far), self.serving(*GATEWAYS):
            for address in [OURS, OURS6]:
                done = subprocess.run(far.inside("ping", "-n", "-c", "10", "-i", "0.2", "-s", str(self.SIZE),
                                                 address), stdout=subprocess.PIPE, text=True, timeout=LONG)
                self.check(done.stdout)

    def test_we_ping(self):
        with self.narrow_network():
            for address in [self.FAR, self.FAR6]:
                done = subprocess.run(self.command("ping", address, "-c", "10", "-i", "0.2", "-s", str(self.SIZE),
                                                   *LINK, *GATEWAYS),
                                      stdout=subprocess.PIPE, text=True, timeout=LONG)
                self.check(done.stdout)


if __name__ == "__main__":
    sys.exit(peers.main(__doc__, ["curl", "nft", "nsenter", "ping", "setpriv"]))
