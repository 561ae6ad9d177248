#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl bench without SMC: parameters, what each workload counts, hostile servers, coordinated omission, comparison.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
here=$top_srcdir/tests/ctl

# bench EXIT NAME ARGUMENT...: within 20 s, whatever the server does
bench() {
	local expected=$1 name=$2
	shift 2
	gives "$expected" "$name" timeout 20 "$smcctl" bench "$@"
}
quick="--transport tcp --duration 0.2 --rounds 1 --warmup 0.1 --connections 4"

for words in "" "run" "x" "127.0.0.1" "127.0.0.1:0" "self x" "self --workload ftp" "self --connections 0" "self --connections 65536" \
	"self --payload 0" "self --payload 67108865" "self --qps 0" "self --rounds 0" "self --rounds 101" "self --duration 0" \
	"self --duration 1.2345" "self --duration 1." "self --duration .5" "self --duration x" "self --timeout 0" \
	"self --transport udp" "self --get x" "self --get /x --workload echo" "self --threads 0" "server x" "server --listen x" \
	"server --listen 127.0.0.1" "compare a" "exec" "exec true" "exec --pairs 0 --metric x true" "exec --metric ( true"; do
	# shellcheck disable=SC2086
	gives 64 "wrong usage: bench $words" "$smcctl" bench $words
	lines err 1 "... is one line"
done
gives 64 "a path with a newline" "$smcctl" bench self --get "/x
Evil: yes"

# Both ends, each workload: an answer for each request, and processor time of both.
for workload in http echo connect bulk; do
	# shellcheck disable=SC2086
	bench 0 "$workload" self --workload $workload $quick --payload 4097 --json
	holds "... has numbers, of TCP alone" json "len(d['results']) == 1 and d['results'][0]['measured'] and
		d['results'][0]['transport'] == 'tcp' and d['results'][0]['sockets'] == 'TCP' and d['results'][0]['requests'] > 5"
	holds "... no errors" json "not any(d['results'][0]['errors'].values())"
	holds "... percentiles in their order" json "0 < d['results'][0]['p50_ns'] <= d['results'][0]['p75_ns'] <=
		d['results'][0]['p90_ns'] <= d['results'][0]['p99_ns'] <= d['results'][0]['p99.9_ns'] <= d['results'][0]['max_ns']"
	holds "... processor time of both ends" json "d['results'][0]['client_cpu_ns_per_request'] > 0 and
		d['results'][0]['server_cpu_ns_per_request'] > 0"
	holds "... and every connection is TCP" json "d['results'][0]['connections_smc'] == 0 and d['results'][0]['connections_tcp'] >= 4"
done
lines err 0 "... says nothing beside it"
# Whoever looks at a terminal is told what goes on.
gives 0 "on a terminal" timeout 20 script -qec "$smcctl bench self --transport tcp --duration 0.5 --rounds 1 --warmup 0.6 -c 4" typescript
says out $'\rround 1 of 1: TCP: warming up\x1b'
says out $'\rround 1 of 1: TCP: [0-9]+ requests/s\x1b'
# A megabyte to and fro does not fit into the buffers of a socket.
# shellcheck disable=SC2086
bench 0 "echo of large messages" self --workload echo $quick --payload 3000000 --json
holds "... without errors" json "d['results'][0]['requests'] > 2 and not any(d['results'][0]['errors'].values())"
# shellcheck disable=SC2086
bench 0 "a rate that is kept" self --workload http --transport tcp --duration 1 --rounds 1 --warmup 0.1 -c 4 -t 2 --qps 300 --json
holds "... is kept" json "200 <= d['results'][0]['requests_per_second'] <= 400"

# This host or not: SMC was asked for, so what was not measured is said instead of a number.
if python3 -c 'import socket; socket.socket(43, 1, 0)' 2>/dev/null; then
	echo "# this kernel has SMC: tests/smc/bench.sh looks at it"
else
	bench 3 "no SMC here" self --duration 0.3 --rounds 1 --warmup 0.1 --json
	holds "... is said, with TCP's numbers" json "d['results'][0]['measured'] and not d['results'][1]['measured'] and
		'has no SMC' in d['results'][1]['why'] and d['results'][1]['requests_per_second'] is None and d['ratios'] == []"
	bench 3 "... as text, too" self --duration 0.3 --rounds 1 --warmup 0.1
	says out '^SMC +- +- '
	says out '^ +not measured: this host has no SMC: .*; smcctl doctor'
	gives 3 "exec needs SMC, too" "$smcctl" bench exec --metric x true
fi

# Nobody is there.
bench 1 "refused" 127.0.0.1:1
says err "^smcctl: bench '127.0.0.1:1': not connected: Connection refused; start smcctl bench server there$"

# wrong_server MODE: leaves its port in $port
wrong_server() {
	rm -f port
	python3 "$here/bench-server.py" "$1" >port 2>server.err &
	children=$!
	until [ -s port ]; do sleep 0.02; done
	port=$(cat port)
}

# hostile MODE WORKLOAD KIND...: begins; hostiles looks at the results: only errors of those kinds, soon
declare -a expected=()
hostile() {
	local n=${#expected[@]}
	expected+=("$*")
	{
		python3 "$here/bench-server.py" "$1" >"$n.port" 2>server.err &
		until [ -s "$n.port" ]; do sleep 0.02; done
		# shellcheck disable=SC2086
		timeout 20 "$smcctl" bench "127.0.0.1:$(cat "$n.port")" --workload "$2" $quick --timeout 1 --json >"$n.out" 2>"$n.err" </dev/null
		echo $? >"$n.code"
		kill $!
	} &
	running="$running $!"
}
running=
hostiles() {
	local n mode workload kinds
	# shellcheck disable=SC2086
	wait $running
	for n in "${!expected[@]}"; do
		read -r mode workload kinds <<<"${expected[n]}"
		cp "$n.out" out
		cp "$n.err" err
		holds "$workload to a server of mode $mode ends with exit 1" test "$(cat "$n.code")" = 1
		holds "... is counted as $kinds" json "not d['results'][0]['measured'] and d['server_kind'] == 'another program' and
			{k for k, v in d['results'][0]['errors'].items() if v} <= set('$kinds'.split()) and any(d['results'][0]['errors'].values())"
	done
}
hostile silent http timeout
hostile close http closed reset
hostile early echo closed reset
hostile half echo timeout
hostile half-close connect closed
hostile more echo wrong_answer
hostile zeros echo wrong_answer
hostile reset http reset closed
hostile http-500 http http_status
hostile http-no-length http not_http
hostile http-wrong-length http wrong_answer
hostile http-half http timeout
hostile http-flood http not_http timeout
hostile endless http not_http
hostile endless echo wrong_answer
hostiles
bench 64 "bulk needs a number" self --workload bulk --payload x

# A server that ends each connection after its answer is slow, not wrong.
wrong_server http-close
# shellcheck disable=SC2086
bench 0 "a server that closes after each answer" "127.0.0.1:$port" $quick --json
holds "... has answers and no errors" json "d['results'][0]['requests'] > 10 and not any(d['results'][0]['errors'].values())"
# shellcheck disable=SC2086
bench 1 "bulk to another server" "127.0.0.1:$port" --workload bulk $quick
says err "bulk needs smcctl bench server, and the server there is another one$"
kill_children

# 0.4 s of silence: with a rate it is charged to all requests that came due in it, without to those that were under way.
for rate in "--qps 200" ""; do
	wrong_server stall
	# shellcheck disable=SC2086
	bench 0 "a server that stops for 0.4 s, ${rate:-no rate}" "127.0.0.1:$port" --workload echo --transport tcp --connections 2 \
		--duration 1.5 --rounds 1 --warmup 0 $rate --json
	if [ "$rate" ]; then
		# A fifth of the time: the middle of those requests waited 0.2 s.
		holds "... its 90th percentile is of the silence" json "1e8 < d['results'][0]['p90_ns'] < 1e9"
		holds "... and not fewer requests than asked for" json "250 <= d['results'][0]['requests'] <= 301 and
			not d['results'][0]['errors']['timeout']"
	else
		holds "... its 90th percentile knows nothing of it" json "d['results'][0]['p90_ns'] < 5e7 and d['results'][0]['max_ns'] > 3e8"
	fi
	kill_children
done

# What is done to warm up is not counted: of the silence, which is over then, nothing is in the percentiles.
wrong_server stall
bench 0 "the same server, warmed up" "127.0.0.1:$port" --workload echo --transport tcp --connections 2 --duration 0.5 --rounds 1 \
	--warmup 1.2 --qps 200 --json
holds "... has the requests of half a second at most" json "10 < d['results'][0]['requests'] <= 101"
holds "... and nothing of the silence" json "d['results'][0]['p90_ns'] < 1.5e8"
kill_children

# More than the server can do: what was due and could not be sent is counted, and stands in the latencies.
wrong_server silent
bench 1 "a rate against silence" "127.0.0.1:$port" --workload echo --transport tcp --connections 2 --duration 0.5 --rounds 1 --warmup 0 \
	--qps 1000 --timeout 0.2 --json
holds "... counts what was not sent" json "sum(d['results'][0]['errors'].values()) >= 490 and d['results'][0]['errors']['not_sent'] > 400"
kill_children

# The server: its line, its port, HTTP and echo and garbage on it, its end.
"$smcctl" bench server --listen 127.0.0.1:0 --tcp-only >server.out 2>server.err &
children=$!
within 10 "the server says where it listens" grep -E '^listening on port [0-9]+$' server.out
port=$(tr -dc 0-9 <server.out)
cat >client.py <<'END'
import socket, sys
def ask(data, size, half=False):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5) as s:
        s.settimeout(5)
        for part in data:
            s.sendall(part)
        if half:
            s.shutdown(socket.SHUT_WR)
        got = b""
        while len(got) < size:
            more = s.recv(65536)
            if not more:
                break
            got += more
        return got
def same(name, got, expected):
    print("same" if got == expected else f"DIFFERENT {name}: {got[:200]!r}")
ok = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
same("echo", ask([b"*1\r\n", b"$4\r\nPING\r\n"], 14), b"*1\r\n$4\r\nPING\r\n")
post = b"POST /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
same("post", ask([post], len(ok % 3) + 3), ok % 3 + b"abc")
same("pieces", ask([bytes([b]) for b in post], len(ok % 3) + 3), ok % 3 + b"abc")
many = 2000
same("pipeline", ask([post * many], (len(ok % 3) + 3) * many), (ok % 3 + b"abc") * many)
hello = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n"
same("more than fits", ask([b"GET / HTTP/1.1\r\n\r\n" * many], len(hello) * many), hello * many)
same("a little more", ask([b"GET / HTTP/1.1\r\n\r\n" * 227], len(hello) * 227), hello * 227)
same("no body", ask([b"POST / HTTP/1.1\r\n\r\n" * 2], len(ok % 0) * 2), ok % 0 * 2)
close = b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 1\r\n\r\nz"
same("close", ask([close + post], 1000), ok % 1 + b"z")
same("once", ask([b"SMCBENCH once 5\nabcde"], 1000), b"abcde")
same("once and more", ask([b"SMCBENCH once 5\nabcdefgh"], 1000), b"abcde")
same("sink", ask([b"SMCBENCH sink 4\n" + b"x" * 9], 2), b"kk")
for bad in (b"SMCBENCH what 5\n", b"SMCBENCH once 0\n", b"SMCBENCH once x\n", b"SMCBENCH \n", b"SMCBENCH " + b"1" * 100,
            b"GET / HTTP/9.9.9\r\n\r\n", b"GET /" + b"x" * 5000, b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"):
    try:
        same(bad, ask([bad], 1000), b"")
    except ConnectionResetError:
        print("same")
status = ask([b"GET /.smcctl-bench/status HTTP/1.1\r\nConnection: close\r\n\r\n"], 10000)
same("status", b"\r\n\r\nsmcctl-bench 1\ncpu_ns " in status and b"\nsmc_listener 0\n" in status, True)
END
gives 0 "the server's answers" python3 client.py "$port"
lines out 21 "... to every question"
holds "... are right" test "$(sort -u out)" = same
kill -TERM "$children"
wait "$children"
code=$?
holds "the server ends well" test $code = 0
children=
"$smcctl" bench server --listen '[::1]:0' --tcp-only >server.out 2>server.err &
children=$!
within 10 "IPv6" grep listening server.out
# A server without SMC ends a run of SMC alone before it is measured, with SMC here and without.
timeout 20 "$smcctl" bench "[::1]:$(tr -dc 0-9 <server.out)" --transport smc --json >out 2>err
holds "the usual parameters" json "d['parameters'] == {'workload': 'http', 'connections': 64, 'payload_bytes': 128, 'get': None, 'qps': None,
	'threads': d['parameters']['threads'], 'rounds': 5, 'duration_ms': 30000, 'warmup_ms': 1000, 'timeout_ms': 10000, 'tcp_port': None}
	and 1 <= d['parameters']['threads'] <= 4 and not d['results'][0]['measured']"
# shellcheck disable=SC2086
bench 0 "over IPv6" "[::1]:$(tr -dc 0-9 <server.out)" $quick
kill_children

# Files.
# shellcheck disable=SC2086
"$smcctl" bench self $quick --json >a.json
# shellcheck disable=SC2086
"$smcctl" bench self $quick --json >b.json
# shellcheck disable=SC2086
"$smcctl" bench self $quick --payload 129 --json >c.json
echo '{"version": 1}' >d.json
printf '{"parameters":{},"results":[]}\0' >e.json
bench 0 "compare" compare a.json b.json
says out '^TRANSPORT +METRIC +A +B +B/A +VERDICT$'
says out '^TCP +REQUESTS/S +[0-9]+ +[0-9]+ +[0-9.]+ '
bench 0 "compare as JSON" compare a.json b.json --json
holds "... has every metric" json "len(d['comparison']) == 10"
bench 2 "other parameters" compare a.json c.json
says err "^smcctl: result 'c.json': not measured as 'a.json' was: .*\"payload_bytes\":129.*; --anyway compares all the same$"
bench 0 "... anyway" compare --anyway a.json c.json
for file in d.json e.json; do
	bench 65 "not a result: $file" compare a.json $file
	lines err 1 "... is one line"
done
bench 1 "no such file" compare a.json none.json

# shellcheck disable=SC2086
bench 0 "a page" self $quick --html page.html
holds "... is there" grep '^</html>$' page.html
holds "... asks for nothing" test "$(grep -cE 'src=|url\(|@import|://' page.html)" = 0
# shellcheck disable=SC2086
bench 1 "a page that cannot be written" self $quick --html /nonexistent/page.html
says err "^smcctl: page '/nonexistent/page.html': No such file or directory$"
finish
