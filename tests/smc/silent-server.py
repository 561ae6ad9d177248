#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Servers that accept and say nothing, on all addresses: silent-server.py PORT=KIND...; KIND is tcp, smc, banner (speaks first),
banner-smc, or hasty (plain TCP that closes after 3 s). "ready" is printed when all listen.
"""
import select
import socket
import sys
import threading
import time

SMC = 256


def serve(sock, kind):
    kept = []
    while True:
        # accept() of Python asks for the family, and does not know AF_SMC.
        fd, _ = socket.socket._accept(sock)
        connection = socket.socket(sock.family, socket.SOCK_STREAM, 0, fileno=fd)
        try:
            if kind.startswith("banner"):
                connection.sendall(b"220 silent.example ready\r\n")
        except OSError:
            pass
        if kind == "hasty":
            threading.Timer(3, connection.close).start()
        # Those that are closed are let go.
        kept = [c for c in kept + [connection] if c.fileno() >= 0 and not select.select([c], [], [], 0)[0]]


def main():
    for word in sys.argv[1:]:
        port, kind = word.split("=")
        for family in (socket.AF_INET, socket.AF_INET6):
            sock = socket.socket(family, socket.SOCK_STREAM, SMC if kind.endswith("smc") else 0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(("", int(port)))
            sock.listen(4096)
            threading.Thread(target=serve, args=(sock, kind), daemon=True).start()
    print("ready", flush=True)
    while True:
        time.sleep(1000)


main()
