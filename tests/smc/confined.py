#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""confined.py [--without CALL] COMMAND...: runs a command as root in a container of Podman or CRI-O is: with their seccomp profile
(Debian's golang-github-containers-common) and the capabilities they leave. --without: and a call less."""
import json
import os
import sys

import seccomp

PROFILE = "/usr/share/containers/seccomp.json"
CAPABILITIES = "chown dac_override fowner fsetid kill net_bind_service setfcap setgid setpcap setuid sys_chroot".split()
OPERATIONS = {
    "SCMP_CMP_NE": seccomp.NE, "SCMP_CMP_LT": seccomp.LT, "SCMP_CMP_LE": seccomp.LE, "SCMP_CMP_EQ": seccomp.EQ,
    "SCMP_CMP_GE": seccomp.GE, "SCMP_CMP_GT": seccomp.GT, "SCMP_CMP_MASKED_EQ": seccomp.MASKED_EQ,
}


def action_of(word, errno):
    return seccomp.ALLOW if word == "SCMP_ACT_ALLOW" else seccomp.ERRNO(errno)


def has(rule, key):
    """Whether the container fits what the rule includes or excludes."""
    wanted = rule.get(key) or {}
    given = {"CAP_" + name.upper() for name in CAPABILITIES}
    return any((not given.isdisjoint(wanted.get("caps", [])), {"amd64", "x86_64"} & set(wanted.get("arches", []))))


def arguments(rule):
    return [seccomp.Arg(a["index"], OPERATIONS[a["op"]], a["value"], a["valueTwo"]) for a in rule.get("args") or []]


def load(without):
    with open(PROFILE, encoding="utf-8") as file:
        profile = json.load(file)
    default = action_of(profile["defaultAction"], profile["defaultErrnoRet"])
    container = seccomp.SyscallFilter(default)
    container.set_attr(seccomp.Attr.CTL_NNP, 0)
    for rule in profile["syscalls"]:
        if (rule.get("includes") and not has(rule, "includes")) or has(rule, "excludes"):
            continue
        action = action_of(rule["action"], rule.get("errnoRet", 1))
        for name in rule["names"]:
            if name != without and action != default and seccomp.resolve_syscall(seccomp.Arch(), name) != -1:
                container.add_rule(action, name, *arguments(rule))
    if without:
        container.add_rule(seccomp.ERRNO(1), without)
    container.load()


def main(words):
    without = words[1] if words[0] == "--without" else None
    if without:
        words = words[2:]
    load(without)
    bounds = "-all," + ",".join("+" + name for name in CAPABILITIES)
    os.execvp("setpriv", ["setpriv", "--inh-caps=-all", "--bounding-set=" + bounds, *words])


main(sys.argv[1:])
