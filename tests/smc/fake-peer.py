#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A peer over a TUN device that speaks as much CLC as it takes to be declined, and to decline, for a chosen reason.

Its server side, 10.77.0.2: port 1000 + N declines with the Nth code of the arguments (hex), port 999 accepts with SMC-R.
Its client side connects once from port 2000 + N to 10.77.0.1:4000 with each of the proposals below, when told by SIGUSR1.
"""
import importlib.util
import os
import signal
import struct
import sys

spec = importlib.util.spec_from_file_location("broken_peer", os.path.dirname(__file__) + "/../shim/broken-peer.py")
broken_peer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(broken_peer)
tun = broken_peer.tun
EYECATCHER = broken_peer.CLC_EYECATCHER
SMC_OPTIONS = b"\x02\x04\x05\xb4" + b"\x01\x01\xfe\x06" + EYECATCHER
R, D, N = 0, 1, 2


def message(kind, version, type1, type2, body):
    return EYECATCHER + struct.pack("!BHB", kind, 12 + len(body), version << 4 | type2 << 2 | type1) + body + EYECATCHER


def decline(code):
    return message(4, 1, R, R, b"fakepeer" + struct.pack("!I4x", code))


def accept_smcr():
    return message(2, 1, R, R, bytes(68 - 12))


def proposal1(kind, subnet, prefix):
    smcd = bytes(40) if kind == D else b""
    return message(1, 1, kind, 0, b"fakepeer" + bytes(22) + struct.pack("!H", len(smcd)) + smcd
                   + subnet + struct.pack("!BxxB", prefix, 0))


def proposal2(kind, eids, dv2=True, release=0, conns=255, links=2):
    """Version 2 alone; no ISM device is offered."""
    smcd = struct.pack("!QHH28x", 0, 0, 28)
    ext = struct.pack("!BBBBxxH", len(eids), 0, 0, release << 4, 32 + 32 * len(eids) if dv2 else 0)
    ext += bytes(16) + struct.pack("!BBH12x", conns, links, 0) + b"".join(e.ljust(32).encode() for e in eids)
    body = b"fakepeer" + bytes(22) + struct.pack("!H", 0) + smcd + ext
    if kind == D:
        body += bytes(48)
    return message(1, 2, N, kind, body)


LOCAL_NET = bytes((10, 77, 0, 0))
PROPOSALS = [
    proposal1(R, bytes((10, 99, 0, 0)), 24),        # 2000: DIFFPREFIX
    proposal1(D, LOCAL_NET, 30),                    # 2001: NOSMCDDEV
    proposal1(R, LOCAL_NET, 30),                    # 2002: NOSMCDEV
    proposal2(D, ["SMCSHIM-LAB"], dv2=False),       # 2003: NOV2DEXT
    proposal2(D, []),                               # 2004: NOUEID
    proposal2(D, ["SMCSHIM-LAB"]),                  # 2005: NOSMCD2DEV
    proposal2(R, ["SMCSHIM-LAB"], release=1, conns=1),  # 2006: MAXCONNERR
    proposal2(R, ["SMCSHIM-LAB"], release=1, links=0),  # 2007: MAXLINKERR
]


class Peer(broken_peer.Peer):
    def __init__(self, codes):
        super().__init__()
        self.codes = codes

    def start_clients(self, *_):
        for number in range(len(PROPOSALS)):
            self.send((2000 + number, 4000), 500, 0, tun.SYN, options=SMC_OPTIONS)

    def run(self):
        while True:
            segment = tun.Segment.parse(os.read(self.tun, 65536))
            if not segment:
                continue
            source, target = segment.ports
            seq, ack, flags, data = segment.seq, segment.ack, segment.flags, segment.data
            ports = (target, source)
            if flags & tun.SYN and flags & tun.ACK:
                self.send(ports, ack, seq + 1, tun.ACK)
                self.send(ports, ack, seq + 1, tun.PSH | tun.ACK, PROPOSALS[target - 2000])
            elif flags & tun.SYN:
                self.send(ports, 1000, seq + 1, tun.SYN | tun.ACK, options=SMC_OPTIONS)
            elif data.startswith(EYECATCHER) and data[4] == 1:
                answer = accept_smcr() if target == 999 else decline(self.codes[target - 1000])
                self.send(ports, ack, seq + len(data), tun.PSH | tun.ACK, answer)
            elif data:
                self.send(ports, ack, seq + len(data), tun.ACK)


def main():
    peer = Peer([int(code, 16) for code in sys.argv[1:]])
    signal.signal(signal.SIGUSR1, peer.start_clients)
    peer.start()
    print("ready", flush=True)
    while True:
        signal.pause()


main()
