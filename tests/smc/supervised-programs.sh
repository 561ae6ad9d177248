#!/bin/bash
# SPDX-License-Identifier: MIT
# Debian's Go and static programs under run: etcd (three nodes), nats-server, caddy, hey, busybox, over SMC at both ends; and
# small ones of ours: static with musl, of Rust, of Go with a libc (cgo).
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
here=$(dirname "$(readlink -f "$0")")
cd "$(mktemp -d)" || exit 99
smcstat=$top_builddir/tests/programs/smcstat
children=''
trap 'kill_children' EXIT
"$here/configure.py" ueid SMCSHIM-LAB || exit 99
mkdir -p /etc/smc home
export HOME=$PWD/home
echo '{"version": 1, "rules": [{"use": "smc", "connect": "any"}, {"use": "smc", "listen": "any"}]}' >/etc/smc/policy.json
"$smcctl" policy apply >applied 2>&1 || sed 's/^/# /' applied
run=("$smcctl" run --require --)

start() { # NAME COMMAND...
	"${run[@]}" "${@:2}" >"$1.log" 2>&1 </dev/null &
	pid=$! children="$children $!"
}
listens() { ss -Hltn "sport = :$1" | grep . >/dev/null; }
mark() { "$smcstat" counters >marked; }
smc() { # LEAST NAME: at least so many connections over SMC at both ends since the mark
	local name value client_smcd=0 server_smcd=0
	"$smcstat" since marked >since
	while IFS='=' read -r name value; do
		case $name in client_smcd | server_smcd) printf -v "$name" %d "$value" ;; esac
	done <since
	holds "$2: $client_smcd and $server_smcd connections over SMC" test "$client_smcd" -ge "$1" -a "$server_smcd" -ge "$1"
}

# busybox: static
mkdir www && echo hello >www/index.html
start httpd busybox httpd -f -p 127.0.0.1:22001 -h www
within 30 "busybox httpd listens" listens 22001
mark
gives 0 "busybox wget" "${run[@]}" busybox wget -q -O - http://127.0.0.1:22001/
says out '^hello$'
smc 1 "busybox httpd and wget"

# In a container
mark
gives 0 "under Podman's seccomp profile" "$here/confined.py" "${run[@]}" busybox wget -q -O - http://127.0.0.1:22001/
says out '^hello$'
smc 1 "under Podman's seccomp profile"
gives 3 "under one that leaves pidfd_getfd to CAP_SYS_PTRACE" "$here/confined.py" --without pidfd_getfd "${run[@]}" busybox true
says err 'cannot be supervised: pidfd_getfd.*CAP_SYS_PTRACE'

# Ours, which say the same without
own=$top_builddir/tests/supervise
start own "$own/calls" server 0.0.0.0 22009
within 30 "a static server listens" listens 22009
same() { # NAME COMMAND...
	local name=$1
	shift
	timeout 60 "$@" >plain 2>&1
	gives 0 "$name" timeout 60 "${run[@]}" "$@"
	holds "... says the same as without: $(tail -n 1 plain)" diff plain out
}
mark
same "static with musl" "$own/mixed-musl" 127.0.0.1 127.0.0.1 22009 watched
smc 80 "static with musl"
mark
same "Rust" "$own/dial" 127.0.0.1:22009
smc 3 "Rust"
start cgo "$own/web-cgo" serve 127.0.0.1:22010
within 60 "Go with a libc listens" listens 22010
mark
gives 0 "Go with a libc" timeout 60 "${run[@]}" "$own/web-cgo" get http://localhost:22010/ 20 4
says out '^20 asked, 0 failed$'
smc 1 "Go with a libc"

# caddy and hey: Go
start caddy caddy respond --listen 127.0.0.1:22002 hello
within 60 "caddy listens" listens 22002
mark
gives 0 "hey" timeout 60 "${run[@]}" hey -n 200 -c 8 http://127.0.0.1:22002/
says out '\[200\][[:space:]]+200 responses'
smc 8 "caddy and hey"

# nats-server: Go, and a client that is not
cat >nats.py <<'END2'
import socket
s = socket.create_connection(("127.0.0.1", 22003))
s.sendall(b'CONNECT {"verbose":false}\r\nSUB a 1\r\nPUB a 5\r\nhello\r\nPING\r\n')
got = b""
while b"PONG" not in got:
    part = s.recv(4096)
    if not part: break
    got += part
print("MSG a 1 5\r\nhello" in got.decode())
END2
start nats nats-server -a 127.0.0.1 -p 22003
within 60 "nats-server listens" listens 22003
mark
gives 0 "a message through nats-server" timeout 30 "$smcctl" run --supervise -- python3 nats.py
says out '^True$'
smc 1 "nats-server"

# etcd: three nodes that talk to each other
mark
cluster=n1=http://127.0.0.1:22081,n2=http://127.0.0.1:22082,n3=http://127.0.0.1:22083
for n in 1 2 3; do
	start "etcd$n" etcd --name "n$n" --data-dir "etcd$n" --unsafe-no-fsync --listen-peer-urls "http://127.0.0.1:2208$n" \
		--initial-advertise-peer-urls "http://127.0.0.1:2208$n" --listen-client-urls "http://127.0.0.1:2207$n" \
		--advertise-client-urls "http://127.0.0.1:2207$n" --initial-cluster "$cluster" \
		--heartbeat-interval 500 --election-timeout 5000
done
member=$pid
export ETCDCTL_API=3
ctl() { "${run[@]}" etcdctl --command-timeout 20s --dial-timeout 20s --endpoints "http://127.0.0.1:22071,http://127.0.0.1:22072" "$@"; }
written() { ctl put key one | grep OK >/dev/null; }
within 90 "etcd has a leader, and a key is written" written
ctl watch key --rev 1 >watched 2>&1 &
children="$children $!"
within 20 "a watch begins" grep '^one$' watched
gives 0 "get" ctl get key --print-value-only
says out '^one$'
kill -9 "$member"
second() { ctl put key two | grep OK >/dev/null; }
within 60 "a member is killed, the others go on" second
gives 0 "get" ctl get key --print-value-only
says out '^two$'
within 20 "the watch has seen it" grep '^two$' watched
smc 6 "etcd"
within 5 "status shows them" sh -c '"$0" status | grep "etcd (supervised)"' "$smcctl"

# The last test of this boot, for there is no way back from it
sysctl -qw kernel.yama.ptrace_scope=3
gives 0 "Yama 3: even root's program runs without" "$smcctl" run -- busybox echo ran
says out '^ran$'
says err 'kernel.yama.ptrace_scope is 3; 1 is enough$'
gives 3 "... --require refuses" "$smcctl" run --require -- busybox echo ran
finish
