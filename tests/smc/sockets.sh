#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl sockets, on real SMC-D (lab smcd) and SMC-R (lab smcr): modes, processes, addresses, roles, reasons, filters, time.
# Modes: smcd smcr
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
here=$(dirname "$(readlink -f "$0")")
cd "$(mktemp -d)" || exit 99
children=
trap 'stop_all >stopped 2>&1' EXIT

stop_all() {
	kill_children
	within 30 "all sockets are closed" sh -c '! "$0" sockets --all-netns --json | grep -q inode' "$smcctl"
}

# hold NAME...: hold.py in the background; its process in $pid, the ports in port[NAME]
declare -A port
hold() {
	local word
	: >said
	"$here/hold.py" "$@" >said 2>hold.err </dev/null &
	pid=$! children="$children $!"
	within 60 "opened: $*" test -s said
	for word in $(cat said); do
		port[${word%%=*}]=${word#*=}
	done
}
json_of() { "$smcctl" sockets --json "$@" >out 2>err; }
# which NAME EXPRESSION [ARGUMENT...]: the sockets (list s) that smcctl gives are like that
which() {
	local name=$1 expression=$2
	shift 2
	json_of "$@"
	holds "$name" json "(lambda s: $expression)(d['sockets'])"
}
why() { # NAME CODE-OR-None PEER-CODE-OR-None [ARGUMENT...]: all that is shown is TCP for those reasons
	local name=$1 code=$2 peer=$3
	shift 3
	which "$name: $code, peer $peer" "s and all(x['mode'] == 'tcp' and ((x['reason'] or {}).get('code') or 'None') == '$code'
		and ((x['peer_reason'] or {}).get('code') or 'None') == '$peer' for x in s)" "$@"
	gives 0 "... as text" "$smcctl" sockets "$@"
	[ "$code" = None ] || says out "^    TCP, because: $code [A-Z0-9_]+: [a-zA-Z].*; [a-zA-Z]"
	[ "$peer" = None ] || says out "^    the peer said: $peer( [A-Z0-9_]+: [a-zA-Z].*; [a-zA-Z]|: a reason that this smcctl does not know\$)"
}
# golden: the JSON of one connection, and of one that fell back, without what is another in each run
golden() {
	hold smc4 tcp-server
	json_of
	python3 -c 'import json
def key(x): return x["mode"], x["role"] or ""
for x in sorted(json.load(open("out"))["sockets"], key=key):
    for part, name in [(x, "inode"), (x, "link_group"), (x["local"], "port"), (x["peer"], "port")] + [(p, "pid") for p in x["processes"]]:
        part[name] = part[name] and "*"
    print(json.dumps(x))' >masked
	cp masked out
	holds "the JSON is the golden one" diff masked "$here/golden/sockets-$LAB_MODE.json"
	"$smcctl" sockets --summary --json >out
	holds "... with --summary, too" diff out "$here/golden/sockets-summary-$LAB_MODE.json"
	stop_all
}

golden
if [ "${LAB_MODE:-}" = smcr ]; then
	hold smc4 smc6 afsmc4
	which "SMC-R: both ends, with device" "len([x for x in s if x['mode'] == 'smc-r' and x['device'] == 'rxel' and x['device_port'] == 1]) == 2" \
		--port "${port[smc4]}"
	which "... in two link groups" "len(set(x['link_group'] for x in s if x['mode'] == 'smc-r')) == 2 and all(x['link_group'] for x in s if x['mode'] == 'smc-r')" \
		--port "${port[smc4]}"
	which "... with the link group's role" "{(x['role'], x['local']['port']) for x in s if x['mode'] == 'smc-r'} >= {('server', ${port[smc4]})}
		and 'client' in [x['role'] for x in s]" --port "${port[smc4]}"
	which "AF_SMC: the role, too" "sorted(x['role'] for x in s if x['mode'] == 'smc-r') == ['client', 'server']" --port "${port[afsmc4]}"
	gives 0 "as text" "$smcctl" sockets --mode smc-r
	says out "SMC-R +server +rxel/1 +[0-9a-f]{8}$"
	which "IPv6 has no device: the client knows, the server is told" "sorted((x['role'], x['reason']['name'], (x['peer_reason'] or {}).get('name')) for x in s)
		== [('client', 'NOSMCDEV', None), ('server', 'PEERDECL', 'NOSMCDEV')]" --port "${port[smc6]}" --reason NOSMCDEV
	why "... found by the server's own reason" 05000000 03030000 --port "${port[smc6]}" --reason PEERDECL
	finish
fi

gives 0 "no sockets" "$smcctl" sockets
says out '^No SMC socket\.$'
hold smc4 smc6 afsmc4 afsmc6 fresh fork
child=${port[fork]} children="$children ${port[fork]}"
for name in smc4 smc6 afsmc4 afsmc6; do
	address=127.0.0.1
	[ "${name%6}" = "$name" ] || address=::1
	which "$name: client, accepted, listener" "sorted(x['mode'] for x in s) == ['none', 'smc-d', 'smc-d']" --port "${port[$name]}"
	which "... with their addresses" "all(x['local']['address'] == '$address' for x in s) and
		all(x['peer']['address'] == '$address' for x in s if x['state'] == 'connected')" --port "${port[$name]}"
	which "... of the same link" "all(x['device'] == 'loopback-ism' and len(x['link_group']) == 8 for x in s if x['mode'] == 'smc-d')" --port "${port[$name]}"
	which "... the accepted one is the server" "[x['role'] for x in s if x['state'] == 'connected' and x['local']['port'] == ${port[$name]}] == ['server']" \
		--port "${port[$name]}"
done
which "the client of IPPROTO_SMC is told" "[x['role'] for x in s if x['peer']['port'] == ${port[smc4]}] == ['client']" --port "${port[smc4]}"
which "pid and program, right after fork" "s and all([p['pid'] for p in x['processes']] == [$pid, $child] and
	{p['program'] for p in x['processes']} == {'hold.py'} for x in s)" --pid "$child"
which "... 13 sockets" "len(s) == 13" --pid "$child"
gives 0 "as text" "$smcctl" sockets --pid "$child"
says out "^$child \+1 +hold.py +-  *\[::1\]:${port[smc6]}  *\[::1\]:[0-9]+ +connected +SMC-D +server +loopback-ism +[0-9a-f]{8}$"
says out "^$child \+1 +hold.py +- +- +- +unconnected +- +- +- +-$"
lines out 14 "a row each"
which "--program" "len(s) == 13" --program hold.py
which "--program of nobody" "s == []" --program hold.pyx
which "--mode none" "{x['state'] for x in s} == {'unconnected', 'listening'} and len(s) == 5" --mode none
which "--mode smc-r" "s == []" --mode smc-r
which "--cidr ::/0" "len(s) == 6" --cidr ::/0
which "--cidr 127.0.0.0/8" "len(s) == 6" --cidr 127.0.0.0/8
which "--cidr elsewhere" "s == []" --cidr 10.0.0.0/8
gives 0 "--summary" "$smcctl" sockets --summary
says out '^SMC-D +8$'
gives 0 "--summary as JSON" "$smcctl" sockets --summary --json
holds "... counts" json "d['modes'] == {'none': 5, 'smc-r': 0, 'smc-d': 8, 'tcp': 0} and d['reasons'] == []"
timeout 3 "$smcctl" sockets --watch=1 --json >out 2>err
holds "--watch=1 prints a document a second" test "$(wc -l <out)" -ge 2 -a "$(wc -l <out)" -le 4
gives 0 "others see that, not the processes" unprivileged "$smcctl" sockets --port "${port[smc4]}"
says out '^- +- +- +127.0.0.1:'
says out '^[0-9]+ process(es)? could not be looked into: run as root\.$'
stop_all

# Namespaces
ip netns add quiet
hold smc4
ip netns exec quiet ip link set lo up
: >said
ip netns exec quiet "$here/hold.py" smc4 >said &
inside=$! children="$children $!"
within 20 "a connection in another namespace" test -s said
which "--netns NAME" "len(s) == 3 and all(x['processes'][0]['pid'] == $inside for x in s)" --netns quiet
which "--netns PID" "len(s) == 3 and all(x['processes'][0]['pid'] == $inside for x in s)" --netns "$inside"
which "--all-netns: each namespace once" "len(s) == 6 and len([x for x in s if x['netns'] == 'quiet']) == 3" --all-netns
gives 0 "... as text" "$smcctl" sockets --all-netns
says out "^quiet +$inside "
gives 77 "... is not for everybody" unprivileged "$smcctl" sockets --all-netns
gives 1 "a namespace that is gone" "$smcctl" sockets --netns gone
stop_all

# (smcss) Three words of zero do not make an address IPv4.
ip addr add 2001:db8::/128 dev lo nodad
hold smc6=2001:db8:: afsmc6=2001:db8::
for name in smc6 afsmc6; do
	which "an IPv6 address that ends in zeros: $name" "len(s) == 3 and all(x['local']['address'] == '2001:db8::' for x in s)
		and all(x['peer']['address'] == '2001:db8::' for x in s if x['state'] == 'connected')" --port "${port[$name]}"
done
gives 0 "as text" "$smcctl" sockets --port "${port[afsmc6]}"
says out " \[2001:db8::\]:${port[afsmc6]} +\[2001:db8::\]:[0-9]+ +connected "
stop_all
ip addr del 2001:db8::/128 dev lo

# Two listeners of one port: which of the two addresses belongs to which is not known.
hold twins
which "an address that is not certain is not shown" "len(s) == 2 and all(x['local'] == {'address': None, 'port': ${port[twins]}} for x in s)" \
	--port "${port[twins]}"
gives 0 "... as text" "$smcctl" sockets --port "${port[twins]}"
says out " -:${port[twins]} +- +listening "
stop_all

# A plain socket of the same ports beside it is not the one inside.
hold smc4
python3 -c 'import socket,sys,time
s = socket.socket(); s.bind(("127.0.0.2", int(sys.argv[1]))); s.listen(); time.sleep(1000)' "${port[smc4]}" &
children="$children $!"
within 20 "a plain socket beside it" sh -c "ss -Hltn 'src 127.0.0.2' | grep -q ."
which "a TCP socket with a descriptor is not the one inside" "len(s) == 3 and all(x['local']['address'] == '127.0.0.1' for x in s)" --port "${port[smc4]}"
stop_all

# Under the shim
echo '{"version":1,"rules":[{"use":"smc","connect":"127.0.0.0/8"},{"use":"smc","listen":"127.0.0.0/8"}]}' >policy.json
"$smcctl" policy apply "$PWD/policy.json" >/dev/null 2>&1
"$smcctl" run --policy "$PWD/policy.json" -- socat TCP-LISTEN:5000,bind=127.0.0.1,reuseaddr,fork PIPE &
server=$! children="$children $!"
within 20 "socat listens under the shim" sh -c "ss -Hltn 'sport = 5000' | grep -q ."
sleep 1000 | "$smcctl" run --policy "$PWD/policy.json" -- socat - TCP:127.0.0.1:5000 >/dev/null &
children="$children $!"
shimmed() { "$smcctl" sockets --json --port 5000 --mode smc-d | grep -q '"pid".*"pid"'; }
within 20 "socat connects under the shim" shimmed
which "socat under the shim is SMC-D on both sides" "sorted(x['role'] for x in s) == ['client', 'server']
	and all(p['program'] == 'socat' for x in s for p in x['processes'])" --port 5000 --mode smc-d
which "... and its server listens" "[x['processes'][0]['pid'] for x in s if x['state'] == 'listening'] == [$server]" --port 5000 --mode none
stop_all

# Reasons, on both sides
hold tcp-client tcp-server forced
why "TCP client at an SMC listener, server side" 03010000 None --port "${port[tcp-client]}" --mode tcp
why "SMC client at a TCP listener, client side" 03010000 None --port "${port[tcp-server]}"
why "fell back by option" 03060000 None --reason OPTUNSUPP
gives 0 "as text" "$smcctl" sockets --reason 03060000
says out '^    TCP, because: 03060000 OPTUNSUPP: .*TCP Fast Open'
gives 0 "--summary" "$smcctl" sockets --summary --json
holds "... counts reasons" json "[(r['sockets'], r['reason']['name'], r['peer_reason']) for r in d['reasons']] == [(2, 'PEERNOSMC', None), (1, 'OPTUNSUPP', None)]"
stop_all

"$here/configure.py" ueid
hold smc4
which "without a UEID: the client is told, the server knows" "sorted((x['role'], x['reason']['name'], (x['peer_reason'] or {}).get('name')) for x in s
	if x['mode'] == 'tcp') == [('client', 'PEERDECL', 'NOUEID'), ('server', 'NOUEID', None)]" --port "${port[smc4]}"
why "... found by the peer's reason" 05000000 03030008 --reason 05000000
gives 0 "as text" "$smcctl" sockets --port "${port[smc4]}" --mode tcp
says out '^    TCP, because: 05000000 PEERDECL: the peer declined; see the peer.s reason$'
says out '^    the peer said: 03030008 NOUEID: the peer sent no EID that this host has; add the same UEID on both hosts$'
says out '^    TCP, because: 03030008 NOUEID: '
stop_all
"$here/configure.py" ueid SMCSHIM-LAB

"$here/configure.py" pnet ELSEWHERE=device:loopback-ism
hold smc4
which "without a device: the client knows, the server is told" "sorted((x['role'], x['reason']['name'], (x['peer_reason'] or {}).get('name')) for x in s
	if x['mode'] == 'tcp') == [('client', 'NOSMCDEV', None), ('server', 'PEERDECL', 'NOSMCDEV')]" --port "${port[smc4]}"
stop_all
"$here/configure.py" pnet

# A policy of the socket itself is what SMC looks at, not those of "ip xfrm policy".
modprobe xfrm_user
holds "the kernel has IPsec policies" test -e /sys/module/xfrm_user
hold ipsec-client ipsec-server
for side in client server; do
	other=server
	[ "$side" = client ] || other=client
	which "IPsec at the $side: it knows, the $other is told" "sorted((x['role'], x['reason']['name'], (x['peer_reason'] or {}).get('name'))
		for x in s if x['mode'] == 'tcp') == sorted([('$side', 'IPSEC', None), ('$other', 'PEERDECL', 'IPSEC')])" --port "${port[ipsec-$side]}"
done
gives 0 "as text" "$smcctl" sockets --reason IPSEC
says out '^    TCP, because: 03020000 IPSEC: the connection is protected by IPsec, which SMC would bypass; '
says out '^    the peer said: 03020000 IPSEC: '
stop_all

# A peer that speaks CLC by hand: what it declines with arrives, and what it proposes is declined.
codes=(01010000 02010000 03070000 030d0000 04000000 09990000 0a0b0c0d)
: >said
"$here/fake-peer.py" "${codes[@]}" >said 2>peer.err &
peer=$! children="$children $!"
within 20 "the fake peer is there" test -s said
targets=(connect=10.77.0.2:999)
for i in "${!codes[@]}"; do
	targets+=("connect=10.77.0.2:$((1000 + i))")
done
hold "${targets[@]}" listen=10.77.0.1:4000
for i in "${!codes[@]}"; do
	why "the peer declines" 05000000 "${codes[i]}" --port $((1000 + i))
done
gives 0 "a code that no kernel has" "$smcctl" sockets --port 1006
says out '^    the peer said: 0a0b0c0d: a reason that this smcctl does not know$'
which "... has no name in JSON" "s[0]['peer_reason'] == {'code': '0a0b0c0d', 'name': None, 'meaning': None, 'remedy': None}" --port 1006
why "the peer accepts with what was not offered" 03040000 None --port 999
kill -USR1 $peer
eight() { [ "$("$smcctl" sockets --json --port 4000 --mode tcp | grep -o '"state":"connected"' | wc -l)" = 8 ]; }
within 20 "the fake peer has proposed" eight
expected=(03070000 03030001 03030000 03030005 03030008 03030007 0303000a 0303000b)
for i in "${!expected[@]}"; do
	why "a proposal is declined" "${expected[i]}" None --port $((2000 + i))
done
stop_all

# 2,000 connections, both ends of them: the time of smcctl itself, user and system, which other load does not change; the
# best of six, as emulation disturbs it.
sysctl -qw net.smc.wmem=16384 net.smc.rmem=16384
hold many=2000
json_of --summary
holds "4,001 sockets, all of them SMC-D or listening" json "d['modes'] == {'none': 1, 'smc-r': 0, 'smc-d': 4000, 'tcp': 0}"
for words in "" --json --summary; do
	best=9999
	for _ in 1 2 3 4 5 6; do
		# shellcheck disable=SC2086
		spent=$( { TIMEFORMAT='%U %S'; time "$smcctl" sockets $words >out; } 2>&1 | awk '{printf "%d", ($1 + $2) * 1000}')
		[ "$spent" -lt "$best" ] && best=$spent
	done
	echo "# 2,000 connections${words:+ $words}: $best ms of user and system time"
	holds "2,000 connections${words:+ $words} in less than 1 s" test "$best" -lt 1000
done
which "every address was found" "len(s) == 4001 and all(x['local']['address'] == '127.0.0.1' for x in s)"

# 5,000 buffers are what the loopback device has.
hold many=520
which "out of buffers" "any(x['reason'] and x['reason']['name'] == 'MAX_DMB' or x['peer_reason'] and x['peer_reason']['name'] == 'MAX_DMB' for x in s)" \
	--mode tcp
json_of --summary --mode tcp
sed 's/^/# /' out
sysctl -qw net.smc.wmem=65536 net.smc.rmem=65536
finish
