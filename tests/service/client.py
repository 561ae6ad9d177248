#!/usr/bin/python3 -IS
# SPDX-License-Identifier: MIT
"""Sends a line to 127.0.0.1:PORT and wants it back."""
import socket
import sys

connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20)
connection.sendall(b"hello\n")
got = b""
while not got.endswith(b"\n"):
    data = connection.recv(100)
    if not data:
        sys.exit("the connection ended")
    got += data
sys.exit(got != b"hello\n")
