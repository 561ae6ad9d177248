#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A server that does wrong what can be done wrong: bench-server.py MODE; prints its port. Loopback only."""
import socket
import struct
import sys
import threading
import time

mode = sys.argv[1]
kept = []
first = threading.Event()


def answer(connection, data):
    """False: this connection gets no more."""
    if mode == "early":
        return False
    if mode == "half":
        connection.sendall(data[:len(data) // 2])
        kept.append(connection)
        time.sleep(60)
    if mode == "half-close":
        connection.sendall(data[:len(data) // 2])
        return False
    if mode == "more":
        connection.sendall(data + b"x")
    if mode == "zeros":
        connection.sendall(bytes(len(data)))
    if mode == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    if mode == "http-500":
        connection.sendall(b"HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n")
    if mode == "http-no-length":
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    if mode == "http-wrong-length":
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 127\r\n\r\n" + data[-128:-1])
    if mode == "http-half":
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 128\r\n\r\n" + data[-128:-64])
    if mode == "http-flood":
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20000)
    if mode == "http-close":
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 128\r\n\r\n" + data[-128:])
        return False
    if mode == "endless":
        while True:
            connection.sendall(b"x" * 65536)
    if mode == "stall":
        # Echo; for 0.4 s of the first second nobody gets anything.
        if not first.is_set() and data[:1] == b"\x01":
            first.set()
            stall.append(time.monotonic() + 0.3)
        if stall and stall[0] <= time.monotonic() < stall[0] + 0.4:
            time.sleep(stall[0] + 0.4 - time.monotonic())
        connection.sendall(data)
    return True


stall = []


def serve(connection):
    try:
        if mode == "silent":
            kept.append(connection)
            return
        while mode != "close":
            data = connection.recv(65536)
            if not data or not answer(connection, data):
                break
        connection.close()
    except OSError:
        pass


listener = socket.create_server(("127.0.0.1", 0), backlog=128)
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
