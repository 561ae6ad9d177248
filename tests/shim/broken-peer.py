#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A peer, played over a TUN device, that echoes unknown TCP options: it seems to speak SMC, and does not.

Run in the lab as: broken-peer.py SMCCTL. The client is this file again, as a program under the shim.
"""
import errno
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lab"))
import tun  # noqa: E402
from tun import ACK, FIN, PSH, RST, SYN  # noqa: E402

PEER = "10.77.0.2"
SELF = "10.77.0.1"
CLC_EYECATCHER = bytes.fromhex("e2d4c3d9")
EXPERIMENTAL = 254  # the kind of TCP option whose first bytes say whose it is (RFC 6994)


def offers_smc(options):
    """Whether the options of a SYN have the one by which a host says that it speaks SMC (RFC 7609)."""
    at = 0
    while at < len(options) and options[at] != 0:
        if options[at] == 1:
            at += 1
            continue
        length = options[at + 1]
        if options[at] == EXPERIMENTAL and options[at + 2:at + length] == CLC_EYECATCHER:
            return True
        at += length
    return False


class Peer(threading.Thread):
    """Answers every SYN with its own options, and a CLC proposal as its port says."""

    def __init__(self):
        super().__init__(daemon=True)
        self.tun = tun.open_tun("broken0")
        subprocess.run(["ip", "addr", "add", f"{SELF}/30", "dev", "broken0"], check=True)
        subprocess.run(["ip", "link", "set", "broken0", "up"], check=True)
        self.proposals = self.syns = self.offers = 0

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
                smc = offers_smc(options)
                self.syns += 1
                self.offers += smc
                self.send(ports, 1000, seq + 1, SYN | ACK, options=options if smc else plain)
            elif flags & FIN:
                self.send(ports, ack, seq + len(data) + 1, FIN | ACK)
            elif data.startswith(CLC_EYECATCHER):
                self.proposals += 1
                if target == 81:
                    self.send(ports, ack, seq + len(data), RST | ACK)
                elif target == 82:
                    self.send(ports, ack, seq + len(data), ACK)
                    threading.Timer(0.6, self.send, (ports, ack, seq + len(data), RST | ACK)).start()
                else:
                    self.send(ports, ack, seq + len(data), PSH | ACK, b"HTTP/1.1 400 Bad Request\r\n" + b"\r\n" * 20)
            elif data:
                self.send(ports, ack, seq + len(data), PSH | ACK, data)


def talk(sock):
    sock.sendall(b"plain words")
    return sock.recv(100) == b"plain words"


def connect_quietly(sock, port):
    try:
        sock.connect((PEER, port))
    except OSError:
        pass


def closer(port):
    """Closes the socket while another thread connects it, and has a file under its number: which has to stay that."""
    sock = socket.socket()
    number = sock.fileno()
    thread = threading.Thread(target=connect_quietly, args=(sock, port))
    thread.start()
    time.sleep(0.2)
    os.close(number)
    file = os.open("/dev/null", os.O_RDWR)
    thread.join()
    sock.detach()
    print(json.dumps([file == number, stat.S_ISCHR(os.fstat(number).st_mode)]), flush=True)
    sys.stdin.read()


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
    print(json.dumps(results), flush=True)
    sys.stdin.read()  # until its counters have been looked at


def policy_file(directory, *rules):
    name = os.path.join(directory, f"policy-{len(rules)}.json")
    with open(name, "w", encoding="ascii") as file:
        json.dump({"version": 1, "rules": [{"use": use, "connect": cidr} for use, cidr in rules]}, file)
    return name


def play(smcctl, policy, port, how, options):
    """Runs the client; returns what it saw, and its counters while it was there."""
    command = ["/usr/bin/python3", __file__, "client", str(port), how]
    if policy:
        command = [smcctl, "run"] + options + ["--policy", policy, "--"] + command
    counters = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        got = json.loads(program.stdout.readline() or "null")
        if policy and got:
            status = subprocess.run([smcctl, "status", "--json", str(program.pid)], stdout=subprocess.PIPE, check=True)
            counters = json.loads(status.stdout)["processes"][0]["counters"]
    return got, counters


def main():
    if sys.argv[1] == "client":
        if sys.argv[3] == "closer":
            closer(int(sys.argv[2]))
        else:
            client(int(sys.argv[2]), sys.argv[3])
        return 0
    smcctl = sys.argv[1]
    peer = Peer()
    peer.start()
    directory = tempfile.mkdtemp()
    listed = policy_file(directory, ("smc", "10.77.0.0/30"))
    kept = policy_file(directory, ("smc", "10.77.0.0/30"), ("tcp", PEER + "/32"))
    retried = {"sockets_smc": 2, "connect_tcp": 2, "connect_failed": 0, "quirk_retried": 1, "downgraded": 1}
    failed = {"sockets_smc": 2, "connect_tcp": 1, "connect_failed": 1, "quirk_retried": 0, "downgraded": 1}
    denied = {"sockets_smc": 2, "connect_tcp": 2, "connect_failed": 0, "quirk_retried": 0, "downgraded": 2}
    fine = ["fine", "fine"]
    # Without the shim the peer is an ordinary one. A nonblocking connect cannot be repeated behind the program's back:
    # it fails once, with an error of the connection, and from then on the destination is plain TCP. Where the policy
    # keeps TCP, no SYN offers SMC at all: that is what such a path, or what looks at it, must not see.
    cases = [
        ("without the shim", None, 80, "blocking", fine, 0, {}, []),
        ("answers nonsense, blocking", listed, 80, "blocking", fine, 1, retried, []),
        ("resets, blocking", listed, 81, "blocking", fine, 1, retried, []),
        ("answers nonsense, nonblocking", listed, 80, "nonblocking", ["EPROTO", "fine"], 1, failed, []),
        ("resets, nonblocking", listed, 81, "nonblocking", ["ECONNRESET", "fine"], 1, failed, []),
        ("kept on TCP, blocking", kept, 80, "blocking", fine, 0, denied, []),
        ("kept on TCP, nonblocking", kept, 80, "nonblocking", fine, 0, denied, []),
        ("resets, blocking, supervised", listed, 81, "blocking", fine, 1, {}, ["--supervise"]),
        ("resets after the socket was closed, supervised", listed, 82, "closer", [True, True], 1, {}, ["--supervise"]),
    ]
    print(f"1..{len(cases)}")
    bad = 0
    for number, (name, policy, port, how, wanted, proposals, counts, options) in enumerate(cases, 1):
        peer.proposals = peer.syns = peer.offers = 0
        got, counters = play(smcctl, policy, port, how, options)
        counted = {key: counters.get(key) for key in counts}
        # A SYN may be repeated; the second one of a path that has broken offers nothing.
        plain = 0 if how == "closer" else 1 if proposals else 2
        offered = (peer.offers == 0) == (proposals == 0) and peer.syns >= peer.offers + plain
        good = got == wanted and peer.proposals == proposals and offered and counted == counts
        bad += not good
        print(f"{'ok' if good else 'not ok'} {number} - option-echoing peer, {name}: {got}, {peer.proposals} proposals, "
              f"{peer.offers} of {peer.syns} SYNs offer SMC")
        if not good:
            print(f"# wanted {wanted}, {proposals} proposals, {counts}; counted {counted}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
