#!/bin/bash
# SPDX-License-Identifier: MIT
# --netns of all commands that have it: namespaces that were never there, are gone, are somebody else's, or are no such thing.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace

ip netns add far || exit 99
touch /run/netns/left && mkfifo fifo
sleep 0 &
wait $!
gone=$!
commands=("pnet list" "pnet ensure --interface lo A" "pnet add --interface lo A" "pnet del A" "pnet flush" "hs-limit show" "hs-limit on"
	"hs-limit off" "device list" "linkgroup list" "stats" "sockets")
for words in "${commands[@]}"; do
	read -ra command <<<"$words"
	refuses 1 "no such network namespace: $words" "$smcctl" "${command[@]}" --netns never
	refuses 1 "its name is left over: $words" "$smcctl" "${command[@]}" --netns left
	says err "^smcctl: network namespace 'left': /run/netns/left is no network namespace$"
	refuses 1 "its process has ended: $words" "$smcctl" "${command[@]}" --netns "$gone"
	refuses 1 "a FIFO does not hang: $words" timeout 10 "$smcctl" "${command[@]}" --netns ./fifo
	refuses 77 "not permitted: $words" unprivileged "$smcctl" "${command[@]}" --netns far
done
# ip has mounted it upon itself.
ip netns delete far && umount /run/netns
finish
