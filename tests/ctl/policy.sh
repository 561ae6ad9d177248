#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl policy check, apply, show, test, on, off, observe, on files that are fine.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace

cat >/etc/smc/policy.json <<'END'
{ "version": 1, "rules": [
  { "use": "smc", "connect": "10.0.0.0/8" },
  { "use": "tcp", "connect": "10.0.3.0/24", "ports": "3306", "note": "echoes options" },
  { "use": "smc", "connect": ["192.168.7.0/24", "fd00:7::/64"], "ports": "6379,7000-7005" },
  { "use": "smc", "listen": "any", "ports": 6379 } ],
  "programs": { "except": ["sshd", "cron*"] }, "buffers": "1M" }
END

# Before anything is applied
gives 0 "check" "$smcctl" policy check
says out '^/etc/smc/policy.json: fine \(4 rules, 6 CIDRs\)$'
gives 0 "check --json" "$smcctl" policy check --json
holds "... is JSON" json 'd["valid"] and d["rules"] == 4 and d["errors"] == []'
holds "check touches nothing" test ! -e /run/smc
gives 1 "show without a table" "$smcctl" policy show
says err "^smcctl: table '/run/smc/policy': there is none; smcctl policy apply$"
gives 1 "off without a table" "$smcctl" policy off
gives 0 "test without a table asks the file" "$smcctl" policy test 10.0.3.7:3306
says out '^connect 10\.0\.3\.7:3306: TCP$'
says out 'not what is in force'
gives 0 "test from the file" "$smcctl" policy test 10.1.1.1:80
says out '^connect 10\.1\.1\.1:80: SMC$'
holds "test touches nothing" test ! -e /run/smc

# apply
umask 077
gives 0 "apply" "$smcctl" policy apply
says out '^/run/smc/policy: applied /etc/smc/policy.json \(4 rules, 6 CIDRs\), state on$'
says out '^kernel: '

# A kernel that makes TCP sockets SMC itself, played by a library: its sockets say so.
cat >converts.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/socket.h>
int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	int (*real)(int, int, int, void *, socklen_t *) = (int (*)(int, int, int, void *, socklen_t *))dlsym(RTLD_NEXT, "getsockopt");
	int r = real(fd, level, name, value, len);
	if (r == 0 && level == SOL_SOCKET && name == SO_PROTOCOL && *(int *)value == 6)
		*(int *)value = 256;
	return r;
}
END
cc -shared -fPIC -o converts.so converts.c || exit 99
mkdir "$dir/etc/smc/other"
echo '{ "version": 1, "rules": [ { "use": "smc", "connect": "10.0.0.0/8" } ] }' >/etc/smc/other/policy.json
gives 0 "apply where the kernel converts by itself" env LD_PRELOAD="${asan:+$asan:}$PWD/converts.so" XDG_RUNTIME_DIR="$PWD" \
	"$smcctl" policy apply /etc/smc/other/policy.json
says err "^smcctl: the policy stands down: this kernel makes TCP sockets SMC by itself, .*net\.smc\.tcp2smc=0"
says out '^kernel: no SMC$'

for limit in 1048575 1048576; do
	for name in wmem_max rmem_max; do
		echo $limit >$name
		mount --bind $name /proc/sys/net/core/$name || exit 99
	done
	gives 0 "apply where the kernel's limit is $limit" "$smcctl" policy apply
	grep "buffers of" err >said
	if [ $limit = 1048575 ]; then
		lines said 2 "... says that it is below the buffers"
		says said "^smcctl: buffers of 1048576 bytes: programs without CAP_NET_ADMIN get 1048575; sysctl -w net\.core\.wmem_max=1048576$"
	else
		lines said 0 "... says nothing of the buffers"
	fi
	umount /proc/sys/net/core/wmem_max /proc/sys/net/core/rmem_max
done
holds "the directory is for all to read" test "$(stat -c %a /run/smc)" = 755
holds "so is the table" test "$(stat -c %a /run/smc/policy)" = 644
umask 022
gives 0 "show" "$smcctl" policy show --json
holds "... is what was applied" json 'd["table"] == "/run/smc/policy" and d["state"] == "on" and d["file_same"]
	and d["sequence"] == 1 and d["rule_count"] == 4 and d["cidr_count"] == 6 and d["buffers"] == 1048576
	and d["program_mode"] == "except" and d["programs"] == ["sshd", "cron*"] and len(d["rules"]) == 4'
holds "... with its rules" json 'd["rules"][2] == {"rule": 3, "line": 4, "use": "smc", "role": "connect",
	"cidrs": ["192.168.7.0/24", "fd00:7::/64"], "ports": ["6379", "7000-7005"]} and d["rules"][1]["note"] == "echoes options"'
cp out before
gives 0 "apply again" "$smcctl" policy apply
says out '^/run/smc/policy: unchanged, has /etc/smc/policy.json'
gives 0 "show again" "$smcctl" policy show --json
holds "... publishes nothing" cmp out before
gives 0 "show as text" "$smcctl" policy show
says out '^rules +4, with 6 CIDRs$'
says out '^ +2 +3 +tcp +connect +10\.0\.3\.0/24 +3306 +echoes options$'
says out '^all except +sshd, cron\*$'

# Has the kernel SMC? The answer of the probe must be what a socket says, and a missing SMC must be said.
smc=$(python3 -c 'import socket
try: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 256); print("yes")
except OSError:
    try: socket.socket(43, socket.SOCK_STREAM, 0); print("yes")
    except OSError: print("no")')
gives 0 "apply says what the kernel can do" "$smcctl" policy apply
if [ "$smc" = yes ]; then
	says out '^kernel: .*SMC.*; downgrade in place works and keeps epoll$'
	lines err 0 "... and warns of nothing"
else
	says out '^kernel: no SMC$'
	says err '^smcctl: every connection stays TCP: this kernel has no SMC; modprobe smc'
fi

# on, off, observe
gives 0 "off" "$smcctl" policy off
says out '^/run/smc/policy: on -> off$'
gives 0 "apply while off" "$smcctl" policy apply
says out 'state off$' "... keeps the state"
says err 'the state is off; smcctl policy on$' "... and says so"
gives 0 "observe" "$smcctl" policy observe
says out '^/run/smc/policy: off -> observe$'
gives 0 "apply while observing" "$smcctl" policy apply
says err 'the state is observe'
gives 0 "test while observing" "$smcctl" policy test 10.1.1.1:80
says out '^connect 10\.1\.1\.1:80: TCP$'
says out 'the state is observe: it is only counted'
gives 0 "on" "$smcctl" policy on --policy /etc/smc/policy.json
says out '^/run/smc/policy: observe -> on$'
gives 0 "on again" "$smcctl" policy on
says out '^/run/smc/policy: on -> on$'

# test: each kind of reason
decides() { # EXPECTED ARGUMENTS... : what the rules say, the reason, the rule
	local expected=$1
	shift
	gives 0 "test $*" "$smcctl" policy test --json "$@"
	holds "... says $expected" json "'%s %s %s' % (d['rules_say'], d['reason'], d['rule']) == '$expected'"
}
decides "tcp rule 2" 10.0.3.7:3306
holds "all candidates are told, the deciding one first" json '[(c["rule"], c["line"], c["decides"]) for c in d["candidates"]] ==
	[(2, 3, True), (1, 2, False)]'
holds "in words" json '"rule 2 (line 3)" in d["why"]'
decides "smc rule 1" 10.0.3.7:3307
decides "smc rule 1" 10.0.3.7
decides "smc rule 3" '[fd00:7::1]:6379'
decides "smc rule 3" '[fd00:7::1]:7003'
decides "tcp none None" '[fd00:7::1]:7006'
decides "tcp none None" fd00:7::1
decides "tcp none None" 8.8.8.8:53
decides "tcp builtin None" 169.254.1.1:80
decides "tcp builtin None" 100.100.100.200:80
decides "smc rule 1" '[::ffff:10.1.1.1]:5'
decides "smc rule 4" --listen 0.0.0.0:6379
decides "smc rule 4" --listen '[::]:6379'
decides "smc rule 4" --listen 192.0.2.1:6379
decides "tcp none None" --listen 192.0.2.1:6380
gives 0 "test of a wildcard listener" "$smcctl" policy test --listen 0.0.0.0:6379
says out 'a wildcard listener is matched by /0 rules only'
gives 0 "test without a port" "$smcctl" policy test fd00:7::1
says out 'No port given: .* \[fd00:7::1\]:PORT'
gives 0 "test of a program outside" "$smcctl" policy test --json --program crond 10.1.1.1:80
holds "... is TCP" json 'd["use"] == "tcp" and any("outside" in a for a in d["above"])'
gives 0 "test of a program inside" "$smcctl" policy test --json --program redis-server 10.1.1.1:80
holds "... is not TCP for that" json 'not any("outside" in a for a in d["above"])'
gives 0 "test --file" "$smcctl" policy test --json --file /etc/smc/policy.json 10.1.1.1:80
holds "... asks the file" json 'd["use"] == "smc" and not d["in_force"]'

# The file changes under the table
echo '{"version":1,"rules":[{"use":"tcp","connect":"10.0.0.0/8"}]}' >/etc/smc/policy.json
gives 0 "show after an edit" "$smcctl" policy show --json
holds "... says that the file has changed" json 'not d["file_same"] and "rules" not in d and d["rule_count"] == 4'
gives 0 "test after an edit asks the table" "$smcctl" policy test 10.0.3.7:3306
says out '^why +rule 2 of the policy in force$'
says out 'has changed since'
gives 0 "test --file asks the file" "$smcctl" policy test --json --file /etc/smc/policy.json 10.0.3.7:3306
holds "... indeed" json 'd["rule"] == 1 and d["rules_say"] == "tcp"'
gives 0 "apply of the edit" "$smcctl" policy apply
says out ': applied '
mv /etc/smc/policy.json moved.json
gives 0 "show without the file" "$smcctl" policy show
says out 'is gone since'

# Other files have their own tables
gives 0 "apply of another file" "$smcctl" policy apply moved.json
table=$(sed -n 's/: applied .*//p' out)
holds "... has another table" test -n "$table" -a "$table" != /run/smc/policy -a -s "$table"
gives 0 "the same by another name" "$smcctl" policy apply --policy ../t/./moved.json
says out "^$table: unchanged, has "
gives 0 "off of the one" "$smcctl" policy off --policy moved.json
gives 0 "leaves the other" "$smcctl" policy show
says out '^state +on$'
mkdir runtime
gives 0 "XDG_RUNTIME_DIR" env XDG_RUNTIME_DIR="$PWD/runtime" "$smcctl" policy apply moved.json
says out "^$PWD/runtime/smc/moved.json-"
# The kill switch tells what other tables are still on, in sight of this user, and --all reaches them.
many_users() { [ "$(awk '{print $3; exit}' /proc/self/uid_map)" -gt 65534 ]; }
rm -rf runtime "$table"
mkdir -p "/etc/smc/b c" /run/user/7
touch /run/smc/not-a-table && ln -s policy /run/smc/link
for file in /etc/smc/policy.json "/etc/smc/b c/policy.json" /etc/smc/seen.json; do
	cp moved.json "$file"
done
applied() { sed -n 's/: applied .*//p' out; }
gives 0 "apply of the default file" "$smcctl" policy apply
gives 0 "off while no other table is on" "$smcctl" policy off
lines err 0 "... tells of none"
gives 0 "a second policy" "$smcctl" policy apply /etc/smc/other/policy.json
second=$(applied)
gives 0 "one whose name a shell would not take" "$smcctl" policy apply "/etc/smc/b c/policy.json"
third=$(applied)
gives 0 "one that only counts" "$smcctl" policy apply /etc/smc/seen.json
gives 0 "... is switched so" "$smcctl" policy observe /etc/smc/seen.json
lines err 0 "... which tells of no others"
gives 0 "one of a user" env XDG_RUNTIME_DIR=/run/user/7 "$smcctl" policy apply moved.json
theirs=$(applied)
! many_users || chown -R 7 /run/user/7
gives 0 "off while others are on" "$smcctl" policy off
says out '^/run/smc/policy: off -> off$'
says err "^smcctl: table '$second' is still on; smcctl policy off /etc/smc/other/policy\.json$"
says err "^smcctl: table '$third' is still on; smcctl policy off --all$"
says err "^smcctl: table '$theirs' is still on; smcctl policy off --all$"
lines err 3 "... and nothing of what is no table, or keeps all on TCP"
gives 0 "off as it says" "$smcctl" policy off /etc/smc/other/policy.json
says out "^$second: on -> off$"
lines err 2 "... leaves two"
gives 64 "off --all takes no file" "$smcctl" policy off --all /etc/smc/policy.json
gives 0 "off --all" "$smcctl" policy off --all
says out "^/run/smc/policy: off -> off$"
says out "^$third: on -> off$"
says out "^$theirs: on -> off$"
says out "^/run/smc/seen\.json-[0-9a-f]+: observe -> off$"
lines out 5 "... and those are all"
lines err 0 "... without a complaint"
gives 0 "on --all" "$smcctl" policy on --all
says out "^/run/smc/policy: off -> on$"
says out "^$theirs: off -> on$"
if many_users; then
	mkdir runtime && chown 65534 runtime && chmod 755 . "$dir"
	gives 0 "a table of an ordinary user" unprivileged env XDG_RUNTIME_DIR="$PWD/runtime" "$smcctl" policy apply /etc/smc/seen.json
	gives 0 "their kill switch" unprivileged env XDG_RUNTIME_DIR="$PWD/runtime" "$smcctl" policy off /etc/smc/seen.json
	says out "^$PWD/runtime/smc/seen\.json-[0-9a-f]+: on -> off$"
	says err "^smcctl: table '/run/smc/policy' is still on, and not yours; as root: smcctl policy off --all$"
	gives 5 "with --all" unprivileged env XDG_RUNTIME_DIR="$PWD/runtime" "$smcctl" policy off --all
	says out "^$PWD/runtime/smc/seen\.json-[0-9a-f]+: off -> off$"
	says err "^smcctl: table '/run/smc/policy': Permission denied; run as root, or as its owner$"
fi
printf '\143' | dd of="$second" bs=1 seek=8 conv=notrunc status=none
gives 5 "off --all with a table of another version" "$smcctl" policy off --all
says out "^/run/smc/policy: on -> off$"
says err "^smcctl: table '$second': is the table of another version"
gives 0 "off beside it" "$smcctl" policy off
says err "^smcctl: table '$second' may still be on: is the table of another version"
rm -r /run/smc /run/user
gives 1 "off --all without a table" "$smcctl" policy off --all
says err "^smcctl: tables: there are none; smcctl policy apply$"

# Two writers at once: each publication has a number of its own, so none is lost under another.
cp moved.json /etc/smc/policy.json
gives 0 "apply again" "$smcctl" policy apply
gives 0 "its number" "$smcctl" policy show --json
before=$(sed 's/.*"sequence":\([0-9]*\).*/\1/' out)
writer() { # NAME: its exit status is 0 if each of its own was
	local i
	for i in {1..25}; do
		printf '{"version": 1, "rules": [{"use": "smc", "connect": "10.0.0.0/8", "note": "%s %s"}]}\n' "$1" "$i" >"/etc/smc/$1" &&
			mv "/etc/smc/$1" /etc/smc/policy.json && "$smcctl" policy apply >>"$1.out" || return 1
	done
}
writer a & first=$!
writer b & second=$!
gives 0 "one writer of two" wait $first
gives 0 "the other" wait $second
gives 0 "what is in force" "$smcctl" policy show --json
holds "... had as many publications as the two said" json "d['sequence'] - $before == $(cat a.out b.out | grep -c ': applied ')"
chmod 755 . "$dir"
cp moved.json /etc/smc/policy.json
gives 0 "anybody may show and test" unprivileged "$smcctl" policy show
gives 0 "... test" unprivileged "$smcctl" policy test 10.0.0.1:1
finish
