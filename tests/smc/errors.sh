#!/bin/bash
# SPDX-License-Identifier: MIT
# Errors that all commands share: modules that are missing, too few descriptors, and lists that change while they are read.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
here=$(dirname "$0")
children=
trap 'stop_all' EXIT

stop_all() {
	local pid
	for pid in $children; do
		kill -9 "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	children=
}
ip netns add far || exit 99

# Modules.
modprobe=$(cat /proc/sys/kernel/modprobe)
"$here/hold.py" smc4 >said &
children="$children $!"
within 20 "a connection is held" test -s said
echo /nowhere >/proc/sys/kernel/modprobe
rmmod tcp_diag
gives 0 "without tcp_diag" "$smcctl" sockets
says err '^smcctl: addresses of IPPROTO_SMC sockets are missing: TCP.s diagnosis \(tcp_diag\): '
rmmod smc_diag
for words in "" --json --summary; do
	# shellcheck disable=SC2086
	refuses 3 "without smc_diag: sockets $words" "$smcctl" sockets $words
	says err '^smcctl: sockets: the kernel.s module smc_diag is not there; try modprobe smc_diag$'
done
"$smcctl" doctor >out 2>err
says out '^warning +diagnosis +without the module smc_diag nobody can tell which connections fell back, and why; modprobe smc_diag$'
echo "$modprobe" >/proc/sys/kernel/modprobe
gives 0 "the kernel loads both again" "$smcctl" sockets
holds "... with addresses" grep -q '127.0.0.1:' out
lines err 0 "... and no warning"
stop_all

# What does not fit into the table of descriptors is not left out in silence.
for i in {1..20}; do ip netns add "many$i"; done
gives 0 "22 network namespaces" "$smcctl" sockets --all-netns
gives 0 "... and a limit of 16 descriptors that may be raised" bash -c 'ulimit -S -n 16; exec "$1" sockets --all-netns' - "$smcctl"
refuses 1 "... and one that may not" bash -c 'ulimit -n 16; exec "$1" sockets --all-netns' - "$smcctl"
says err ': Too many open files$'
refuses 1 "5 descriptors for the walk over processes" bash -c 'ulimit -n 5; exec "$1" sockets' - "$smcctl"
for i in {1..20}; do ip netns delete "many$i"; done

# Lists that change. Whoever changes them ends between two rounds: once, after one was killed within a handshake, Linux 6.12 kept a
# connection that had no socket, and with it the module, for ever.
python3 -c 'import os, socket
while not os.path.exists("enough"):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 256) as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        held = []
        for _ in range(40):
            held.append(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 256))
            held[-1].connect(server.getsockname())
            held.append(server.accept()[0])
        for one in held:
            one.close()' &
churner=$!
# looks NAME EXPRESSION COMMAND...: six looks, all of which succeed and are whole
looks() {
	local name=$1 expression=$2 good=0
	shift 2
	while [ $good -lt 6 ] && "$@" >out 2>err && json "$expression"; do good=$((good + 1)); done
	[ $good = 6 ]
	result $? "$name"
}
unique="len(set(x['inode'] for x in d['sockets'] if x['inode'])) == len([x for x in d['sockets'] if x['inode']])"
looks "sockets come and go: each at most once" "$unique" "$smcctl" sockets --json
looks "link groups that are in use" "len({g['id'] for g in d['linkgroups']}) == len(d['linkgroups'])" "$smcctl" linkgroup list --json
looks "counters that count" "d['smcd']['client_v2'] > 0" "$smcctl" stats --json
touch enough
wait "$churner"
result $? "who changed them ends by itself"
# shellcheck disable=SC2046
"$here/configure.py" pnet-churn $(seq -f 'MANY=netdev:many%g' 200) &
children="$children $!"
looks "identifiers come and go: each at most once" \
	"len({e['interface'] for e in d['entries']}) == len(d['entries'])" "$smcctl" pnet list --json
stop_all
"$here/configure.py" pnet
ip netns delete far
finish
