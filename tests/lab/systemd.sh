# SPDX-License-Identifier: MIT
# The guest with systemd as PID 1: "prepare" makes the host's root fit to be booted, "run" is lab.service, which runs
# session.sh, reports its exit status and powers off.
# shellcheck shell=bash
set -eu

prepare() {
    local unit cwd
    # Of the host, which is a container, or has disks and networks that are not here.
    rm -f /etc/fstab /.dockerenv
    mkdir -p /etc/tmpfiles.d /etc/systemd/system
    # It would empty the overlay's /tmp file by file.
    ln -sf /dev/null /etc/tmpfiles.d/tmp.conf
    for unit in systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udev-trigger.service \
        systemd-binfmt.service systemd-remount-fs.service systemd-random-seed.service systemd-firstboot.service \
        systemd-sysctl.service apt-daily.timer apt-daily-upgrade.timer \
        NetworkManager-wait-online.service systemd-networkd-wait-online.service; do
        ln -sf /dev/null "/etc/systemd/system/$unit"
    done
    [[ -s /etc/machine-id ]] || echo 00000000000000000000000000000001 >/etc/machine-id
    cat >/etc/systemd/system/lab.service <<'END'
[Unit]
Description=The lab's command
Requires=basic.target
After=basic.target
[Service]
ExecStart=/bin/bash /run/lab/systemd.sh run
StandardOutput=file:/dev/console
StandardError=inherit
TimeoutStopSec=5
LimitNOFILE=65536
END
    if [[ -e /run/lab/prepare ]]; then
        IFS= read -r -d '' cwd </run/lab/cwd
        cd -- "$cwd"
        bash /run/lab/prepare </dev/null
    fi
}

run() {
    local port code=0 reader tries=300
    port=$(</run/lab/port)
    exec 5>"${port}2"
    mkfifo /run/lab/pipe
    cat </run/lab/pipe >"${port}1" &
    reader=$!
    setsid bash /run/lab/session.sh 6>/run/lab/pipe || code=$?
    # What still holds the pipe after three seconds is a leftover.
    while kill -0 "$reader" 2>/dev/null; do
        ((tries-- > 0)) || kill "$reader"
        sleep 0.01
    done
    dmesg >"${port}3"
    echo "exit $code" >&5
    echo o >/proc/sysrq-trigger
    sleep 60
}

"$1"
