#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl sockets: wrong usage, and a kernel without SMC. What it shows is tested in the lab: tests/smc/sockets.sh.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace

for words in "--pid x" "--pid 0" "--port 0" "--port 65536" "--port x" "--cidr 10.0.0.1" "--cidr 10.0.0.0/33" "--mode smc" "--mode SMC-R" \
	"--reason x" "--reason 0" "--watch=0" "--netns a --all-netns" "--netns=" "1"; do
	# shellcheck disable=SC2086
	refuses 64 "wrong usage: smcctl sockets $words" "$smcctl" sockets $words
done
"$smcctl" sockets --reason x 2>err
says err "^smcctl: reason 'x': not a reason's code in hex and not its name; smcctl-sockets\(8\) lists them$"
gives 1 "a network namespace that is not there" "$smcctl" sockets --netns nowhere
says err "^smcctl: network namespace 'nowhere': there is none: "
if python3 -c 'import socket; socket.socket(43, socket.SOCK_STREAM)' 2>/dev/null; then
	gives 0 "a kernel with SMC" "$smcctl" sockets --json
	holds "... gives a list" json 'd["sockets"] is not None'
else
	for words in "" --json --summary --watch "--netns $$"; do
		# shellcheck disable=SC2086
		gives 3 "a kernel without SMC: smcctl sockets $words" "$smcctl" sockets $words
		says err '^smcctl: sockets: this kernel has no SMC$'
		lines out 0 "... and nothing on stdout"
	done
fi
finish
