#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An ordinary client that knows nothing of SMC: every second a new connection, 100 PINGs, one line. client.py ADDRESS PORT"""
import socket
import statistics
import sys
import time


def ping(connection):
    began = time.perf_counter()
    connection.sendall(b"PING\r\n")
    if connection.recv(64) != b"+PONG\r\n":
        sys.exit("client: not a redis server")
    return (time.perf_counter() - began) * 1000


def main(address, port):
    number = 0
    while True:
        number += 1
        began = time.monotonic()
        with socket.create_connection((address, int(port))) as connection:
            milliseconds = statistics.median(ping(connection) for _ in range(100))
            print(f"connection {number}: 100 PINGs answered, {milliseconds:.3f} ms each", flush=True)
            time.sleep(max(0.0, began + 1 - time.monotonic()))


main(*sys.argv[1:])
