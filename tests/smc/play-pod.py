#!/usr/bin/python3 -IS
# SPDX-License-Identifier: MIT
"""Plays one container of a pod as a process: its mounts, user, environment and command; what kubelet and a runtime do of it.

usage: play-pod.py POD.json STATE STAGE CONTAINER [PROGRAM [ARGUMENT...]]
       play-pod.py --publish DIRECTORY FILE [KEY]     puts FILE into a ConfigMap's directory as kubelet's atomic writer does,
                                                      as KEY (policy.json)

STATE has a directory volumes, made as needed (emptyDir: mode 0777, in memory where it says so), and configmaps/NAME.
The image of smcctl is STAGE over the host's tree, its user 65532; for other containers PROGRAM stands for the image's. An image
volume has the library where packaging/image/oci-layout puts it.
A container that has the node's root among its volumes, or whose root is to be read-only, gets a root of its own, with a
/proc/sys and a /sys that are read-only, and sees its own processes only.
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
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC = 1, 32, 4096, 16384
IMAGE_USER = 65532
SMCCTL = "/usr/bin/smcctl"
libc = ctypes.CDLL(None, use_errno=True)


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def attach(source, target, flags):
    """mount(2), without starting a program, which takes 40 ms in an emulated guest."""
    if libc.mount(source and os.fsencode(source), os.fsencode(target), None, ctypes.c_ulong(flags), None):
        raise OSError(ctypes.get_errno(), f"mount {source}", target)


def image_directory(path, stage):
    if not os.path.isdir(path):
        os.makedirs(path + "/usr/lib")
        shutil.copytree(f"{stage}/usr/lib/smcshim", path + "/usr/lib/smcshim")
        os.symlink("usr/lib/smcshim/libsmcshim.so", path + "/libsmcshim.so")
    return path


def volume_directory(state, stage, volume):
    """Where the volume's content is; None: an optional ConfigMap that is not there."""
    if "hostPath" in volume:
        if volume["hostPath"].get("type") == "DirectoryOrCreate":
            os.makedirs(volume["hostPath"]["path"], exist_ok=True)
        return volume["hostPath"]["path"]
    path = f"{state}/volumes/{volume['name']}"
    if "image" in volume:
        return image_directory(path, stage)
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
    attach(source, target, MS_BIND | MS_REC)
    if read_only:
        attach(None, target, MS_REMOUNT | MS_BIND | MS_RDONLY)


def unshare(flags):
    if libc.unshare(flags):
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
    bind("/dev", f"{root}/dev", False)
    mount("-t", "sysfs", "-o", "ro", "sysfs", f"{root}/sys")
    return root


def contained(root, read_only, words):
    """The first process of a process namespace has to mount its /proc itself, and ends with this one."""
    unshare(CLONE_NEWPID)
    child = os.fork()
    if child:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    mount("-t", "proc", "proc", f"{root}/proc")
    bind(f"{root}/proc/sys", f"{root}/proc/sys", True)
    if read_only:
        attach(None, root, MS_REMOUNT | MS_BIND | MS_RDONLY)
    os.chroot(root)
    os.chdir("/")
    os.execvp(words[0], [words[0], "--pdeathsig=KILL", *words[1:]])


def play(pod, state, stage, name, command):
    spec = json.load(open(pod))["spec"]
    container = next(c for c in spec.get("initContainers", []) + spec["containers"] if c["name"] == name)
    # Before the mount namespace: the volumes outlive the container.
    sources = {v["name"]: volume_directory(state, stage, v) for v in spec["volumes"]}
    unshare(CLONE_NEWNS)
    mount("--make-rprivate", "/")
    ours = not command or command[0] == SMCCTL
    if ours:
        open(SMCCTL, "a").close()
        attach(stage + SMCCTL, SMCCTL, MS_BIND)
        bind(f"{stage}/usr/lib/smcshim", "/usr/lib/smcshim", True)
    security = container.get("securityContext", {})
    read_only = security.get("readOnlyRootFilesystem", False)
    node = "/" in (sources[m["name"]] for m in container.get("volumeMounts", []))
    root = own_root() if node or read_only else ""
    for m in container.get("volumeMounts", []):
        bind(sources[m["name"]], root + m["mountPath"], m.get("readOnly", False))
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
        contained(root, read_only, words)
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
