# SPDX-License-Identifier: MIT
# What the tests of smcctl share: TAP lines, a private mount namespace, a temporary directory.
# shellcheck shell=bash disable=SC2034
set -u
top_builddir=${top_builddir:-$PWD}
top_srcdir=${top_srcdir:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
smcctl=$top_builddir/smcctl
export SMCSHIM_TEST_SCRIPT=${SMCSHIM_TEST_SCRIPT:-$0}
unset LD_PRELOAD SMC_POLICY XDG_RUNTIME_DIR
# A library with AddressSanitizer has to come after its runtime; run keeps that first.
asan=$(ldd "$smcctl" 2>/dev/null | awk '/lib(asan|clang_rt.asan)/ {print $3; exit}')
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1}
count=0 failures=0

# /run is empty, /etc is a copy, no foreign process is seen: the tests may do there what they like. Root, or root of a user namespace of our own.
in_namespace() {
	if [ "${SMCSHIM_NAMESPACE:-}" != 1 ]; then
		local flags=-m
		[ "$(id -u)" = 0 ] || flags=-rm
		export SMCSHIM_NAMESPACE=1
		exec unshare $flags --pid --fork --kill-child --mount-proc --propagation private -- "$BASH" "$SMCSHIM_TEST_SCRIPT"
	fi
	dir=$(mktemp -d)
	mount -t tmpfs -o mode=755 tmpfs "$dir" && chmod 755 "$dir" && mkdir "$dir/etc" "$dir/t" || exit 99
	cp -a /etc/. "$dir/etc" 2>/dev/null
	mkdir -p "$dir/etc/smc"
	mount --bind "$dir/etc" /etc && mount -t tmpfs -o mode=755 tmpfs /run || exit 99
	cd "$dir/t" || exit 99
	trap 'cleanup' EXIT
}

# For what traps of EXIT call: a copy of this shell that is killed before it becomes the command runs them, too.
is_copy() { [ "$BASHPID" != $$ ]; }

cleanup() {
	local pid
	is_copy && return 0
	for pid in ${children:-}; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	cd / && umount /etc /run && umount "$dir" && rmdir "$dir"
}

# Ends the processes whose numbers stand in $children, whatever they do.
kill_children() {
	local pid
	is_copy && return 0
	for pid in ${children:-}; do
		disown "$pid" 2>/dev/null
		kill -9 "$pid" 2>/dev/null
	done
	children=
}

result() { # RESULT NAME
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		failures=$((failures + 1))
		echo "not ok $count - $2"
		sed 's/^/# out: /' out 2>/dev/null | head -20
		sed 's/^/# err: /' err 2>/dev/null | head -20
	fi
}

# gives EXIT NAME COMMAND...: runs it, keeps its output in the files out and err.
gives() {
	local expected=$1 name=$2 code
	shift 2
	"$@" >out 2>err </dev/null
	code=$?
	[ $code = "$expected" ]
	result $? "$name"
	[ $code = "$expected" ] || echo "# exit $code instead of $expected: $*"
}

# says FILE REGEX [NAME]: a line of out or err matches.
says() {
	matches "$1" "$2"
	result $? "${3:-$1 says: $2}"
}

# matches FILE REGEX: as grep -E does it, without starting a program, which takes 40 ms in an emulated guest.
matches() {
	local line
	while IFS= read -r line || [ -n "$line" ]; do
		[[ $line =~ $2 ]] && return 0
	done <"$1"
	return 1
}

# lines FILE NUMBER NAME
lines() {
	local -a text
	mapfile text <"$1"
	[ ${#text[@]} = "$2" ]
	result $? "$3"
}

# refuses EXIT NAME COMMAND...: it ends so, with one line of error and no output.
refuses() {
	gives "$@"
	lines err 1 "... is one line"
	lines out 0 "... and nothing on stdout"
}

# holds NAME COMMAND...
holds() {
	local name=$1
	shift
	"$@" >/dev/null 2>&1
	result $? "$name"
}

# within SECONDS NAME COMMAND...: the command succeeds before the time is over.
within() {
	local end=$((SECONDS + $1)) name=$2
	shift 2
	while ! "$@" >/dev/null 2>&1; do
		if [ $SECONDS -gt $end ]; then
			result 1 "$name"
			return 1
		fi
		sleep 0.05
	done
	result 0 "$name"
}

# As a user without rights: nobody, or where only one user exists, root without capabilities.
unprivileged() {
	if [ "$(awk '{print $3; exit}' /proc/self/uid_map)" -gt 65534 ]; then
		setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"
	else
		setpriv --bounding-set=-all --inh-caps=-all -- "$@"
	fi
}

judge_text='import json, os, sys
# What the test has open, as the end of a FIFO, it alone keeps open.
os.closerange(3, 256)
request = b""
while chunk := sys.stdin.buffer.read1():
    request += chunk
    if request.endswith(b"\0"):
        directory, expression = request[:-1].decode().split("\n", 1)
        request = b""
        try:
            os.chdir(directory)
            with open("out") as stream:
                d = json.load(stream)
            answer = bool(eval("(" + expression + ")", {"json": json, "d": d}))
        except Exception:
            answer = False
        os.chdir("/")
        print(answer, flush=True)'

# json EXPRESSION: python over the JSON document d in out. One python judges them all, for a start of it takes 0.4 s in an emulated guest.
json() {
	local answer
	if [ -z "${judge_PID:-}" ]; then
		# It stays in no directory that the test unmounts, and is nothing that "wait" waits for.
		coproc judge { cd / && exec python3 -c "$judge_text"; }
		disown "$judge_PID"
	fi
	printf '%s\n%s\0' "$PWD" "$1" >&"${judge[1]}" && IFS= read -r answer <&"${judge[0]}" && [ "$answer" = True ]
}
finish() {
	echo "1..$count"
	exit $((failures != 0))
}
