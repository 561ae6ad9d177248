#!/bin/bash
# SPDX-License-Identifier: MIT
# pnet, eid and hs-limit as far as they need no SMC: wrong usage, validation, network namespaces, a kernel without SMC.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace

# Valid requests are made without rights, so that a machine that has SMC stays as it is.
if python3 -c 'import socket; socket.socket(43, socket.SOCK_STREAM)' 2>/dev/null; then
	listed=0 refused=77
else
	listed=3 refused=3
fi

wrong() { # WORD...: refused before anything is asked or done
	refuses 64 "wrong usage: smcctl$(printf " %q" "$@")" "$smcctl" "$@"
}
eid=ABCDEFGHIJKLMNOPQRSTUVWXYZ.-0123

for word in ensure add; do
	wrong pnet "$word"
	wrong pnet "$word" NET1
	says err "^smcctl: pnet identifier 'NET1': for what\? --interface, --device or both$"
	wrong pnet "$word" --interface eth1
	wrong pnet "$word" --interface eth1 A B
	wrong pnet "$word" --interface eth1 --port 1 NET1
	says err "^smcctl: option '--port': is about a --device, and there is none$" "(c) an option without use is wrong"
	wrong pnet "$word" --device mlx5_0 --port 0 NET1
	says err "^smcctl: port '0': not 1 and not 2$" "(c) --port 0 is not port 1"
	for port in 3 -1 1x 18446744073709551617 " 1"; do wrong pnet "$word" --device mlx5_0 --port "$port" NET1; done
	for name in "" . .. a/b "a b" abcdefghijklmnop $'a\nb'; do wrong pnet "$word" --interface "$name" NET1; done
	for name in "" .. ../x "$(printf 'a%.0s' {1..64})"; do wrong pnet "$word" --device "$name" NET1; done
	for id in "" " " "A B" NET-1 NET_1 'NET*' ABCDEFGHIJKLMNOPQ $'A\x01' "é"; do wrong pnet "$word" --interface lo "$id"; done
done
wrong pnet del
says err "^smcctl: command 'pnet del': PNETID is missing; try smcctl pnet del --help$" "(b) an identifier that is missing is missed"
wrong pnet del ABCDEFGHIJKLMNOPQ
wrong pnet del --interface eth1 NET1
wrong pnet flush NET1
wrong pnet list NET1
wrong pnet list --netns
for word in ensure add del; do
	wrong eid "$word"
	wrong eid "$word" A B
	for text in "" " " lower Mixed .A -A " A" A_B "A B" "${eid}4" "É" $'A\tB'; do wrong eid "$word" "$text"; done
done
wrong eid list X
wrong eid flush X
wrong eid system
wrong eid system maybe
wrong eid system ON
wrong hs-limit
wrong hs-limit on on
wrong hs-limit off --json
for word in pnet eid; do
	gives 64 "$word needs one more word" "$smcctl" "$word"
	gives 0 "$word --help" "$smcctl" "$word" --help
	says out "^  $word ensure "
done

for id in A a9 ABCDEFGHIJKLMNOP " A1 "; do gives $refused "a valid pnet identifier: '$id'" unprivileged "$smcctl" pnet del "$id"; done
for text in A 0 9.- $eid "A   "; do gives $refused "a valid EID: '$text'" unprivileged "$smcctl" eid del "$text"; done

gives 1 "a network namespace that is not there" "$smcctl" pnet list --netns gone
says err "^smcctl: network namespace 'gone': there is none: /run/netns/gone does not exist; \"ip netns list\" shows the names$"
gives 1 "a process that is not there" "$smcctl" hs-limit show --netns 4194304
echo x >file
gives 1 "a file that is no network namespace" "$smcctl" pnet flush --netns ./file
says err "is no network namespace$"
gives 77 "a network namespace of somebody else" unprivileged "$smcctl" pnet list --netns 1
lines err 1 "... is one line"

for words in "pnet list" "pnet list --json" "eid list" "eid list --json" "hs-limit show" "hs-limit show --json"; do
	# shellcheck disable=SC2086
	gives $listed "$words" unprivileged "$smcctl" $words
done
if [ $listed = 3 ]; then
	for words in "pnet list" "pnet ensure --interface lo A" "pnet add --device loopback-ism --force A" "pnet del A" "pnet flush" \
		"eid list" "eid ensure A" "eid add A" "eid del A" "eid flush" "eid system on" "eid system off" \
		"hs-limit show" "hs-limit on" "hs-limit off"; do
		# shellcheck disable=SC2086
		refuses 3 "without SMC: $words" "$smcctl" $words
	done
	says err "^smcctl: generic netlink family 'SMC_GEN_NETLINK': this kernel has no SMC, or may not load it here: modprobe smc$"
	mount -t tmpfs tmpfs /sys/module && mkdir /sys/module/smc || exit 99
	gives 3 "(f) a module smc without the family" "$smcctl" pnet list
	says err "^smcctl: generic netlink family 'SMC_PNETID': the kernel has a module smc without it: "
	umount /sys/module
fi
finish
