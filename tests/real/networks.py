"""Networks of several hosts for the tests with real peers: namespaces, cables between them, routers."""

import contextlib
import subprocess

from peers import run

# A process that holds a namespace; it ends with the test, whatever becomes of that.
HOLDER = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--", "sleep", "600"]


class Namespace:
    """A host of the kernel's beside the test's own, as a context manager."""

    def __init__(self):
        self.holder = subprocess.Popen(HOLDER)
        own = subprocess.run(["readlink", "/proc/self/ns/net"], check=True, capture_output=True).stdout
        # Until `unshare` has done its work the holder is still in our namespace.
        while self._link() == own:
            if self.holder.poll() is not None:
                raise AssertionError("no network namespace could be made")
        self.run("ip", "link", "set", "lo", "up")

    def _link(self):
        return subprocess.run(["readlink", f"/proc/{self.holder.pid}/ns/net"],
                              capture_output=True, check=True).stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.holder.kill()
        self.holder.wait()

    def inside(self, *command):
        """The command that runs `command` in it."""
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", "--", *command]

    def run(self, *command):
        return run(*self.inside(*command))


class Here:
    """The test's own namespace, in the manner of the others."""

    holder = None

    @staticmethod
    def inside(*command):
        return list(command)

    @staticmethod
    def run(*command):
        return run(*command)


def become_router(host):
    host.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")


def cable(a, b, names, *, mtu=1500, a_addresses=(), b_addresses=()):
    """A veth pair from `a` to `b`; `names` are those of its ends. Duplicate address detection is off, so
    that IPv6 works at once."""
    end_a, end_b = names
    run("ip", "link", "add", end_a, "type", "veth", "peer", "name", end_b)
    for host, end, addresses in [(a, end_a, a_addresses), (b, end_b, b_addresses)]:
        if host.holder is not None:
            run("ip", "link", "set", end, "netns", str(host.holder.pid))
        host.run("sysctl", "-qw", f"net.ipv6.conf.{end}.accept_dad=0")
        host.run("ip", "link", "set", end, "mtu", str(mtu), "up")
        for address in addresses:
            host.run("ip", "address", "add", address, "dev", end)


@contextlib.contextmanager
def hosts(count):
    """As many namespaces as are asked for."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Namespace()) for _ in range(count)]
