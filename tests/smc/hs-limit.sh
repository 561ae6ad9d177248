#!/bin/bash
# SPDX-License-Identifier: MIT
# hs-limit show, on, off; the kernel's sysctl says what is true.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
ip netns add far || exit 99

limit_is() { # VALUE NAME [COMMAND...]
	local value=$1 name=$2
	shift 2
	[ "$("$@" cat /proc/sys/net/smc/limit_smc_hs)" = "$value" ]
	result $? "$name"
}
far() { ip netns exec far "$@"; }

"$smcctl" hs-limit off >out || exit 99
gives 0 "show" unprivileged "$smcctl" hs-limit show
says out '^handshake limit: off$'
gives 0 "on" "$smcctl" hs-limit on
says out '^handshake limit: off -> on, for sockets made from now on$'
limit_is 1 "... the kernel has it"
gives 0 "on again" unprivileged "$smcctl" hs-limit on
says out '^handshake limit: on already$'
gives 0 "show as JSON" "$smcctl" hs-limit show --json
says out '^\{"enabled":true\}$'
gives 0 "another network namespace has its own" "$smcctl" hs-limit show --netns far
says out '^handshake limit: off$'
gives 0 "... off" "$smcctl" hs-limit off
limit_is 0 "... the kernel has it"
gives 0 "on there" "$smcctl" hs-limit on --netns far
limit_is 1 "... is on there" far
limit_is 0 "... and not here"
gives 77 "without rights: on" unprivileged "$smcctl" hs-limit on
lines err 1 "... is one line"
says err "^smcctl: handshake limit 'on': Operation not permitted: the kernel wants CAP_NET_ADMIN "
limit_is 0 "... and it is off as before"
ip netns delete far
finish
