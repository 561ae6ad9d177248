#!/usr/bin/python3 -IS
# SPDX-License-Identifier: MIT
"""Gives the kernel's SMC EIDs and pnet identifiers, without smcctl.

usage: configure.py ueid [NAME]                        that UEID only, or none
       configure.py pnet [NAME=netdev:X|NAME=device:X]...    those identifiers only
       configure.py pnet-churn [NAME=...]...           the same again and again, until it is killed
       configure.py table                              one line per identifier: NAME NETDEV DEVICE PORT, as the kernel says them
"""
import errno
import socket
import struct
import sys

NETLINK_GENERIC, REQUEST, ACK, DUMP, ERROR, DONE = 16, 1, 4, 0x300, 2, 3
# include/uapi/linux/genetlink.h
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
# include/uapi/linux/smc.h
ADD_UEID, FLUSH_UEID, EID_TABLE_ENTRY = 10, 12, 1
PNET_GET, PNET_ADD, PNET_FLUSH, PNET_NAME, PNET_ETHNAME, PNET_IBNAME, PNET_IBPORT = 1, 2, 4, 1, 2, 3, 4


def attribute(kind, value):
    return struct.pack("HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def attributes(data):
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("HH", data)
        found[kind] = data[4:length]
        data = data[(length + 3) & ~3:]
    return found


def ask(family, command, body=b"", flags=ACK, ignore=()):
    """Sends one request; the attributes of every answer up to the end or the acknowledgement."""
    found = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC) as nl:
        body = struct.pack("BBH", command, 1, 0) + body
        nl.send(struct.pack("IHHII", 16 + len(body), family, REQUEST | flags, 1, 0) + body)
        while True:
            data = nl.recv(1 << 16)
            while data:
                length, kind = struct.unpack_from("IH", data)
                error = -struct.unpack_from("i", data, 16)[0] if kind in (ERROR, DONE) else 0
                if error and error not in ignore:
                    raise OSError(error, "netlink request refused")
                if kind in (ERROR, DONE):
                    return found
                found.append(attributes(data[20:length]))
                data = data[(length + 3) & ~3:]


def family(name):
    answer, = ask(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, attribute(CTRL_ATTR_FAMILY_NAME, name.encode() + b"\0"))
    return struct.unpack("H", answer[CTRL_ATTR_FAMILY_ID])[0]


def ueid(names):
    smc = family("SMC_GEN_NETLINK")
    ask(smc, FLUSH_UEID)
    for name in names:
        ask(smc, ADD_UEID, attribute(EID_TABLE_ENTRY, name.ljust(32).encode() + b"\0"))


def pnet(rows):
    pnetid = family("SMC_PNETID")
    ask(pnetid, PNET_FLUSH, ignore=(errno.ENOENT,))
    for row in rows:
        name, _, place = row.partition("=")
        what, _, where = place.partition(":")
        body = attribute(PNET_NAME, name.encode() + b"\0")
        body += attribute({"netdev": PNET_ETHNAME, "device": PNET_IBNAME}[what], where.encode() + b"\0")
        if what == "device":
            body += attribute(PNET_IBPORT, b"\1")
        ask(pnetid, PNET_ADD, body)


def pnet_churn(rows):
    while True:
        pnet(rows)


def table(_):
    for entry in ask(family("SMC_PNETID"), PNET_GET, flags=DUMP):
        names = (entry[kind].rstrip(b"\0").decode() for kind in (PNET_NAME, PNET_ETHNAME, PNET_IBNAME))
        print(*names, entry[PNET_IBPORT][0])


commands = {"ueid": ueid, "pnet": pnet, "pnet-churn": pnet_churn, "table": table}
if len(sys.argv) > 1 and sys.argv[1] in commands:
    commands[sys.argv[1]](sys.argv[2:])
else:
    sys.exit(__doc__)
