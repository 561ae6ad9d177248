#!/bin/bash
# SPDX-License-Identifier: MIT
# eid list, ensure, add, del, flush, system on the kernel's table, which is one for the whole machine.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
here=$(dirname "$0")
long=A.REALLY-LONG.EID-OF.32.LETTERS0
ip netns add far || exit 99

kind_is() { # KIND NAME
	"$here/connections.py" kind >out 2>err
	[ "$(cat out)" = "$1" ]
	result $? "$2"
}

gives 0 "flush" "$smcctl" eid flush
kind_is tcp "without an EID there is no SMC of version 2"
gives 0 "flush of an empty table" "$smcctl" eid flush
says out '^the table was empty$'
gives 0 "list of an empty table" "$smcctl" eid list
says out '^scope        this machine, all its network namespaces$'
says out '^user EIDs    none$'
says out '^system EID   none$'
gives 0 "... as JSON" "$smcctl" eid list --json
says out '^\{"scope":"machine","user":\[\],"system":null\}$'

gives 0 "ensure" "$smcctl" eid ensure LAB-1
says out '^LAB-1: added; scope: this machine, all its network namespaces$'
kind_is smc "with an EID there is"
gives 0 "ensure twice" "$smcctl" eid ensure LAB-1
says out '^LAB-1: there already; '
gives 0 "... needs no rights" unprivileged "$smcctl" eid ensure LAB-1
gives 1 "add of what is there" "$smcctl" eid add LAB-1
says err "^smcctl: EID 'LAB-1': there already; eid ensure takes that for success$"
gives 0 "a network namespace has the same ones" ip netns exec far "$smcctl" eid list --json
says out '"user":\["LAB-1"\]'
gives 0 "the longest EID, blanks at its end" "$smcctl" eid add "$long  "
says out "^$long: added;"
gives 0 "a third" "$smcctl" eid add 3
gives 0 "a fourth" "$smcctl" eid ensure LAB-4
gives 1 "a fifth does not fit" "$smcctl" eid ensure LAB-5
says err "^smcctl: EID 'LAB-5': the table is full, this kernel holds 4 user EIDs; smcctl eid del one of them first$"
gives 0 "... but the fourth is there" "$smcctl" eid ensure LAB-4
gives 0 "list" unprivileged "$smcctl" eid list
says out "^user EIDs    LAB-1, $long, 3, LAB-4$"
gives 0 "... as JSON" "$smcctl" eid list --json
echo "{\"scope\":\"machine\",\"user\":[\"LAB-1\",\"$long\",\"3\",\"LAB-4\"],\"system\":null}" >golden
holds "... to the letter" diff out golden

for words in "ensure NEW" "add NEW" "del LAB-1" "flush" "system on" "system off"; do
	# A full table is full for everyone.
	[ "$words" != "ensure NEW" ] || "$smcctl" eid del 3 >out
	# shellcheck disable=SC2086
	gives 77 "without rights: eid $words" unprivileged "$smcctl" eid $words
	lines err 1 "... is one line"
	says err ': Operation not permitted: the kernel wants CAP_NET_ADMIN '
done
gives 3 "system on" "$smcctl" eid system on
says err "^smcctl: system EID 'on': only machines of s390 have one; "
gives 3 "system off" "$smcctl" eid system off
lines err 1 "... is one line"
gives 1 "del of what is not there" "$smcctl" eid del LAB-5
says err "^smcctl: EID 'LAB-5': not in the table; smcctl eid list shows what is$"
gives 0 "del" "$smcctl" eid del LAB-1
says out '^LAB-1: removed; scope: '
gives 0 "flush" "$smcctl" eid flush
says out '^user EIDs removed: 2; scope: '
gives 0 "del of the last one" "$smcctl" eid ensure LAST
gives 0 "... is success" "$smcctl" eid del LAST

"$smcctl" eid ensure SMCSHIM-LAB >out || exit 99
ip netns delete far
finish
