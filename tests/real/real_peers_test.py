#!/usr/bin/env python3
"""Lets `hawser` talk to the kernel's TCP: curl and nginx on the other end of a link.

peers.py says how it is run.
"""

import os
import re
import signal
import subprocess
import sys

import captures
import peers
from peers import (BAD_LINE, BIG, KERNEL, KERNEL6, KERNEL_LINK, LINK, LONG, OURS, OURS6,
                   OverEachLink, RealPeers, digest_of, make_file, run, wait_until)


class Serve(OverEachLink):
    """Kernel curl against `hawser serve`."""

    def test_curl_gets_a_big_file(self):
        digest = make_file(self.path("big"), BIG)
        with self.serving(record=False):
            self.assertEqual(self.curl_big(OURS), digest)
            self.assertEqual(self.curl_big(f"[{OURS6}]"), digest)
        self.assertEqual(self.exit_code, 0)

    def test_curl_gets_a_big_file_over_a_bad_line(self):
        digest = make_file(self.path("big"), BIG)
        with self.serving(*BAD_LINE, record=False):
            self.assertEqual(self.curl_big(OURS), digest)

    def test_curl_gets_a_big_file_over_a_bad_line_ipv6(self):
        digest = make_file(self.path("big"), BIG)
        with self.serving(*BAD_LINE, record=False):
            self.assertEqual(self.curl_big(f"[{OURS6}]"), digest)

    def test_ranges_and_keep_alive(self):
        with open(self.path("digits"), "w") as file:
            file.write("0123456789")
        with self.serving():
            url = f"http://{OURS}/digits"
            self.assertEqual(run("curl", "-sS", "-r", "2-4", url), "234")
            self.assertEqual(run("curl", "-sS", "-r", "-3", url), "789")
            connects = run("curl", "-sS", "-o", "/dev/null", "-o", "/dev/null", "-w",
                           "%{num_connects}", url, url)
            self.assertEqual(connects, "10")  # one new connection, then none

    def test_500_connections_at_once(self):
        digest = make_file(self.path("file"), 128 << 10)
        with self.serving():
            # Slow enough that all are open at one time.
            clients = [subprocess.Popen(
                ["curl", "-sSf", "--no-progress-meter", "-Z", "--parallel-max", "100", "--parallel-immediate",
                 "--limit-rate", "20k", "--max-time", str(LONG),
                 "-o", self.path(f"out-{i}-#1"), f"http://{OURS}/file?[1-100]"])
                for i in range(5)]
            open_ones = ["ss", "-Htn", "state", "established", "dport", "=", ":80"]
            wait_until(lambda: len(run(*open_ones).splitlines()) == 500, "500 connections", 60)
            for client in clients:
                self.assertEqual(client.wait(LONG), 0)
            for i in range(5):
                for j in range(1, 101):
                    self.assertEqual(digest_of(self.path(f"out-{i}-{j}")), digest)
        self.assertEqual(self.log().count("\" 200 "), 500)

    def test_a_client_that_is_killed_harms_nobody_else(self):
        make_file(self.path("big"), 32 << 20)
        with self.serving():
            client = subprocess.Popen(["curl", "-sS", "--limit-rate", "1M", "-o", "/dev/null",
                                       f"http://{OURS}/big"])
            wait_until(lambda: ":80" in run("ss", "-Htn", "state", "established"), "the transfer")
            client.kill()
            client.wait()
            wait_until(lambda: re.search(r"200 \d+ B in .*: ", self.log()), "the server to notice")
            self.assertIn("connection reset by peer", self.log())
            self.assertEqual(run("curl", "-sS", "-r", "0-0", "-o", "/dev/null", "-w",
                                 "%{http_code}", f"http://{OURS}/big"), "206")

    def test_a_client_that_falls_silent_is_given_up(self):
        make_file(self.path("big"), 32 << 20)
        with self.serving("--timeout", "2s"):
            client = subprocess.Popen(["curl", "-sS", "-o", "/dev/null", "--limit-rate", "1M",
                                       f"http://{OURS}/big"], stderr=subprocess.DEVNULL)
            wait_until(lambda: ":80" in run("ss", "-Htn", "state", "established"), "the transfer")
            client.send_signal(signal.SIGSTOP)
            wait_until(lambda: "too slow" in self.log(), "the server to give up")
            client.send_signal(signal.SIGCONT)
            self.assertNotEqual(client.wait(30), 0)

    def test_an_interface_that_is_removed_ends_it(self):
        # It went on in a busy loop and said nothing.
        with self.serving() as server:
            run("ip", "link", "delete", "hw0")
            self.assertEqual(server.wait(60), 1)
        self.assertIn("hawser: the interface hw0 was removed\n", self.log())

    def test_a_server_that_ends_is_an_error_for_its_clients(self):
        make_file(self.path("big"), 32 << 20)
        with self.serving() as server:
            client = subprocess.Popen(["curl", "-sS", "-o", "/dev/null", "--limit-rate", "1M",
                                       f"http://{OURS}/big"], stderr=subprocess.DEVNULL)
            wait_until(lambda: ":80" in run("ss", "-Htn", "state", "established"), "the transfer")
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait(30), 0)
            # The link is gone with the server. What had arrived is read at the client's pace.
            self.assertNotEqual(client.wait(LONG), 0)

    def test_tshark_finds_nothing_wrong(self):
        make_file(self.path("big"), 8 << 20)
        with self.serving(*BAD_LINE):
            self.curl_big(OURS)
            self.curl_big(f"[{OURS6}]")
        (capture,) = captures.captures_in(self.captures)
        self.assertEqual(captures.faults_of(capture, count=None), [])
        for family in ["ip", "ipv6"]:
            good = captures.read(capture, f"{family} && tcp.checksum.status == \"Good\"", fields=["frame.number"])
            self.assertGreater(len(good), 5000)


class Get(OverEachLink):
    """`hawser get` against nginx."""

    def test_gets_a_big_file(self):
        digest = make_file(self.path("big"), BIG)
        with self.nginx():
            for address in [KERNEL, f"[{KERNEL6}]"]:
                got = self.get("big", address=address, record=False)
                self.assertEqual(got.returncode, 0, got.stderr)
                self.assertEqual(digest_of(self.path("out")), digest)

    def test_gets_a_big_file_over_a_bad_line(self):
        digest = make_file(self.path("big"), BIG)
        with self.nginx():
            got = self.get("big", *BAD_LINE, record=False)
            self.assertEqual(got.returncode, 0, got.stderr)
            self.assertEqual(digest_of(self.path("out")), digest)

    def test_follows_redirects_and_says_what_fails(self):
        digest = make_file(self.path("small"), 1000)
        with self.nginx():
            self.assertEqual(self.get("moved").returncode, 0)
            self.assertEqual(digest_of(self.path("out")), digest)
            for target, words in [("none", "404"), ("for-ever", "redirects")]:
                got = self.get(target)
                self.assertEqual(got.returncode, 1)
                self.assertIn(words, got.stderr)
                self.assertEqual(got.stderr.count("\n"), 1, got.stderr)
        got = self.get("small")
        self.assertEqual(got.returncode, 1)
        self.assertIn("refused", got.stderr)

    def test_goes_on_where_it_ended(self):
        digest = make_file(self.path("big"), 8 << 20)
        with self.nginx():
            self.assertEqual(self.get("big").returncode, 0)
            times = os.stat(self.path("out"))
            os.truncate(self.path("out"), 3 << 20)
            os.utime(self.path("out"), (times.st_atime, times.st_mtime))
            got = self.get("big", "--continue")
            self.assertEqual(got.returncode, 0, got.stderr)
            self.assertIn(f"{5 << 20} of them now", got.stderr)
            self.assertEqual(digest_of(self.path("out")), digest)
            self.assertIn("complete already", self.get("big", "--continue").stderr)
            # Of another version nothing can be used.
            os.truncate(self.path("out"), 1 << 20)
            os.utime(self.path("out"), (0, 0))
            self.assertEqual(self.get("big", "--continue").returncode, 0)
            self.assertEqual(digest_of(self.path("out")), digest)

    def test_a_file_that_is_longer_here_is_named_with_both_sizes(self):
        make_file(self.path("small"), 1000)
        with self.nginx():
            self.assertEqual(self.get("small").returncode, 0)
            times = os.stat(self.path("out"))
            with open(self.path("out"), "ab") as file:
                file.write(bytes(234))
            os.utime(self.path("out"), (times.st_atime, times.st_mtime))
            digest = digest_of(self.path("out"))
            got = self.get("small", "--continue")
            self.assertEqual(got.returncode, 1)
            self.assertIn("the file has 1000 bytes on the server and 1234 here", got.stderr)
            self.assertEqual(got.stderr.count("\n"), 1, got.stderr)
            self.assertEqual(digest_of(self.path("out")), digest)

    def test_goes_on_after_an_interruption(self):
        # What was there had no date of its version, and so was thrown away.
        digest = make_file(self.path("big"), 4 << 20)
        with self.nginx(rate="1m"):
            client = self.begin_slow_get()
            client.send_signal(signal.SIGINT)
            _, stderr = client.communicate(timeout=60)
            self.assertEqual((client.returncode, stderr),
                             (130, "hawser: interrupted; --continue goes on from here\n"))
            self.assertLess(os.path.getsize(self.path("out")), 4 << 20)
            got = self.get("big", "--continue")
            self.assertEqual(got.returncode, 0, got.stderr)
            self.assertIn("of them now", got.stderr)
            self.assertEqual(digest_of(self.path("out")), digest)

    def begin_slow_get(self, *options):
        command = self.command("get", f"http://{KERNEL}/big", *LINK, "-o", self.path("out"), *options)
        client = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        out = self.path("out")
        wait_until(lambda: os.path.exists(out) and os.path.getsize(out) > 0, "the transfer")
        return client

    def end_of(self, client):
        _, stderr = client.communicate(timeout=60)
        self.assertEqual(client.returncode, 1, stderr)
        self.assertRegex(stderr, re.compile(r"broke off after \d+ of \d+ bytes"))

    def test_a_server_that_is_killed_is_an_error(self):
        make_file(self.path("big"), 32 << 20)
        with self.nginx(rate="1m") as server:
            client = self.begin_slow_get()
            server.kill()
            self.end_of(client)

    def test_a_server_that_falls_silent_is_an_error(self):
        make_file(self.path("big"), 32 << 20)
        with self.nginx(rate="1m"):
            client = self.begin_slow_get("--timeout", "2s")
            run("ip", "link", "set", KERNEL_LINK, "down")
            self.end_of(client)

    def test_an_interface_that_is_removed_is_an_error(self):
        make_file(self.path("big"), 32 << 20)
        with self.nginx(rate="1m"):
            client = self.begin_slow_get()
            run("ip", "link", "delete", "hw0")
            _, stderr = client.communicate(timeout=60)
            self.assertEqual(client.returncode, 1)
            self.assertIn("hawser: the interface hw0 was removed: the transfer broke off", stderr)
            self.assertEqual(stderr.count("\n"), 1, stderr)


class Usage(RealPeers):
    """Wrong arguments: one line that says what to do."""

    def complaint(self, *arguments):
        done = subprocess.run([peers.program, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=30)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.returncode, done.stderr

    def test_wrong_arguments(self):
        for words, arguments in {
            "DIR": ["serve"],
            "cannot serve": ["serve", "/nonexistent", *LINK],
            "tun:NAME": ["serve", "/", "--link", "x", "--address", "10.9.0.2/24"],
            "--dhcp: there is no DHCP": ["serve", "/", "--link", "tun:hw0", "--dhcp"],
            "--address is required": ["serve", "/", "--link", "tun:hw0"],
            "has no addresses": ["serve", "/", *LINK, "--mac", "02:00:00:00:00:01"],
            "--mac": ["serve", "/", "--link", "tap:hw0", "--address", "10.9.0.2/24", "--mac", "2"],
            "ip address add": ["serve", "/", "--link", "packet:hw0", "--address", "10.9.0.2/24",
                               "--host-address", "10.9.0.1/24"],
            "ip link set": ["serve", "/", "--link", "packet:hw0", "--address", "10.9.0.2/24",
                            "--mtu", "1400"],
            "no address": ["serve", "/", "--link", "tun:hw0", "--address", "10.9.0"],
            "each end": ["serve", "/", "--link", "tun:hw0", "--address", "10.9.0.2/24",
                         "--host-address", "10.9.0.2/24"],
            "--loss": ["serve", "/", *LINK, "--loss", "much"],
            "https": ["get", "https://10.9.0.1/", *LINK],
        }.items():
            code, line = self.complaint(*arguments)
            self.assertEqual(code, 2, line)
            self.assertIn(words, line)

    def test_a_missing_privilege(self):
        done = subprocess.run(["setpriv", "--bounding-set=-net_admin", peers.program, "get",
                               "http://10.9.0.1/", *LINK, "-o", self.path("out")],
                              stderr=subprocess.PIPE, text=True, timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn("CAP_NET_ADMIN", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_help_has_examples(self):
        for command in ["serve", "get"]:
            self.assertIn("Examples:", run(peers.program, command, "--help"))


if __name__ == "__main__":
    sys.exit(peers.main(__doc__, ["curl", "nginx"]))
