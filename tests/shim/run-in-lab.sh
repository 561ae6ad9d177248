#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the shim's own tests in the lab's guest: tests/lab/lab MODE -- tests/shim/run-in-lab.sh [PATTERN...]. One stream of TAP.
#
# smcd         every case of shimtest (or those named), 10,000 transfers, a musl program, a 32-bit program, a second library
# smcr         every case that has SMC in its policy, 1,500 transfers, a musl program
# smcr2        transfers between the two guests
# nosmc        every case of shimtest that has SMC in its policy: all of it is TCP
# SMCSHIM_BUILD is the build directory with its check programs (default: build beside this tree's configure).
set -uo pipefail

here=$(dirname -- "$(readlink -f -- "$0")")
build=${SMCSHIM_BUILD:-$here/../../build}
library=/run/shimtest/libsmcshim.so
policy=/run/shimtest/policy

case ${LAB_MODE-} in
smcd | smcr | smcr2 | nosmc) ;;
*) echo "run-in-lab.sh: only in the lab: tests/lab/lab smcd -- tests/shim/run-in-lab.sh" >&2; exit 64 ;;
esac

# From memory: the guest's view of the host's files is slow.
mkdir -p /run/shimtest
cp -L -- "$build/preload/.libs/libsmcshim.so" "$build/tests/shim/shimtest" "$build/tests/shim/transfer" /run/shimtest/ || exit 1
export SMC_TESTS_MUST_RUN=1

number=0 failed=0

# check TEXT COMMAND...: one line of TAP; what the command says comes as remarks.
check() {
    local text=$1 said status=0
    shift
    said=$("$@" 2>&1) || status=$?
    number=$((number + 1))
    if ((status == 0)); then
        printf 'ok %d - %s\n' "$number" "$text"
    else
        failed=$((failed + 1))
        printf 'not ok %d - %s (exit %d)\n' "$number" "$text" "$status"
    fi
    [[ ! $said ]] || printf '%s\n' "$said" | sed 's/^/# /'
}

# shellcheck disable=SC2317 # called through check
{
shimmed() { SMC_POLICY=$policy LD_PRELOAD=$library "$@"; }

# start_server: in the background, its process id in $server. It must not hold the pipe that check() reads.
start_server() {
    SMC_POLICY=$policy LD_PRELOAD=$library /run/shimtest/transfer server 0.0.0.0 5555 >/run/shimtest/server.log 2>&1 &
    server=$!
    until ss -Hltn 'sport = 5555' | grep -q .; do sleep 0.1; done
}

stop_server() {
    kill "$server"
    wait "$server" 2>/dev/null
    cat /run/shimtest/server.log
}

# transfer CONNECTIONS SMC: that many connections, the given share of them SMC.
transfer() {
    local said server status=0
    start_server
    said=$(shimmed /run/shimtest/transfer client 127.0.0.1,127.0.0.2,127.0.1.1 5555 "$1" 8) || status=$?
    stop_server
    printf '%s\n' "$said"
    [[ $status == 0 && $said == "connections $1 smc $2 tcp $(($1 - $2)) failed 0 "* ]]
}

musl() {
    local program=/run/shimtest/musl
    musl-gcc -D_GNU_SOURCE -o "$program" "$here/tiny.c" || return 1
    [[ $(shimmed "$program") == 'shim yes, SMC' && $("$program") == 'shim no, TCP' ]]
}

# Made with -m32, with the library for it, with that of 64 bits, and with none.
i386() {
    local program=/run/shimtest/i386
    gcc -m32 -D_GNU_SOURCE -o "$program" "$here/tiny.c" && cp -L -- "$build/preload/32/.libs/libsmcshim.so" /run/shimtest/32.so || return 1
    [[ $(library=/run/shimtest/32.so shimmed "$program") == 'shim yes, SMC' && $(shimmed "$program") == 'shim no, TCP' &&
        $("$program") == 'shim no, TCP' ]]
}

# Another library in front of the same calls, behind the shim and in front of it.
stacked() {
    local program=/run/shimtest/tiny early=/run/shimtest/early.so
    gcc -D_GNU_SOURCE -o "$program" "$here/tiny.c" && gcc -shared -fPIC -D_GNU_SOURCE -o "$early" "$here/early.c" || return 1
    stacked_says before "$library:$early" && stacked_says after "$early:$library"
}
stacked_says() { # WHEN LIBRARIES
    [[ $(library=$2 shimmed /run/shimtest/tiny 2>&1 | tee /dev/stderr) == "shim yes, SMC
constructor $1 the shim's: fine; passed: socket 2, connect 1, setsockopt 1" ]]
}

two_hosts_server() {
    local server
    start_server
    touch "$LAB_OUT/listening"
    until [[ -e $LAB_OUT/done ]]; do sleep 0.2; done
    stop_server
}

two_hosts_client() {
    local said status=0
    until [[ -e $LAB_OUT/listening ]]; do sleep 0.1; done
    said=$(shimmed /run/shimtest/transfer client "$LAB_PEER" 5555 600 4) || status=$?
    touch "$LAB_OUT/done"
    printf '%s\n' "$said"
    [[ $status == 0 && $said == 'connections 600 smc 600 tcp 0 failed 0 '* ]]
}
}

# Only 127.0.0.1 and the other guest are destinations for SMC; every listener is SMC.
/run/shimtest/shimtest --publish "$policy" '{"version": 1, "rules": [
    {"use": "smc", "connect": ["127.0.0.1/32", "10.99.0.0/24"]}, {"use": "smc", "listen": "any"}]}' || exit 1

case $LAB_MODE in
smcr2)
    if [[ $LAB_HOST == a ]]; then
        check 'the server of two hosts ends' two_hosts_server
    else
        check '600 transfers between two hosts, all over SMC-R' two_hosts_client
    fi
    echo "1..$number"
    exit $((failed > 0))
    ;;
esac

# shellcheck source=network.sh
. "$here/network.sh"
# The kernel takes an IPsec policy of a socket only where somebody manages keys.
modprobe xfrm_user || exit 1
status=0 configs=()
# "bare" and "none" make no SMC socket: they are in all modes what they are in smcd.
[[ $LAB_MODE == smcd ]] || configs=(--config some --config all --config own)
/run/shimtest/shimtest --library "$library" --jobs 8 --time "${configs[@]}" "$@" | sed -u 's/^1\.\..*/# &/' | tee /run/shimtest/log || status=$?
number=$(grep -cE '^(not )?ok ' /run/shimtest/log)
if (($# == 0)); then
    case $LAB_MODE in
    smcd)
        check '10,000 transfers, a third over SMC' transfer 10000 3334
        check 'a program of musl' musl
        check 'a program of 32 bits' i386
        check 'another library of the same calls' stacked
        ;;
    smcr)
        check '1,500 transfers, a third over SMC' transfer 1500 500
        check 'a program of musl' musl
        ;;
    nosmc)
        check '1,500 transfers, all over TCP' transfer 1500 0
        ;;
    esac
fi
echo "1..$number"
exit $((status || failed > 0))
