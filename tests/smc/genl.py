#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Changes the kernel's SMC tables for a test, without smcctl: genl.py ueid-flush | ueid-add NAME | pnet-flush | pnet-add NAME DEVICE"""
import os
import socket
import struct
import sys

ATTRIBUTE = struct.Struct("HH")


def attribute(kind, data):
    return ATTRIBUTE.pack(4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def talk(nl, kind, command, body):
    request = struct.pack("BBxx", command, 1) + body
    nl.send(struct.pack("IHHII", 16 + len(request), kind, 5, 1, 0) + request)
    family = 0
    while True:
        answer = nl.recv(65536)
        length, what = struct.unpack_from("IH", answer)
        if what == 2:
            error, = struct.unpack_from("i", answer, 16)
            if error:
                raise OSError(-error, os.strerror(-error))
            return family
        at = 20
        while at + 4 <= length:
            size, name = ATTRIBUTE.unpack_from(answer, at)
            if name == 1:
                family, = struct.unpack_from("H", answer, at + 4)
            at += (size + 3) & ~3


def main(argv):
    commands = {
        "ueid-flush": ("SMC_GEN_NETLINK", 12, lambda: b""),
        "ueid-add": ("SMC_GEN_NETLINK", 10, lambda: attribute(1, f"{argv[2]:32}".encode() + b"\0")),
        "pnet-flush": ("SMC_PNETID", 4, lambda: b""),
        "pnet-add": ("SMC_PNETID", 2, lambda: attribute(1, argv[2].encode() + b"\0") + attribute(3, argv[3].encode() + b"\0")),
    }
    name, command, body = commands[argv[1]]
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as nl:
        family = talk(nl, 16, 3, attribute(2, name.encode() + b"\0"))
        talk(nl, family, command, body())


main(sys.argv)
