#!/bin/bash
# SPDX-License-Identifier: MIT
# Bad input and bad surroundings of smcctl policy: one clear line, the documented exit code, nothing half done.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
good='{"version":1,"rules":[{"use":"smc","connect":"10.0.0.0/8"}]}'
echo "$good" >/etc/smc/policy.json
one_line() { lines err 1 "... is one line"; }

# Files
for command in check apply; do
	gives 65 "$command: no such file" "$smcctl" policy $command nothing.json
	one_line
	says err "^smcctl: policy '.*nothing.json': No such file or directory"
	gives 65 "$command: no such directory" "$smcctl" policy $command nowhere/p.json
	one_line
	gives 65 "$command: a directory" "$smcctl" policy $command /etc
	one_line
	mkfifo fifo 2>/dev/null
	gives 65 "$command: a FIFO does not hang" timeout 10 "$smcctl" policy $command fifo
	one_line
	: >empty.json
	gives 65 "$command: an empty file" "$smcctl" policy $command empty.json
	says err "empty.json:1:1: "
	head -c 300 /dev/urandom >binary.json
	gives 65 "$command: no text at all" "$smcctl" policy $command binary.json
	holds "... prints nothing dangerous" sh -c '! LC_ALL=C grep -q "[^ -~]" err'
	printf '{"version":1,"rules":[\n{"use":"smx","connect":"10.0.0.1/8"},\n{"usee":"smc"}],"x":1}' >many.json
	gives 65 "$command: several errors" "$smcctl" policy $command many.json
	holds "... are all said, one a line" test "$(grep -c 'many.json:[0-9]*:[0-9]*: ' err)" -ge 4
	says err "^smcctl: policy '.*many.json': [0-9]+ errors; nothing was changed$"
	mkdir -p nobodys && chown 65534 nobodys 2>/dev/null
	chmod 755 . "$dir"
	gives 77 "$command: not readable" unprivileged env XDG_RUNTIME_DIR="$PWD/nobodys" "$smcctl" policy $command /root/secret.json
	one_line
done
gives 65 "check --json: errors" "$smcctl" policy check --json many.json
holds "... as JSON" json 'not d["valid"] and len(d["errors"]) >= 4 and d["errors"][0]["line"] == 2'
python3 -c 'print("{\"version\":1,\"rules\":[{\"use\":\"smc\",\"connect\":[" + ",".join("\"%d.%d.%d.%d/32\"" % (i>>24, i>>16&255,
	i>>8&255, i&255) for i in range(1<<28, (1<<28) + 1000001)) + "]}]}")' >huge.json
gives 65 "apply: over capacity" "$smcctl" policy apply huge.json
says err '1,?000,?000'
holds "nothing of all that was applied" test ! -e /run/smc

# The runtime directory
if [ "$(awk '{print $3; exit}' /proc/self/uid_map)" -gt 65534 ]; then
	chmod 755 . "$dir"
	gives 1 "no runtime directory" unprivileged "$smcctl" policy apply "$PWD/many.json"
	one_line
	says err 'set XDG_RUNTIME_DIR'
	mkdir private && chmod 700 private
	gives 1 "somebody else's runtime directory is not used" unprivileged env XDG_RUNTIME_DIR="$PWD/private" "$smcctl" policy apply "$PWD/many.json"
	mkdir own && chown 65534 own && echo "$good" >readable.json
	gives 0 "one's own is" unprivileged env XDG_RUNTIME_DIR="$PWD/own" "$smcctl" policy apply "$PWD/readable.json"
fi
gives 77 "no permission for /run" unprivileged "$smcctl" policy apply
one_line
says err "^smcctl: directory of '/run/smc/policy': Permission denied; run as root"
"$smcctl" policy apply >/dev/null 2>&1
for word in apply on off observe; do
	gives 77 "no permission for the table: $word" unprivileged "$smcctl" policy $word
	one_line
done
gives 0 "the policy before is in force" "$smcctl" policy show
says out '^state +on$'

# Things that are not a table
broken() { # CODE NAME: whatever stands at /run/smc/policy now
	local command
	for command in apply show on "test 10.0.0.1"; do
		# shellcheck disable=SC2086
		gives "$1" "$2: $command" "$smcctl" policy $command
		one_line
		says err "^smcctl: table '/run/smc/policy': "
	done
	rm -rf /run/smc/policy
}
cp /run/smc/policy table
printf '\002' | dd of=/run/smc/policy bs=1 seek=8 conv=notrunc status=none
gives 4 "another ABI version" "$smcctl" policy apply
one_line
holds "... is left alone" test "$(od -An -tu1 -j8 -N1 /run/smc/policy | tr -d ' ')" = 2
broken 4 "another ABI version"
echo "something else" >/run/smc/policy
broken 4 "another file"
: >/run/smc/policy
broken 4 "an empty file"
mkdir /run/smc/policy
broken 4 "a directory"
ln -s "$PWD/table" /run/smc/policy
broken 4 "a symbolic link"
holds "... is not followed" cmp -n 4096 table "$PWD/table"
cp table /run/smc/policy && chmod 666 /run/smc/policy
for word in apply on off; do
	gives 77 "a table that others can write: $word" "$smcctl" policy $word
	one_line
done
rm -rf /run/smc && : >/run/smc
gives 1 "a file in place of the directory" "$smcctl" policy apply
one_line
rm /run/smc

# Space: a table that cannot be written leaves the one before, or none.
"$smcctl" policy apply >/dev/null 2>&1
python3 -c 'print("{\"version\":1,\"rules\":[{\"use\":\"smc\",\"connect\":[" + ",".join("\"10.%d.%d.0/25\"" % (i>>8, i&255)
	for i in range(65536)) + "]}]}")' >/etc/smc/policy.json
mount -t tmpfs -o size=256k,mode=755 tmpfs /run/smc
gives 1 "a full tmpfs: apply" "$smcctl" policy apply
one_line
says err "^smcctl: table '/run/smc/policy': "
gives 1 "nothing is in force" "$smcctl" policy test 10.0.0.1
echo "$good" >/etc/smc/policy.json
gives 0 "a small policy fits" "$smcctl" policy apply
python3 -c 'print("{\"version\":1,\"rules\":[{\"use\":\"smc\",\"connect\":[" + ",".join("\"10.%d.%d.0/25\"" % (i>>8, i&255)
	for i in range(65536)) + "]}]}")' >/etc/smc/policy.json
gives 1 "the large one does not" "$smcctl" policy apply
one_line
gives 0 "the small one stays in force" "$smcctl" policy show --json
holds "... indeed" json 'd["cidr_count"] == 1 and d["sequence"] == 1'
dd if=/dev/zero of=/run/smc/fill bs=1k status=none 2>/dev/null
echo '{"version":1,"rules":[{"use":"tcp","connect":"any"}]}' >/etc/smc/policy.json
gives 1 "not a byte left" "$smcctl" policy apply
gives 0 "off works all the same" "$smcctl" policy off
umount /run/smc
finish
