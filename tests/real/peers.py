"""What the tests with real peers share: a network namespace of their own, files to send, `hawser` and
the kernel's programs on the two ends of a link: a TUN or TAP interface, or a veth pair.

A file of tests ends with `peers.main(__doc__, tools)`, tools being the programs that it needs. It is
then run as

    FILE PROGRAM [TEST ...]

PROGRAM is the hawser command; TESTs are as unittest names them. It runs in a network namespace of its
own, which ends with it: nothing outside is touched. It needs root and /dev/net/tun; without one of
them, or of the tools, it says so and exits with 77, which ctest reads as skipped.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import captures

SKIPPED = 77
OURS, OURS6 = "10.9.0.2", "fd00:9::2"
KERNEL, KERNEL6 = "10.9.0.1", "fd00:9::1"
# Which link the tests run over, for those that run over each.
KIND = os.environ.get("HAWSER_REAL_LINK", "tun")
# The kernel's end of it.
KERNEL_LINK = "hwk0" if KIND == "packet" else "hw0"
LINK = ["--link", f"{KIND}:hw0", "--address", f"{OURS}/24", "--address", f"{OURS6}/64"]
if KIND != "packet":
    LINK += ["--host-address", f"{KERNEL}/24", "--host-address", f"{KERNEL6}/64"]
# Over the first kind of link at length, over the others to see that they do.
BIG = 256 << 20 if KIND == "tun" else 32 << 20
BAD_LINE = ["--loss", "2%", "--reorder", "1%", "--seed", "1"]
# Far more than anything takes that works, on a slow machine under load as well.
LONG = 300

program = None  # set by main


def missing(tools):
    """Why the tests cannot run here, or None."""
    if os.geteuid() != 0:
        return "needs root, to make network namespaces and TUN interfaces"
    if not os.path.exists("/dev/net/tun"):
        return "needs /dev/net/tun"
    for tool in ["unshare", "ip", "ss", "tshark", *tools]:
        if shutil.which(tool) is None and not os.path.exists(f"/usr/sbin/{tool}"):
            return f"needs {tool}"
    return None


def wait_until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.02)


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_file(path, size):
    """Fills a file with bytes that do not repeat and returns their hash."""
    digest = hashlib.sha256()
    with open("/dev/urandom", "rb") as source, open(path, "wb") as file:
        left = size
        while left:
            block = source.read(min(left, 1 << 20))
            file.write(block)
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()


def is_interface(name):
    """Asked of the kernel: /sys may show another namespace."""
    return name in [known for _, known in socket.if_nameindex()]


def make_veth():
    """A pair of which our stack stands on one end, hw0, and the kernel has addresses on the other. It
    answers there alone: both are in one namespace."""
    run("ip", "link", "add", "hw0", "type", "veth", "peer", "name", "hwk0")
    for name in ["hw0", "hwk0"]:
        run("ip", "link", "set", name, "up")
    run("ip", "address", "add", f"{KERNEL}/24", "dev", "hwk0")
    run("ip", "address", "add", f"{KERNEL6}/64", "dev", "hwk0", "nodad")


def link_is_open():
    """Whether `hawser` has opened its end."""
    if KIND != "packet":
        return "hw0" in run("ip", "-br", "link")
    with open("/proc/net/packet") as sockets:  # the first line is the heading
        return len(sockets.readlines()) > 1


class RealPeers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hawser-real-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.captures = tempfile.mkdtemp(prefix="hawser-captures-")
        self.addCleanup(shutil.rmtree, self.captures)
        self.addCleanup(self.check_captures)  # when all that records has ended
        if KIND == "packet" and not is_interface("hw0"):
            make_veth()

    def command(self, name, *arguments, record=True):
        """The command line of `hawser NAME ...`. What passes over its link is recorded, and at the end
        of the test tshark must find nothing wrong with it."""
        line = [program, name, *arguments]
        if record and "--link" in arguments:
            number = len(os.listdir(self.captures))
            handle, capture = tempfile.mkstemp(prefix=f"{number:03}-", suffix=".pcapng", dir=self.captures)
            os.close(handle)
            line += ["--pcapng", capture]
        return line

    def check_captures(self):
        for capture in captures.captures_in(self.captures):
            if os.path.getsize(capture):  # else it failed before there was a link
                self.assertEqual(captures.faults_of(capture), [])

    def path(self, name):
        return os.path.join(self.folder, name)

    @contextlib.contextmanager
    def serving(self, *options, record=True):
        """`hawser serve` of the folder; gives the process. What it logs is in serve.log."""
        command = self.command("serve", self.folder, *LINK, *options, record=record)
        with open(self.path("serve.log"), "w") as log:
            server = subprocess.Popen(command, stderr=log)
        try:
            wait_until(lambda: self.log().count("Serving") == 2 or server.poll() is not None,
                       "the server")
            self.assertIsNone(server.poll(), self.log())
            yield server
        except BaseException:
            print(self.log(), file=sys.stderr)
            raise
        finally:
            if server.poll() is None:
                server.send_signal(signal.SIGINT)
            try:
                self.exit_code = server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
                raise

    def log(self):
        with open(self.path("serve.log")) as file:
            return file.read()

    @contextlib.contextmanager
    def nginx(self, *, rate=None):
        """nginx on both addresses of the kernel's end, serving the folder. It needs the link to be
        there already, or else to come: it listens on all addresses."""
        config = self.path("nginx.conf")
        with open(config, "w") as file:
            file.write(f"""
                daemon off; master_process off; user root; pid {self.folder}/nginx.pid;
                error_log {self.folder}/nginx.log;
                events {{ worker_connections 1024; }}
                http {{
                  access_log off; sendfile on; default_type application/octet-stream;
                  client_body_temp_path {self.folder}/t1; proxy_temp_path {self.folder}/t2;
                  fastcgi_temp_path {self.folder}/t3; uwsgi_temp_path {self.folder}/t4;
                  scgi_temp_path {self.folder}/t5;
                  server {{
                    listen 80; listen [::]:80; root {self.folder};
                    {f"limit_rate {rate};" if rate else ""}
                    location = /moved {{ return 302 /small; }}
                    location = /for-ever {{ return 301 /for-ever; }}
                  }}
                }}""")
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        server = subprocess.Popen([nginx, "-p", self.folder, "-c", config],
                                  stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: ":80 " in run("ss", "-Hltn") or server.poll() is not None, "nginx")
            self.assertIsNone(server.poll())
            yield server
        finally:
            server.kill()
            server.wait()

    def curl_big(self, address, *options):
        out = self.path("out")
        subprocess.run(["curl", "-sSfg", "--max-time", str(LONG), "-o", out, *options,
                        f"http://{address}/big"], check=True)
        return digest_of(out)

    def get(self, target, *options, address=KERNEL, timeout=LONG, record=True):
        """Runs `hawser get`; its output is in the file out."""
        command = self.command("get", f"http://{address}/{target}", *LINK, "-o", self.path("out"), *options,
                               record=record)
        return subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=timeout)


class OverEachLink(RealPeers):
    """Tests that run over each kind of link: tests/real/CMakeLists.txt sets HAWSER_REAL_LINK."""


class OverEachEthernet(RealPeers):
    """Those that run over each but a TUN."""


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main(doc, tools):
    global program
    if len(sys.argv) < 2:
        print(doc, file=sys.stderr)
        return 2
    reason = missing(tools)
    if reason:
        print(f"skipped: {reason}")
        return SKIPPED
    if os.environ.get("HAWSER_REAL_INSIDE") != "1":
        os.environ["HAWSER_REAL_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", "--", sys.executable, *sys.argv])
    # What the kernel tells of interfaces there, and the control sockets of our hosts alone.
    run("mount", "-t", "sysfs", "sysfs", "/sys")
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    run("ip", "link", "set", "lo", "up")
    program = os.path.abspath(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
    return 0
