#!/bin/bash
# SPDX-License-Identifier: MIT
# run --supervise: static and Go programs get SMC by the policy, and what they see is what they see without it, whatever is killed.
# SUPERVISE_SOAK=SECONDS: how long it is killed (the usual run: 15).
# Modes: smcd nosmc
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
here=$(dirname "$(readlink -f "$0")")
cd "$(mktemp -d)" || exit 99
calls=$top_builddir/tests/supervise/calls ends=$top_builddir/tests/supervise/ends lost=$top_builddir/tests/supervise/lost mixed=$top_builddir/tests/supervise/mixed web=$top_builddir/tests/supervise/web
older=$top_builddir/tests/supervise/older smcstat=$top_builddir/tests/programs/smcstat
children='' port=21000
trap 'kill_children' EXIT
chmod 755 .
mkdir -p /etc/smc
[ "$LAB_MODE" = nosmc ] || "$here/configure.py" ueid SMCSHIM-LAB || exit 99
ip link add swallow type dummy && ip addr add 10.77.0.1/24 dev swallow && ip link set swallow up || exit 99

policy() { # CONNECT LISTEN: "any" or a network
	printf '{"version": 1, "rules": [{"use": "smc", "connect": "%s"}, {"use": "smc", "listen": "%s"}]}\n' "$1" "$2" >/etc/smc/policy.json
	"$smcctl" policy apply >applied 2>&1 || result 1 "policy $1 $2"
}
nothing=198.51.100.0/24
# Without SMC it refuses, whatever the program.
require=(--require)
[ "$LAB_MODE" != nosmc ] || require=()

# serve NAME COMMAND...: a server in the background, which has said something
serve() {
	local name=$1
	shift
	"$@" >"$name.said" 2>"$name.err" </dev/null &
	pid=$! children="$children $!"
	within 60 "$name is up" test -s "$name.said"
}
mark() { [ "$LAB_MODE" = nosmc ] || "$smcstat" counters >marked; }
# What the kernel has counted since the mark, in the variables that the callers have
since() {
	local name value
	"$smcstat" since marked >since
	while IFS='=' read -r name value; do
		case $name in client_*|server_*) printf -v "$name" %d "$value" 2>/dev/null ;; esac
	done <since
}
# counted EXPRESSION NAME; without SMC nothing can be
counted() {
	# shellcheck disable=SC2034 # in the caller's expression
	local client_smcd=0 server_smcd=0 client_fallback=0 server_fallback=0 client_error=0 server_error=0
	if [ "$LAB_MODE" = nosmc ]; then return; fi
	since
	((${1}))
	result $? "$2: client $client_smcd, server $server_smcd, fallbacks $client_fallback $server_fallback"
}
same() { # NAME MODE ARGUMENT...: the static program says the same as without supervision
	same_of "$1" "$calls" "${@:2}"
}
same_of() { # NAME PROGRAM ARGUMENT...
	local name=$1
	shift
	"$@" >plain 2>&1
	gives 0 "$name" "$smcctl" run -- "$@"
	grep -v '^smcctl: ' err >>out
	diff plain out >differs
	local code=$?
	[ $code = 0 ] || sed 's/^/# /' differs
	result $code "... says the same as without"
}
supervisors() { pgrep -x smcctl-supervis | wc -l; }
none_left() { [ "$(supervisors)" = 0 ]; }
# Somebody who kills a supervisor or guardian every PAUSE ms or so, until "spare", which says how often in the variable kills
assassinate() { # PAUSE
	rm -f stop && mkfifo stop
	"$calls" assassin "$1" <stop >kills 2>&1 &
	assassin=$!
	exec 6>stop
}
spare() {
	exec 6>&-
	wait "$assassin"
	kills=$(cat kills)
}

# ---- everything SMC
policy any any
mark
serve static-server "$smcctl" run "${require[@]}" -- "$calls" server 127.0.0.1 $port
static=$pid
same "all SMC: the ways of connect" connects 127.0.0.1 $port
counted "client_smcd == 2 && server_smcd >= 2" "two of four connections over SMC, the others were not to be"
same "all SMC: other sockets" others
same "all SMC: options" kinds 127.0.0.1 $port
same "all SMC: nobody answers" silent 10.77.0.2 80
# The kernel writes them before the signals in the file that tells of those.
gives 0 "all SMC: ... to a process of many groups" setpriv --groups "$(seq -s, 4000000001 4000000200)" timeout 60 "$smcctl" run -- "$calls" silent 10.77.0.2 80
holds "... says the same" diff plain out
same_of "all SMC: many wait at the same time" "$ends" many 10.77.0.2 80 8
says plain '^8 of 8, together$'
same_of "all SMC: cancelled" "$ends" cancelled 10.77.0.2 80
gives 0 "status" "$smcctl" status --json
[ "$LAB_MODE" = nosmc ] || holds "... has the tree of the server" json "[p for p in d['processes'] if p['pid'] == $static and p['supervised'] and p['counters']['listen_smc'] == 2]"
holds "... once" json "len([p for p in d['processes'] if p['supervised']]) == 1"
gives 0 "status by number" "$smcctl" status --json "$static"
holds "... is the tree's" json "[(p['pid'], p['supervised'], p['tree']) for p in d['processes']] == [($static, True, $static)]"
if [ "$LAB_MODE" != nosmc ]; then
	gives 0 "sockets" "$smcctl" sockets --json --port $port
	holds "... says whose supervised" json "[(p['pid'], p['supervised']) for s in d['sockets'] if s['state'] == 'listening' for p in s['processes']] == [($static, True)]"
	gives 0 "... as text" "$smcctl" sockets --pid "$static"
	says out "^ *$static +calls \(supervised\) "
fi
gives 7 "the exit status is the program's" "$smcctl" run --supervise -- sh -c 'exit 7'
gives 137 "... and so is the signal that ends it" bash -c "\"$smcctl\" run --supervise -- sh -c 'kill -9 \$\$'; exit \$?"
mark
gives 0 "descendants of any kind" "$smcctl" run --supervise -- sh -c "'$calls' rate 127.0.0.1 $port 3 >/dev/null && python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", $port)).close()'"
counted "client_smcd == 4 && server_smcd == 4" "... all over SMC"
mark
same_of "children by fork and vfork, and a daemon" "$ends" children 127.0.0.1 $port
counted "client_smcd == 3 && server_smcd == 3" "... all over SMC"
mark
gives 0 "a program that leaves one behind" "$smcctl" run --supervise -- sh -c '(while kill -0 $$; do sleep 0.05; done; "$0" one "$@"; echo $? >left) >/dev/null 2>&1 &' "$ends" 127.0.0.1 $port
within 20 "... which connects when it has ended" grep -x 0 left
counted "client_smcd == 1 && server_smcd == 1" "... over SMC"
mark
same_of "processes that go to another network namespace" "$ends" moves 127.0.0.1 $port
says plain '^here: 0, elsewhere: ENETUNREACH, and back: 0$'
counted "client_smcd == 3 && server_smcd == 3" "... over SMC where they came from"
same_of "a thread that goes there and becomes another program" "$ends" becomes 127.0.0.1 $port
says plain '^after: ENETUNREACH$'
same_of "listeners whose sockets are of another network namespace" "$ends" listens 127.0.0.1 $((port + 1))
says plain '^bound: here, TCP$'
says plain '^seen from here: ECONNREFUSED$'
says plain '^bound late: elsewhere, TCP$'
gives 0 "the reader of a pipe sees its end" timeout 20 sh -c "'$smcctl' run --supervise -- echo over | cat"

# ---- a signal takes the call away when its answer is ready, or the supervisor is killed then: once for each call
held_up() { # NAME COMMAND...
	gives 0 "$1" timeout 120 "${@:2}" 127.0.0.1 $port
	says err '^22 held up$'
	holds "... says the same as without" diff lost.plain out
}
if [ "$LAB_MODE" != nosmc ]; then
	timeout 60 "$lost" signal 127.0.0.1 $port >lost.plain 2>lost.err
	held_up "signals that end calls, as before Linux 5.19" "$older" "$smcctl" run -- "$lost" signal
	held_up "supervisors killed over their answers" "$smcctl" run -- "$lost" kill
	held_up "... as before Linux 5.19" "$older" "$smcctl" run -- "$lost" kill
fi

# ---- the same, while the supervisor looks away: what it had waited for must not be taken for the outcome of the next call
if [ "$LAB_MODE" != nosmc ]; then
	# It accepts nothing until it is told to: who connects gets no answer.
	serve full python3 -uc 'import signal, socket, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=0)
first = socket.create_connection(listener.getsockname())
print("full")
signal.sigwait([signal.SIGUSR1])
while True: first = first, listener.accept()' 20999
	full=$pid
	"$older" "$smcctl" run -- "$ends" refilled 127.0.0.1 20999 10.77.0.2 >refilled 2>refilled.err &
	pid=$! children="$children $!"
	within 20 "a connect waits" sh -c 'ss -Htn state syn-sent dport = :20999 | grep -q .'
	"$smcctl" status --json $pid >out
	supervisor=$(sed -n 's/.*"supervisor":\([0-9]*\).*/\1/p' out)
	both="$(ps -o ppid= "$supervisor") $supervisor"
	# shellcheck disable=SC2086
	kill -STOP $both
	for each in $both; do within 20 "... nobody looks" grep '^State:.T' "/proc/$each/status"; done
	kill -USR1 "$full"
	within 60 "... it is up, a signal has ended it, and there is the next one" grep -x queued refilled
	# shellcheck disable=SC2086
	kill -CONT $both
	within 20 "... which has an outcome of its own" grep -x 'second: EINPROGRESS' refilled
	kill "$full"
fi

# ---- the kernel gives up: a program waits for ever where nobody tells it
sysctl -qw net.ipv4.tcp_syn_retries=1
gave_up=()
"$ends" timed-out 10.77.0.2 80 >ends.plain 2>&1 &
gave_up+=($!)
timeout 30 "$web" dial 10.77.0.2:80 20000 >web.plain 2>&1 &
gave_up+=($!)
timeout 30 "$smcctl" run -- "$web" dial 10.77.0.2:80 20000 >web.run 2>web.err &
gave_up+=($!)
gives 0 "timed out, blocking and not" timeout 30 "$smcctl" run -- "$ends" timed-out 10.77.0.2 80
wait "${gave_up[@]}"
says out '^poll 1, SO_ERROR ETIMEDOUT, then 0$'
holds "... says the same as without" diff ends.plain out
holds "Go: timed out, as without supervision: $(cat web.plain)" diff web.plain web.run
holds "... by the kernel" grep -x 'connection timed out' web.run
sysctl -qw net.ipv4.tcp_syn_retries=6

# ---- all TCP
policy $nothing $nothing
mark
same "denied: the ways of connect" connects 127.0.0.1 $port
same "denied: nobody answers" silent 10.77.0.2 80
counted "client_smcd == 0" "denied: no connection over SMC"
kill -9 "$static"
wait "$static" 2>/dev/null

# ---- denied listeners, of programs that may connect over SMC: what a socket accepts that became TCP in place is never woken
policy any $nothing
late() { # PORT REQUEST ANSWER: data that comes when it is waited for already
	local answer
	exec 7<>"/dev/tcp/127.0.0.1/$1" && sleep 0.4 && printf %s "$2" >&7 && IFS= read -r -t 10 -N ${#3} answer <&7
	exec 7>&-
	[ "$answer" = "$3" ]
}
mark
serve denied-server "$smcctl" run "${require[@]}" -- "$calls" server 127.0.0.1 $((++port))
says denied-server.said '^[0-9]+ 1 0$' "... has the descriptors and flags that it had"
late $port A B
result $? "a denied listener: what it accepts is woken"
gives 0 "... a client that wants SMC" "$smcctl" run -- "$ends" one 127.0.0.1 $port
serve denied-go "$smcctl" run "${require[@]}" -- "$web" serve 127.0.0.1:$((++port))
late $port $'GET / HTTP/1.0\r\n\r\n' 'HTTP/1.0 200 OK'
result $? "Go's denied listener: what it accepts is woken"
gives 0 "... a client that wants SMC" "$smcctl" run -- "$web" get "http://127.0.0.1:$port/" 4 2
says out '^4 asked, 0 failed$'
counted "server_smcd == 0 && server_fallback == 0 && client_fallback >= 2" "... which it has not got"
kill_children

# ---- many that stay TCP, and one that does not: sockets are not made SMC any more, until a connect wants that
policy 127.0.0.1/32 any
serve wild-server "$smcctl" run "${require[@]}" -- "$calls" server 0.0.0.0 $((++port))
mark
same_of "mixed destinations" "$mixed" 127.0.0.2 127.0.0.1 $port plain
# Of 330 that stay TCP so many were SMC first: 16, 32, 64 and 128 make a guess, and after one that could not be mended all.
counted "client_smcd == 4 && client_fallback == 16 + 32 + 64 + 128 + 40" "... all over SMC but the one that was watched already"
mark
same_of "programs that watch first" "$mixed" 127.0.0.2 127.0.0.1 $port watched
counted "client_smcd == 2" "... are not guessed about"
mark
same_of "a socket that is doubled" "$mixed" 127.0.0.2 127.0.0.1 $port doubled
counted "client_smcd == 1" "... stays TCP, which the other does not"
mark
same_of "a socket with an option that SMC has not" "$mixed" 127.0.0.2 127.0.0.1 $port options
counted "client_smcd == 1 && client_fallback == 16 + 32 + 64" "... stays TCP and is guessed about again; the one without it is SMC"
mark
gives 0 "an address that changes while the call is under way" timeout 60 "$smcctl" run -- "$ends" flips 127.0.0.1 127.0.0.2 $port 120
says out '^120 of 120, 0 elsewhere$'
counted "client_smcd > 0 && client_smcd < 120" "... chooses TCP or SMC"
kill_children

# ---- "programs" means those of the tree by their own names
printf '{"version": 1, "rules": [{"use": "smc", "connect": "any"}], "programs": {"only": ["ends"]}}\n' >/etc/smc/policy.json
gives 0 "a policy for one program" "$smcctl" policy apply
serve plain-server-1 "$calls" server 127.0.0.1 $((++port))
mark
gives 0 "programs of two names" "$smcctl" run --supervise -- sh -c '"$0" one "$2" "$3" && "$1" rate "$2" "$3" 2 && "$0" one "$2" "$3"' "$ends" "$calls" 127.0.0.1 $port
counted "client_fallback == 2" "... that one is tried over SMC, the other is TCP from the start"
mark
gives 0 "... by the process's name" "$smcctl" run -- "$ends" named 127.0.0.1 $port
counted "client_fallback == 1" "... also in a thread with another one"
kill_children

# ---- Go
policy any any
((port++))
mark
serve go-server "$smcctl" run "${require[@]}" -- "$web" serve "127.0.0.1:$port"
go=$pid
gives 0 "Go: connections that are kept" "$smcctl" run "${require[@]}" -- "$web" get "http://127.0.0.1:$port/" 200 8
says out '^200 asked, 0 failed$'
counted "client_smcd >= 1 && server_smcd == client_smcd" "Go over SMC at both ends"
asked() { "$smcctl" status --json >out && python3 -c 'import json
print(sum(p["counters"]["supervised_calls"] for p in json.load(open("out"))["processes"] if p["pid"] == '"$1"'))'; }
before=$(asked $go)
"$web" get "http://127.0.0.1:$port/" 300 4 >got
holds "no call of 300 requests was asked about" test "$(asked $go)" = "$before" -a "$before" -gt 0
mark
gives 0 "300 requests of a client that is supervised too" "$smcctl" run --supervise -- sh -c '"$1" get "$2" 300 4 >got && "$0" status --json $$' "$smcctl" "$web" "http://127.0.0.1:$port/"
holds "... nor was any of them, at either end" json "0 < sum(p['counters']['supervised_calls'] for p in d['processes']) < 100"
holds "... as the server says" test "$(asked $go)" = "$before"
counted "client_smcd >= 1 && client_fallback == 0" "... over SMC"
gives 0 "Go: one for each request" "$smcctl" run "${require[@]}" -- "$web" get-once "http://127.0.0.1:$port/" 50 8
for what in "127.0.0.1:1 3000" "10.77.0.2:80 300" "127.0.0.1:$port 3000"; do
	# shellcheck disable=SC2086
	"$web" dial $what >plain 2>&1
	# shellcheck disable=SC2086
	gives 0 "Go: dial $what" timeout 60 "$smcctl" run -- "$web" dial $what
	holds "... ends as without supervision: $(cat plain)" diff plain out
done
serve go-wildcard "$smcctl" run "${require[@]}" -- "$web" serve ":$((++port))"
for host in 127.0.0.1 '[::1]'; do
	mark
	gives 0 "Go's listener of both families, by $host" "$smcctl" run "${require[@]}" -- "$web" get "http://$host:$port/" 4 2
	says out '^4 asked, 0 failed$'
	counted "client_smcd >= 1 && server_smcd == client_smcd" "... over SMC"
done

# ---- many threads, and the supervisor and its guardian killed under them
serve storm-server "$smcctl" run "${require[@]}" -- "$calls" server 127.0.0.1 $((++port))
server=$pid
mark
gives 0 "64 threads that connect, fork and take signals" timeout 120 "$smcctl" run -- "$calls" storm 127.0.0.1 $port 64 6
says out '^384 rounds, 64 children, 0 failures$'
counted "client_smcd > 200" "... over SMC"
# On the kernels before 5.19 a socket and its number are handed over in one step, on those since in two.
handed() { strace -f -o traced -e trace=ioctl "$@" >handed 2>&1 && grep "SECCOMP_IOCTL_NOTIF_ADDFD, {id=0x[0-9a-f]*, flags=$step, srcfd=[1-9]" traced >steps; }
step=0
[ "$LAB_MODE" = nosmc ] || holds "sockets are handed over in two steps" handed "$smcctl" run -- "$calls" rate 127.0.0.1 $port 2
step=SECCOMP_ADDFD_FLAG_SEND
[ "$LAB_MODE" = nosmc ] || holds "... and in one, before Linux 5.19" handed "$older" "$smcctl" run -- "$calls" rate 127.0.0.1 $port 2
mark
gives 0 "64 threads, as before Linux 5.19" timeout 120 "$older" "$smcctl" run "${require[@]}" -- "$calls" storm 127.0.0.1 $port 64 4
says out ', 0 failures$'
counted "client_smcd > 0" "... over SMC"
# The policy flips meanwhile
touch flipping
while [ -e flipping ]; do
	"$smcctl" policy off
	sleep 0.05
	"$smcctl" policy on
	sleep 0.05
done >/dev/null 2>flip.err &
flipper=$!
gives 0 "policy flips under load" timeout 120 "$smcctl" run --supervise -- sh -c '"$1" storm 127.0.0.1 "$2" 8 40 >storm.out && "$0" status --json $$' "$smcctl" "$calls" $port
rm flipping
wait $flipper
holds "... no call failed" grep -E '^320 rounds, [1-9][0-9]* children, 0 failures$' storm.out
holds "... and there were connections of both kinds" json "[(p['counters']['connect_smc'] > 0, p['counters']['connect_tcp'] > 0) for p in d['processes']] == [($([ "$LAB_MODE" = nosmc ] && echo False || echo True), True)]"
assassinate 60
end=$((SECONDS + ${SUPERVISE_SOAK:-15})) storms=0 bad=0 without=0
while ((SECONDS < end)); do
	# Every other one connects where the policy keeps TCP.
	if ((storms % 2)); then policy $nothing any; else policy any any; fi
	mark
	"$smcctl" run -- "$calls" storm 127.0.0.1 $port 8 40 >storm.out 2>storm.err || { ((bad++)); head -5 storm.err | sed 's/^/# /'; }
	client_smcd=0
	[ "$LAB_MODE" = nosmc ] || since
	((client_smcd || storms % 2)) || ((without++))
	((storms++))
done
policy any any
spare
[ "$LAB_MODE" = nosmc ] || holds "each storm that may has connections over SMC" test $without = 0
holds "no call failed: $kills supervisors and guardians killed in $storms storms" test $bad = 0 -a "$kills" -gt 20
kill -9 "$server"

# ---- who may look into whom
policy any any
serve plain-server "$calls" server 127.0.0.1 $((++port))
mark
gives 0 "an ordinary user" unprivileged "$smcctl" run "${require[@]}" -- "$calls" rate 127.0.0.1 $port 3
counted "client_fallback == 3" "... three SMC sockets, of which the peer wants none"
mark
gives 0 "a child that has another user" "$smcctl" run --supervise -- setpriv --reuid 65534 --regid 65534 --clear-groups "$calls" rate 127.0.0.1 $port 3
counted "client_fallback == 3" "... root's supervisor looks into it"
mark
gives 1 "another network namespace" "$smcctl" run --supervise -- unshare -n sh -c "ip link set lo up && '$calls' rate 127.0.0.1 $port 3; code=\$?; '$smcctl' status --json \$\$; exit \$code"
says err 'connect.*refused'
[ "$LAB_MODE" = nosmc ] || says out '"supervised_unreachable":3,'
counted "client_fallback == 0" "... and TCP"
if [ -e /proc/sys/kernel/yama/ptrace_scope ]; then
	sysctl -qw kernel.yama.ptrace_scope=1
	mark
	gives 0 "Yama 1: an ordinary user" unprivileged "$smcctl" run "${require[@]}" -- "$calls" rate 127.0.0.1 $port 3
	counted "client_fallback == 3" "... is supervised"
	mark
	gives 0 "Yama 1: a child" unprivileged "$smcctl" run --supervise -- sh -c "'$calls' rate 127.0.0.1 $port 3; :"
	counted "client_fallback == 0" "... is not, and connects over TCP"
	assassinate 60
	gives 0 "Yama 1: supervisors are killed" unprivileged "$smcctl" run "${require[@]}" -- "$calls" storm 127.0.0.1 $port 8 30
	says out ', 0 failures$'
	spare
	holds "... $kills of them, and no call failed" test "$kills" -gt 0
	sysctl -qw kernel.yama.ptrace_scope=2
	gives 0 "Yama 2: an ordinary user" unprivileged "$smcctl" run -- "$calls" rate 127.0.0.1 $port 3
	says err 'kernel.yama.ptrace_scope is 2'
	gives 3 "... --require refuses" unprivileged "$smcctl" run --require -- "$calls" rate 127.0.0.1 $port 3
	gives 0 "Yama 2: root" "$smcctl" run "${require[@]}" -- "$calls" rate 127.0.0.1 $port 3
	sysctl -qw kernel.yama.ptrace_scope=0
else
	result 1 "the kernel has Yama"
fi

# ---- the policy is flipped
serve flip-server "$smcctl" run "${require[@]}" -- "$calls" server 127.0.0.1 $((++port))
mkfifo tell
"$smcctl" run -- "$calls" lines 127.0.0.1 $port <tell >told 2>told.err &
pid=$! children="$children $!"
exec 5>tell
mark
echo >&5
within 20 "on" sh -c 'test "$(wc -l <told)" = 1'
counted "client_smcd == 1" "on: over SMC"
"$smcctl" policy off >/dev/null
echo >&5
within 20 "off" sh -c 'test "$(wc -l <told)" = 2'
counted "client_smcd == 0" "off: the next one is TCP"
"$smcctl" policy on >/dev/null

# ---- both killed at once, the guardian so that it cannot help the other
gives 0 "the tree that is to lose both" "$smcctl" status --json $pid
supervisor=$(sed -n 's/.*"supervisor":\([0-9]*\).*/\1/p' out)
kill -STOP "$(ps -o ppid= "$supervisor")" "$supervisor" && kill -9 "$(ps -o ppid= "$supervisor")" "$supervisor"
within 20 "both are gone" sh -c '! test -e /proc/$0' "$supervisor"
echo >&5
within 20 "... and the program is told so" grep -x 'ENOSYS -1' told
exec 5>&-
kill_children
within 20 "no supervisor outlives its program" none_left
finish
