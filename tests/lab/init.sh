#!/bin/sh
# SPDX-License-Identifier: MIT
# PID 1 of the guest: devices, modules, the host's root under an overlay, the network of the mode; runs session.sh, reports, powers off.
# Runs under busybox; /lab is what the host added to this boot (config, argv, cwd).
set -eu
export PATH=/bin:/sbin

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
exec </dev/null >/dev/console 2>&1

power_off() {
    echo o >/proc/sysrq-trigger
    # PID 1 must not end: the kernel would panic.
    while :; do sleep 60; done
}
trap 'echo "lab: init.sh failed"; power_off' EXIT

# shellcheck source=/dev/null
. /lab/config
release=$(uname -r)

while read -r module parameters; do
    # shellcheck disable=SC2086 # parameters are words
    insmod "$module" $parameters
done </modules

# Under emulation the other processors have waited until here (see "maxcpus" in lab).
for online in /sys/devices/system/cpu/cpu[1-9]*/online; do
    [ ! -e "$online" ] || [ "$(cat "$online")" = 1 ] || echo 1 >"$online"
done

mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,ro,cache=loose host /host
mount -t tmpfs -o mode=755,size=75% upper /upper
mkdir /upper/data /upper/work
mount -t overlay -o lowerdir=/host,upperdir=/upper/data,workdir=/upper/work root /new

mount -t proc proc /new/proc
mount -t sysfs sysfs /new/sys
mount -t cgroup2 cgroup2 /new/sys/fs/cgroup
mount -t devtmpfs dev /new/dev
mkdir -p /new/dev/pts /new/dev/shm /new/dev/mqueue
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /new/dev/pts
mount -t tmpfs -o mode=1777 shm /new/dev/shm
mount -t mqueue mqueue /new/dev/mqueue
ln -sf /proc/self/fd /new/dev/fd
ln -sf fd/0 /new/dev/stdin
ln -sf fd/1 /new/dev/stdout
ln -sf fd/2 /new/dev/stderr
mount -t tmpfs -o mode=755 run /new/run
mkdir -p /new/run/lab /new/run/lock /new/lab-out "/new/lib/modules/$release"
mount --bind "/lib/modules/$release" "/new/lib/modules/$release"
# A repository below /tmp stays visible (CI clones there).
case $LAB_CWD_BELOW_TMP in
no) mount -t tmpfs -o mode=1777 tmp /new/tmp ;;
esac
# cache=none: two guests, or guest and host, see each other's files at once.
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none out /new/lab-out
cp /lab/* /session.sh /systemd.sh /new/run/lab/

hostname lab
printf '127.0.0.1 localhost lab\n::1 localhost ip6-localhost ip6-loopback\n10.99.0.1 lab-a\n10.99.0.2 lab-b\n' >/new/etc/hosts
ip link set lo up

# rdma_link NAME NETDEV: soft-RoCE; rdma is the host's iproute2.
rdma_link() {
    PATH=/usr/sbin:/sbin:/usr/bin:/bin /bin/chroot /new rdma link add "$1" type rxe netdev "$2"
}
case $LAB_MODE in
smcd)
    ueid SMCSHIM-LAB
    ;;
smcr)
    rdma_link rxel lo
    ueid SMCSHIM-LAB
    ;;
smcr2)
    ip addr add "$LAB_SELF/24" dev eth0
    ip link set eth0 up
    rdma_link rxe0 eth0
    ueid SMCSHIM-LAB
    # The peer is ready when it calls; only to be answered by it is not enough: it would then find us gone, were our command a
    # short one. Whoever calls is answered, so both see each other.
    called() {
        # shellcheck disable=SC2046 # words; the tenth is InEchos
        set -- $(grep '^Icmp: [0-9]' /proc/net/snmp)
        shift 9
        [ "$1" -gt 0 ]
    }
    since=$(cut -d . -f 1 /proc/uptime)
    until ping -c 1 -W 1 "$LAB_PEER" >/dev/null && called; do
        [ $(($(cut -d . -f 1 /proc/uptime) - since)) -lt 180 ] || { echo "lab: $LAB_PEER does not answer"; exit 1; }
        usleep 50000
    done
    ;;
esac

# Ports by number: 1 output, 2 status, 3 kernel log. They appear a moment after the bus.
tries=200
until set -- /dev/vport*p3 && [ -e "$1" ]; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ]
    usleep 10000
done
port=${1%3}
exec 5>"${port}2"

# systemd takes the place of this script; lab.service does what stands below here (see systemd.sh).
case $LAB_INIT in
systemd)
    exec 5>&-
    echo "$port" >/new/run/lab/port
    dmesg -n 7
    cd /new
    mount --move . /
    chroot . /bin/bash /run/lab/systemd.sh prepare
    trap - EXIT
    exec chroot . /lib/systemd/systemd --unit=lab.service
    ;;
esac

# The command writes to a pipe, not to the port: a port can be open only once, so /dev/stdout would fail.
mkfifo /pipe
{ cat </pipe >"${port}1"; : >/drained; } &

dmesg -n 7
cd /new
# A move, not only a chroot: in a chroot unshare(CLONE_NEWUSER) is refused. PID 1 stays on the initramfs, where modprobe is.
mount --move . /
set +e
setsid chroot . /bin/bash /run/lab/session.sh 5>&5 6>/pipe
code=$?
set -e

# What still holds the pipe a second after the command is a leftover and is ended.
leftovers() {
    for process in /proc/[0-9]*; do
        id=${process#/proc/}
        # Kernel threads have no executable; the initramfs's own processes run busybox from here.
        exe=$(readlink "$process/exe") || continue
        case $exe in /bin/busybox) continue ;; esac
        kill -9 "$id" || continue
    done
}
tries=100
until [ -e /drained ]; do
    tries=$((tries - 1))
    [ "$tries" -ne 0 ] || leftovers
    usleep 10000
done
dmesg >"${port}3"
echo "exit $code" >&5
trap - EXIT
power_off
