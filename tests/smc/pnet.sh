#!/bin/bash
# SPDX-License-Identifier: MIT
# pnet list, ensure, add, del, flush on the kernel's table; what is in it, the kernel is asked by other means. Letters: peers.md, 2.2.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
here=$(dirname "$0")

table() { "$here/configure.py" table | sort; }
# table_is NAME LINE...: the whole table, as the kernel has it.
table_is() {
	local name=$1
	shift
	table >err
	[ "$(cat err)" = "$(printf '%s\n' "$@")" ]
	result $? "$name"
}
kind_is() { # KIND NAME
	"$here/connections.py" kind >out 2>err
	[ "$(cat out)" = "$1" ]
	result $? "$2"
}

for name in eth1 eth10 eth2; do ip link add "$name" type dummy && ip link set "$name" up || exit 99; done
ip netns add far && ip -n far link add eth7 type dummy || exit 99
rdma link add rxe9 type rxe netdev eth2 || exit 99
"$smcctl" pnet flush >out 2>err || exit 99

gives 0 "list of an empty table" "$smcctl" pnet list
says out '^no interface and no device has a pnet identifier$'
gives 0 "... as JSON" "$smcctl" pnet list --json
says out '^\{"entries":\[\]\}$'
gives 0 "(a) flush of an empty table is success" "$smcctl" pnet flush
says out '^the table was empty$'

gives 0 "ensure" "$smcctl" pnet ensure --interface eth10 net1
says out '^NET1: eth10 has it now$'
says out '^NET1: on eth10 alone; no RDMA or ISM device has it$'
table_is "an identifier is kept in upper case" "NET1 eth10 n/a 255"
gives 0 "(e) eth1 is not eth10" "$smcctl" pnet ensure --interface eth1 NET1
says out '^NET1: on eth10, eth1 alone; no RDMA or ISM device has it$'
table_is "... and both are in the table" "NET1 eth1 n/a 255" "NET1 eth10 n/a 255"
gives 0 "(d) ensure twice is success" "$smcctl" pnet ensure --interface eth1 net1
says out '^NET1: eth1 has it already$' "... and says so"
table_is "... and changes nothing" "NET1 eth1 n/a 255" "NET1 eth10 n/a 255"
gives 0 "... for everyone, as nothing has to change" unprivileged "$smcctl" pnet ensure --interface eth1 net1
gives 1 "add of what is there" "$smcctl" pnet add --interface eth1 NET1
says err "^smcctl: interface 'eth1': has the pnet identifier NET1 already; pnet ensure takes that for success$"
gives 1 "ensure of another identifier" "$smcctl" pnet ensure --interface eth1 NET2
says err "^smcctl: interface 'eth1': has the pnet identifier NET1; smcctl pnet del NET1 takes it from all that have it$"
ip link property add dev eth1 altname long1 || exit 99
gives 0 "another name of the interface is the same interface" "$smcctl" pnet ensure --interface long1 NET1
says out '^NET1: eth1 has it already$'

gives 1 "an interface that is not there" "$smcctl" pnet ensure --interface eth3 NET3
says err "^smcctl: interface 'eth3': not in this network namespace \(ip link shows what is\); --force enters it all the same$"
lines err 1 "... is one line"
gives 0 "... with --force" "$smcctl" pnet ensure --interface eth3 --force NET3
says out '^NET3: on eth3 \(not there now\) alone; no RDMA or ISM device has it$'
gives 1 "(e) a device that is not there" "$smcctl" pnet ensure --device mlx5_9 NET3
says err "^smcctl: device 'mlx5_9': neither an RDMA nor an ISM device of this machine .*; --force enters it all the same$"
gives 1 "a port that is not there" "$smcctl" pnet ensure --device rxe9 --port 2 NET3
says err "^smcctl: device 'rxe9': has no port 2$"
gives 1 "loopback-ism has no second port" "$smcctl" pnet ensure --device loopback-ism --port 2 NET3
gives 1 "nothing is done when one of two is wrong" "$smcctl" pnet ensure --device mlx5_9 --interface eth2 NET3
table_is "... the table is as before" "NET1 eth1 n/a 255" "NET1 eth10 n/a 255" "NET3 eth3 n/a 255"

gives 0 "an RDMA device" "$smcctl" pnet ensure --device rxe9 --port 1 NET3
says out '^NET3: rxe9 port 1 has it now$'
says out '^NET3: shared by eth3 \(not there now\) and rxe9 port 1$'
gives 0 "... again" "$smcctl" pnet ensure --device rxe9 NET3
says out '^NET3: rxe9 port 1 has it already$'
gives 1 "... under another identifier" "$smcctl" pnet ensure --device rxe9 NET4
says err "^smcctl: device 'rxe9': has the pnet identifier NET3; smcctl pnet del NET3 "
gives 1 "the kernel has one entry for both ports" "$smcctl" pnet ensure --device rxe9 --port 2 --force NET3
says err "^smcctl: device 'rxe9': the kernel keeps one entry for a device, and port 1 has NET3; smcctl pnet del NET3 "
gives 0 "both in one go, one of them there" "$smcctl" pnet ensure --device rxe9 --interface eth2 net3
says out '^NET3: rxe9 port 1 has it already$'
says out '^NET3: eth2 has it now$'
table_is "the kernel's table" "NET1 eth1 n/a 255" "NET1 eth10 n/a 255" "NET3 eth2 n/a 255" "NET3 eth3 n/a 255" "NET3 n/a rxe9 1"
gives 0 "(d) list as JSON" "$smcctl" pnet list --json
printf '{"entries":[%s,%s,%s,%s,%s]}\n' \
	'{"id":"NET1","interface":"eth10","device":null,"port":null,"present":true,"shared":false}' \
	'{"id":"NET1","interface":"eth1","device":null,"port":null,"present":true,"shared":false}' \
	'{"id":"NET3","interface":"eth3","device":null,"port":null,"present":false,"shared":true}' \
	'{"id":"NET3","interface":null,"device":"rxe9","port":1,"present":true,"shared":true}' \
	'{"id":"NET3","interface":"eth2","device":null,"port":null,"present":true,"shared":true}' >golden
holds "... to the letter" diff out golden
gives 0 "list" unprivileged "$smcctl" pnet list
says out '^PNETID  INTERFACE  DEVICE  PORT  PRESENT  SHARED$'
says out '^NET3    eth3       -       -     no       yes$'

gives 0 "(d) another network namespace has its own table" "$smcctl" pnet list --netns far
says out '^no interface and no device has a pnet identifier$'
gives 1 "... and its own interfaces" "$smcctl" pnet ensure --netns far --interface eth1 NET3
gives 0 "... and sees the RDMA devices of all" "$smcctl" pnet ensure --netns far --interface eth7 --device rxe9 NET3
says out '^NET3: shared by eth7 and rxe9 port 1$'
gives 0 "... with its interface alone" "$smcctl" pnet list --netns far --json
json 'd["entries"] == [{"id": "NET3", "interface": "eth7", "device": None, "port": None, "present": True, "shared": True}]'
result $? "... in its list"
gives 1 "... but cannot enter a device" "$smcctl" pnet ensure --netns far --device loopback-ism FAR
says err "^smcctl: device 'loopback-ism': devices get pnet identifiers in the machine's first network namespace only"
lines err 1 "... in one line"
gives 0 "del there" "$smcctl" pnet del --netns far NET3
gives 0 "... leaves this one alone" "$smcctl" pnet list
says out '^NET3    eth2 '
ip netns exec far sleep 60 &
sleeper=$!
until [ "$(ip netns pids far)" ]; do sleep 0.1; done
gives 0 "a network namespace by its process" "$smcctl" pnet ensure --netns "$sleeper" --interface eth7 FAR
says out '^FAR: on eth7 alone; no RDMA or ISM device has it, but whether loopback-ism has cannot be seen from here$'
gives 0 "... where it is not known what loopback-ism has" "$smcctl" pnet list --netns far --json
json 'd["entries"][0]["shared"] is None'
result $? "... and not claimed"
kill "$sleeper"
wait "$sleeper" 2>/dev/null
gives 1 "a network namespace that is gone" "$smcctl" pnet list --netns gone
says err "^smcctl: network namespace 'gone': there is none"

for words in "ensure --interface eth4 --force NEW" "add --interface eth4 --force NEW" "del NET1" "flush"; do
	# shellcheck disable=SC2086
	gives 77 "(a) without rights: pnet $words" unprivileged "$smcctl" pnet $words
	lines err 1 "... is one line"
	says err ': Operation not permitted: the kernel wants CAP_NET_ADMIN outside of user namespaces'
done
gives 77 "root of a user namespace is nobody here" unshare -Ur "$smcctl" pnet flush
lines err 1 "... in one line"
table_is "... and the table is as before" "NET1 eth1 n/a 255" "NET1 eth10 n/a 255" "NET3 eth2 n/a 255" "NET3 eth3 n/a 255" \
	"NET3 n/a rxe9 1"

# Two at once: the other one enters it when this one has read the table, and looks for the interface.
cat >other.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
unsigned int if_nametoindex(const char *name)
{
	char *other = getenv("OTHER");
	unsetenv("LD_PRELOAD");
	if (other && unsetenv("OTHER") == 0 && system(other) != 0)
		abort();
	return ((unsigned int (*)(const char *))dlsym(RTLD_NEXT, "if_nametoindex"))(name);
}
END
cc -shared -fPIC -o other.so other.c || exit 99
ip link add eth5 type dummy || exit 99
at_once() { # COMMAND OF THE OTHER, ARGUMENT...
	env LD_PRELOAD="${asan:+$asan:}$PWD/other.so" OTHER="'$smcctl' pnet $1 >other.out" "$smcctl" pnet "${@:2}"
}
gives 0 "ensure while another one enters the same" at_once "ensure --interface eth5 NET5" ensure --interface eth5 NET5
says other.out '^NET5: eth5 has it now$' "... which the other did"
says out '^NET5: eth5 has it already$'
says out '^NET5: on eth5 alone; '
gives 0 "del of it" "$smcctl" pnet del NET5
gives 1 "... while it enters another identifier" at_once "ensure --interface eth5 NET6" ensure --interface eth5 NET5
says err "^smcctl: interface 'eth5': has another pnet identifier: from its hardware, or entered this moment$"
gives 0 "del of that" "$smcctl" pnet del NET6
gives 1 "add while another one enters the same" at_once "ensure --interface eth5 NET5" add --interface eth5 NET5
gives 0 "del of it again" "$smcctl" pnet del NET5

gives 0 "del" "$smcctl" pnet del net3
says out '^rxe9 port 1 has no pnet identifier any more$'
table_is "... takes it from all that had it" "NET1 eth1 n/a 255" "NET1 eth10 n/a 255"
gives 1 "del of what is not there" "$smcctl" pnet del NET3
says err "^smcctl: pnet identifier 'NET3': nothing has it in this network namespace; smcctl pnet list shows what there is$"
gives 0 "flush" "$smcctl" pnet flush
says out '^entries removed: 2$'
table >out
lines out 0 "... empties the table"

# More than one message of a dump.
# shellcheck disable=SC2046
"$here/configure.py" pnet $(seq -f 'MANY=netdev:many%g' 300) || exit 99
gives 0 "a table of 300" "$smcctl" pnet list --json
json 'len(d["entries"]) == 300 and len({e["interface"] for e in d["entries"]}) == 300'
result $? "... is listed whole, each once"
gives 0 "... and flushed" "$smcctl" pnet flush
says out '^entries removed: 300$'

# An interface that stands upon another
ip link add bond9 type bond && ip link set eth10 down && ip link set eth10 master bond9 && ip link add bond9.7 link bond9 type vlan id 7 || exit 99
gives 0 "a VLAN on a bond" "$smcctl" pnet ensure --interface bond9.7 VLAN
says err '^smcctl: bond9.7 stands on eth10, where SMC looks first and older kernels only, and that has none; smcctl pnet ensure --interface eth10 VLAN gives it the same$'
gives 0 "... what it says" "$smcctl" pnet ensure --interface eth10 VLAN
lines err 0 "... leaves nothing to say"
gives 0 "... then of the VLAN neither" "$smcctl" pnet ensure --interface bond9.7 VLAN
lines err 0 "... is anything said"
gives 0 "the bond, with another" "$smcctl" pnet ensure --interface bond9 BOND
says err '^smcctl: bond9 stands on eth10, where SMC looks first and older kernels only, and that has VLAN; '
ip -n far link add bond9 type dummy || exit 99
gives 0 "of another network namespace nothing is said" "$smcctl" pnet ensure --netns far --interface bond9 FAR
lines err 0 "... by what is here"
gives 0 "... and flushed there" "$smcctl" pnet flush --netns far
gives 0 "... and here" "$smcctl" pnet flush

kind_is smc "loopback-ism serves the connections of this machine"
gives 0 "loopback-ism gets an identifier" "$smcctl" pnet ensure --device loopback-ism --interface lo LOOP
says out '^LOOP: shared by lo and loopback-ism$'
says err '^smcctl: with a pnet identifier the kernel leaves loopback-ism unused' "... with a warning"
kind_is tcp "... for it serves none of them then"
gives 0 "without identifier" "$smcctl" pnet del LOOP
kind_is smc "... it does again"

rdma link delete rxe9
for name in eth1 eth10 eth2; do ip link delete "$name"; done
ip netns delete far
finish
