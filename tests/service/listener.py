#!/usr/bin/python3 -IS
# SPDX-License-Identifier: MIT
"""A service: listens on 127.0.0.1:PORT and echoes; "activated TO PORT" has another listener from systemd, on
which it echoes, and keeps a connection to TO."""
import socket
import sys
import threading

keep = []
server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[-1])))
server.listen(16)
if sys.argv[1] == "activated":
    keep = [server, socket.create_connection(("127.0.0.1", int(sys.argv[2])))]
    server = socket.socket(fileno=3)


def echo(connection):
    while data := connection.recv(4096):
        connection.sendall(data)


while True:
    threading.Thread(target=echo, args=(server.accept()[0],), daemon=True).start()
