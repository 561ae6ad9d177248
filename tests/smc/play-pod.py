#!/usr/bin/python3 -IS
# SPDX-License-Identifier: MIT
"""Plays one container of a pod as a process: its mounts, user, environment and command; what kubelet and a runtime do of it.

usage: play-pod.py POD.json STATE STAGE CONTAINER [PROGRAM [ARGUMENT...]]
       play-pod.py --publish DIRECTORY FILE     puts policy.json into a ConfigMap's directory as kubelet's atomic writer does

STATE has a directory volumes, made as needed (emptyDir: mode 0777, in memory where it says so), and configmaps/NAME.
The image of smcctl is STAGE over the host's tree, its user 65532; for other containers PROGRAM stands for the image's.
"""
import ctypes
import json
import os
import shutil
import subprocess
import sys

CLONE_NEWNS = 0x20000
IMAGE_USER = 65532


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def volume_directory(state, volume):
    """Where the volume's content is; None: an optional ConfigMap that is not there."""
    path = f"{state}/volumes/{volume['name']}"
    if "configMap" in volume:
        source = f"{state}/configmaps/{volume['configMap']['name']}"
        if not os.path.isdir(source):
            assert volume["configMap"].get("optional")
            os.makedirs(path, exist_ok=True)
            return path
        return source
    if not os.path.isdir(path):
        os.makedirs(path)
        if volume["emptyDir"].get("medium") == "Memory":
            mount("-t", "tmpfs", "-o", "size=" + volume["emptyDir"]["sizeLimit"].removesuffix("i"), "tmpfs", path)
        os.chmod(path, 0o777)
    return path


def bind(source, target, read_only):
    os.makedirs(target, exist_ok=True)
    mount("--bind", source, target)
    if read_only:
        mount("-o", "remount,bind,ro", target)


def play(pod, state, stage, name, command):
    spec = json.load(open(pod))["spec"]
    container = next(c for c in spec.get("initContainers", []) + spec["containers"] if c["name"] == name)
    # Before the mount namespace: the volumes outlive the container.
    sources = {v["name"]: volume_directory(state, v) for v in spec["volumes"]}
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    mount("--make-rprivate", "/")
    ours = not command
    if ours:
        open("/usr/bin/smcctl", "a").close()
        mount("--bind", f"{stage}/usr/bin/smcctl", "/usr/bin/smcctl")
        bind(f"{stage}/usr/lib/smcshim", "/usr/lib/smcshim", True)
    for m in container.get("volumeMounts", []):
        bind(sources[m["name"]], m["mountPath"], m.get("readOnly", False))
    security = container.get("securityContext", {})
    user = security.get("runAsUser", spec.get("securityContext", {}).get("runAsUser", IMAGE_USER if ours else 0))
    if security.get("runAsNonRoot"):
        assert user != 0
    environment = {"PATH": "/usr/bin:/bin", **{e["name"]: e["value"] for e in container.get("env", [])}}
    words = ["setpriv", "--clear-groups", f"--regid={user}", f"--reuid={user}"]
    if security.get("allowPrivilegeEscalation") is False:
        words.append("--no-new-privs")
    if security.get("capabilities", {}).get("drop") == ["ALL"]:
        words.append("--bounding-set=-all")
    words += ["env", "-i", *[f"{k}={v}" for k, v in environment.items()], *(command or container["command"])]
    os.execvp(words[0], words)


def publish(directory, source):
    """As kubelet's AtomicWriter: a new directory, and the link ..data renamed onto the old one."""
    os.makedirs(directory, exist_ok=True)
    old = os.path.join(directory, "..data")
    before = os.readlink(old) if os.path.islink(old) else None
    number = int(before.rsplit("_", 1)[1]) + 1 if before else 1
    new = f"..2026_{number}"
    os.mkdir(os.path.join(directory, new))
    shutil.copy(source, os.path.join(directory, new, "policy.json"))
    os.symlink(new, os.path.join(directory, "..data_tmp"))
    os.rename(os.path.join(directory, "..data_tmp"), old)
    if before:
        shutil.rmtree(os.path.join(directory, before))
    else:
        os.symlink("..data/policy.json", os.path.join(directory, "policy.json"))


if sys.argv[1] == "--publish":
    publish(*sys.argv[2:])
else:
    play(*sys.argv[1:5], sys.argv[5:])
