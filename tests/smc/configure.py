#!/usr/bin/python3 -IS
# SPDX-License-Identifier: MIT
"""Gives the kernel's SMC EIDs and pnet identifiers, without smcctl.

usage: configure.py ueid [NAME]                        that UEID only, or none
       configure.py pnet [NAME=netdev:X|NAME=device:X]...    those identifiers only
"""
import errno
import socket
import struct
import sys

NETLINK_GENERIC, REQUEST, ACK, ERROR = 16, 1, 4, 2
# include/uapi/linux/genetlink.h
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
# include/uapi/linux/smc.h
ADD_UEID, FLUSH_UEID, EID_TABLE_ENTRY = 10, 12, 1
PNET_ADD, PNET_FLUSH, PNET_NAME, PNET_ETHNAME, PNET_IBNAME, PNET_IBPORT = 2, 4, 1, 2, 3, 4


def attribute(kind, value):
    return struct.pack("HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def ask(family, command, body=b"", ignore=()):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC) as nl:
        body = struct.pack("BBH", command, 1, 0) + body
        nl.send(struct.pack("IHHII", 16 + len(body), family, REQUEST | ACK, 1, 0) + body)
        data = nl.recv(1 << 16)
    if struct.unpack_from("IH", data)[1] == ERROR:
        error = -struct.unpack_from("i", data, 16)[0]
        if error and error not in ignore:
            raise OSError(error, "netlink request refused")
    return data[20:]


def family(name):
    data = ask(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, attribute(CTRL_ATTR_FAMILY_NAME, name.encode() + b"\0"))
    while True:
        length, kind = struct.unpack_from("HH", data)
        if kind == CTRL_ATTR_FAMILY_ID:
            return struct.unpack_from("H", data, 4)[0]
        data = data[(length + 3) & ~3:]


def ueid(names):
    smc = family("SMC_GEN_NETLINK")
    ask(smc, FLUSH_UEID)
    for name in names:
        ask(smc, ADD_UEID, attribute(EID_TABLE_ENTRY, name.ljust(32).encode() + b"\0"))


def pnet(rows):
    table = family("SMC_PNETID")
    ask(table, PNET_FLUSH, ignore=(errno.ENOENT,))
    for row in rows:
        name, _, place = row.partition("=")
        what, _, where = place.partition(":")
        body = attribute(PNET_NAME, name.encode() + b"\0")
        body += attribute({"netdev": PNET_ETHNAME, "device": PNET_IBNAME}[what], where.encode() + b"\0")
        if what == "device":
            body += attribute(PNET_IBPORT, b"\1")
        ask(table, PNET_ADD, body)


if len(sys.argv) > 1 and sys.argv[1] in ("ueid", "pnet"):
    {"ueid": ueid, "pnet": pnet}[sys.argv[1]](sys.argv[2:])
else:
    sys.exit(__doc__)
