#!/bin/bash
# SPDX-License-Identifier: MIT
# doctor and check between two hosts. Host a is the peer, host b looks.
# Modes: smcr2
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
here=$(dirname "$0")
finds() { says out "^$1 +$2 +$3" "${4:-$1 $2: $3}"; }

mkdir -p /etc/smc
echo '{"version":1,"rules":[{"use":"smc","connect":"10.99.0.0/24"}],"buffers":"1M"}' >/etc/smc/policy.json
sysctl -qw net.core.wmem_max=1048576 net.core.rmem_max=1048576
"$smcctl" policy apply >/dev/null 2>&1

# The guests meet at files in the directory that they share.
reach() { touch "$LAB_OUT/smc-$1"; }
await() { within 60 "the other host: $1" test -e "$LAB_OUT/smc-$1"; }

if [ "$LAB_HOST" = a ]; then
	"$smcctl" doctor --listen >listening 2>&1 &
	pid=$!
	within 30 "the peer listens" grep -q '^listening on port 25443; on the other host: smcctl doctor --peer' listening
	reach listens
	await alike
	"$here/configure.py" ueid OTHER-EID || exit 99
	kill $pid; wait $pid 2>/dev/null
	"$smcctl" doctor --listen=7777 >listening 2>&1 &
	pid=$!
	within 30 "... on another port, with another EID" grep -q '^listening on port 7777;' listening
	reach differs
	await "done"
	kill $pid; wait $pid 2>/dev/null
	finish
fi

await listens
gives 0 "a peer that is ready" "$smcctl" doctor --peer "$LAB_PEER"
finds ok peer "a connection to $LAB_PEER:25443 is SMC-R"
finds ok peer '[^ ]+ \(Linux [0-9.]+[^)]*\) and this host both serve SMC-R v2$'
finds ok peer 'both hosts have the EID SMCSHIM-LAB'
gives 0 "as JSON" "$smcctl" doctor --json --peer "$LAB_PEER"
holds "... with the peer" json "d['ready'] and sum(f['topic'] == 'peer' and f['verdict'] == 'ok' for f in d['findings']) == 3"
gives 0 "the path is fit" "$smcctl" check "$LAB_PEER:25443"
reach alike
await differs
gives 2 "a peer with another EID" "$smcctl" doctor --peer "$LAB_PEER:7777"
finds problem peer "a connection to $LAB_PEER:7777 over SMC fell back to TCP: the peer says 03030000 NOSMCDEV: .* needs the same UEID on both hosts"
finds problem peer 'the hosts have no EID in common \(here SMCSHIM-LAB, there OTHER-EID\).*; smcctl eid ensure NAME, the same on both hosts'
gives 2 "a peer that is not there" "$smcctl" doctor --peer "$LAB_PEER:1"
finds problem peer "$LAB_PEER:1: nobody listens on that port"
finds note peer 'what .* offers cannot be compared: .*; smcctl doctor --listen there'
reach "done"
finish
