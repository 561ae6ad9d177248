#!/usr/bin/python3 -IS
# SPDX-License-Identifier: MIT
"""Lists the sockets of one port with the mode that the kernel reports for each: modes.py PORT [NAME COUNT]

/proc/net/tcp has every connection, also the TCP socket beneath an SMC socket. SOCK_DIAG of family AF_SMC has the SMC sockets
with their mode; a pair of ports that it does not list is plain TCP.
With NAME and COUNT it first waits until processes of that name have so many of them.
"""
import collections
import os
import socket
import struct
import sys
import time

AF_SMC = 43
NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY = 4, 20
NLMSG_ERROR, NLMSG_DONE = 2, 3
REQUEST_DUMP = 0x301
LISTEN, ESTABLISHED = 10, 1
SMC_INIT, FALLBACK = 2, 1
# include/uapi/linux/smc_diag.h
SMC_DIAG_MODES = {0: "SMC-R", 1: "TCP", 2: "SMC-D"}


def smc_sockets():
    """{(local port, peer port): (mode, inode)}"""
    found = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as netlink:
        request = struct.pack("BBBB48x", AF_SMC, 0, 0, 0)
        netlink.send(struct.pack("IHHII", 16 + len(request), SOCK_DIAG_BY_FAMILY, REQUEST_DUMP, 1, 0) + request)
        while True:
            data = netlink.recv(1 << 16)
            while data:
                length, kind = struct.unpack_from("IH", data)
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    return found
                state, mode = data[17], data[18]
                ports = struct.unpack_from("!HH", data, 16 + 4)
                inode = struct.unpack_from("Q", data, 16 + 56)[0]
                if state == LISTEN:
                    found[ports] = ("SMC", inode)
                elif state == SMC_INIT and mode != FALLBACK:  # in the handshake: the mode is not decided
                    found[ports] = (None, inode)
                else:
                    found[ports] = (SMC_DIAG_MODES.get(mode, str(mode)), inode)
                data = data[(length + 3) & ~3:]


def tcp_sockets(port):
    """(state, local port, peer address, peer port, inode) of every TCP socket with the port at one of its ends."""
    with open("/proc/net/tcp", encoding="ascii") as lines:
        next(lines)
        for line in lines:
            fields = line.split()
            local, peer = (field.split(":") for field in fields[1:3])
            state, local_port, peer_port = int(fields[3], 16), int(local[1], 16), int(peer[1], 16)
            if state in (LISTEN, ESTABLISHED) and port in (local_port, peer_port):
                address = socket.inet_ntoa(struct.pack("=I", int(peer[0], 16)))
                yield state, local_port, address, peer_port, int(fields[9])


def owners():
    """{inode: (process name, process id)}"""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as comm:
                name = comm.read().strip()
            for fd in os.listdir(f"/proc/{pid}/fd"):
                target = os.readlink(f"/proc/{pid}/fd/{fd}")
                if target.startswith("socket:["):
                    found[int(target[8:-1])] = (name, int(pid))
        except OSError:  # it ended meanwhile
            continue
    return found


def listing(port):
    """{(process name, process id, what, mode): sockets}"""
    smc, owner = smc_sockets(), owners()
    count = collections.Counter()
    for state, local_port, address, peer_port, inode in tcp_sockets(port):
        mode, inode = smc.get((local_port, peer_port), ("TCP", inode))
        if inode not in owner or not mode:  # accepted by the kernel and not yet by the program, just closed, or in the handshake
            continue
        if state == LISTEN:
            what = f"listens on port {port}"
        elif peer_port == port:
            what = f"connected to {address}:{port}"
        else:
            what = "its clients"
        count[(*owner[inode], what, mode)] += 1
    return count


def connections(port):
    """How many clients of the port have a mode; cheap, as it does not ask whose they are."""
    smc = smc_sockets()
    return sum(1 for _, local, _, peer, _ in tcp_sockets(port) if peer == port and smc.get((local, peer), ("TCP",))[0])


def main(port, name="", least="0"):
    until = time.monotonic() + 20
    while True:
        while connections(int(port)) < int(least) and time.monotonic() < until:
            time.sleep(0.02)
        count = listing(int(port))
        if sum(number for key, number in count.items() if key[0] == name) >= int(least):
            break
        if time.monotonic() > until:
            sys.exit(f"modes: {name} never had {least} sockets")
        time.sleep(0.05)
    print(f"{'PROCESS':16} {'PID':>5}  {'WHAT':28} {'SOCKETS':>7}  MODE")
    for (process, pid, what, mode), number in sorted(count.items()):
        print(f"{process:16} {pid:5}  {what:28} {number:7}  {mode}")


main(*sys.argv[1:])
