#!/usr/bin/python3 -IS
# SPDX-License-Identifier: MIT
"""Asks the kernel about SMC: which sockets there are (SOCK_DIAG) and how many connections it made (generic netlink).

usage: smcstat.py sockets          one line per SMC socket: STATE MODE LOCAL-PORT PEER-PORT REASON
       smcstat.py counters         NAME=NUMBER lines, all since boot
       smcstat.py since FILE       the same, minus the counters in FILE, which then holds those of now
       smcstat.py count-made       once, as root: from now on "made" counts the SMC sockets that programs create

client_smcd, server_smcd, client_smcr, server_smcr: connections whose SMC handshake succeeded, at each end.
client_fallback, server_fallback: SMC sockets that became TCP; forced is the part of client_fallback with reason 03060000
(an in-place downgrade), reason_client_* and reason_server_* name the others. client_error, server_error: failed handshakes.
made: calls of the kernel's smc_create_clcsk(), which every socket(AF_SMC) and socket(IPPROTO_SMC) goes through and an
accepted connection does not; no statistic has this, so it is a kprobe. Absent without count-made.
"""
import socket
import struct
import sys

AF_SMC = 43
NETLINK_SOCK_DIAG = 4
NETLINK_GENERIC = 16
NLMSG_ERROR, NLMSG_DONE = 2, 3
REQUEST, DUMP = 1, 0x300
SOCK_DIAG_BY_FAMILY = 20
SMC_DIAG_FALLBACK = 5
MODES = {0: "SMCR", 1: "TCP", 2: "SMCD"}
STATES = {1: "ACTIVE", 2: "INIT", 7: "CLOSED", 10: "LISTEN"}
CONNECTED = 1

# include/uapi/linux/genetlink.h
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
# include/uapi/linux/smc.h
SMC_NETLINK_GET_STATS, SMC_NETLINK_GET_FBACK_STATS = 7, 8
SMC_GEN_STATS, SMC_GEN_FBACK_STATS = 7, 8
STATS_SMCD_TECH, STATS_SMCR_TECH, STATS_CLNT_HS_ERR_CNT, STATS_SRV_HS_ERR_CNT = 1, 2, 3, 4
TECH_CLNT_V1_SUCC, TECH_CLNT_V2_SUCC, TECH_SRV_V1_SUCC, TECH_SRV_V2_SUCC, TECH_TX_BYTES = 7, 8, 9, 10, 17
FBACK_TYPE, FBACK_SRV_CNT, FBACK_CLNT_CNT, FBACK_RSN_CODE, FBACK_RSN_CNT = 1, 2, 3, 4, 5
OPTUNSUPP = 0x03060000

TRACEFS = "/sys/kernel/tracing"
PROBE = "smcshim_made"


def messages(protocol, kind, flags, body):
    """Sends one request and yields (type, payload) of every answer."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as nl:
        nl.send(struct.pack("IHHII", 16 + len(body), kind, REQUEST | flags, 1, 0) + body)
        while True:
            data = nl.recv(1 << 16)
            while data:
                length, what = struct.unpack_from("IH", data)
                if what == NLMSG_DONE:
                    return
                if what == NLMSG_ERROR:
                    error = -struct.unpack_from("i", data, 16)[0]
                    if error:
                        raise OSError(error, "netlink request refused")
                    return
                yield what, data[16:length]
                if not flags & DUMP:
                    return
                data = data[(length + 3) & ~3:]


def attributes(data):
    """Netlink attributes as {type: payload}; nested and byte order flags are dropped."""
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("HH", data)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[4:length]
        data = data[(length + 3) & ~3:]
    return found


def number(found, kind):
    return int.from_bytes(found.get(kind, b""), sys.byteorder)


def genl(family, command, flags, body=b""):
    for _, payload in messages(NETLINK_GENERIC, family, flags, struct.pack("BBH", command, 1, 0) + body):
        yield attributes(payload[4:])


def smc_family():
    name = b"SMC_GEN_NETLINK\0"
    body = struct.pack("HH", 4 + len(name), CTRL_ATTR_FAMILY_NAME) + name
    for found in genl(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0, body):
        return number(found, CTRL_ATTR_FAMILY_ID)
    raise OSError("no SMC_GEN_NETLINK")


def made():
    """The hits of the kprobe, or None if there is none."""
    try:
        with open(f"{TRACEFS}/kprobe_profile", encoding="ascii") as profile:
            for line in profile:
                name, hits, missed = line.split()
                if name == PROBE:
                    if int(missed):
                        sys.exit(f"smcstat: the kprobe missed {missed} hits")
                    return int(hits)
    except FileNotFoundError:
        pass
    return None


def count_made():
    with open(f"{TRACEFS}/kprobe_events", "w", encoding="ascii") as events:
        events.write(f"p:{PROBE} smc_create_clcsk\n")
    with open(f"{TRACEFS}/events/kprobes/{PROBE}/enable", "w", encoding="ascii") as enable:
        enable.write("1")


def counters():
    values = {}
    hits = made()
    if hits is not None:
        values["made"] = hits
    family = smc_family()
    for found in genl(family, SMC_NETLINK_GET_STATS, DUMP):
        stats = attributes(found[SMC_GEN_STATS])
        for name, kind in (("smcd", STATS_SMCD_TECH), ("smcr", STATS_SMCR_TECH)):
            tech = attributes(stats[kind])
            values[f"client_{name}"] = number(tech, TECH_CLNT_V1_SUCC) + number(tech, TECH_CLNT_V2_SUCC)
            values[f"server_{name}"] = number(tech, TECH_SRV_V1_SUCC) + number(tech, TECH_SRV_V2_SUCC)
            values[f"bytes_{name}"] = number(tech, TECH_TX_BYTES)
        values["client_error"] = number(stats, STATS_CLNT_HS_ERR_CNT)
        values["server_error"] = number(stats, STATS_SRV_HS_ERR_CNT)
    values.update(client_fallback=0, server_fallback=0, forced=0)
    for found in genl(family, SMC_NETLINK_GET_FBACK_STATS, DUMP):
        stats = attributes(found[SMC_GEN_FBACK_STATS])
        # The totals come with the first message only.
        values["server_fallback"] += number(stats, FBACK_SRV_CNT)
        values["client_fallback"] += number(stats, FBACK_CLNT_CNT)
        reason, times = number(stats, FBACK_RSN_CODE), number(stats, FBACK_RSN_CNT)
        if not times:
            continue
        end = "server" if number(stats, FBACK_TYPE) else "client"
        if end == "client" and reason == OPTUNSUPP:
            values["forced"] = times
        else:
            values[f"reason_{end}_{reason:08x}"] = times
    return values


def since(path):
    with open(path, encoding="ascii") as earlier:
        before = dict(line.strip().split("=") for line in earlier)
    now = counters()
    with open(path, "w", encoding="ascii") as file:
        file.writelines(f"{name}={value}\n" for name, value in now.items())
    for name, value in now.items():
        difference = value - int(before.get(name, 0))
        if name == "forced" or name.startswith("reason_"):
            difference %= 1 << 16  # the kernel counts reasons in 16 bits
        now[name] = difference
    return {name: value for name, value in now.items() if value or not name.startswith("reason_")}


def sockets():
    body = struct.pack("BBBB48x", AF_SMC, 0, 0, 1 << (SMC_DIAG_FALLBACK - 1))
    for _, payload in messages(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, DUMP, body):
        state, mode = payload[1], payload[2]
        # Before there is a connection the mode reads 0, which would be SMC-R.
        if state == CONNECTED or 20 <= state <= 27 or mode == 1:
            mode = MODES.get(mode, str(mode))
        else:
            mode = "-"
        local, peer = struct.unpack_from("!HH", payload, 4)
        reason = struct.unpack_from("I", attributes(payload[72:]).get(SMC_DIAG_FALLBACK, b"").ljust(4, b"\0"))[0]
        print(STATES.get(state, state), mode, local, peer, f"{reason:08x}")


def main(argv):
    if argv[1:] == ["sockets"]:
        sockets()
    elif argv[1:] == ["count-made"]:
        count_made()
    elif argv[1:] == ["counters"] or (len(argv) == 3 and argv[1] == "since"):
        for name, value in (counters() if len(argv) == 2 else since(argv[2])).items():
            print(f"{name}={value}")
    else:
        sys.exit(__doc__)


main(sys.argv)
