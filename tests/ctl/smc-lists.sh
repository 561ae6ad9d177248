#!/bin/bash
# SPDX-License-Identifier: MIT
# device list, linkgroup list and stats without a kernel's SMC: wrong words, no such network namespace, no SMC.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace

for words in "device" "device list x" "linkgroup list --link" "stats 1" "stats --interval 0" "stats --interval x" \
	"stats --count 3" "stats --interval 1 --count 0" "stats --interval 1 --since-start" "device list --netns="; do
	# shellcheck disable=SC2086
	refuses 64 "wrong usage: smcctl $words" "$smcctl" $words
done
# A kernel with SMC lists, one without says so.
python3 -c 'import socket; socket.socket(43, socket.SOCK_STREAM, 0)' 2>/dev/null && expected=0 || expected=3
for command in "device list" "linkgroup list" "stats"; do
	# shellcheck disable=SC2086
	gives 1 "$command: no such network namespace" "$smcctl" $command --netns nowhere
	says err "^smcctl: network namespace 'nowhere': there is none: /run/netns/nowhere does not exist; "
	# shellcheck disable=SC2086
	gives $expected "$command: exit $expected, as this kernel has or has not SMC" "$smcctl" $command
	[ $expected = 0 ] || says err "^smcctl: generic netlink family 'SMC_GEN_NETLINK': "
done
finish
