"""What the tests have recorded with --pcapng, as tshark sees it."""

import os
import subprocess

# What our programs and the kernel's talk about over these is no business of the stack's: random content
# passes now and then for a malformed message of some protocol.
AS_DATA = ["-d", "tcp.port==1-65535,data", "-d", "udp.port==9000,data"]
CHECKSUMS = ["ip", "tcp", "udp"]
# The kernel writes a sum of zero as 0xffff (CSUM_MANGLED_0), to which tshark objects; it means the same.
KERNEL_ZERO = "(frame.packet_flags_direction == 1 && tcp.checksum == 0xffff)"
# An ICMP error quotes the beginning of a packet, of which tshark takes the checksum to be that of the whole.
QUOTES = "(icmp.type in {3, 4, 5, 11, 12} || icmpv6.type in {1..4})"
# Much of the same shows no more: a test that moves much is not to wait for its captures.
ENOUGH = 10000


def read(capture, which, *, count=None, fields=()):
    """The lines of the packets that the display filter `which` lets through, of the first `count`."""
    command = ["tshark", "-n", "-r", capture, *AS_DATA, "-Y", which]
    for protocol in CHECKSUMS:
        command += ["-o", f"{protocol}.check_checksum:TRUE"]
    if count:
        command += ["-c", str(count)]
    if fields:
        command += ["-T", "fields", *(f"-e{field}" for field in fields)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return done.stdout.splitlines()


def faults_of(capture, count=ENOUGH):
    """What is wrong in it: malformed packets, bad checksums and whatever else tshark calls an error."""
    def bad(*protocols):
        return " || ".join(f'{protocol}.checksum.status == "Bad"' for protocol in protocols)

    return read(capture, f"_ws.malformed || {bad('ip', 'icmp', 'icmpv6', 'igmp')} || "
                f"((_ws.expert.severity == error || {bad('tcp', 'udp')}) && !({KERNEL_ZERO} || {QUOTES}))",
                count=count, fields=["frame.number", "_ws.col.Info", "_ws.expert.message"])


def captures_in(folder):
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
