#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A peer, played over a TUN device, that echoes unknown TCP options: it seems to speak SMC, and does not.

Run in the lab as: broken-peer.py SMCCTL. The client is this file again, as a program under the shim.
"""
import errno
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lab"))
import tun  # noqa: E402
from tun import ACK, FIN, PSH, RST, SYN  # noqa: E402

PEER = "10.77.0.2"
SELF = "10.77.0.1"
CLC_EYECATCHER = bytes.fromhex("e2d4c3d9")


class Peer(threading.Thread):
    """Answers every SYN with its own options, and a CLC proposal as its port says."""

    def __init__(self):
        super().__init__(daemon=True)
        self.tun = tun.open_tun("broken0")
        subprocess.run(["ip", "addr", "add", f"{SELF}/30", "dev", "broken0"], check=True)
        subprocess.run(["ip", "link", "set", "broken0", "up"], check=True)
        self.proposals = 0

    def send(self, ports, seq, ack, flags, data=b"", options=b""):
        segment = tun.tcp_segment(ports, seq, ack, flags, options, data)
        os.write(self.tun, tun.ip_packet(tun.address(PEER), tun.address(SELF), segment))

    def run(self):
        while True:
            segment = tun.Segment.parse(os.read(self.tun, 65536))
            if not segment:
                continue
            source, target = segment.ports
            seq, ack, flags, options, data = segment.seq, segment.ack, segment.flags, segment.options, segment.data
            ports = (target, source)
            # Timestamps are echoed as well, and so are never answered: they stay out of the data packets.
            if flags & SYN:
                plain = options[:4]  # the MSS alone, for a SYN that offers no SMC
                smc = CLC_EYECATCHER in options
                self.send(ports, 1000, seq + 1, SYN | ACK, options=options if smc else plain)
            elif flags & FIN:
                self.send(ports, ack, seq + len(data) + 1, FIN | ACK)
            elif data.startswith(CLC_EYECATCHER):
                self.proposals += 1
                if target == 81:
                    self.send(ports, ack, seq + len(data), RST | ACK)
                else:
                    self.send(ports, ack, seq + len(data), PSH | ACK, b"HTTP/1.1 400 Bad Request\r\n" + b"\r\n" * 20)
            elif data:
                self.send(ports, ack, seq + len(data), PSH | ACK, data)


def talk(sock):
    sock.sendall(b"plain words")
    return sock.recv(100) == b"plain words"


def client(port, how):
    """Runs under the shim; prints what the program sees."""
    results = []
    for _ in range(2):
        sock = socket.socket()
        try:
            if how == "blocking":
                sock.connect((PEER, port))
            else:
                sock.setblocking(False)
                assert sock.connect_ex((PEER, port)) == errno.EINPROGRESS
                poll = __import__("select").poll()
                poll.register(sock, 4)
                poll.poll(20000)
                error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    raise OSError(error, os.strerror(error))
                sock.setblocking(True)
            sock.settimeout(10)
            results.append("fine" if talk(sock) else "wrong bytes")
        except OSError as error:
            results.append(errno.errorcode.get(error.errno, str(error)))
        sock.close()
    print(json.dumps(results))


def main():
    if sys.argv[1] == "client":
        client(int(sys.argv[2]), sys.argv[3])
        return 0
    smcctl = sys.argv[1]
    peer = Peer()
    peer.start()
    policy = tempfile.mkdtemp() + "/policy.json"
    with open(policy, "w", encoding="ascii") as file:
        json.dump({"version": 1, "rules": [{"use": "smc", "connect": "10.77.0.0/30"}]}, file)
    # Without the shim the peer is an ordinary one. A nonblocking connect cannot be repeated behind the program's back:
    # it fails once, with an error of the connection, and from then on the destination is plain TCP.
    cases = [
        ("without the shim", [], 80, "blocking", [["fine", "fine"]], 0),
        ("answers nonsense, blocking", ["run", "--policy", policy, "--"], 80, "blocking", [["fine", "fine"]], 1),
        ("resets, blocking", ["run", "--policy", policy, "--"], 81, "blocking", [["fine", "fine"]], 1),
        ("answers nonsense, nonblocking", ["run", "--policy", policy, "--"], 80, "nonblocking",
         [["EPROTO", "fine"]], 1),
        ("resets, nonblocking", ["run", "--policy", policy, "--"], 81, "nonblocking", [["ECONNRESET", "fine"]], 1),
    ]
    print(f"1..{len(cases)}")
    bad = 0
    for number, (name, prefix, port, how, wanted, proposals) in enumerate(cases, 1):
        peer.proposals = 0
        command = ([smcctl] + prefix if prefix else []) + ["/usr/bin/python3", __file__, "client", str(port), how]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        got = json.loads(done.stdout or "null")
        good = got in wanted and peer.proposals == proposals
        bad += not good
        print(f"{'ok' if good else 'not ok'} {number} - option-echoing peer, {name}: {got}, {peer.proposals} proposals")
        if not good:
            print(f"# wanted {wanted} and {proposals} proposals; exit {done.returncode}; {done.stderr.strip()}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
