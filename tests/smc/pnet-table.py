#!/usr/bin/python3 -IS
# SPDX-License-Identifier: MIT
"""The kernel's pnet table without smcctl.

usage: pnet-table.py                          one line per entry: PNETID INTERFACE DEVICE PORT, as the kernel says them
       pnet-table.py add PNETID INTERFACE...  enters them, whatever the interfaces are
"""
import socket
import struct
import sys

NETLINK_GENERIC = 16
ERROR, DONE = 2, 3
REQUEST, ACK, DUMP = 1, 4, 0x300
# include/uapi/linux/genetlink.h
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
# include/uapi/linux/smc.h
GET, ADD = 1, 2
NAME, ETHNAME, IBNAME, IBPORT = 1, 2, 3, 4


def text(kind, value):
    data = value.encode() + b"\0"
    return struct.pack("HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def attributes(data):
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("HH", data)
        found[kind] = data[4:length]
        data = data[(length + 3) & ~3:]
    return found


def ask(family, command, flags, body=b""):
    """Sends one request; the attributes of every answer up to the end or the acknowledgement."""
    found = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC) as nl:
        nl.send(struct.pack("IHHIIBBH", 20 + len(body), family, REQUEST | flags, 1, 0, command, 1, 0) + body)
        while True:
            data = nl.recv(1 << 16)
            while data:
                length, kind = struct.unpack_from("IH", data)
                if kind == ERROR and struct.unpack_from("i", data, 16)[0]:
                    raise OSError(-struct.unpack_from("i", data, 16)[0], "refused")
                if kind in (ERROR, DONE):
                    return found
                found.append(attributes(data[20:length]))
                data = data[(length + 3) & ~3:]


answer, = ask(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, ACK, text(CTRL_ATTR_FAMILY_NAME, "SMC_PNETID"))
pnet, = struct.unpack("H", answer[CTRL_ATTR_FAMILY_ID])
if sys.argv[1:2] == ["add"]:
    for interface in sys.argv[3:]:
        ask(pnet, ADD, ACK, text(NAME, sys.argv[2]) + text(ETHNAME, interface))
else:
    for entry in ask(pnet, GET, DUMP):
        print(*(entry[kind].rstrip(b"\0").decode() for kind in (NAME, ETHNAME, IBNAME)), entry[IBPORT][0])
