#!/bin/bash
# SPDX-License-Identifier: MIT
# stats: totals as another reader of the kernel's counters sees them, intervals, and the 16-bit counters of reasons.
# Modes: smcd smcr
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
here=$(dirname "$0")
mode=${LAB_MODE}
"$here/configure.py" ueid SMCSHIM-LAB || exit 99

agrees() { # NAME: out has the counters of the file counters
	holds "$1" json "(lambda n: all([
	n['client_$mode'] == d['$mode']['client_v1'] + d['$mode']['client_v2'],
	n['server_$mode'] == d['$mode']['server_v1'] + d['$mode']['server_v2'],
	n['bytes_$mode'] == d['$mode']['tx_bytes'],
	n['client_fallback'] == d['client_fallbacks'], n['server_fallback'] == d['server_fallbacks'],
	n['client_error'] == d['client_handshake_errors'], n['server_error'] == d['server_handshake_errors'],
	{k: v for k, v in n.items() if k.startswith('reason_')} ==
		{'reason_%s_%s' % (r['end'], r['code']): r['count'] for r in d['reasons'] if r['name'] != 'OPTUNSUPP'}]))(
	{k: int(v) for k, v in (l.strip().split('=') for l in open('counters'))})"
}

"$here/connections.py" kind >kind
"$here/connections.py" fall-back 2
"$top_builddir/tests/programs/smcstat" counters >counters
gives 0 "totals" "$smcctl" stats --json
agrees "... are those of smcstat"
holds "... there are some" json "d['$mode']['client_v2'] > 0 and d['client_fallbacks'] >= 2 and d['seconds'] is None"
gives 0 "--since-start is the default" "$smcctl" stats --since-start --json
agrees "... the same"
gives 0 "text" "$smcctl" stats
says out '^All since this network namespace began, or SMC was loaded:$'
says out '^client  [0-9]+ +03010000  PEERNOSMC +[a-z]'
says out '^ *[0-9]+ +[0-9]+  connected, version 2$'
gives 0 "needs no rights" unprivileged "$smcctl" stats

# Three fallbacks in the first or second of three intervals, and no other; before them there are some.
"$smcctl" stats --interval 1 --count 3 --json >deltas &
watcher=$!
sleep 0.5
"$here/connections.py" fall-back 3
wait "$watcher"
result $? "--interval with --count ends by itself"
lines deltas 3 "one object for each interval"
holds "the deltas add up" python3 -c 'import json
d = [json.loads(line) for line in open("deltas")]
assert [x["seconds"] for x in d] == [1, 1, 1]
assert sum(x["client_fallbacks"] for x in d) == 3
assert sum(r["count"] for x in d for r in x["reasons"]) == 3 and not any(r["at_least"] for x in d for r in x["reasons"])'
cp deltas out
gives 0 "an interval in text" "$smcctl" stats --interval 1 --count 1
says out '^The last 1 seconds in this network namespace:$'
"$smcctl" stats --interval 1 >endless &
watcher=$!
within 10 "without --count it goes on" test "$(sleep 3.5; grep -c '^The last' endless)" -ge 2
kill "$watcher"
wait "$watcher"
[ $? = 143 ]
result $? "... until it is interrupted"

# A network namespace of our own has counters of its own, from nothing.
ip netns add far
ip -n far link set lo up
gives 0 "a new network namespace" "$smcctl" stats --netns far --json
holds "... begins with nothing" json "d['client_fallbacks'] == 0 and d['reasons'] == [] and d['$mode']['client_v2'] == 0"
ip netns exec far "$here/connections.py" fall-back 1
gives 0 "one fallback there" "$smcctl" stats --netns far --json
holds "the JSON is the golden one" diff out "$here/golden/stats.json"

# More fallbacks than 16 bits count; the socket option makes them without a connection.
ip netns exec far "$here/connections.py" force-tcp 65530
gives 0 "a counter before its wrap" "$smcctl" stats --netns far --json
holds "... is exact" json "[(r['count'], r['at_least']) for r in d['reasons'] if r['name'] == 'OPTUNSUPP'] == [(65530, False)]"
"$smcctl" stats --netns far --interval 5 --count 1 --json >wrapped &
watcher=$!
sleep 1
ip netns exec far "$here/connections.py" force-tcp 10
wait "$watcher"
cp wrapped out
holds "a delta over the wrap is exact" json "[(r['count'], r['at_least']) for r in d['reasons']] == [(10, False)]"
gives 0 "totals after the wrap" "$smcctl" stats --netns far
says out '^client  at least 4 +03060000  OPTUNSUPP '
ip netns delete far
finish
