# SPDX-License-Identifier: MIT
"""TUN devices and TCP packets for the tests that play a peer or a middlebox. Import with sys.path at tests/lab."""
import fcntl
import os
import socket
import struct
import subprocess

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
TCP = 6
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def open_tun(name):
    """A new TUN device, down and without addresses; the caller reads and writes whole IP packets."""
    if not os.path.exists("/dev/net/tun"):
        subprocess.run(["modprobe", "tun"], check=True)
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip_packet(source, target, segment):
    """A TCP segment, whatever its checksum is, as a packet between two addresses (bytes, 4 or 16 of them)."""
    pseudo = source + target + struct.pack("!II", len(segment), TCP)
    segment = segment[:16] + b"\0\0" + segment[18:]
    segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(segment), TCP, 64) + source + target + segment
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, TCP, 0) + source + target
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + segment


def tcp_segment(ports, seq, ack, flags, options=b"", data=b""):
    """Without a checksum. options: a multiple of four bytes."""
    return struct.pack("!HHIIBBHHH", ports[0], ports[1], seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
                       (20 + len(options)) // 4 << 4, flags, 64000, 0, 0) + options + data


class Segment:
    """A TCP segment taken out of an IP packet; None is what parse() makes of anything else."""

    def __init__(self, source, target, tcp):
        self.source, self.target = source, target
        self.ports = struct.unpack("!HH", tcp[:4])
        self.seq, self.ack, offset, self.flags = struct.unpack("!IIBB", tcp[4:14])
        self.head, self.options, self.data = tcp[:20], tcp[20:(offset >> 4) * 4], tcp[(offset >> 4) * 4:]

    @staticmethod
    def parse(packet):
        version = packet[0] >> 4
        if version == 4 and packet[9] == TCP:
            return Segment(packet[12:16], packet[16:20], packet[(packet[0] & 15) * 4:])
        if version == 6 and packet[6] == TCP:
            return Segment(packet[8:24], packet[24:40], packet[40:])
        return None

    def packet(self):
        """The packet again, with the options as they are now."""
        options = self.options + b"\0" * (-len(self.options) % 4)
        head = self.head[:12] + bytes([(20 + len(options)) // 4 << 4]) + self.head[13:]
        return ip_packet(self.source, self.target, head + options + self.data)


def address(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
