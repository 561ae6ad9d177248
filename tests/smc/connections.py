#!/usr/bin/python3 -IS
# SPDX-License-Identifier: MIT
"""Connections over SMC for the tests of smcctl.

usage: connections.py hold           one over SMC with 1000 bytes sent, held until standard input ends; "ready" is printed
       connections.py kind           one connection; prints what it became: smc or tcp
       connections.py fall-back N    N connections of SMC to a listener of plain TCP
       connections.py force-tcp N    N sockets of SMC that become TCP before they are connected
"""
import socket
import sys

IPPROTO_SMC = 256
TCP_FASTOPEN_NO_COOKIE = 34


def listener(protocol):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    sock.bind(("127.0.0.1", 0))
    sock.listen(64)
    return sock


def connected(server):
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SMC)
    client.connect(server.getsockname())
    accepted, _ = server.accept()
    return client, accepted


def hold():
    client, accepted = connected(listener(IPPROTO_SMC))
    client.sendall(b"x" * 1000)
    received = 0
    while received < 1000:
        received += len(accepted.recv(1000))
    print("ready", flush=True)
    sys.stdin.read()


def kind():
    client, _ = connected(listener(IPPROTO_SMC))
    protocol = client.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL)
    print({socket.IPPROTO_TCP: "tcp", IPPROTO_SMC: "smc"}[protocol])


def force_tcp(count):
    for _ in range(count):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SMC) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 0)


def fall_back(count):
    server = listener(0)
    for _ in range(count):
        for sock in connected(server):
            sock.close()


def main(argv):
    if argv[1:] == ["hold"]:
        hold()
    elif argv[1:] == ["kind"]:
        kind()
    elif len(argv) == 3 and argv[1] == "fall-back":
        fall_back(int(argv[2]))
    elif len(argv) == 3 and argv[1] == "force-tcp":
        force_tcp(int(argv[2]))
    else:
        sys.exit(__doc__)


main(sys.argv)
