#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl bench on real SMC: both transports by turns, each socket what it is meant to be; fallbacks with their reason and no number.
# SMC-D in full; over SMC-R, between two hosts and over IPv6 what is different there.
# Modes: smcd smcr smcr2
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
cd "$(mktemp -d)" || exit 99
children=
trap 'kill_children >stopped 2>&1' EXIT
quick="--connections 4 --duration 1 --rounds 2 --warmup 0.1"

# A megabyte, bulk's own size, may take longer than a slice while others use the machine that emulates this one.
size() { [ "$workload" != bulk ] || echo "--payload 131072"; }

bench() { # EXIT NAME ARGUMENT...
	local expected=$1 name=$2
	shift 2
	gives "$expected" "$name" timeout 60 "$smcctl" bench "$@"
}

measured() { # KIND: the last run has numbers of TCP and of SMC of that kind
	holds "... both have numbers" json "[r['transport'] for r in d['results']] == ['tcp', 'smc'] and
		all(r['measured'] and r['requests'] > 5 and r['p50_ns'] > 0 and r['server_cpu_ns_per_request'] > 0 for r in d['results'])"
	holds "... by turns" json "[s['transport'] for s in d['slices']] == ['tcp', 'smc', 'tcp', 'smc']"
	holds "... SMC is $1, and not one connection is the other" json "d['results'][1]['sockets'] == '$1' and
		d['results'][0]['connections_smc'] == 0 and d['results'][1]['connections_tcp'] == 0 and
		d['results'][0]['connections_tcp'] >= 8 and d['results'][1]['connections_smc'] >= 8"
	holds "... without errors" json "not any(v for r in d['results'] for v in r['errors'].values())"
	holds "... and a ratio with its spread" json "d['ratios'][0]['metric'] == 'requests_per_second' and
		0 < d['ratios'][0]['low'] <= d['ratios'][0]['median'] <= d['ratios'][0]['high'] and d['ratios'][0]['comparisons'] == 2"
}
fell_back() { # REASON WORD: the last run has numbers of TCP only, and says why
	holds "... the reason instead of numbers" json "d['results'][0]['measured'] and not d['results'][1]['measured'] and
		d['results'][1]['reason'] == '$1' and '$2' in d['results'][1]['why'] and d['ratios'] == [] and
		d['results'][1]['requests_per_second'] is None and {s['transport'] for s in d['slices']} == {'tcp'}"
}
serve() { # ARGUMENT...: a server; sets port
	"$smcctl" bench server "$@" >server.out 2>server.err &
	children=$!
	within 20 "the server listens on $2" grep '^listening on port' server.out
	port=$(sed 's/,.*//; s/[^0-9]//g' server.out)
}

if [ "$LAB_MODE" = smcr ]; then
	for workload in http bulk; do
		# shellcheck disable=SC2046,SC2086
		bench 0 "$workload" self --workload $workload $quick $(size) --json
		measured SMC-R
	done
	# Version 2 of SMC-R is for IPv4 (smc_find_proposal_devices()), and soft-RoCE has no address of version 1.
	serve --listen '[::1]:0'
	# shellcheck disable=SC2086
	bench 2 "over IPv6" "[::1]:$port" $quick --json
	fell_back 0x03030000 NOSMCDEV
	kill_children
	finish
fi
if [ "$LAB_MODE" = smcr2 ]; then
	# The guests meet at files in the directory that they share. Host a serves, host b measures.
	reach() { touch "$LAB_OUT/bench-$1"; }
	await() { within 60 "the other host: $1" test -e "$LAB_OUT/bench-$1"; }
	if [ "$LAB_HOST" = a ]; then
		ip addr add fd99::1/64 dev eth0 nodad
		serve --listen '[::]:7411'
		reach serves
		await "done"
		kill_children
		finish
	fi
	ip addr add fd99::2/64 dev eth0 nodad
	await serves
	for workload in http connect; do
		# shellcheck disable=SC2086
		bench 0 "$workload to another host" "$LAB_PEER:7411" --workload $workload $quick --json
		measured SMC-R
	done
	# shellcheck disable=SC2086
	bench 2 "over IPv6 to another host" "[fd99::1]:7411" $quick --json
	fell_back 0x03030000 NOSMCDEV
	reach "done"
	finish
fi

for workload in http echo connect bulk; do
	# shellcheck disable=SC2046,SC2086
	bench 0 "$workload" self --workload $workload $quick $(size) --json
	measured SMC-D
done
serve --listen '[::1]:0'
# shellcheck disable=SC2086
bench 0 "over IPv6" "[::1]:$port" $quick --json
measured SMC-D
holds "... to that address" json "d['server'].startswith('[::1]:')"
kill_children
# shellcheck disable=SC2086
bench 0 "at a rate, over both" self --workload echo $quick --qps 50 --json
holds "... which both keep" json "all(40 <= r['requests_per_second'] <= 60 for r in d['results'])"
# shellcheck disable=SC2086
bench 0 "as text, with a page" self $quick --html page.html
says out '^SMC +SMC-D +[0-9]+ '
says out '^REQUESTS/S +[0-9.]+ +[0-9.]+ +[0-9.]+ +2$'
holds "the page has both curves" test "$(grep -cE '<path class="(tcp|smc) curve"' page.html)" = 2
holds "... and both histograms" test "$(grep -cE '<path class="(tcp|smc) bar"' page.html)" = 2

# The server counts what it accepts, by the kernel's word.
serve --listen 127.0.0.1:0
holds "... for both" grep -E '^listening on port [0-9]+, for SMC and TCP; for TCP alone on port [0-9]+$' server.out
# shellcheck disable=SC2086
bench 0 "SMC alone" run "127.0.0.1:$port" $quick --transport smc --json
holds "... has no other side and no ratio" json "len(d['results']) == 1 and d['ratios'] == []"
holds "the other end accepted SMC, too" python3 -c '
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"GET /.smcctl-bench/status HTTP/1.1\r\nConnection: close\r\n\r\n")
text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
values = dict(line.split(" ") for line in text.split("\r\n\r\n")[1].splitlines())
sys.exit(0 if int(values["accepted_smc"]) == 8 and values["smc_listener"] == "1" else 1)' "$port"

# A program of its own, without the shim and with it.
cat >client.py <<'END'
import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
began = time.monotonic()
for i in range(50):
    s.sendall(b"*x")
    s.recv(64)
print(f"warming up: 1\rrate: {50 / (time.monotonic() - began):.1f} a second", flush=True)
END
echo '{"version": 1, "rules": [{"use": "smc", "connect": "any"}]}' >all.json
echo '{"version": 1, "rules": [{"use": "smc", "connect": "198.51.100.0/24"}]}' >none.json
gives 0 "exec" "$smcctl" bench exec --pairs 2 --policy all.json --metric 'rate: ([0-9.]+)' --json -- python3 client.py "$port"
holds "... pairs and their ratio" json "d['measured'] and len(d['pairs']) == 2 and all(p['with'] > 1 and p['ratio'] > 0 for p in d['pairs'])
	and d['low'] <= d['median'] <= d['high']"
holds "... of which the kernel says the same" json "[(c['shim'], c['smcd']) for c in d['connections']] == [('without', 0), ('with', 2)]"
lines err 0 "... without a word beside it"
gives 2 "exec on a terminal" timeout 60 script -qec "$smcctl bench exec --pairs 2 --policy none.json --metric '[0-9]+' -- echo 7" typescript
says out $'\rpair 1 of 2: without the shim \\.\\.\\.\x1b'
says out $'\rpair 2 of 2: without the shim 7, with the shim \\.\\.\\.\x1b'
gives 2 "exec with a policy for somebody else" "$smcctl" bench exec --pairs 1 --policy none.json --metric 'rate: ([0-9.]+)' -- \
	python3 client.py "$port"
says out '^no ratio: not one connection was SMC: the policy names none of its destinations, or .* smcctl run -v -- python3'
gives 1 "exec of a program that fails" "$smcctl" bench exec --policy all.json --metric x -- sh -c 'echo first; echo last words >&2; exit 3'
says err "^smcctl: run 'sh': ended with 3 without the shim; last line: last words$"
gives 1 "exec without a number" "$smcctl" bench exec --policy all.json --metric 'rate: ([0-9]+)' -- echo rate: none
says err "^smcctl: metric 'echo': no number in the output without the shim; last line: rate: none$"
gives 64 "exec under the library" env LD_PRELOAD="$top_builddir/preload/.libs/libsmcshim.so" "$smcctl" bench exec --metric x -- true
kill_children

# What falls back has a reason and no numbers.
serve --listen 127.0.0.1:0 --tcp-only
# shellcheck disable=SC2086
bench 2 "to a server without SMC" "127.0.0.1:$port" $quick --json
fell_back 0x03010000 PEERNOSMC
# shellcheck disable=SC2086
bench 2 "... as text" "127.0.0.1:$port" $quick
says out '^SMC +- +- '
says out '^ +not measured: fell back to TCP: PEERNOSMC: '
kill_children
# A server that turns to plain TCP within a run: all its connections one after another, and the third is the first of a request.
cat >turns.py <<'END'
import socket
def listening(protocol, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen()
    return s
listener = listening(256, 0)
port = listener.getsockname()[1]
print(f"listening on port {port}, for SMC", flush=True)
while True:
    with listener.accept()[0] as s:
        data = s.recv(128)
        if data.startswith(b"GET "):
            continue
        if data and listener.proto:
            listener.close()
            listener = listening(0, port)
        while data:
            s.sendall(data)
            data = s.recv(128)
END
python3 turns.py >server.out 2>server.err &
children=$!
within 20 "the server that will turn listens" grep '^listening on port' server.out
port=$(sed 's/,.*//; s/[^0-9]//g' server.out)
bench 2 "to a server that turns to TCP within the run" "127.0.0.1:$port" --connections 1 --duration 1 --rounds 1 --warmup 0.1 \
	--workload connect --transport smc --json
holds "... has the reason, too" json "d['results'][0]['reason'] == '0x03010000' and
	d['results'][0]['why'].startswith('%d of %d connections fell back to TCP: PEERNOSMC: ' % (d['results'][0]['connections_tcp'],
	d['results'][0]['connections_tcp'] + d['results'][0]['connections_smc'])) and d['results'][0]['connections_smc'] == 2"
kill_children
gives 0 "without an EID" "$smcctl" eid flush
# shellcheck disable=SC2086
bench 2 "... nothing is SMC" self $quick --transport smc --json
holds "... for the peer's reason" json "not d['results'][0]['measured'] and d['results'][0]['peer_reason'] == '0x03030008' and
	'NOUEID' in d['results'][0]['why']"
gives 0 "the EID is back" "$smcctl" eid ensure SMCSHIM-LAB
finish
