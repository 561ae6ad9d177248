#!/bin/bash
# SPDX-License-Identifier: MIT
# doctor against the kernel's SMC: what it says is what a connection then becomes.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
here=$(dirname "$0")
doctor() { gives "$1" "$2" "$smcctl" doctor "${@:3}"; }
finds() { says out "^$1 +$2 +$3" "${4:-$1 $2: $3}"; }
lacks() { holds "no $1 of $2" bash -c '! grep -E "^$1 +$2 " out' - "$1" "$2"; }
kind() {
	[ "$("$here/connections.py" kind)" = "$1" ]
	result $? "... and a connection is $1"
}

mkdir -p /etc/smc
echo '{"version":1,"rules":[{"use":"smc","connect":"127.0.0.0/8"}],"buffers":"1M"}' >/etc/smc/policy.json
"$here/configure.py" pnet && "$here/configure.py" ueid SMCSHIM-LAB || exit 99
sysctl -qw net.core.wmem_max=1048576 net.core.rmem_max=1048576
"$smcctl" policy apply >/dev/null 2>&1
case $LAB_MODE in
smcd) device='loopback-ism' serves='loopback-ism serves SMC-D within this machine v2' ;;
smcr) device='rxel' serves='rxel port 1 serves SMC-R v2' ;;
esac

doctor 0 "a host that is ready"
says out '^This host is ready for SMC'
lacks problem '[a-z-]+'
finds ok kernel 'Linux [0-9].*: IPPROTO_SMC \(IPv4, IPv6\), AF_SMC; downgrade in place works and keeps epoll$'
finds ok kernel 'none of the [0-9]+ defects in the table of known ones'
finds ok module 'smc is there'
finds ok diagnosis 'smc_diag answers: [0-9]+ SMC sockets'
finds ok device "$serves"
finds ok eid '1 of the user \(SMCSHIM-LAB\), the system.s is not there'
finds ok pnet 'no pnet identifiers'
finds ok buffers '1024 and 1024 KiB \(send, receive\), by the policy'
finds ok memory 'a connection holds up to 2048 KiB'
finds ok policy '1 rule of /etc/smc/policy\.json in force'
finds note hs-limit 'off: '
kind smc
doctor 0 "as JSON" --json
holds "... ready" json "d['ready'] and d['problems'] == 0"

# Kernels of other days, by a library that changes what uname says
uname=$(realpath "$top_builddir/tests/ctl/fake/.libs/libuname.so")
gives 2 "a kernel with defects" env LD_PRELOAD="$uname" FAKE_RELEASE=6.1.20 FAKE_VERSION='#1 SMP' "$smcctl" doctor
finds problem kernel 'CVE-2023-53382: it crashes .*; update the kernel'
finds warning kernel 'CVE-2024-47408: '
gives 0 "Debian's name for one without" env LD_PRELOAD="$uname" FAKE_RELEASE=6.1.0-49-amd64 \
	FAKE_VERSION='#1 SMP Debian 6.1.190-1 (2026-11-01)' "$smcctl" doctor
finds ok kernel 'none of the'
gives 0 "one that its distributor mends" env LD_PRELOAD="$uname" FAKE_RELEASE=5.10.134-16.3.al8.x86_64 \
	FAKE_VERSION='#1 SMP' "$smcctl" doctor
finds note kernel 'a release that its distributor mends without changing the number'
finds warning kernel "Alibaba's kernels before 5\.10\.134-17\.3"
gives 0 "one without a number" env LD_PRELOAD="$uname" FAKE_RELEASE=custom FAKE_VERSION=x "$smcctl" doctor
finds unknown kernel "'custom' is no release"

# What keeps SMC away
"$here/configure.py" ueid
doctor 2 "without a UEID"
finds warning eid 'this machine has no EID.*; smcctl eid ensure NAME'
finds warning device "$device.* serves nothing: .*v2: this host has no UEID"
finds problem device 'no device serves anything here: every connection falls back to TCP'
kind tcp
"$here/configure.py" ueid SMCSHIM-LAB
"$here/configure.py" pnet NETA=netdev:lo
"$smcctl" doctor >out 2>err
finds warning pnet 'interface lo has the pnet identifier NETA, which no device has; smcctl pnet list'
"$here/configure.py" pnet NETA=device:$device
"$smcctl" doctor >out 2>err
finds warning pnet "device $device has the pnet identifier NETA, which no interface here has"
"$here/configure.py" pnet
sysctl -qw net.ipv4.tcp_syncookies=2
doctor 2 "SYN cookies for all"
finds problem syn-cookies 'net\.ipv4\.tcp_syncookies is 2: .*; sysctl -w net\.ipv4\.tcp_syncookies=1'
kind tcp
sysctl -qw net.ipv4.tcp_syncookies=1
doctor 0 "... as usual"
kind smc

# What makes it worse
"$smcctl" hs-limit on >/dev/null
sed -i 's/,"buffers":"1M"//' /etc/smc/policy.json
"$smcctl" policy apply >/dev/null 2>&1
doctor 0 "small buffers, a limit"
finds warning buffers 'of 64 and 64 KiB .*; "buffers": "1M" in the policy, or sysctl -w net\.smc\.wmem=1048576'
finds ok hs-limit 'on: '
"$smcctl" hs-limit off >/dev/null
sysctl -qw net.smc.wmem=1048576 net.smc.rmem=1048576
"$smcctl" doctor >out 2>err
finds ok buffers '1024 and 1024 KiB \(send, receive\), by net\.smc\.wmem and net\.smc\.rmem'
sysctl -qw net.smc.wmem=1073741823 net.smc.rmem=1073741823
"$smcctl" doctor >out 2>err
finds warning memory 'a connection holds up to [0-9]+ KiB .* is enough for [0-9]+; smaller buffers'
sysctl -qw net.smc.wmem=65536 net.smc.rmem=65536
"$smcctl" policy off >/dev/null
doctor 0 "a policy that is off"
finds warning policy 'the state is off'
"$smcctl" policy on >/dev/null 2>&1

# Connections and listeners of programs
"$smcctl" run -- python3 -c 'import socket
server = socket.socket(); server.bind(("127.0.0.1", 7000)); server.listen()
client = socket.create_connection(("127.0.0.1", 7000))
open("connected", "w").close()
import time; time.sleep(1000)' </dev/null >/dev/null 2>&1 &
children=$!
within 30 "a program that connects to itself" test -e connected
"$smcctl" doctor >out 2>err
finds warning process '1 carry the library; of their connections [0-9]+ are SMC, and [1-9][0-9]* fell back to TCP; smcctl sockets --mode tcp' \
	"a connection to a listener that stays TCP falls back"
echo '{"version":1,"rules":[{"use":"smc","connect":"127.0.0.0/8"},{"use":"smc","listen":"any","ports":7000}]}' >/etc/smc/policy.json
"$smcctl" policy apply >/dev/null 2>&1
"$smcctl" doctor >out 2>err
finds warning listener 'python3 \([0-9]+[^)]*\) listens on 127\.0\.0\.1 port 7000 by plain TCP, and the policy says SMC; restart it'

ip netns add far
if [ "$LAB_MODE" = smcd ]; then
	doctor 0 "in another network namespace" --netns far
	finds ok device "$serves"
else
	doctor 2 "in another network namespace" --netns far
	finds warning device 'rxel port 1 serves nothing: no interface here belongs to it'
fi
finds unknown kernel 'Linux .* what it does to epoll registrations: no connection over lo; ip link set lo up'
ip -n far link set lo up
"$smcctl" doctor --netns far >out 2>err
finds ok kernel 'Linux .* keeps epoll$'
ip netns delete far
if [ "$LAB_MODE" = smcr ]; then
	ip link add dm0 type dummy && ip link set dm0 up && rdma link add erdma_0 type rxe netdev dm0 || exit 99
	"$smcctl" doctor >out 2>err
	finds ok ports '65500 to 65515, which erdma_0 needs, are kept for it'
	range=$(sysctl -n net.ipv4.ip_local_port_range)
	sysctl -qw net.ipv4.ip_local_port_range='1024 65535'
	"$smcctl" doctor >out 2>err
	finds warning ports 'the ports 65500 to 65515, .* are given to programs too; sysctl -w net\.ipv4\.ip_local_reserved_ports=65500-65515'
	sysctl -qw net.ipv4.ip_local_reserved_ports=100,65500-65515
	"$smcctl" doctor >out 2>err
	finds ok ports '65500 to 65515'
	python3 -c 'import socket, time
server = socket.socket(); server.bind(("", 65503)); server.listen(); open("taken", "w").close(); time.sleep(1000)' &
	children="$children $!"
	within 20 "a program on one of them" test -e taken
	"$smcctl" doctor >out 2>err
	finds warning ports 'a program listens on port 65503, which erdma_0 needs'
	sysctl -qw net.ipv4.ip_local_reserved_ports= net.ipv4.ip_local_port_range="$range"
	rdma link delete erdma_0
	ip link delete dm0
	ip netns add six
	ip -n six link add dm1 type dummy && ip -n six link set dm1 up && ip -n six address add fd00::1/64 dev dm1 || exit 99
	"$smcctl" doctor --netns six >out 2>err
	finds warning ipv6 'this host has IPv6 addresses only'
	ip netns delete six
fi
doctor 0 "without IPsec"
finds ok ipsec 'no IPsec policies'
ip xfrm policy add dir out src 10.9.0.0/16 dst 10.8.0.0/16 tmpl src 10.9.0.1 dst 10.8.0.1 proto esp mode tunnel || exit 99
"$smcctl" doctor >out 2>err
finds warning ipsec 'there are 1 IPsec policies: what goes over SMC passes them by, unencrypted; give the destinations'
ip xfrm policy flush

gives 0 "without rights" unprivileged "$smcctl" doctor
finds unknown process '[0-9]+ process'
finds unknown ipsec 'whether there are IPsec policies; run as root'
for pid in $children; do kill "$pid"; wait "$pid"; done 2>/dev/null
finish
