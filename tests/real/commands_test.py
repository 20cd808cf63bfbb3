#!/usr/bin/env python3
"""Lets the everyday commands of `hawser` talk to the kernel's, over a link.

peers.py says how it is run.
"""

import contextlib
import signal
import socket
import subprocess
import sys

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
        return self.process(peers.program, *arguments, *LINK, name="hawser", **streams)

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
            pipeline = (f"cat {self.path('there')} | {peers.program} connect {OURS} {PORT} "
                        "--link tun:hw1 --address 10.8.0.2/24 --host-address 10.8.0.1/24 "
                        "--gateway 10.8.0.1 | wc -c")
            self.assertEqual(run("sh", "-c", pipeline), "0\n")
            self.assertEqual(server.wait(LONG), 0)
        self.assertEqual(digest_of(self.path("got-there")), there)


def read_all(peer):
    data = b""
    while True:
        part = peer.recv(65536)
        if not part:
            return data
        data += part


if __name__ == "__main__":
    sys.exit(peers.main(__doc__, ["ncat"]))
