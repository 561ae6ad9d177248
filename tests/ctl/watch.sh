#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl policy watch: every way in which a file changes, bad files, the end by a signal.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
policy() { # NUMBER of rules
	python3 -c 'import sys; print("{\"version\":1,\"rules\":[" + ",".join("{\"use\":\"smc\",\"connect\":\"10.%d.0.0/16\"}" % i
		for i in range(int(sys.argv[1]))) + "]}")' "$1"
}
show() { "$smcctl" policy show --json "$file" 2>/dev/null; }
rules_are() { show | grep -q "\"rule_count\":$1,"; }
sequence() { show | sed 's/.*"sequence":\([0-9]*\).*/\1/'; }
start() { # FILE
	file=$1
	: >wout
	: >werr
	"$smcctl" policy watch "$file" >>wout 2>>werr &
	watcher=$! children=$!
}
ended() { ! kill -0 "$watcher" 2>/dev/null; }
stop() { # SIGNAL
	kill -"$1" "$watcher"
	within 5 "SIG$1 ends it" ended
	wait "$watcher"
	result $? "... with exit status 0"
}
wants() { within 5 "$2" rules_are "$1"; }

# A plain file
policy 1 >/etc/smc/policy.json
start /etc/smc/policy.json
wants 1 "applied at the start"
policy 2 >/etc/smc/policy.json
wants 2 "written in place"
policy 3 >/etc/smc/new && mv /etc/smc/new /etc/smc/policy.json
wants 3 "replaced by mv"
policy 4 >/etc/smc/.policy.json.swp && mv /etc/smc/policy.json /etc/smc/policy.json~ && mv /etc/smc/.policy.json.swp /etc/smc/policy.json
wants 4 "an editor that renames twice"
: >werr
rm /etc/smc/policy.json
within 5 "a missing file is said" grep -q 'No such file or directory; what is in force stays' werr
rules_are 4
result $? "... and the policy stays"
: >/etc/smc/policy.json && rm /etc/smc/policy.json
sleep 0.6
holds "... and is said once" test "$(grep -c 'what is in force stays' werr)" = 1
policy 5 >/etc/smc/policy.json
wants 5 "made again"
before=$(sequence) said=$(wc -l <wout)
touch /etc/smc/policy.json
cat /etc/smc/policy.json >copy && cat copy >/etc/smc/policy.json
: >/etc/smc/other
sleep 0.6
holds "an edit that changes nothing publishes nothing" test "$(sequence)" = "$before"
holds "... and says nothing" test "$(wc -l <wout)" = "$said"

# A bad file is said once
: >werr
echo '{ "version": 2 }' >/etc/smc/policy.json
within 5 "a bad file is said" grep -q "^smcctl: policy '/etc/smc/policy.json': .*nothing was changed" werr
touch /etc/smc/policy.json
echo '{ "version": 2 }' >/etc/smc/policy.json
sleep 0.6
holds "... once" test "$(grep -c '^smcctl: policy' werr)" = 1
rules_are 5
result $? "... and the policy before stays in force"
policy 6 >/etc/smc/policy.json
wants 6 "a good one after it"
echo '{' >/etc/smc/policy.json
within 5 "another bad one is said" eval 'test "$(grep -c "^smcctl: policy" werr)" = 2' 
before=$(sequence)
policy 6 >/etc/smc/policy.json
within 5 "back to the one in force" grep -q ': unchanged (6 rules' wout
holds "... publishes nothing" test "$(sequence)" = "$before"

# The directory itself is replaced
mkdir /etc/smc2 && policy 7 >/etc/smc2/policy.json
mv /etc/smc /etc/smc.old && mv /etc/smc2 /etc/smc
wants 7 "the directory was replaced"
# Much at once: it ends with the last one.
for i in 8 9 10 11 12; do policy $i >/etc/smc/new && mv /etc/smc/new /etc/smc/policy.json; done
wants 12 "many changes in a row"
stop TERM

# A Kubernetes ConfigMap: policy.json -> ..data/policy.json, ..data -> ..TIME
mkdir -p map/..1 && policy 1 >map/..1/policy.json && ln -s ..1 map/..data && ln -s ..data/policy.json map/policy.json
start "$PWD/map/policy.json"
wants 1 "a ConfigMap at the start"
table=$(ls /run/smc/policy.json-*)
for i in 2 3 4; do
	mkdir map/..$i && policy $i >map/..$i/policy.json && ln -s ..$i map/..data_tmp && mv -T map/..data_tmp map/..data
	rm -rf map/..$((i - 1))
	wants $i "a flip of the ConfigMap ($i)"
done
holds "its table is still the same" test "$(ls /run/smc/policy.json-*)" = "$table"
stop INT

# A chain of links through other directories, relative and absolute; the target far away changes
mkdir -p chain/a chain/b far && policy 1 >far/real.json
ln -s ../b/second chain/a/first && ln -s "$PWD/far/real.json" chain/b/second
start "$PWD/chain/a/first"
wants 1 "a chain of links"
policy 2 >far/new && mv far/new far/real.json
wants 2 "its end was replaced"
policy 3 >far/third.json && ln -s "$PWD/far/third.json" chain/b/new && mv -T chain/b/new chain/b/second
wants 3 "a link in the middle was replaced"
policy 4 >far/third.json
wants 4 "its new end was written to"
stop TERM

# The file comes later
mkdir late
start "$PWD/late/policy.json"
within 5 "a file that is not there yet is said" grep -q 'No such file' werr
policy 2 >late/policy.json
wants 2 "then it comes"
stop TERM

# No space: tried again by itself
mount -t tmpfs -o size=64k,mode=755 tmpfs /run/smc && dd if=/dev/zero of=/run/smc/fill bs=1k status=none 2>/dev/null
start "$PWD/late/policy.json"
within 5 "a table without space is said" grep -q '^smcctl: table ' werr
rm /run/smc/fill
within 15 "tried again by itself" rules_are 2
holds "said once" test "$(grep -c '^smcctl: table' werr)" = 1
stop TERM
umount /run/smc

gives 65 "a directory that is not there" timeout 10 "$smcctl" policy watch /nowhere/policy.json
lines err 1 "... is one line"
finish
