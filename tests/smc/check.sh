#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl check: every verdict behind a middlebox that earns it, over IPv4 and IPv6, with real SMC-D; no false alarm under netem.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
here=$(dirname "$(readlink -f "$0")")
cd "$(mktemp -d)" || exit 99
children=
trap 'stop_all >stopped 2>&1' EXIT

stop_all() {
	kill_children
	for name in check-c check-s check-n check-m; do
		[ ! -e /run/netns/$name ] || ip netns del $name
	done
}

ip netns add check-c
ip netns add check-s
"$here/middlebox.py" check-c check-s >box.out 2>box.err &
children="$children $!"
within 60 "the middlebox is there" grep ready box.out
ip netns exec check-s "$here/silent-server.py" 80=tcp 81=smc 82=banner 83=banner-smc 84=hasty >servers.out 2>servers.err &
children="$children $!"
within 60 "the servers are there" grep ready servers.out
declare -A v4 v6
while read -r mode four six; do
	v4[$mode]=$four v6[$mode]=$six
done < <("$here/middlebox.py" --list)

# start ADDRESS... [-- OPTION...]: checks them all at the same time; check N leaves N.out, N.err and N.code
started=0
start() {
	local address
	local -a addresses=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do addresses+=("$1"); shift; done
	[ $# = 0 ] || shift
	for address in "${addresses[@]}"; do
		started=$((started + 1))
		{ "$smcctl" check --netns check-c --json "$@" "$address" >$started.out 2>$started.err </dev/null; echo $? >$started.code; } &
		running="$running $!"
	done
}
running=
finished() {
	# shellcheck disable=SC2086 # (without a process wait would wait for the servers)
	[ -z "$running" ] || wait $running
	running=
}
# first_destination EXPRESSION: of d, the first destination in out, and its s and h
first_destination() { json "(lambda d, s, h: $1)(*[(x, x['syn'], x['handshake']) for x in d['destinations']][0])"; }
# found N EXIT NAME EXPRESSION: check N ended so; d is its destination
found() {
	local number=$1 expected=$2 name=$3 expression=$4
	cp "$number.out" out
	cp "$number.err" err
	[ "$(cat "$number.code")" = "$expected" ]
	result $? "$name: exit $expected"
	holds "... $expression" first_destination "$expression"
}

# ---- each verdict; MODE PORT EXIT EXPRESSION
cases=(
	"clean 81 0 d['verdict'] == 'smc' and d['fit'] and h['result'] == 'smc-d' and s['with_option']['answered_with_smc'] >= 6 and h['reason'] is None
		and d['rule']['use'] == 'smc' and d['rule']['ports'] == 81 and d['remedy'] is None"
	"clean 83 0 d['verdict'] == 'smc' and h['result'] == 'smc-d'"
	"clean 80 2 d['verdict'] == 'plain' and h['result'] == 'tcp' and h['reason']['name'] == 'PEERNOSMC' and h['afterwards'] == 'alike' and d['rule']['use'] == 'tcp'"
	"clean 82 2 d['verdict'] == 'plain' and h['afterwards'] == 'alike' and h['elapsed_us'] < 5000000"
	"clean 84 2 d['verdict'] == 'plain' and h['afterwards'] == 'alike'"
	"strip-synack 84 2 d['verdict'] == 'plain' and h['afterwards'] == 'alike'"
	"clean 99 1 d['verdict'] == 'refused' and d['fit'] is None and d['rule'] is None and s['without_option']['reset'] >= 3 and h['result'] == 'none'"
	"replay 80 2 d['verdict'] == 'replayed' and h['result'] == 'none' and s['unknown_identifier']['option'] in s['unknown_identifier']['options_seen']
		and s['unknown_kind']['option'] in s['unknown_kind']['options_seen'] and s['with_option']['answered_with_smc'] >= 6"
	"replay 81 2 d['verdict'] == 'replayed'"
	"echo-smc 80 2 d['verdict'] == 'broken' and h['result'] in ('failed', 'timeout') and s['with_option']['answered_with_smc'] >= 6"
	"magic 80 2 d['verdict'] == 'conflict' and 'fe06e2d4c3da' in s['with_option']['options_seen']"
	"rewrite 81 2 d['verdict'] == 'conflict' and 'fe0600000000' in s['with_option']['options_seen']"
	"foreign-all 80 2 d['verdict'] == 'conflict' and 'fe08f989' in s['without_option']['options_seen']"
	"unasked-all 80 2 d['verdict'] == 'conflict'"
	"overlength 80 2 d['verdict'] == 'malformed' and 'fe08e2d4c3d90000' in s['with_option']['options_seen']"
	"short 80 2 d['verdict'] == 'malformed'"
	"twice 80 2 d['verdict'] == 'malformed'"
	"broken 80 2 d['verdict'] == 'malformed'"
	"zero 80 2 d['verdict'] == 'malformed'"
	"drop 81 2 d['verdict'] == 'dropped' and s['with_option']['answered'] == 0 and s['with_option']['median_us'] is None and h['result'] == 'none'"
	"drop-smc 80 2 d['verdict'] == 'dropped' and s['unknown_identifier']['answered'] >= 2"
	"reset 81 2 d['verdict'] == 'reset' and s['with_option']['reset'] >= 10"
	"late 81 2 d['verdict'] == 'late' and s['with_option']['median_us'] >= 60000"
	"late-repeat 81 2 d['verdict'] == 'late' and s['with_option']['median_us'] >= 200000"
	"strip-syn 81 2 d['verdict'] == 'plain' and h['afterwards'] == 'alike'"
	"strip-synack 81 2 d['verdict'] == 'stripped' and h['result'] == 'tcp' and h['afterwards'] == 'stripped' and d['rule'] == {'use': 'tcp',
		'connect': d['address'] + ('/128' if ':' in d['address'] else '/32'), 'ports': 81, 'note': 'stripped'}"
	"strip-synack 80 2 d['verdict'] == 'plain'"
	"blackhole 81 1 d['verdict'] == 'unreachable' and s['without_option']['sent'] >= 3 and d['rule'] is None"
	"fading 81 1 d['verdict'] == 'unsteady' and d['fit'] is None"
)
for ((i = 0; i < ${#cases[@]}; i++)); do
	read -r -d '' mode port _ <<<"${cases[i]}"
	start "${v4[$mode]}:$port" "[${v6[$mode]}]:$port" -- --timeout 40
	# Not more at once than two processors can time.
	((i % 4 != 3)) || finished
done
finished
# Of the SYNs, too, whose answers did not arrive: the server would hold those for 63 s.
nothing_open() {
	ip netns exec check-s ss -Htno state syn-recv state established >open && ! [ -s open ]
}
within 10 "nothing is left open at the servers" nothing_open || sed 's/^/# /' open
for ((i = 0; i < ${#cases[@]}; i++)); do
	read -r mode port code expression < <(tr '\n\t' '  ' <<<"${cases[i]}")
	found $((2 * i + 1)) "$code" "$mode, port $port, IPv4" "$expression"
	found $((2 * i + 2)) "$code" "$mode, port $port, IPv6" "$expression"
done

# ---- as text, and what is not done
gives 0 "text" "$smcctl" check --netns check-c "${v4[clean]}:81"
says out "^${v4[clean]//./\\.}:81:$"
says out '^Verdict +smc: the path is clean, and the peer speaks SMC$'
says out '^With option +[0-9]+ of [0-9]+ SYNs answered, median [0-9.]+ ms; sent fe06e2d4c3d9, seen [0-9a-f]*fe06e2d4c3d9$'
says out '^Handshake +SMC-D in [0-9.]+ ms$'
says out '^Rule +\{ "use": "smc", "connect": "10.78.1.1/32", "ports": 81 \}$'
gives 0 "--no-handshake" "$smcctl" check --no-handshake --netns check-c "${v4[clean]}:81"
says out '^Handshake +not done: --no-handshake$'
gives 2 "a URL" "$smcctl" check --no-handshake --netns check-c --url "http://u:p@[${v6[clean]}]/x"
says out "^\[${v6[clean]}\]:80:$"
gives 2 "time that is too short to watch is said" "$smcctl" check --timeout 3 --netns check-c "${v4[clean]}:80"
says out '^Afterwards +not watched for 7.5 s'

# ---- without rights: the handshake alone
unraw() { ip netns exec check-c setpriv --bounding-set=-net_raw --inh-caps=-net_raw -- "$smcctl" check --json "$@"; }
alone() { # NAME EXIT EXPRESSION DESTINATION
	gives "$2" "without CAP_NET_RAW: $1" unraw "$4"
	holds "... $3" first_destination "s == {'permitted': False, 'error': 'Operation not permitted'} and $3"
}
alone "SMC" 0 "d['verdict'] == 'smc' and d['handshake']['result'] == 'smc-d'" "${v4[clean]}:81"
alone "plain TCP" 2 "d['verdict'] == 'plain'" "[${v6[clean]}]:82"
alone "refused" 1 "d['verdict'] == 'refused'" "${v4[clean]}:99"
alone "stripped" 2 "d['verdict'] == 'stripped'" "${v4[strip-synack]}:81"
alone "an echo" 2 "d['verdict'] == 'broken'" "${v4[echo-smc]}:80"
gives 77 "without CAP_NET_RAW and without a handshake" unraw --no-handshake "${v4[clean]}:81"
says err "^smcctl: check: raw sockets are not permitted \(CAP_NET_RAW\), and there is no handshake; run as root$"

# ---- fell back for a reason: no EID
eid=$("$smcctl" eid list --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["user"][0])')
gives 0 "no EID any more" "$smcctl" eid flush
gives 2 "no EID: declined" "$smcctl" check --netns check-c --json "${v4[clean]}:81"
holds "... with the peer's reason" first_destination "d['verdict'] == 'declined' and h['peer_reason']['name'] == 'NOUEID'"
gives 0 "the EID is back" "$smcctl" eid ensure "$eid"

# ---- a policy
# policy RULE...: beside four that are fit, and one that leaves its path on TCP
policy() {
	local rule
	{
		echo '{ "version": 1, "rules": ['
		for rule in "$@"; do echo "$rule,"; done
		echo '{ "use": "smc", "connect": ["'"${v4[clean]}/32"'", "'"${v6[clean]}/128"'"], "ports": "81,83" },'
		echo '{ "use": "tcp", "connect": "'"${v4[replay]}"'/32", "ports": 80 } ] }'
	} >policy.json
}
policy '{ "use": "smc", "connect": "10.78.0.0/16" }' '{ "use": "smc", "connect": ["'"${v4[late]}"'/32", "10.78.1.0/24"], "ports": 99 }'
gives 1 "--policy" "$smcctl" check --netns check-c --policy policy.json
says out "^${v4[replay]//./\\.}:80 +tcp +5 +replayed "
says out "^\[${v6[clean]}\]:83 +smc +4 +smc .* smc-d$"
says out '^not checked: rule 1, line 2: no port is named: name the ports, at most 16$'
says out '^not checked: rule 2, line 3: networks are named: name a host in them with smcctl check HOST:PORT$'
says out '^4 fit, 1 unfit, 1 unanswered, 0 unknown; 2 rules not checked$'
lines err 0 "... no progress where nobody looks"
policy '{ "use": "smc", "connect": "'"${v4[drop]}"'/32", "ports": 81 }' '{ "use": "smc", "connect": "10.78.0.0/16" }'
gives 2 "a rule that says smc where the path is unfit" "$smcctl" check --netns check-c --policy policy.json --json
holds "... as JSON" json 'd["summary"] == {"fit": 4, "unfit": 2, "unanswered": 0, "unknown": 0, "unchecked_rules": 1} and
	[x["policy_use"] for x in d["destinations"] if x["verdict"] == "replayed"] == ["tcp"] and d["unchecked"][0]["policy_rule"] == 2'
policy '{ "use": "tcp", "connect": "'"${v4[drop]}"'/32", "ports": 81 }'
gives 0 "a rule that keeps it on TCP is right" "$smcctl" check --netns check-c --policy policy.json
script -qec "'$smcctl' check --netns check-c --policy policy.json" /dev/null >out 2>&1 </dev/null
says out '6 of 6 destinations checked, 2 unfit' "progress on a terminal"

# ---- 200 clean runs over a path that loses and delays, 16 at once in one process
ip netns add check-n
ip netns add check-m
ip -n check-n link add net-n type veth peer name net-m netns check-m
for side in n m; do
	ip -n check-$side link set lo up
	ip -n check-$side link set net-$side up
done
ip -n check-n addr add 10.79.0.1/24 dev net-n
ip -n check-n addr add fd79::1/64 dev net-n nodad
ip -n check-m addr add 10.79.0.2/24 dev net-m
ip -n check-m addr add fd79::2/64 dev net-m nodad
ip -n check-n route add 10.79.1.0/24 via 10.79.0.2
ip -n check-n route add fd79:0:0:1::/64 via fd79::2
ip -n check-m route add local 10.79.1.0/24 dev lo
ip -n check-m route add local fd79:0:0:1::/64 dev lo
for side in n m; do
	ip netns exec check-$side tc qdisc add dev net-$side root netem delay 10ms 4ms loss 3% limit 10000
done
ip netns exec check-m "$here/silent-server.py" 80=tcp 81=smc >netem.out 2>netem.err &
children="$children $!"
within 60 "the servers behind netem are there" grep ready netem.out
python3 - <<'END' >netem.json
import json
four = [f"10.79.1.{n}/32" for n in range(1, 51)]
six = [f"fd79:0:0:1::{n:x}/128" for n in range(1, 51)]
print(json.dumps({"version": 1, "rules": [{"use": "smc", "connect": four + six, "ports": "80-81"}]}))
END
# The plain ones are unfit (nobody speaks SMC), which is no alarm: each destination has its one right verdict.
began=$SECONDS
gives 2 "200 checks under loss and delay" "$smcctl" check --netns check-n --policy netem.json --no-handshake --json --timeout 30
echo "# 200 checks took $((SECONDS - began)) s"
holds "... each with its right verdict" python3 -c 'import collections, json
d = json.load(open("out"))["destinations"]
wrong = [(x["destination"], x["verdict"], x["syn"]) for x in d if x["verdict"] != ("smc" if x["port"] == 81 else "plain")]
for x in wrong: print("#", x)
assert len(d) == 200 and not wrong'
cp out netem.found
python3 -c 'import collections, json
print("#", collections.Counter((x["port"], x["verdict"]) for x in json.load(open("netem.found"))["destinations"]))'
# ... and with the handshake, which may be slow there, but ends in SMC-D.
python3 - <<'END' >netem.json
import json
four = [f"10.79.1.{n}/32" for n in range(1, 26)]
six = [f"fd79:0:0:1::{n:x}/128" for n in range(1, 26)]
print(json.dumps({"version": 1, "rules": [{"use": "smc", "connect": four + six, "ports": 81}]}))
END
gives 0 "50 of them with the handshake" "$smcctl" check --netns check-n --policy netem.json --json --timeout 30
holds "... is SMC-D" json 'all(x["handshake"]["result"] == "smc-d" for x in d["destinations"]) and len(d["destinations"]) == 50'
ip -n check-c link set box-c down
gives 1 "an interface that is down" "$smcctl" check --netns check-c --timeout 5 "${v4[clean]}:81"
says out '^Verdict +unreachable: '
finish
