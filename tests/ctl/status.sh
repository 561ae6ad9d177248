#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl status: processes with the shim, processes without it that should have it, processes that may not be seen.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
[ -z "$asan" ] || export ASAN_OPTIONS=detect_leaks=0
lib=$(realpath "$top_builddir"/preload/.libs/libsmcshim.so 2>/dev/null || realpath "$top_builddir"/.libs/libsmcshim.so)
fake=$(realpath "$top_builddir"/tests/ctl/fake/.libs/libsmcshim.so)
preloaded="LD_PRELOAD=${asan:+$asan:}$lib"
background() { # COMMAND...: in the background; its process in $pid, stopped at the end
	"$@" </dev/null >/dev/null 2>&1 &
	pid=$! children="${children:-} $!"
	within 5 "started: ${*: -2}" running
	sleep 0.2
}
running() { [ "$(tr '\0' ' ' </proc/$pid/cmdline | head -c 6)" != "$(tr '\0' ' ' </proc/$$/cmdline | head -c 6)" ]; }

gives 0 "nobody carries it" "$smcctl" status
says out '^No process carries the shim\.$'
echo '{"version":1,"rules":[{"use":"smc","connect":"10.0.0.0/8"}]}' >/etc/smc/policy.json
"$smcctl" policy apply >/dev/null 2>&1
cat >sockets.py <<'END'
import socket, time
server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen()
client = socket.create_connection(server.getsockname()); peer, _ = server.accept()
time.sleep(1000)
END
background env "$preloaded" python3 sockets.py
carrier=$pid
connected() { "$smcctl" status --json | grep -q '"connect_tcp":1'; }
within 20 "it has connected" connected
gives 0 "a process with the library" "$smcctl" status
says out "^ *$carrier +python3.* +/run/smc/policy \(on\) "
gives 0 "as JSON" "$smcctl" status --json
holds "... with its counters" json "[p for p in d['processes'] if p['pid'] == $carrier][0]['counters']['connect_tcp'] == 1"
holds "... its listener, policy and library" json "[p for p in d['processes'] if p['pid'] == $carrier and p['counters']['listen_tcp'] == 1
	and p['table'] == '/run/smc/policy' and p['table_state'] == 'mapped' and p['policy_state'] == 'on' and p['library'] == '$lib']"
sed -n 's/.*X(\([a-z0-9_]*\), ".*/\1/p' "$top_srcdir/preload/counters.h" | sort >expected
python3 -c 'import json
print("\n".join(sorted(json.load(open("out"))["processes"][0]["counters"])))' >keys
holds "every counter has its key" diff expected keys
"$smcctl" policy off >/dev/null
gives 0 "the state is that of the table" "$smcctl" status "$carrier"
says out '\(off\)'
rm /run/smc/policy
gives 0 "... of the one the process has, though its file is gone" "$smcctl" status "$carrier"
says out '\(off\)'
"$smcctl" policy apply >/dev/null 2>&1

# Other tables
cp /etc/smc/policy.json mine.json
"$smcctl" policy apply mine.json >/dev/null 2>&1
background env ${asan:+LD_PRELOAD="$asan"} "$smcctl" run --policy mine.json sleep 1000
other=$pid
gives 0 "--policy shows who follows that table" "$smcctl" status --json --policy mine.json
holds "... and nobody else" json "[p['pid'] for p in d['processes']] == [$other]"
gives 0 "the default one" "$smcctl" status --json --policy /etc/smc/policy.json
holds "... likewise" json "[p['pid'] for p in d['processes']] == [$carrier]"
background env "$preloaded" SMC_POLICY=/nowhere/table sleep 1000
gives 0 "a table that is not there" "$smcctl" status $pid
says out '/nowhere/table \(missing\)'
: >/run/smc/wrong
background env "$preloaded" SMC_POLICY=/run/smc/wrong sleep 1000
gives 0 "a file that is no table" "$smcctl" status $pid
says out '/run/smc/wrong \(refused\)'

# A library that was updated or deleted, in a process with another root
mkdir -p root/bin root/lib && cp /bin/busybox root/bin/
cp "$fake" root/libsmcshim.so
background env LD_PRELOAD="${asan:+$asan:}$PWD/root/libsmcshim.so" sleep 1000
deleted=$pid
rm root/libsmcshim.so
gives 0 "a deleted library" "$smcctl" status $deleted
says out "^ *$deleted +sleep +/fake/table"
says out '18446744073709551615' "a counter with all its 64 bits"
says out 'quirk_retried 7' "counters without a column stand below"
gives 0 "as JSON" "$smcctl" status --json $deleted
holds "... exact" json 'd["processes"][0]["counters"]["connect_smc"] == 18446744073709551615'
cp "$fake" libsmcshim.so
python3 - <<'END'
data = bytearray(open("libsmcshim.so", "rb").read())
at = data.index(b"smccount")
data[at + 8] = 99
open("libsmcshim.so", "wb").write(data)
END
background env LD_PRELOAD="${asan:+$asan:}$PWD/libsmcshim.so" sleep 1000
gives 0 "a library of another ABI version" "$smcctl" status
says out "^ *$pid +sleep +carries a library of version 99 "

# A process of another word size
lib32=$(realpath "$top_builddir/preload/32/.libs/libsmcshim.so" 2>/dev/null)
if [ "$lib32" ]; then
	echo 'int pause(void); int main(void) { return pause(); }' >waits.c
	holds "a 32-bit program" gcc -m32 -o waits32 waits.c
	background env LD_PRELOAD="$lib32" SMC_POLICY=/nowhere/table ./waits32
	gives 0 "... its counters are read" "$smcctl" status $pid
	says out "^ *$pid +waits32 +/nowhere/table \(missing\) "
	background env "$preloaded" ./waits32
	gives 0 "a 32-bit program with the 64-bit library" "$smcctl" status $pid
	says out "^ *$pid +waits32 +its program has another word size or machine$"
fi

# Processes that should carry it and do not
background env "$preloaded" busybox sleep 1000
gives 0 "a static program" "$smcctl" status
says out "^ *$pid +busybox +its program is linked statically$"
background env LD_PRELOAD=/missing/libsmcshim.so sleep 1000
gives 0 "a missing library" "$smcctl" status
says out "^ *$pid +sleep +the library is not in its root directory$"
gives 0 "asked for by its number" "$smcctl" status $pid
says out "the library is not in its root directory$"
if [ "$(awk '{print $3; exit}' /proc/self/uid_map)" -gt 65534 ]; then
	chmod 755 . "$dir"
	cp "$fake" "$PWD/root/libsmcshim.so" && chmod 600 root/libsmcshim.so
	background setpriv --reuid 65534 --clear-groups env LD_PRELOAD="$PWD/root/libsmcshim.so" sleep 1000
	gives 0 "a library that is not readable" "$smcctl" status
	says out "^ *$pid +sleep +the library is not readable for its user$"
	cp /bin/sleep suid && chown 65534 suid && chmod 4755 suid
	background env LD_PRELOAD="$fake" ./suid 1000
	gives 0 "secure execution" "$smcctl" status
	says out "^ *$pid +suid +it was started in secure-execution mode"
fi
background sleep 1000
gives 0 "a process that has nothing to do with it" "$smcctl" status $pid
says out "was not started with the library, and is not known to be supervised$"
gives 1 "no such process" "$smcctl" status 2147483647
says err "^smcctl: process '2147483647': no such process$"

# A supervised tree, whose descendants were meant to carry the library and cannot
background env ${asan:+LD_PRELOAD="$asan"} "$smcctl" run --supervise -- sh -c "$preloaded busybox sleep 1000 & exec sleep 1001"
tree=$pid
descendant() { child=$(pgrep -P "$tree" -x busybox); }
within 10 "a supervised tree" descendant
supervisor=$("$smcctl" status --json "$tree" | sed -n 's/.*"supervisor":\([0-9]*\).*/\1/p')
guardian=$(pgrep -x smcctl-supervis | grep -vx "$supervisor")
gives 0 "a tree has one row" "$smcctl" status --json
holds "... of its first process" json "[(p['pid'], p['tree'], p['program']) for p in d['processes'] if p['supervised']] == [($tree, $tree, 'sh')]"
holds "... and none of it is a problem" json "not [p for p in d['problems'] if p['pid'] in ($tree, $child, $guardian)]"
gives 0 "asked for by their numbers" "$smcctl" status --json "$tree" "$child" "$carrier"
holds "... each has a row" json "[(p['pid'], p['program'], p['tree'], p['supervisor']) for p in d['processes']] == [($tree, 'sleep', $tree, $supervisor), ($child, 'busybox', $tree, $supervisor), ($carrier, 'python3', None, None)]"
gives 0 "... as text" "$smcctl" status "$child"
says out "^ *$child +busybox \(supervised\) "
says out "^ +counted for the whole tree of process $tree$"
gives 0 "the guardian says what it is" "$smcctl" status "$guardian"
says out "starts the supervisor of other processes again"
kill "$child" "$tree"
none_left() { ! pgrep -x smcctl-supervis; }
within 10 "the supervisor ends with them" none_left

# Rights
gives 0 "without rights" unprivileged "$smcctl" status
says out '[0-9]+ processes could not be looked into: ' "those that may not be seen are counted"
gives 77 "a process of somebody else's" unprivileged "$smcctl" status "$carrier"
lines err 1 "... is one line"
says err "^smcctl: process '$carrier': not permitted"

# --watch
timeout 3 "$smcctl" status --watch 1 --json "$carrier" >out 2>err
holds "--watch 1 prints a document a second" test "$(wc -l <out)" -ge 2 -a "$(wc -l <out)" -le 4
timeout 2 "$smcctl" status "$carrier" --watch >out 2>err
says out "^ *$carrier " "--watch at the end has its own interval"
# A name that would disturb the terminal
cp /bin/sleep $'evil\e[2Jname'
background env "$preloaded" ./$'evil\e[2Jname' 1000
gives 0 "an evil name" "$smcctl" status $pid
holds "... is escaped" sh -c '! grep -q "$(printf "\033")" out && grep -q "evil.x1b" out'
finish
