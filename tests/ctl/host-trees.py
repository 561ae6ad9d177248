# SPDX-License-Identifier: MIT
"""Machines that are not there, as trees like /sys, /proc/irq and /proc/sys; and what the policies of XPS come to on them, worked out anew.

host-trees.py make NAME DIRECTORY; host-trees.py judge NAME PLAN.json PLAN.txt"""
import json
import os
import re
import sys


def cpus(text):
    out = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        out += range(int(first), int(last or first) + 1)
    return out


class Machine:
    """online, possible: CPUs. share: CPUs with one last cache. nodes: of each NUMA node its CPUs. irq: a name for the interrupt of a queue."""

    def __init__(self, online, possible, share, nodes, node, queues, irq):
        self.online, self.possible, self.share, self.nodes = online, possible, share, nodes
        self.node, self.queues, self.irq = node, queues, irq

    def irq_cpu(self, queue):
        """Not all online, and two queues on one CPU now and then."""
        return (queue * 3 // 2) % (cpus(self.possible)[-1] + 1)

    def shares(self, cpu):
        return range(cpu // self.share * self.share, (cpu // self.share + 1) * self.share)


MACHINES = {
    # A virtual machine: more CPUs could be plugged in than are there.
    "guest": Machine("0-5", "0-7", 4, None, None, 4, "virtio{i}-output.{q}"),
    # Two sockets, some CPUs taken offline, the device on the second one.
    "numa": Machine("0-2,4-11,13-15", "0-15", 8, ["0-7", "8-15"], 1, 6, "mlx5_comp{q}@pci:0000:0{i}:00.0"),
    "large": Machine("0-6,8-500,502,504-1021,1023", "0-1023", 8, ["0-255", "256-511", "512-767", "768-1023"], 3, 256, "eth{i}-TxRx-{q}"),
}
# The interfaces of tests/ctl/host-plan.sh, by number; the large machine has the first four.
POLICIES = ["kernel", "one-to-one", "numa", "irq", "rxqs", "off", "masks", "single", "fighting", "impossible"]


def make(name, top):
    machine = MACHINES[name]

    def put(path, text):
        path = os.path.join(top, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as stream:
            stream.write(text + "\n")

    cpu = "sys/devices/system/cpu"
    put(f"{cpu}/online", machine.online)
    put(f"{cpu}/possible", machine.possible)
    for number in cpus(machine.online):
        shares = machine.shares(number)
        put(f"{cpu}/cpu{number}/cache/index3/shared_cpu_list", f"{shares[0]}-{shares[-1]}")
    for number, listed in enumerate(machine.nodes or []):
        put(f"sys/devices/system/node/node{number}/cpulist", listed)
    for module in ("smc", "smc_diag"):
        put(f"sys/module/{module}/refcnt", "0")
    for i, policy in enumerate(POLICIES[:4] if name == "large" else POLICIES):
        net = f"sys/class/net/eth{i}"
        if machine.node is not None:
            put(f"{net}/device/numa_node", str(machine.node))
        for q in range(1 if policy == "single" else machine.queues):
            irq = 1000 * (i + 1) + q
            put(f"{net}/queues/tx-{q}/xps_cpus", "0")
            put(f"{net}/queues/tx-{q}/xps_rxqs", "0")
            put(f"{net}/queues/rx-{q}/rps_cpus", "0")
            put(f"{net}/device/msi_irqs/{irq}", "msi")
            put(f"sys/kernel/irq/{irq}/actions", machine.irq.format(i=i, q=q))
            put(f"irq/{irq}/effective_affinity_list", str(machine.irq_cpu(q)))
    for key, value in {"net/core/somaxconn": "4096", "net/ipv4/tcp_rmem": "4096\t131072\t6291456", "net/smc/rmem": "65536",
                       "net/smc/wmem": "65536", "net/ipv4/tcp_max_tw_buckets": "131072"}.items():
        put(f"proc-sys/{key}", value)


def deal(order, queues):
    sets = [set() for _ in range(queues)]
    for turn, number in enumerate(order):
        sets[turn % queues].add(number)
    return sets


def wanted(machine, policy):
    online, queues = cpus(machine.online), machine.queues
    if policy == "kernel":
        # virtnet_set_affinity() of drivers/net/virtio_net.c
        stride, stragglers = max(len(online) // queues, 1), len(online) % queues if len(online) >= queues else 0
        sizes = [stride + (q < stragglers) for q in range(queues)]
        walk = iter(online * queues)
        return [{next(walk) for _ in range(size)} for size in sizes]
    if policy == "one-to-one":
        return deal(online, queues)
    local = cpus(machine.nodes[machine.node]) if machine.nodes else online
    if policy == "numa":
        return deal([c for c in online if c in local] + [c for c in online if c not in local], queues)
    sets, left = [set() for _ in range(queues)], list(online)
    for q in range(queues):
        if machine.irq_cpu(q) in left:
            sets[q].add(machine.irq_cpu(q))
            left.remove(machine.irq_cpu(q))
    # By turns one more of those that share a cache with a queue's interrupt, then whatever is left.
    gave = True
    while gave:
        gave = False
        for q in range(queues):
            near = [c for c in left if c in machine.shares(machine.irq_cpu(q)) and machine.irq_cpu(q) in online]
            if near:
                sets[q].add(near[0])
                left.remove(near[0])
                gave = True
    for q, rest in enumerate(deal(left, queues)):
        sets[q] |= rest
    return sets


def mask(numbers):
    digits = f"{sum(1 << n for n in numbers):x}"
    groups = []
    while digits:
        groups.insert(0, digits[-8:])
        digits = digits[:-8]
    return ",".join(groups)


def judge(name, plan, text):
    """Every queue of every policy is as worked out here; the text has what the JSON has."""
    machine = MACHINES[name]
    with open(plan, encoding="utf-8") as stream:
        items = json.load(stream)["items"]
    queues = {i["name"]: i["wanted"] for i in items if i["kind"] == "xps" and "/" in i["name"]}
    for i, policy in enumerate(POLICIES[:4]):
        got = [queues.pop(f"eth{i}/tx-{q}/xps_cpus") for q in range(machine.queues)]
        assert got == [mask(s) for s in wanted(machine, policy)], f"{name}: {policy}"
    assert name != "large" or not queues, queues
    rows = {}
    with open(text, encoding="utf-8") as stream:
        for line in stream:
            found = re.match(r"([=~+.x!-]) +([a-z]+) +(\S.*?)  +(\S.*?)  +(\S.*?)  ", line)
            if found:
                rows[found[2], found[3]] = found[4], found[5]
    assert len(rows) == len(items), (len(rows), len(items))
    for item in items:
        if item["kind"] != "file":
            assert rows[item["kind"], item["name"]] == (item["now"] or "-", item["wanted"]), item


if sys.argv[1] == "make":
    make(*sys.argv[2:])
else:
    judge(*sys.argv[2:])
