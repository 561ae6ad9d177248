#!/usr/bin/python3 -IS
# SPDX-License-Identifier: MIT
"""Connects over SMC to a listener of its own on 127.0.0.1 and prints what the kernel made of it: smc or tcp."""
import socket

IPPROTO_SMC = 256
SO_PROTOCOL = 38

with socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SMC) as listener, \
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SMC) as client:
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    client.settimeout(30)
    client.connect(listener.getsockname())
    protocol = client.getsockopt(socket.SOL_SOCKET, SO_PROTOCOL)
    print("smc" if protocol == IPPROTO_SMC else "tcp")
