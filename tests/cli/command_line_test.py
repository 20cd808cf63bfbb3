#!/usr/bin/env python3
"""Asks the hawser command what a user may ask first, and wrongly: it answers in words.

    command_line_test.py PROGRAM

Nothing here needs a privilege or opens a device.
"""

import os
import re
import subprocess
import sys
import unittest

program = None
LINK = ["--link", "tun:hw0", "--address", "10.9.0.2/24"]


def hawser(*arguments, **options):
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False,
                          timeout=60, **options)


class CommandLine(unittest.TestCase):
    def refused(self, *arguments, says, code=2):
        """One line on standard error, and nothing else."""
        done = hawser(*arguments)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(says, done.stderr)

    def commands(self):
        section = hawser("--help").stdout.split("Subcommands:\n")[1].split("\n\n")[0]
        return re.findall(r"^  ([a-z]+)", section, re.MULTILINE)

    def test_help_fits_eighty_columns(self):
        self.assertLessEqual({"demo", "serve", "get", "listen", "connect"}, set(self.commands()))
        for arguments in [[]] + [[command] for command in self.commands()]:
            done = hawser(*arguments, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for line in done.stdout.splitlines():
                self.assertLessEqual(len(line), 80, (arguments, line))
            self.assertNotIn("\n\n\n", done.stdout)
            self.assertNotRegex(done.stdout, r"UINT|INT:|TEXT|REQUIRED", arguments)

    def test_without_a_command_it_shows_the_help(self):
        done = hawser()
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr, hawser("--help").stdout)

    def test_version(self):
        self.assertRegex(hawser("--version").stdout, r"\Ahawser \d+\.\d+\.\d+\n\Z")

    def test_what_is_no_number(self):
        self.refused("serve", ".", *LINK, "--port", "http", says="--port: 'http' is not a port")
        self.refused("serve", ".", *LINK, "--port", "65536", says="a number from 1 to 65535")
        self.refused("serve", ".", *LINK, "--max-connections", "0", says="'0' is not a whole number")
        self.refused("serve", ".", *LINK, "--timeout", "0s", says="'0s' leaves no time at all")
        self.refused("serve", ".", *LINK, "--mtu", "big", says="'big' is not an MTU")
        self.refused("serve", ".", *LINK, "--seed", "x", says="--seed: 'x' is not a whole number")
        self.refused("get", "http://10.9.0.1/", *LINK, "--max-redirects", "-1",
                     says="'-1' is not a whole number")
        self.refused("listen", "http", *LINK, says="PORT: 'http' is not a port")
        self.refused("connect", "10.9.0.1", "0", *LINK, says="PORT: '0' is not a port")
        for command in ["connect", "10.9.0.1", "9"], ["listen", "9"]:
            self.refused(*command, *LINK, "--idle", "1s", says="--idle requires --udp")
            self.refused(*command, *LINK, "--datagram", "9", says="--datagram requires --udp")
        self.refused("demo", "--path-mtu", "0", says="--path-mtu: '0' is not an MTU")
        self.refused("demo", "--path-mtu", "64k", says="--path-mtu: '64k' is not an MTU")
        self.refused("demo", "--loss", "200%", says="'200%' is not a probability")

    def test_a_link_needs_two_devices_of_a_sort(self):
        self.refused("link", "tap:a", says="name two devices")
        self.refused("link", "tap:a", "tun:b", says="name two of one sort")
        self.refused("link", "tap:a", "b", says="'b' is no link")
        self.refused("link", "tap:a", "tap:b", "--partition", "yes", says="'yes' is neither on nor off")
        self.refused("link", "tap:a", "tap:b", "there", "--loss", "2", says="--loss: '2' is not a probability")
        # Each word is where it belongs: what stops it is the last of them, and the device that is none.
        for ways in [["there", "--loss", "1%", "back", "--loss", "2%"], ["back", "--loss", "1%", "there", "--loss", "2%"]]:
            self.refused("link", "tap:a", "tun:b", "--loss", "3%", *ways, says="name two of one sort")
            self.refused("link", "set", "--loss", "3%", *ways[:-1], "x", says="--loss: 'x' is not a probability")

    def test_a_command_that_there_is_not(self):
        self.refused("serv", ".", says="hawser: there is no command or option 'serv' (see hawser --help)")
        self.refused("serve", ".", *LINK, "--bogus", says="hawser serve: The following argument")

    def test_what_a_device_cannot_be_is_wrong_usage(self):
        self.refused("serve", ".", *LINK, "--mtu", "20", says="an MTU of 20 is not between")
        self.refused("serve", ".", "--link", "tun:a/b", "--address", "10.9.0.2/24",
                     says="'a/b' cannot be the name of an interface")

    def test_addresses_that_cannot_work(self):
        self.refused("serve", ".", "--link", "tun:hw0", "--address", "10.9.0.2",
                     says="--address: '10.9.0.2' is no address with the length of its network")
        self.refused("serve", ".", "--link", "tun:hw0", "--address", "10.9.0.255/24",
                     says="--address: no host can have 10.9.0.255/24")
        self.refused("serve", ".", *LINK, "--host-address", "10.8.0.1/24",
                     says="--host-address 10.8.0.1/24 is in one network with no --address")
        self.refused("serve", ".", "--link", "tap:hw0", "--host-address", "10.9.0.1/24",
                     says="--host-address 10.9.0.1/24 is in one network with no --address")
        self.refused("serve", ".", "--link", "tun:hw0", "--host-address", "fd00:9::1/64",
                     says="--address is required")
        self.refused("serve", ".", "--link", "tap:hw0", says="--address is required")
        self.refused("serve", ".", *LINK, "--gateway", "10.8.0.1", says="--gateway: 10.8.0.1")

    def test_a_full_disk_is_not_success(self):
        with open("/dev/full", "w") as full:
            for arguments in [["demo"], ["--help"], ["--version"], ["demo", "--help"]]:
                done = subprocess.run([program, *arguments], stdout=full, stderr=subprocess.PIPE,
                                      text=True, check=False, timeout=60)
                self.assertEqual(done.returncode, 1, arguments)
                self.assertEqual(done.stderr, "hawser: cannot write to standard output: "
                                              "No space left on device\n")

    def test_colour_only_where_a_terminal_shows_it(self):
        def drawn(**environment):
            """The demo on a terminal of its own."""
            ours, theirs = os.openpty()
            base = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
            child = subprocess.Popen([program, "demo", "--bytes", "1"], stdout=theirs,
                                     env={**base, **environment})
            os.close(theirs)
            text = b""
            try:
                while chunk := os.read(ours, 65536):
                    text += chunk
            except OSError:  # the end of a terminal
                pass
            os.close(ours)
            self.assertEqual(child.wait(60), 0)
            return text

        self.assertIn(b"\x1b[", drawn(TERM="xterm"))
        self.assertNotIn(b"\x1b[", drawn(TERM="xterm", NO_COLOR="1"))
        self.assertNotIn(b"\x1b[", drawn(TERM="dumb"))
        self.assertNotIn(b"\x1b[", drawn())
        self.assertNotIn("\x1b[", hawser("demo", "--bytes", "1").stdout)

    def test_every_command_with_a_link_can_narrow_its_path(self):
        for command in ["demo", "serve", "get", "listen", "connect", "ping", "trace"]:
            self.assertIn("--path-mtu BYTES", hawser(command, "--help").stdout, command)
        whole, narrow = (hawser("demo", "--bytes", "64k", *options)
                         for options in [[], ["--path-mtu", "600"]])
        self.assertEqual((whole.returncode, narrow.returncode), (0, 0), narrow)
        for done in [whole, narrow]:
            self.assertIn("  delivered   65536 bytes", done.stdout)
        self.assertNotIn("too big", whole.stdout)
        self.assertRegex(narrow.stdout, r"[1-9]\d* too big")

    def test_the_demo_counts_in_words(self):
        self.assertIn("  delivered   0 bytes\n", hawser("demo", "--bytes", "0").stdout)
        self.assertRegex(hawser("demo", "--bytes", "1").stdout,
                         r"  delivered   1 byte in \d+\.\d ms: \d+ bit/s\n")


if __name__ == "__main__":
    program = sys.argv.pop(1)
    unittest.main()
