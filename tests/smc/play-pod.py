#!/usr/bin/python3 -IS
# SPDX-License-Identifier: MIT
"""Plays one container of a pod as a process: its mounts, user, environment and command; what kubelet and a runtime do of it.

usage: play-pod.py POD.json STATE STAGE CONTAINER [PROGRAM [ARGUMENT...]]
       play-pod.py --publish DIRECTORY FILE [KEY]     puts FILE into a ConfigMap's directory as kubelet's atomic writer does,
                                                      as KEY (policy.json)

STATE has a directory volumes, made as needed (emptyDir: mode 0777, in memory where it says so), and configmaps/NAME.
The image of smcctl is STAGE over the host's tree, its user 65532; for other containers PROGRAM stands for the image's.
A container that has the node's root among its volumes gets a root of its own beside it, with a /proc/sys and a /sys that
are read-only, and sees its own processes only.
"""
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile

CLONE_NEWNS = 0x20000
CLONE_NEWPID = 0x20000000
IMAGE_USER = 65532


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def volume_directory(state, volume):
    """Where the volume's content is; None: an optional ConfigMap that is not there."""
    if "hostPath" in volume:
        if volume["hostPath"].get("type") == "DirectoryOrCreate":
            os.makedirs(volume["hostPath"]["path"], exist_ok=True)
        return volume["hostPath"]["path"]
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
    mount("--rbind", source, target)
    if read_only:
        mount("-o", "remount,bind,ro", target)


def unshare(flags):
    if ctypes.CDLL(None, use_errno=True).unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")


def own_root():
    """Programs of the machine, an /etc of its own, nothing of the machine's to write to."""
    root = tempfile.mkdtemp(dir="/run")
    mount("-t", "tmpfs", "tmpfs", root)
    for name in ("etc", "tmp", "run", "var", "proc", "sys", "dev"):
        os.mkdir(f"{root}/{name}")
    for name in ("usr", "bin", "sbin", "lib", "lib64"):
        if os.path.islink(f"/{name}"):
            os.symlink(os.readlink(f"/{name}"), f"{root}/{name}")
        elif os.path.isdir(f"/{name}"):
            bind(f"/{name}", f"{root}/{name}", True)
    mount("--rbind", "/dev", f"{root}/dev")
    mount("-t", "sysfs", "-o", "ro", "sysfs", f"{root}/sys")
    return root


def contained(root, words):
    """The first process of a process namespace has to mount its /proc itself."""
    unshare(CLONE_NEWPID)
    child = os.fork()
    if child:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    mount("-t", "proc", "proc", f"{root}/proc")
    bind(f"{root}/proc/sys", f"{root}/proc/sys", True)
    os.chroot(root)
    os.chdir("/")
    os.execvp(words[0], words)


def play(pod, state, stage, name, command):
    spec = json.load(open(pod))["spec"]
    container = next(c for c in spec.get("initContainers", []) + spec["containers"] if c["name"] == name)
    # Before the mount namespace: the volumes outlive the container.
    sources = {v["name"]: volume_directory(state, v) for v in spec["volumes"]}
    unshare(CLONE_NEWNS)
    mount("--make-rprivate", "/")
    ours = not command
    if ours:
        open("/usr/bin/smcctl", "a").close()
        mount("--bind", f"{stage}/usr/bin/smcctl", "/usr/bin/smcctl")
        bind(f"{stage}/usr/lib/smcshim", "/usr/lib/smcshim", True)
    root = own_root() if "/" in (sources[m["name"]] for m in container.get("volumeMounts", [])) else ""
    for m in container.get("volumeMounts", []):
        bind(sources[m["name"]], root + m["mountPath"], m.get("readOnly", False))
    security = container.get("securityContext", {})
    user = security.get("runAsUser", spec.get("securityContext", {}).get("runAsUser", IMAGE_USER if ours else 0))
    if security.get("runAsNonRoot"):
        assert user != 0
    environment = {"PATH": "/usr/bin:/bin", **{e["name"]: e["value"] for e in container.get("env", [])}}
    words = ["setpriv", "--clear-groups", f"--regid={user}", f"--reuid={user}"]
    if security.get("allowPrivilegeEscalation") is False:
        words.append("--no-new-privs")
    capabilities = security.get("capabilities", {})
    if capabilities.get("drop") == ["ALL"]:
        words.append("--bounding-set=" + ",".join(["-all"] + [f"+{c.lower()}" for c in capabilities.get("add", [])]))
    words += ["env", "-i", *[f"{k}={v}" for k, v in environment.items()], *(command or container["command"])]
    if root:
        contained(root, words)
    os.execvp(words[0], words)


def publish(directory, source, key="policy.json"):
    """As kubelet's AtomicWriter: a new directory, and the link ..data renamed onto the old one."""
    os.makedirs(directory, exist_ok=True)
    old = os.path.join(directory, "..data")
    before = os.readlink(old) if os.path.islink(old) else None
    number = int(before.rsplit("_", 1)[1]) + 1 if before else 1
    new = f"..2026_{number}"
    os.mkdir(os.path.join(directory, new))
    shutil.copy(source, os.path.join(directory, new, key))
    os.symlink(new, os.path.join(directory, "..data_tmp"))
    os.rename(os.path.join(directory, "..data_tmp"), old)
    if before:
        shutil.rmtree(os.path.join(directory, before))
    else:
        os.symlink(f"..data/{key}", os.path.join(directory, key))


if sys.argv[1] == "--publish":
    publish(*sys.argv[2:])
else:
    play(*sys.argv[1:5], sys.argv[5:])
