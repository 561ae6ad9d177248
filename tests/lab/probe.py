#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes one connection between two IPPROTO_SMC sockets and prints what the kernel says it is: for selftest.sh.

usage: probe.py pair ADDRESS | server ADDRESS PORT | client ADDRESS PORT | errnos
"""
import errno
import socket
import struct
import sys
import time

AF_SMC = 43
IPPROTO_SMC = 256
SO_PROTOCOL = 38
SO_DOMAIN = 39
NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
DIAG_FALLBACK = 5
MODES = {0: "SMCR", 1: "TCP", 2: "SMCD"}


def diag(local_port, peer_port):
    """The mode (and for a fallback the reason) of the socket with these ports, from SOCK_DIAG."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as nl:
        request = struct.pack("BBBB48x", AF_SMC, 0, 0, 1 << (DIAG_FALLBACK - 1))
        nl.send(struct.pack("IHHII", 16 + len(request), SOCK_DIAG_BY_FAMILY, 0x301, 1, 0) + request)
        while True:
            data = nl.recv(65536)
            while data:
                length, kind = struct.unpack_from("IH", data)
                if kind in (2, 3):  # NLMSG_ERROR, NLMSG_DONE
                    return "none"
                body = data[16:length]
                mode = body[2]
                if struct.unpack_from("!HH", body, 4) == (local_port, peer_port):
                    text = MODES.get(mode, str(mode))
                    at = 72
                    while at + 4 <= len(body):
                        size, what = struct.unpack_from("HH", body, at)
                        if what == DIAG_FALLBACK and mode == 1:
                            text += " reason %08x peer %08x" % struct.unpack_from("II", body, at + 4)
                        at += max((size + 3) & ~3, 4)
                    return text
                data = data[(length + 3) & ~3:]


def smc_socket(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.socket(family, socket.SOCK_STREAM, IPPROTO_SMC)


def describe(who, sock):
    domain = sock.getsockopt(socket.SOL_SOCKET, SO_DOMAIN)
    protocol = sock.getsockopt(socket.SOL_SOCKET, SO_PROTOCOL)
    mode = diag(sock.getsockname()[1], sock.getpeername()[1])
    print(f"{who} domain={domain} protocol={protocol} mode={mode}", flush=True)


def listen(address, port):
    server = smc_socket(address)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    server.listen(8)
    server.settimeout(60)
    return server


def talk(first, second):
    first.sendall(b"x" * 3000)
    got = b""
    while len(got) < 3000:
        got += second.recv(4096)


def main(argv):
    if argv[1] == "pair":
        server = listen(argv[2], 0)
        client = smc_socket(argv[2])
        client.connect(server.getsockname()[:2])
        accepted, _ = server.accept()
        talk(client, accepted)
        talk(accepted, client)
        describe("client", client)
        describe("accepted", accepted)
    elif argv[1] == "server":
        accepted, _ = listen(argv[2], int(argv[3])).accept()
        accepted.sendall(b"x" * 3000)
        describe("accepted", accepted)
        accepted.recv(1)
    elif argv[1] == "client":
        for _ in range(300):
            client = smc_socket(argv[2])
            try:
                client.connect((argv[2], int(argv[3])))
                break
            except ConnectionRefusedError:
                client.close()
                time.sleep(0.1)
        got = b""
        while len(got) < 3000:
            got += client.recv(4096)
        describe("client", client)
    elif argv[1] == "errnos":
        for what, arguments in (("AF_SMC", (AF_SMC, socket.SOCK_STREAM, 0)),
                                ("IPPROTO_SMC", (socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SMC))):
            try:
                socket.socket(*arguments).close()
                print(what, "works")
            except OSError as e:
                print(what, errno.errorcode[e.errno])
    else:
        sys.exit(__doc__)


main(sys.argv)
