#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Opens sockets and holds them until it is killed: hold.py NAME[=ARGUMENT]... prints a line with names and ports, then waits.

smc4, smc6             a connection of IPPROTO_SMC: client, accepted, listener
afsmc4, afsmc6         the same of AF_SMC; each of the four may have an address: afsmc6=2001:db8::
tcp-client, tcp-server one of both sides is plain TCP
ipsec-client, ipsec-server    one of both sides has an IPsec policy of its own, which lets all pass
forced                 falls back before connect
fresh                  a new socket
connect=HOST:PORT      a client of IPPROTO_SMC to somewhere else; errors are ignored
listen=HOST:PORT       a listener of IPPROTO_SMC that accepts whatever comes
twins                  listeners of one port on two addresses
many=N                 N connections to one listener
fork                   a child that holds the same sockets
"""
import os
import socket
import struct
import sys
import threading
import time

SMC = 256
kept = []


def make(family, smc, af_smc=False):
    if af_smc:
        fd = socket.socket(43, socket.SOCK_STREAM, 0 if family == socket.AF_INET else 1).detach()
        return socket.socket(family, socket.SOCK_STREAM, 0, fileno=fd)
    return socket.socket(family, socket.SOCK_STREAM, SMC if smc else 0)


def protect(sock):
    """struct xfrm_userpolicy_info: any IPv4 packet that goes out may, without limits."""
    selector = struct.pack("36xHHHBBB3xiI", 0, 0, socket.AF_INET, 0, 0, 0, 0, 0)
    limits = struct.pack("4Q4Q", *[(1 << 64) - 1] * 4, 0, 0, 0, 0)
    sock.setsockopt(socket.IPPROTO_IP, 17, selector + limits + struct.pack("4QIIBBBB4x", 0, 0, 0, 0, 0, 0, 1, 0, 0, 0))


def pair(address, af_smc=False, client_smc=True, server_smc=True, count=1, ipsec=""):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = make(family, server_smc, af_smc)
    if ipsec == "server":
        protect(server)
    server.bind((address, 0))
    server.listen(128)
    kept.append(server)
    for _ in range(count):
        client = make(family, client_smc, af_smc)
        if ipsec == "client":
            protect(client)
        client.connect(server.getsockname()[:2])
        # accept() of Python asks the kernel for the family, and does not know AF_SMC.
        fd, _ = socket.socket._accept(server)
        kept.append(client)
        kept.append(socket.socket(family, socket.SOCK_STREAM, 0, fileno=fd))
    return server.getsockname()[1]


def accept_all(server):
    while True:
        kept.append(server.accept()[0])


def listen(address, port):
    server = make(socket.AF_INET, True)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    server.listen(128)
    kept.append(server)
    return server


def connect(address, port):
    client = make(socket.AF_INET, True)
    client.settimeout(20)
    try:
        client.connect((address, port))
    except OSError as error:
        print(f"connect to {address}:{port}: {error}", file=sys.stderr)
    kept.append(client)


def do(name, argument):
    host, _, port = argument.rpartition(":")
    if name in ("smc4", "afsmc4"):
        return pair(argument or "127.0.0.1", af_smc=name[0] == "a")
    if name in ("smc6", "afsmc6"):
        return pair(argument or "::1", af_smc=name[0] == "a")
    if name == "tcp-client":
        return pair("127.0.0.1", client_smc=False)
    if name == "tcp-server":
        return pair("127.0.0.1", server_smc=False)
    if name.startswith("ipsec-"):
        return pair("127.0.0.1", ipsec=name.partition("-")[2])
    if name == "many":
        return pair("127.0.0.1", count=int(argument))
    if name == "twins":
        first = listen("127.0.0.1", 0)
        listen("127.0.0.2", first.getsockname()[1])
        return first.getsockname()[1]
    if name == "connect":
        connect(host, int(port))
        return port
    if name == "listen":
        threading.Thread(target=accept_all, args=(listen(host, int(port)),), daemon=True).start()
        return port
    if name == "fork":
        pid = os.fork()
        if pid == 0:
            time.sleep(1000)
        return pid
    kept.append(make(socket.AF_INET, True))
    if name == "forced":
        kept[-1].setsockopt(socket.IPPROTO_TCP, 34, 0)  # TCP_FASTOPEN_NO_COOKIE
    return 0


def main():
    said = []
    for word in sys.argv[1:]:
        name, _, argument = word.partition("=")
        said.append(f"{name}={do(name, argument)}")
    print(" ".join(said), flush=True)
    time.sleep(1000)


main()
