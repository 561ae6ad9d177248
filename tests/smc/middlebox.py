#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A router between two network namespaces that does to the SMC option what the server's address says.

usage: middlebox.py CLIENT SERVER    both namespaces exist; "ready" is printed when packets pass
       middlebox.py --list           the modes, with their addresses

The client is 10.78.0.1 and fd78::1; the servers are 10.78.1.N and fd78:0:0:1::N, N the mode's place below, all in SERVER.
"""
import heapq
import os
import select
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lab"))
import tun  # noqa: E402
from tun import ACK, RST, SYN  # noqa: E402

SMC = bytes.fromhex("e2d4c3d9")
EXPERIMENTS = (253, 254)
LATE = 0.06

# To the SYN-ACK for a SYN with the option of SMC (or for any, with "all") these bytes are added.
ADDED = {
    "echo-smc": b"\xfe\x06" + SMC,  # of a server that does not speak SMC: SYNs alone cannot tell it from one that does
    "magic": b"\xfe\x06\xe2\xd4\xc3\xda",
    "foreign-all": b"\xfe\x08\xf9\x89\x01\x02\x03\x04",
    "unasked-all": b"\xfe\x06" + SMC,
    "overlength": b"\xfe\x08" + SMC + b"\0\0",
    "short": b"\xfe\x04" + SMC[:2],
    "twice": (b"\xfe\x06" + SMC) * 2,
    "broken": b"\xfe\x28" + SMC,
    "zero": b"\xfe\x00" + SMC,
}
MODES = ["clean", "replay", *ADDED, "drop", "drop-smc", "reset", "late", "late-repeat", "strip-syn", "strip-synack", "blackhole",
         "fading", "rewrite"]


def options_of(blob):
    """(kind, whole option) of a clean list of options."""
    while blob and blob[0]:
        length = 1 if blob[0] == 1 else blob[1]
        yield blob[0], blob[:length]
        blob = blob[length:]


def has_experiment(segment):
    return any(kind in EXPERIMENTS for kind, _ in options_of(segment.options))


def without_experiments(blob):
    return b"".join(option if kind not in EXPERIMENTS else b"\1" * len(option) for kind, option in options_of(blob))


def echoed(blob):
    return b"".join(b"\1\1" + option for kind, option in options_of(blob) if kind in EXPERIMENTS)


class Middlebox:
    def __init__(self, client, server):
        self.fds = {}
        self.out = {}
        for name, namespace in (("box-c", client), ("box-s", server)):
            fd = tun.open_tun(name)
            subprocess.run(["ip", "link", "set", name, "netns", namespace], check=True)
            self.fds[fd] = name
            self.out[name] = fd
        self.asked = {}  # client's address and ports -> the SYN
        self.waiting = []  # (time, number, device, packet)
        self.number = 0
        self.passed = {}

    def send(self, name, segment, delay=0.0):
        self.number += 1
        if delay:
            heapq.heappush(self.waiting, (time.monotonic() + delay, self.number, name, segment.packet()))
        else:
            os.write(self.out[name], segment.packet())

    def reset(self, segment):
        answer = tun.tcp_segment(segment.ports[::-1], 0, segment.seq + 1, RST | ACK)
        os.write(self.out["box-c"], tun.ip_packet(segment.target, segment.source, answer))

    def syn(self, mode, segment):
        key = (segment.source, segment.ports)
        repeated = key in self.asked and self.asked[key].seq == segment.seq
        marked = has_experiment(segment)
        smc = SMC in segment.options
        self.asked[key] = tun.Segment.parse(segment.packet())
        if (mode == "drop" and marked) or (mode == "drop-smc" and smc) or (mode == "late-repeat" and marked and not repeated):
            return
        if mode == "reset" and marked:
            self.reset(segment)
            return
        if mode == "strip-syn" or mode in ADDED:
            segment.options = without_experiments(segment.options)
        self.send("box-s", segment, LATE if mode == "late" and marked else 0)

    def synack(self, mode, segment):
        asked = self.asked.get((segment.target, segment.ports[::-1]))
        smc = asked is not None and SMC in asked.options
        if mode == "replay" and asked:
            segment.options = without_experiments(segment.options) + echoed(asked.options)
        elif mode in ADDED and (smc or mode.endswith("-all")):
            segment.options += b"\1\1" + ADDED[mode]
        elif mode == "strip-synack":
            segment.options = without_experiments(segment.options)
        elif mode == "rewrite":
            segment.options = segment.options.replace(SMC, b"\0\0\0\0")
        elif mode == "fading":
            self.passed[segment.source] = self.passed.get(segment.source, 0) + 1
            if self.passed[segment.source] > 2:
                return
        self.send("box-c", segment)

    def take(self, name, packet):
        segment = tun.Segment.parse(packet)
        other = "box-s" if name == "box-c" else "box-c"
        if not segment:
            return
        server = segment.target if name == "box-c" else segment.source
        mode = MODES[server[-1] - 1] if 0 < server[-1] <= len(MODES) else "clean"
        if mode == "blackhole":
            return
        if name == "box-c" and segment.flags & SYN:
            self.syn(mode, segment)
        elif name == "box-s" and segment.flags & SYN:
            self.synack(mode, segment)
        else:
            self.send(other, segment)

    def run(self):
        while True:
            wait = max(0.0, self.waiting[0][0] - time.monotonic()) if self.waiting else None
            for fd in select.select(list(self.fds), [], [], wait)[0]:
                self.take(self.fds[fd], os.read(fd, 65536))
            while self.waiting and self.waiting[0][0] <= time.monotonic():
                _, _, name, packet = heapq.heappop(self.waiting)
                os.write(self.out[name], packet)


def configure(client, server):
    def ip(namespace, *words):
        subprocess.run(["ip", "-n", namespace, *words], check=True)

    for namespace in (client, server):
        ip(namespace, "link", "set", "lo", "up")
    ip(client, "addr", "add", "10.78.0.1/24", "dev", "box-c")
    ip(client, "addr", "add", "fd78::1/64", "dev", "box-c", "nodad")
    ip(client, "link", "set", "box-c", "up")
    ip(client, "route", "add", "10.78.1.0/24", "dev", "box-c")
    ip(client, "route", "add", "fd78:0:0:1::/64", "dev", "box-c")
    ip(server, "link", "set", "box-s", "up")
    # Every address of the two networks is local there.
    ip(server, "route", "add", "local", "10.78.1.0/24", "dev", "lo")
    ip(server, "route", "add", "local", "fd78:0:0:1::/64", "dev", "lo")
    ip(server, "route", "add", "10.78.0.0/24", "dev", "box-s")
    ip(server, "route", "add", "fd78::/64", "dev", "box-s")


def main():
    if sys.argv[1:] == ["--list"]:
        for number, mode in enumerate(MODES, 1):
            print(mode, f"10.78.1.{number}", f"fd78:0:0:1::{number:x}")
        return
    box = Middlebox(*sys.argv[1:])
    configure(*sys.argv[1:])
    print("ready", flush=True)
    box.run()


main()
