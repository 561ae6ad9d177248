#!/bin/bash
# SPDX-License-Identifier: MIT
# doctor where it needs no kernel with SMC: policy, library, processes, listeners, modules; the verdict and the exit status.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
[ -z "$asan" ] || export ASAN_OPTIONS=detect_leaks=0
lib=$(realpath "$top_builddir"/preload/.libs/libsmcshim.so 2>/dev/null || realpath "$top_builddir"/.libs/libsmcshim.so)
python3 -c 'import socket; socket.socket(43, socket.SOCK_STREAM, 0)' 2>/dev/null && smc=1 || smc=0

# finds VERDICT TOPIC REGEX [NAME]: the last run of doctor has that line.
finds() { says out "^$1 +$2 +$3" "${4:-$1 $2: $3}"; }

for words in "doctor x" "doctor --bogus" "doctor --netns=" "doctor --policy="; do
	# shellcheck disable=SC2086
	refuses 64 "wrong usage: smcctl $words" "$smcctl" $words
done
for words in "doctor --listen=0" "doctor --listen=65536" "doctor --listen=x" "doctor --listen --json" "doctor --listen --peer a" \
	"doctor --peer=" "doctor --peer a:0" "doctor --peer [::1"; do
	# shellcheck disable=SC2086
	refuses 64 "wrong usage: smcctl $words" "$smcctl" $words
done
ip link set lo up
gives 1 "a host that has no address" "$smcctl" doctor --peer nowhere.invalid
says err "^smcctl: host 'nowhere\.invalid': "
gives 1 "no such network namespace" "$smcctl" doctor --netns nowhere
says err "^smcctl: network namespace 'nowhere': there is none"

gives 2 "without a policy a host is not ready" "$smcctl" doctor
finds problem policy 'there is no policy file /etc/smc/policy\.json: every connection stays TCP; write one'
finds ok library "$lib can be loaded"
finds note process 'no process carries the library; smcctl run starts'
says out '^This host is NOT ready for SMC: [0-9]+ problem'
lines err 0 "... and nothing on stderr"
if [ $smc = 0 ]; then
	finds problem kernel 'Linux .* gives no SMC sockets'
	finds problem module '(this kernel was built without smc|it is installed and not loaded)'
	mkdir -p /etc/modprobe.d
	echo '  blacklist   smc ' >/etc/modprobe.d/zz-smc.conf
	gives 2 "a module that is forbidden" "$smcctl" doctor
	finds problem module '/etc/modprobe\.d/zz-smc\.conf forbids to load it; take that line out'
	echo 'install smc /bin/false' >/etc/modprobe.d/zz-smc.conf
	gives 2 "... by another line" "$smcctl" doctor
	finds problem module '/etc/modprobe\.d/zz-smc\.conf forbids'
	printf '#blacklist smc\nblacklist smc_diag\ninstall smc /sbin/modprobe --ignore-install smc\n' >/etc/modprobe.d/zz-smc.conf
	gives 2 "lines that forbid nothing" "$smcctl" doctor
	holds "... are not taken for such" bash -c '! grep forbids out'
	rm /etc/modprobe.d/zz-smc.conf
	gives 2 "as JSON" "$smcctl" doctor --json
	holds "... with verdicts, topics, remedies and numbers" json "not d['ready'] and d['problems'] == sum(f['verdict'] == 'problem' for f in d['findings'])
		and {'kernel', 'module', 'policy', 'library', 'process'} <= {f['topic'] for f in d['findings']}
		and [f['remedy'] for f in d['findings'] if f['topic'] == 'policy'] == ['write one, see smc-policy(5); then smcctl policy apply']"
fi

# The policy and its table
echo '{"version":1,"rules":[{"use":"smc","connect":"10.0.0.0/8"},{"use":"smc","listen":"127.0.0.0/8","ports":7000}]}' >/etc/smc/policy.json
gives 2 "a policy that is not applied" "$smcctl" doctor
finds problem policy '/etc/smc/policy\.json is not in force: every connection stays TCP; smcctl policy apply'
"$smcctl" policy apply >/dev/null 2>&1
gives $((smc ? 0 : 2)) "one in force" "$smcctl" doctor
finds ok policy '2 rules of /etc/smc/policy\.json in force since [0-9]+ seconds?$'
"$smcctl" policy off >/dev/null
"$smcctl" doctor >out 2>err
finds warning policy 'the state is off: every new connection stays TCP; smcctl policy on'
"$smcctl" policy observe >/dev/null 2>&1
"$smcctl" doctor >out 2>err
finds warning policy 'the state is observe'
"$smcctl" policy on >/dev/null 2>&1
echo '{"version":1,"rules":[{"use":"tcp","connect":"10.0.0.0/8"}]}' >/etc/smc/policy.json
"$smcctl" doctor >out 2>err
finds warning policy '/etc/smc/policy\.json has changed since it was applied [0-9]+ .* ago: .*; smcctl policy apply'
"$smcctl" policy apply >/dev/null 2>&1
"$smcctl" doctor >out 2>err
finds warning policy 'no rule of /etc/smc/policy\.json says "use": "smc"'
rm /etc/smc/policy.json
"$smcctl" doctor >out 2>err
finds warning policy 'the file /etc/smc/policy\.json, .*: No such file or directory; bring'
echo x >/run/smc/policy
gives 2 "a table that is none" "$smcctl" doctor
finds problem policy 'table /run/smc/policy: '
rm /run/smc/policy
mkdir own
echo '{"version":1,"rules":[{"use":"smc","connect":"10.0.0.0/8"}]}' >own/p.json
"$smcctl" policy apply own/p.json >/dev/null 2>&1
"$smcctl" doctor --policy own/p.json >out 2>err
finds ok policy "1 rule of $PWD/own/p\.json in force since" "--policy names another one"

# The library
mkdir -p stage/bin/.libs
cp "$top_builddir/smcctl" stage/bin/
gives 2 "a smcctl without its library" stage/bin/smcctl doctor
finds problem library 'the library that belongs to this smcctl: No such file or directory; install'
echo nonsense >stage/bin/.libs/libsmcshim.so
gives 2 "one that the loader does not take" stage/bin/smcctl doctor
finds problem library 'the loader does not take it: .*(file too short|invalid ELF header)'
cp "$lib" stage/bin/.libs/libsmcshim.so && chmod 700 stage/bin/.libs/libsmcshim.so
gives 2 "one that only its owner may read" stage/bin/smcctl doctor
finds problem library '.*is not readable for every user'

# Another host
"$smcctl" doctor --listen >listening 2>&1 </dev/null &
children="${children:-} $!"
within 20 "the other end listens" grep -q '^listening on port 25443; on the other host: smcctl doctor --peer THIS-HOST:25443$' listening
gives 1 "two on one port" "$smcctl" doctor --listen
says err "^smcctl: port '25443': Address already in use$"
for peer in 127.0.0.1 ::1 '[::1]:25443' 127.0.0.1:25443; do
	"$smcctl" doctor --peer "$peer" >out 2>err
	finds '[a-z]+' peer '[^ ]+ \(Linux [^)]*\) and this host (both serve|serve no kind)' "the offers of $peer and of this host are compared"
done
python3 -c 'import socket
server = socket.socket(); server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", 7100)); server.listen()
open("banner", "w").close()
while True:
    peer, _ = server.accept(); peer.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"); peer.close()' </dev/null >/dev/null 2>&1 &
children="$children $!"
within 20 "a program that greets" test -e banner
"$smcctl" doctor --peer 127.0.0.1:7100 >out 2>err
finds note peer 'what 127\.0\.0\.1 offers cannot be compared' "another program's greeting is no offer"

# Processes and listeners
echo '{"version":1,"rules":[{"use":"smc","listen":"127.0.0.0/8","ports":7000}],"programs":{"except":["sleep"]}}' >/etc/smc/policy.json
"$smcctl" policy apply >/dev/null 2>&1
cat >listen.py <<'END'
import socket, sys, time
keep = []
for port in sys.argv[1:]:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", int(port))); server.listen()
    keep.append(server)
open("listening", "w").close()
time.sleep(1000)
END
background() {
	rm -f listening
	"$@" </dev/null >/dev/null 2>&1 &
	pid=$! children="${children:-} $!"
	within 20 "started: ${*: -2}" test -e listening
}
background env python3 listen.py 7000 7001
plain=$pid
"$smcctl" doctor >out 2>err
finds warning listener "python3 \(${plain}[^)]*\) listens on 127\.0\.0\.1 port 7000 by plain TCP, and the policy says SMC; start it with smcctl run"
holds "a listener that no rule names is none of our business" bash -c '! grep "port 7001" out'
"$smcctl" policy off >/dev/null
"$smcctl" doctor >out 2>err
holds "nothing is missed while the policy is off" bash -c '! grep -E "^warning +listener" out'
"$smcctl" policy on >/dev/null 2>&1
kill "$plain"; wait "$plain" 2>/dev/null
background env "LD_PRELOAD=${asan:+$asan:}$lib" python3 listen.py 7001
carrier=$pid
"$smcctl" doctor >out 2>err
finds ok process '1 carry the library; 0 connections by SMC, none fell back'
kill "$carrier"; wait "$carrier" 2>/dev/null
# A table that is not there for the process, and comes
background env "LD_PRELOAD=${asan:+$asan:}$lib" SMC_POLICY=/run/smc/later python3 listen.py 7001
"$smcctl" doctor >out 2>err
finds warning process "python3 \($pid\) finds no policy table /run/smc/later: all its connections are TCP; smcctl policy apply; a container "
cp --sparse=always /run/smc/policy /run/smc/later
"$smcctl" doctor >out 2>err
holds "a table that has come is not missed, whoever has not looked for it yet" bash -c '! grep "finds no policy table" out'
rm /run/smc/later
kill "$pid"; wait "$pid" 2>/dev/null
# What no library reaches
serves() { (exec 3<>/dev/tcp/127.0.0.1/7000) 2>/dev/null; }
busybox httpd -f -p 127.0.0.1:7000 </dev/null >/dev/null 2>&1 &
static=$! children="${children:-} $!"
within 10 "a static program listens" serves
"$smcctl" doctor >out 2>err
finds warning listener "busybox \(${static}[^)]*\) listens on 127\.0\.0\.1 port 7000 by plain TCP, .*; start it with smcctl run, or its unit by smcctl service enable: no library reaches it"
kill "$static"; wait "$static" 2>/dev/null
"$smcctl" run busybox httpd -f -p 127.0.0.1:7000 </dev/null >/dev/null 2>&1 &
static=$! children="$children $!"
within 10 "a supervised program listens" serves
"$smcctl" doctor >out 2>err
finds ok process '0 carry the library, and 1 is supervised with all that it starts; 0 connections by SMC, none fell back'
[ "$smc" = 1 ] || finds warning listener "busybox \(${static}[^)]*\) listens on .*; restart it: "
kill "$static"; wait "$static" 2>/dev/null
LD_PRELOAD=$lib busybox sleep 1000 2>/dev/null &
static=$! children="$children $!"
unreached() { "$smcctl" doctor >out 2>err; grep -E "^warning +process +busybox \($static\) was started with the library: .*; start it with smcctl run, which supervises its socket calls" out; }
within 10 "a static program that was started with the library" unreached
kill "$static"; wait "$static" 2>/dev/null
LD_PRELOAD=/nowhere/libsmcshim.so sleep 1000 2>/dev/null &
children="${children:-} $!"
broken() { "$smcctl" doctor >out 2>err; grep -E "^warning +process +sleep .* was started with the library: " out; }
within 10 "a process that was started with it and does not carry it" broken
gives $((smc ? 0 : 2)) "without rights" unprivileged "$smcctl" doctor
finds unknown process '[0-9]+ process(es)? could not be looked into; run as root'
finish
