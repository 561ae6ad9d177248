#!/bin/bash
# SPDX-License-Identifier: MIT
# A kernel whose module smc is not there: every command says so, in one line, and with the exit status of what cannot be.
# Modes: nosmc
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99

for words in "pnet list" "pnet list --json" "pnet ensure --interface lo A" "pnet add --interface lo A" "pnet del A" "pnet flush" \
	"eid list" "eid ensure A" "eid add A" "eid del A" "eid flush" "eid system on" "eid system off" \
	"hs-limit show" "hs-limit on" "hs-limit off" "device list" "linkgroup list --links" "stats" "stats --interval 1" \
	"sockets" "sockets --summary --json" "sockets --watch" "sockets --all-netns"; do
	# shellcheck disable=SC2086
	gives 3 "$words" "$smcctl" $words
	lines err 1 "... is one line"
	says err '^smcctl: .*: this kernel has no SMC'
	lines out 0 "... and nothing on stdout"
done
holds "... and no module came of it" test ! -e /sys/module/smc
finish
