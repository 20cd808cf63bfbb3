#!/usr/bin/env python3
"""Lets the everyday commands of `hawser` talk to the kernel's, over a link.

peers.py says how it is run.
"""

import contextlib
import hashlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import unittest.mock

import peers
from peers import (BAD_LINE, KERNEL, KERNEL6, LINK, LONG, OURS, OURS6, OverEachLink, RealPeers,
                   digest_of, link_is_open, make_file, run, wait_until)

PORT = "9000"
SOME = 32 << 20


class Commands(RealPeers):
    @contextlib.contextmanager
    def process(self, *command, stdin=None, stdout=None, name="process"):
        """Runs it until the block ends; stdin and stdout name files of the folder. What it says on
        stderr is in NAME.log."""
        with contextlib.ExitStack() as files:
            source = files.enter_context(open(self.path(stdin), "rb")) if isinstance(stdin, str) else (
                subprocess.DEVNULL if stdin is None else stdin)
            sink = files.enter_context(open(self.path(stdout), "wb")) if isinstance(stdout, str) else (
                subprocess.DEVNULL if stdout is None else stdout)
            log = files.enter_context(open(self.path(f"{name}.log"), "w"))
            process = subprocess.Popen(command, stdin=source, stdout=sink, stderr=log)
        try:
            yield process
        except BaseException:
            print(f"{name}:", self.read(f"{name}.log"), file=sys.stderr)
            raise
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()

    def hawser(self, *arguments, **streams):
        return self.process(*self.command(*arguments, *LINK), name="hawser", **streams)

    @contextlib.contextmanager
    def dnsmasq(self, *options):
        """It can only begin when the link is there, and so comes after it."""
        dnsmasq = shutil.which("dnsmasq") or "/usr/sbin/dnsmasq"
        with self.process(dnsmasq, "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null",
                          "--pid-file", "--user=root", "--local=/test/", *options, name="dnsmasq") as server:
            wait_until(lambda: ":53 " in run("ss", "-Hlun"), "dnsmasq")
            yield server

    def read(self, name, mode="r"):
        with open(self.path(name), mode) as file:
            return file.read()

    def wait_for_log(self, words):
        wait_until(lambda: words in self.read("hawser.log"), words)


def wait_for_kernel_listener(port=PORT):
    wait_until(lambda: f":{port} " in run("ss", "-Hltn"), "the kernel's listener")


class Connect(OverEachLink, Commands):
    """`hawser connect` to the kernel."""

    def both_ways(self, address, *options):
        there = make_file(self.path("there"), SOME)
        back = make_file(self.path("back"), SOME + 1)
        with self.process("ncat", "-l", PORT, stdin="back", stdout="got-there", name="ncat") as server:
            wait_for_kernel_listener()
            with self.hawser("connect", address, PORT, *options, stdin="there",
                             stdout="got-back") as client:
                self.assertEqual(client.wait(LONG), 0, self.read("hawser.log"))
            self.assertEqual(server.wait(LONG), 0)
        self.assertEqual(digest_of(self.path("got-back")), back)
        self.assertEqual(digest_of(self.path("got-there")), there)

    def test_much_both_ways(self):
        self.both_ways(KERNEL)

    def test_much_both_ways_ipv6(self):
        self.both_ways(KERNEL6)

    def test_much_both_ways_over_a_bad_line(self):
        self.both_ways(KERNEL, *BAD_LINE)

    def kernel_listener(self):
        listener = socket.create_server(("0.0.0.0", int(PORT)))
        self.addCleanup(listener.close)
        listener.settimeout(LONG)
        return listener

    def accept(self, listener):
        peer, _ = listener.accept()
        self.addCleanup(peer.close)
        peer.settimeout(LONG)
        return peer

    def test_our_half_close(self):
        listener = self.kernel_listener()
        with self.hawser("connect", KERNEL, PORT, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE) as client:
            client.stdin.write(b"request")
            client.stdin.close()
            peer = self.accept(listener)
            self.assertEqual(read_all(peer), b"request")  # the end of our direction came
            peer.sendall(b"answer")
            peer.close()
            self.assertEqual(client.stdout.read(), b"answer")
            self.assertEqual(client.wait(LONG), 0)

    def test_the_kernels_half_close(self):
        listener = self.kernel_listener()
        with self.hawser("connect", KERNEL, PORT, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE) as client:
            peer = self.accept(listener)
            peer.sendall(b"greeting")
            peer.shutdown(socket.SHUT_WR)
            self.assertEqual(client.stdout.read(8), b"greeting")
            client.stdin.write(b"late")
            client.stdin.close()
            self.assertEqual(read_all(peer), b"late")
            self.assertEqual(client.wait(LONG), 0)

    def test_a_port_where_nobody_listens(self):
        with self.hawser("connect", KERNEL, PORT) as client:
            self.assertEqual(client.wait(LONG), 1)
        self.assertIn("refused", self.read("hawser.log"))
        self.assertEqual(self.read("hawser.log").count("\n"), 1)

    def test_a_peer_that_resets(self):
        listener = self.kernel_listener()
        with self.hawser("connect", KERNEL, PORT, stdin=subprocess.PIPE) as client:
            peer = self.accept(listener)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            peer.close()
            self.assertEqual(client.wait(LONG), 1)
        self.assertIn("reset", self.read("hawser.log"))

    def test_ctrl_c_resets(self):
        listener = self.kernel_listener()
        with self.hawser("connect", KERNEL, PORT, stdin=subprocess.PIPE) as client:
            peer = self.accept(listener)
            client.send_signal(signal.SIGINT)
            self.assertEqual(client.wait(LONG), 128 + signal.SIGINT)
            with self.assertRaises(ConnectionResetError):
                peer.recv(1)

    def test_ctrl_c_while_it_connects(self):
        with self.hawser("connect", "10.9.0.77", PORT) as client:  # nobody is there
            wait_until(link_is_open, "the link")
            client.send_signal(signal.SIGINT)
            self.assertEqual(client.wait(LONG), 128 + signal.SIGINT)

    def test_nobody_reads_our_output(self):
        listener = self.kernel_listener()
        with self.hawser("connect", KERNEL, PORT, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE) as client:
            client.stdout.close()
            peer = self.accept(listener)
            peer.sendall(b"into the void")
            self.assertEqual(client.wait(LONG), 128 + signal.SIGPIPE)
        self.assertEqual(self.read("hawser.log"), "")


class Listen(OverEachLink, Commands):
    """The kernel connects to `hawser listen`."""

    def listening(self, *options, **streams):
        return self.hawser("listen", PORT, "-v", *options, **streams)

    def both_ways(self, address, *options):
        there = make_file(self.path("there"), SOME)
        back = make_file(self.path("back"), SOME + 1)
        with self.listening(*options, stdin="back", stdout="got-there") as server:
            self.wait_for_log("Listening")
            with self.process("ncat", address, PORT, stdin="there", stdout="got-back",
                              name="ncat") as client:
                self.assertEqual(client.wait(LONG), 0)
            self.assertEqual(server.wait(LONG), 0)
        self.assertEqual(digest_of(self.path("got-back")), back)
        self.assertEqual(digest_of(self.path("got-there")), there)

    def test_much_both_ways(self):
        self.both_ways(OURS)

    def test_much_both_ways_ipv6(self):
        self.both_ways(OURS6)

    def test_much_both_ways_over_a_bad_line(self):
        self.both_ways(OURS6, *BAD_LINE)

    def test_it_takes_one_connection(self):
        with self.listening(stdout=subprocess.PIPE) as server:
            self.wait_for_log("Listening")
            with socket.create_connection((OURS, int(PORT)), LONG) as peer:
                self.assertEqual(read_all(peer), b"")  # its input was empty
                with self.assertRaises(ConnectionRefusedError):
                    socket.create_connection((OURS, int(PORT)), LONG)
                peer.sendall(b"one")
            self.assertEqual(server.stdout.read(), b"one")
            self.assertEqual(server.wait(LONG), 0)

    def test_it_keeps_listening(self):
        with self.listening("-k", stdout=subprocess.PIPE) as server:
            self.wait_for_log("Listening")
            for i in range(5):
                with socket.create_connection((OURS, int(PORT)), LONG) as peer:
                    peer.sendall(b"%d" % i)
                    peer.shutdown(socket.SHUT_WR)
                    self.assertEqual(read_all(peer), b"")
            self.assertEqual(server.stdout.read(5), b"01234")
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait(LONG), 0)

    def test_it_survives_a_peer_that_resets(self):
        with self.listening("-k", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            self.wait_for_log("Listening")
            with socket.create_connection((OURS, int(PORT)), LONG) as peer:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.wait_for_log("reset")
            with socket.create_connection((OURS, int(PORT)), LONG) as peer:
                peer.sendall(b"next")
                self.assertEqual(server.stdout.read(4), b"next")

    def test_two_of_ours_and_a_pipeline(self):
        there = make_file(self.path("there"), SOME)
        with self.listening("--gateway", KERNEL, stdout="got-there") as server:
            self.wait_for_log("Listening")
            with open("/proc/sys/net/ipv4/ip_forward", "w") as switch:  # the kernel is the router
                switch.write("1")
            client = self.command("connect", OURS, PORT, "--link", "tun:hw1", "--address", "10.8.0.2/24",
                                  "--host-address", "10.8.0.1/24", "--gateway", "10.8.0.1")
            pipeline = f"cat {self.path('there')} | {shlex.join(client)} | wc -c"
            self.assertEqual(run("sh", "-c", pipeline), "0\n")
            self.assertEqual(server.wait(LONG), 0)
        self.assertEqual(digest_of(self.path("got-there")), there)


class Datagrams(Commands):
    """`hawser connect -u` and `listen -u` with the kernel's ncat."""

    def test_connect_to_ncat(self):
        for address, any_address in [(KERNEL, "0.0.0.0"), (KERNEL6, "::")]:
            with self.process("ncat", "-u", "-l", any_address, PORT, "--sh-exec", "head -c 5 | tr a-z A-Z",
                              name="ncat"):
                wait_until(lambda: f":{PORT} " in run("ss", "-Hlun"), "the kernel's listener")
                with self.hawser("connect", "-u", address, PORT, "--idle", "3s", stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE) as client:
                    client.stdin.write(b"hello")
                    client.stdin.close()
                    self.assertEqual(client.stdout.read(), b"HELLO")
                    self.assertEqual(client.wait(LONG), 0, self.read("hawser.log"))

    def test_ncat_connects(self):
        with self.hawser("listen", "-u", PORT, "-v", stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE) as server:
            self.wait_for_log("Listening")
            with self.process("ncat", "-u", OURS6, PORT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              name="ncat") as client:
                client.stdin.write(b"question")
                client.stdin.flush()
                self.assertEqual(server.stdout.read(8), b"question")
                server.stdin.write(b"answer")
                server.stdin.flush()
                self.assertEqual(client.stdout.read(6), b"answer")
            server.send_signal(signal.SIGINT)
            self.assertEqual(server.wait(LONG), 128 + signal.SIGINT)

    def test_many_are_heard_and_the_last_is_answered(self):
        with self.hawser("listen", "-u", "-k", PORT, "-v", stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE) as server:
            self.wait_for_log("Listening")
            for i in range(3):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
                    peer.settimeout(LONG)
                    peer.sendto(b"from %d" % i, (OURS, int(PORT)))
                    self.assertEqual(server.stdout.read(6), b"from %d" % i)
                    server.stdin.write(b"to %d" % i)
                    server.stdin.flush()
                    self.assertEqual(peer.recv(100), b"to %d" % i)
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait(LONG), 0)

    def test_a_large_datagram_in_fragments(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("0.0.0.0", int(PORT)))
            peer.settimeout(LONG)
            make_file(self.path("there"), 20000)
            with self.hawser("connect", "-u", KERNEL, PORT, "--datagram", "20000", "--idle", "1s",
                             stdin="there") as client:
                self.assertEqual(hashlib.sha256(peer.recv(65536)).hexdigest(),
                                 digest_of(self.path("there")))
                self.assertEqual(client.wait(LONG), 0)

    def test_a_port_where_nobody_listens(self):
        with self.hawser("connect", "-u", KERNEL, PORT, "--idle", f"{LONG}s",
                         stdin=subprocess.PIPE) as client:
            client.stdin.write(b"hello")
            client.stdin.close()
            self.assertEqual(client.wait(LONG), 1)
        self.assertIn(f"hawser: {KERNEL}:{PORT}: connection refused", self.read("hawser.log"))


class Names(Commands):
    """Names by dnsmasq of the kernel's, over our own sockets."""

    def test_connect_takes_a_name(self):
        with self.dnsmasq(f"--address=/kernel.test/{KERNEL}", f"--address=/kernel.test/{KERNEL6}"):
            for family, address in [("-4", "0.0.0.0"), ("-6", "::")]:
                with socket.create_server((address, int(PORT)), family=(
                        socket.AF_INET if family == "-4" else socket.AF_INET6)) as listener:
                    listener.settimeout(LONG)
                    with self.hawser("connect", family, "kernel.test", PORT, "--dns", KERNEL) as client:
                        peer, _ = listener.accept()
                        with peer:
                            self.assertEqual(read_all(peer), b"")
                        self.assertEqual(client.wait(LONG), 0, self.read("hawser.log"))

    def test_every_address_is_tried(self):
        # Nobody listens there: the link has no route to the first, the second refuses.
        elsewhere = "2001:db8::1"
        with self.dnsmasq(f"--host-record=kernel.test,{elsewhere},{KERNEL}",
                          f"--host-record=nowhere.test,{elsewhere}"):
            dns = ["--dns", KERNEL, "-v"]
            with self.hawser("connect", "kernel.test", PORT, *dns) as client:
                self.assertEqual(client.wait(LONG), 1)
            (line,) = self.read("hawser.log").splitlines()
            self.assertRegex(line, "^hawser: cannot connect to ")
            self.assertRegex(line, rf"\b{KERNEL}:{PORT}: connection refused")
            self.assertRegex(line, rf"\[{elsewhere}\]:{PORT}: [a-z]")
            with socket.create_server(("0.0.0.0", int(PORT))) as listener:
                listener.settimeout(LONG)
                with self.hawser("connect", "kernel.test", PORT, *dns) as client:
                    listener.accept()[0].close()
                    self.assertEqual(client.wait(LONG), 0, self.read("hawser.log"))
                self.assertEqual(self.read("hawser.log"), f"Connected to {KERNEL}:{PORT}\n")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
                peer.bind(("0.0.0.0", int(PORT)))
                peer.settimeout(LONG)
                with self.hawser("connect", "-u", "kernel.test", PORT, *dns, "--idle", "0.1s",
                                 stdin=subprocess.PIPE) as client:
                    client.stdin.write(b"hello")
                    client.stdin.close()
                    self.assertEqual(peer.recv(100), b"hello")
                    self.assertEqual(client.wait(LONG), 0, self.read("hawser.log"))
                self.assertEqual(self.read("hawser.log"), f"Sending to {KERNEL}:{PORT}\n")
            with self.hawser("connect", "-u", "nowhere.test", PORT, *dns) as client:
                self.assertEqual(client.wait(LONG), 1)
            self.assertRegex(self.read("hawser.log"), rf"^hawser: cannot send to \[{elsewhere}\]:{PORT}: [a-z]")

    def test_resolv_conf_says_where_short_names_are_looked_for(self):
        with open(self.path("resolv.conf"), "w") as file:
            file.write(f"nameserver {KERNEL}\nsearch quay.test harbour.test\noptions ndots:2\n")
        # With two dots for a whole name, a.files is short.
        with self.dnsmasq(f"--address=/files.harbour.test/{KERNEL}", "--address=/a.files/10.9.0.77"):
            for name in ["files", "a.files"]:
                with socket.create_server(("0.0.0.0", int(PORT))) as listener:
                    listener.settimeout(LONG)
                    command = self.command("connect", "-4", name, PORT, *LINK)
                    with self.process("unshare", "--mount", "sh", "-c",
                                      'mount --bind "$0" /etc/resolv.conf && exec "$@"',
                                      self.path("resolv.conf"), *command, name="hawser") as client:
                        listener.accept()[0].close()
                        self.assertEqual(client.wait(LONG), 0, self.read("hawser.log"))

    def test_names_that_are_none(self):
        with self.dnsmasq():
            with self.hawser("connect", "none.test", PORT, "--dns", KERNEL6) as client:
                self.assertEqual(client.wait(LONG), 1)
        self.assertIn("no such name", self.read("hawser.log"))

    def test_ctrl_c_while_it_looks_up(self):
        with self.hawser("connect", "kernel.test", PORT, "--dns", "10.9.0.77") as client:
            wait_until(lambda: "hw0" in run("ip", "-br", "link"), "the link")
            client.send_signal(signal.SIGINT)
            self.assertEqual(client.wait(LONG), 128 + signal.SIGINT)


class Ping(Commands):
    """`hawser ping` and the kernel."""

    def ping(self, *arguments, code=0):
        done = subprocess.run(self.command("ping", *arguments, *LINK), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=LONG)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def test_the_kernel_answers(self):
        for address in [KERNEL, KERNEL6]:
            text = self.ping(address, "-c", "3", "-i", "0.1")
            self.assertIn(f"PING {address}", text)
            for sequence in [1, 2, 3]:
                self.assertRegex(text, rf"64 bytes from {address}: icmp_seq={sequence} ttl=64 time=[0-9.]+ ms\n")
            self.assertIn("3 packets transmitted, 3 received, 0% packet loss", text)
            self.assertRegex(text, r"rtt min/avg/max/mdev = [0-9.]+/[0-9.]+/[0-9.]+/[0-9.]+ ms\n$")

    def test_large_ones_in_fragments(self):
        for address in [KERNEL, KERNEL6]:
            text = self.ping(address, "-c", "2", "-i", "0.1", "-s", "20000")
            self.assertIn("20008 bytes from", text)
            self.assertIn(" 0% packet loss", text)
            self.assertNotIn("what was sent", text)

    def test_what_may_not_be_fragmented_is_not_sent(self):
        self.assertIn("message too long", self.ping(KERNEL, "-c", "1", "-s", "3000", "-M", "do", code=1))

    def test_what_the_path_is_too_narrow_for_vanishes(self):
        narrow = ["-c", "2", "-i", "0.1", "-W", "0.3", "--path-mtu", "600"]
        self.assertIn(" 0% packet loss", self.ping(KERNEL, *narrow, "-s", "400"))
        self.assertIn(" 100% packet loss", self.ping(KERNEL, *narrow, "-s", "1000", code=1))

    def test_nobody_answers(self):
        text = self.ping("10.9.0.77", "-c", "2", "-i", "0.1", "-W", "0.3", code=1)
        self.assertIn("2 packets transmitted, 0 received, 100% packet loss", text)

    def test_ctrl_c_prints_the_statistics(self):
        with self.hawser("ping", KERNEL, "-i", "0.05", stdout="out") as ping:
            wait_until(lambda: "icmp_seq=3" in self.read("out"), "some answers")
            ping.send_signal(signal.SIGINT)
            self.assertEqual(ping.wait(LONG), 0)
        # An answer may still have been on its way.
        self.assertRegex(self.read("out"), r"\n[0-9]+ packets transmitted, ([3-9]|[1-9][0-9]+) received, ")

    def test_ctrl_c_while_nobody_gives_an_address(self):
        # It was held back until nobody could be hoped for any more.
        for options in [["--dhcp"], ["--host-address", f"{KERNEL6}/64"]]:
            with self.process(*self.command("ping", KERNEL, "--link", "tap:hw0", *options),
                              name="hawser") as ping:
                wait_until(link_is_open, "the link")
                ping.send_signal(signal.SIGINT)
                self.assertEqual(ping.wait(LONG), 128 + signal.SIGINT)
            self.assertEqual(self.read("hawser.log"), "")

    def test_the_kernel_pings(self):
        with self.hawser("listen", PORT, "-v"):
            self.wait_for_log("Listening")
            for address in [OURS, OURS6]:
                for size in ["56", "20000"]:
                    self.assertIn(" 0% packet loss",
                                  run("ping", "-c", "3", "-i", "0.2", "-s", size, address))


class Trace(Commands):
    """`hawser trace` through the kernel, a router, to another namespace."""

    def setUp(self):
        super().setUp()
        far = subprocess.Popen(["unshare", "--net", "sleep", "1000"])
        self.addCleanup(far.wait)
        self.addCleanup(far.kill)
        ours = os.readlink("/proc/self/ns/net")
        wait_until(lambda: os.readlink(f"/proc/{far.pid}/ns/net") != ours, "the namespace")
        inside = ["nsenter", f"--net=/proc/{far.pid}/ns/net"]
        for family in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"]:
            with open(f"/proc/sys/net/{family}", "w") as switch:
                switch.write("1")
        for limit in ["ipv4/icmp_ratelimit", "ipv6/icmp/ratelimit"]:
            with open(f"/proc/sys/net/{limit}", "w") as switch:
                switch.write("0")
        run("ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(far.pid))
        run("ip", "address", "add", "10.7.0.1/24", "dev", "near")
        run("ip", "address", "add", "fd00:7::1/64", "dev", "near", "nodad")
        run("ip", "link", "set", "near", "up")
        run(*inside, "ip", "address", "add", "10.7.0.2/24", "dev", "far")
        run(*inside, "ip", "address", "add", "fd00:7::2/64", "dev", "far", "nodad")
        run(*inside, "ip", "link", "set", "far", "up")
        run(*inside, "ip", "route", "add", "default", "via", "10.7.0.1")
        run(*inside, "ip", "-6", "route", "add", "default", "via", "fd00:7::1")

    def trace(self, *arguments, code=0):
        command = self.command("trace", *arguments, *LINK, "--gateway", KERNEL, "--gateway", KERNEL6)
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=LONG)
        self.assertEqual(done.returncode, code, done.stdout)
        return done.stdout.splitlines()

    def test_with_every_kind_of_probe(self):
        for router, target in [(KERNEL, "10.7.0.2"), (KERNEL6, "fd00:7::2")]:
            for kind in [[], ["-U"], ["-T", "9"]]:
                title, *hops = self.trace(target, "-n", *kind)
                self.assertIn(target, title)
                self.assertEqual(len(hops), 2, hops)
                self.assertRegex(hops[0], rf"^ 1  {router}(  [0-9.]+ ms){{3}}$")
                self.assertRegex(hops[1], rf"^ 2  {target}(  [0-9.]+ ms){{3}}$")

    def test_routers_have_names(self):
        with self.dnsmasq(f"--host-record=router.test,{KERNEL},{KERNEL6}", "--host-record=far.test,10.7.0.2"):
            title, *hops = self.trace("far.test", "-q", "1", "--dns", KERNEL)
            self.assertEqual(title, "trace to far.test (10.7.0.2), 30 hops max")
            self.assertRegex(hops[0], rf"^ 1  router.test \({KERNEL}\)  [0-9.]+ ms$")
            self.assertRegex(hops[1], r"^ 2  far.test \(10.7.0.2\)  [0-9.]+ ms$")
            hops = self.trace("fd00:7::2", "-q", "1", "--dns", KERNEL6)
            self.assertRegex(hops[1], rf"^ 1  router.test \({KERNEL6}\)  ")
            self.assertRegex(hops[2], r"^ 2  fd00:7::2 \(fd00:7::2\)  ")  # it has none
            hops = self.trace("10.7.0.2", "-q", "1", "-n", "--dns", KERNEL)
            self.assertRegex(hops[1], rf"^ 1  {KERNEL}  ")

    def test_nobody_tells_names(self):
        _, *hops = self.trace("10.7.0.2", "-q", "1", "--dns", "10.9.0.77")
        self.assertRegex(hops[0], rf"^ 1  {KERNEL} \({KERNEL}\)  [0-9.]+ ms$")
        self.assertEqual(len(hops), 2)

    def test_a_host_that_is_not_there(self):
        hops = self.trace("10.7.0.77", "-q", "1", "-w", "6s", "-m", "2", code=1)
        self.assertEqual(hops[1].split()[1], KERNEL)
        self.assertTrue("!H" in hops[2] or "*" in hops[2], hops)


class Ask(Commands):
    """`hawser ss`, `addr`, `route` and `neigh` about hosts that run."""

    def setUp(self):
        super().setUp()
        variables = unittest.mock.patch.dict(os.environ, {"XDG_RUNTIME_DIR": self.folder})
        variables.start()
        self.addCleanup(variables.stop)

    def ask(self, *arguments, code=0):
        done = subprocess.run(self.command(*arguments), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=LONG)
        self.assertEqual(done.returncode, code, done.stderr)
        if code:
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            return done.stderr
        return done.stdout

    def test_the_sockets_of_a_host(self):
        with self.hawser("listen", PORT, "-v", "-k", "--name", "web", stdin=subprocess.PIPE) as server:
            self.wait_for_log("Listening")
            listener = self.ask("ss", "-lt", "-H").split()
            self.assertEqual(listener, ["tcp", "LISTEN", "0", "1024", f"[::]:{PORT}", "[::]:*", "web"])
            with socket.create_connection((OURS, int(PORT)), LONG) as peer:
                port = peer.getsockname()[1]
                self.wait_for_log("Connection")
                sockets = json.loads(self.ask("ss", "-t", "--json", "--host", "web"))
                one = next(s for s in sockets if s["state"] == "ESTABLISHED")
                self.assertEqual(one["local"], {"address": OURS, "port": int(PORT)})
                self.assertEqual(one["remote"], {"address": KERNEL, "port": port})
                self.assertIn("not_sending_because", one["connection"])
                text = self.ask("ss", "-i")
                self.assertIn("not sending: ", text)
                self.assertIn("cwnd:", text)
                self.assertIn("ESTABLISHED", text)
            self.assertEqual(self.ask("ss", "-u", "-H"), "")
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait(LONG), 0)
        self.assertIn("no host of yours", self.ask("ss", code=1))
        self.assertEqual(os.listdir(self.path("hawser")), [])  # it cleaned up

    def test_why_nothing_is_sent(self):
        with self.process("ncat", "-l", PORT, stdout=subprocess.PIPE, name="ncat") as sink:
            wait_for_kernel_listener()
            sink.send_signal(signal.SIGSTOP)  # it reads nothing: its window closes
            make_file(self.path("there"), SOME)
            with self.hawser("connect", KERNEL, PORT, stdin="there") as client:
                wait_until(lambda: "not sending: peer window" in self.ask_soon("ss", "-ti"),
                           "a closed window")
                sink.send_signal(signal.SIGCONT)
                digest = hashlib.sha256(sink.stdout.read()).hexdigest()
                self.assertEqual(client.wait(LONG), 0)
            self.assertEqual(digest, digest_of(self.path("there")))

    def ask_soon(self, *arguments):
        """As `ask`, but there may be no host yet."""
        return subprocess.run(self.command(*arguments), stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, timeout=LONG).stdout

    def test_addresses_and_routes(self):
        with self.hawser("listen", PORT, "-v", "--gateway", KERNEL, "--name", "a"):
            self.wait_for_log("Listening")
            addresses = [line.split()[:3] for line in self.ask("addr", "-H").splitlines()]
            self.assertIn(["hw0", f"{OURS}/24", "preferred"], addresses)
            self.assertIn(["hw0", f"{OURS6}/64", "preferred"], addresses)
            routes = [line.split()[:3] for line in self.ask("route", "-H").splitlines()]
            self.assertIn(["10.9.0.0/24", "-", "hw0"], routes)
            self.assertIn(["default", KERNEL, "hw0"], routes)
            self.assertEqual(self.ask("neigh", "-H"), "")  # no Ethernet
            self.assertNotIn("\033", self.ask("addr"))  # no terminal, no colour

    def test_neighbours(self):
        link = ["--link", "tap:hw0", "--address", f"{OURS}/24", "--host-address", f"{KERNEL}/24"]
        with self.process(*self.command("listen", PORT, "-v", *link), name="hawser"):
            self.wait_for_log("Listening")
            with socket.create_connection((OURS, int(PORT)), LONG):
                mac = run("cat", "/sys/class/net/hw0/address").strip()
                (line,) = self.ask("neigh", "-H").splitlines()
                self.assertEqual(line.split()[:3], [KERNEL, "hw0", mac])

    def test_several_hosts(self):
        other = ["--link", "tun:hw1", "--address", "10.8.0.2/24", "--host-address", "10.8.0.1/24"]
        with self.hawser("listen", PORT, "-v", "--name", "a"):
            self.wait_for_log("Listening")
            self.assertIn("already", self.ask("listen", PORT, *other, "--name", "a", code=1))
            with self.process(*self.command("listen", PORT, *other, "--name", "b"), name="b"):
                wait_until(lambda: len(os.listdir(self.path("hawser"))) == 2, "both hosts")
                self.assertIn("--host", self.ask("addr", code=2))
                self.assertIn("10.8.0.2/24", self.ask("addr", "--host", "b"))
                self.assertIn("'c'", self.ask("addr", "--host", "c", code=1))
                hosts = [line.split()[-1] for line in self.ask("ss", "-H").splitlines()]
                self.assertEqual(hosts, ["a", "b"])
            # It was killed: its socket is still there, and is found to be stale.
            self.assertEqual(sorted(os.listdir(self.path("hawser"))), ["a", "b"])
            self.assertIn(f"{OURS}/24", self.ask("addr"))
            self.assertEqual(os.listdir(self.path("hawser")), ["a"])

    def test_a_folder_that_others_may_write_is_not_used(self):
        os.mkdir(self.path("hawser"))
        os.chmod(self.path("hawser"), 0o777)
        self.assertIn("yours alone", self.ask("listen", PORT, *LINK, "--name", "a", code=1))
        with self.hawser("listen", PORT, "-v"):  # without a name it runs nevertheless
            self.wait_for_log("Listening")
        self.assertIn("yours alone", self.read("hawser.log"))


def read_all(peer):
    data = b""
    while True:
        part = peer.recv(65536)
        if not part:
            return data
        data += part


if __name__ == "__main__":
    sys.exit(peers.main(__doc__, ["ncat", "dnsmasq", "ping"]))
