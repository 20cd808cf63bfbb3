#!/usr/bin/env python3
"""Lets `hawser` lease its address from dnsmasq, over a TAP interface and on a veth.

peers.py says how it is run.
"""

import contextlib
import re
import subprocess
import sys

import captures
import peers
from peers import (KERNEL, KERNEL_LINK, KIND, LONG, OverEachEthernet, digest_of, is_interface, make_file,
                   run, wait_until)

LINK = f"{KIND}:hw0"
POOL = r"10\.9\.0\.1[0-4][0-9]"


class Dhcp(OverEachEthernet):
    def setUp(self):
        super().setUp()
        if KIND != "packet" and not is_interface(KERNEL_LINK):  # there before us, for dnsmasq
            run("ip", "tuntap", "add", "dev", KERNEL_LINK, "mode", "tap")
            run("ip", "address", "add", f"{KERNEL}/24", "dev", KERNEL_LINK)
            run("ip", "link", "set", KERNEL_LINK, "up")

    @contextlib.contextmanager
    def dnsmasq(self, *options, names=False):
        """What it logs is in dnsmasq.log. With `names` it answers for them, too."""
        dns = (["--port=53", "--no-resolv", "--no-hosts", f"--address=/files.harbour.example/{KERNEL}",
                f"--dhcp-option=option:dns-server,{KERNEL}"]
               if names else ["--port=0", "--dhcp-option=option:dns-server,10.9.0.53"])
        with open(self.path("dnsmasq.log"), "w") as log:
            server = subprocess.Popen(
                ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", *dns, *options,
                 f"--interface={KERNEL_LINK}", "--bind-interfaces", "--log-dhcp", "--log-facility=-",
                 "--dhcp-authoritative", "--dhcp-range=10.9.0.100,10.9.0.149,255.255.255.0,2m",
                 "--domain=harbour.example", f"--dhcp-leasefile={self.path('leases')}", "--pid-file"],
                stdout=log, stderr=log)
        try:
            wait_until(lambda: "DHCP, IP range" in self.served() or server.poll() is not None,
                       "dnsmasq")
            self.assertIsNone(server.poll(), self.served())
            yield server
        except BaseException:
            print(self.served(), file=sys.stderr)
            raise
        finally:
            server.kill()
            server.wait()

    def served(self):
        with open(self.path("dnsmasq.log")) as file:
            return file.read()

    def lease_and_get(self, target, *options, host=KERNEL):
        command = self.command("get", f"http://{host}/{target}", "--link", LINK, "--dhcp", "-o",
                               self.path("out"), *options)
        return subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=LONG)

    def test_leases_uses_and_gives_back_an_address(self):
        digest = make_file(self.path("big"), 8 << 20)
        with self.nginx(), self.dnsmasq():
            got = self.lease_and_get("big")
            self.assertEqual(got.returncode, 0, got.stderr)
            self.assertEqual(digest_of(self.path("out")), digest)
            for step in ["DHCPDISCOVER", "DHCPOFFER", "DHCPREQUEST", "DHCPACK", "DHCPRELEASE"]:
                wait_until(lambda: step in self.served(), step, 10)
            self.assertRegex(self.served(), rf"DHCPACK\({KERNEL_LINK}\) {POOL}")
        (capture,) = captures.captures_in(self.captures)
        kinds = captures.read(capture, "dhcp", fields=["dhcp.option.dhcp"])
        self.assertEqual([kind for kind in kinds if kind != "1"][:3], ["2", "3", "5"])

    def test_leases_an_address_over_a_bad_line(self):
        digest = make_file(self.path("small"), 1000)
        with self.nginx(), self.dnsmasq():
            got = self.lease_and_get("small", "--loss", "5%", "--seed", "3")
            self.assertEqual(got.returncode, 0, got.stderr)
            self.assertEqual(digest_of(self.path("out")), digest)

    def test_serves_at_the_address_that_it_leased(self):
        digest = make_file(self.path("big"), 1 << 20)
        with self.dnsmasq():
            server = subprocess.Popen(self.command("serve", self.folder, "--link", LINK, "--dhcp"),
                                      stderr=subprocess.PIPE, text=True)
            try:
                line = server.stderr.readline()
                url = re.search(rf"http://{POOL}/", line)
                self.assertIsNotNone(url, line)
                run("curl", "-sSf", "--max-time", str(LONG), "-o", self.path("out"), f"{url[0]}big")
                self.assertEqual(digest_of(self.path("out")), digest)
            finally:
                server.terminate()
                server.communicate(timeout=30)

    def test_looks_names_up_at_the_server_of_the_lease(self):
        digest = make_file(self.path("small"), 1000)
        with self.nginx(), self.dnsmasq(names=True):
            got = self.lease_and_get("small", host="files.harbour.example")
            self.assertEqual(got.returncode, 0, got.stderr)
            self.assertEqual(digest_of(self.path("out")), digest)

    def test_looks_short_names_up_in_the_domain_of_the_lease(self):
        digest = make_file(self.path("small"), 1000)
        for options in [(), ("--dhcp-option=option:domain-search,quay.example,harbour.example",
                             "--local=/quay.example/")]:
            with self.nginx(), self.dnsmasq(*options, names=True):
                got = self.lease_and_get("small", host="files")
                self.assertEqual(got.returncode, 0, got.stderr)
                self.assertEqual(digest_of(self.path("out")), digest)
                self.assertEqual("option:119 domain-search" in self.served(), bool(options))

    def test_says_that_nobody_answers(self):
        got = self.lease_and_get("small")
        self.assertEqual(got.returncode, 1)
        self.assertIn("no server gave an address", got.stderr)
        self.assertEqual(got.stderr.count("\n"), 1, got.stderr)


if __name__ == "__main__":
    sys.exit(peers.main(__doc__, ["curl", "nginx", "dnsmasq"]))
