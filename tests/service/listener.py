#!/usr/bin/python3 -IS
# SPDX-License-Identifier: MIT
"""A service: listens on 127.0.0.1:PORT and echoes; "activated PORT" has its listener from systemd and keeps a connection to PORT."""
import socket
import sys
import threading

keep = []
if sys.argv[1] == "activated":
    server = socket.socket(fileno=3)
    keep.append(socket.create_connection(("127.0.0.1", int(sys.argv[2]))))
else:
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", int(sys.argv[1])))
    server.listen(16)


def echo(connection):
    while data := connection.recv(4096):
        connection.sendall(data)


while True:
    threading.Thread(target=echo, args=(server.accept()[0],), daemon=True).start()
