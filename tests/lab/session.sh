# SPDX-License-Identifier: MIT
# Runs the command in the guest, under the host's bash: its directory, environment and descriptors. fd 5: status, fd 6: output.
# shellcheck shell=bash
set -eu
# shellcheck source=/dev/null
. /run/lab/config

mapfile -d '' -t argv </run/lab/argv
IFS= read -r -d '' cwd </run/lab/cwd
cd -- "$cwd" || exit 125
ulimit -n 65536

environment=(
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    HOME=/root USER=root LOGNAME=root SHELL=/bin/bash LANG=C.UTF-8
    "TERM=$LAB_TERM" "LAB_MODE=$LAB_MODE" "LAB_ACCEL=$LAB_ACCEL" LAB_OUT=/lab-out
)
if [[ $LAB_MODE == smcr2 ]]; then
    environment+=("LAB_HOST=$LAB_HOST" "LAB_SELF=$LAB_SELF" "LAB_PEER=$LAB_PEER")
fi

echo up >&5
case $LAB_STDIN in
terminal)
    exec <>/dev/ttyS1 >&0 2>&0 5>&- 6>&-
    stty sane rows "$LAB_ROWS" cols "$LAB_COLS"
    exec env -i "${environment[@]}" setsid -cw bash
    ;;
file) exec </run/lab/stdin ;;
esac
exec env -i "${environment[@]}" "${argv[@]}" >&6 2>&1 5>&- 6>&-
