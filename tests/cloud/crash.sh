#!/bin/bash
# SPDX-License-Identifier: MIT
# kill -9 at every point of the journal, on the way up and on the way down: then another run ends as if nothing had been. Simulated.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
crash=$top_builddir/tests/cloud/.libs/crash.so
in_namespace
double

killed_at() { # POINT COMMAND...: exit status of the command that is killed there
	local point=$1
	shift
	LD_PRELOAD=${asan:+$asan:}$crash CRASH_AT=$point "$smcctl" cloud "$1" --timeout 20000 "${@:2}" >out 2>err </dev/null
}

# Counts the points of a whole run: the first number at which nothing is killed any more.
every_point() { # NAME FILE-FUNCTION BEFORE COMMAND...
	local name=$1 file=$2 before=$3 n when code points=0
	shift 3
	for n in $(seq 40); do
		for when in b a; do
			"$file"
			fresh
			[ "$before" = nothing ] || cloud apply --yes stack.json >out 2>err || break 2
			killed_at "$n$when" "$@" 2>/dev/null
			code=$?
			[ $code = 137 ] || break 2
			points=$((points + 1))
			if [ "$before" = nothing ]; then
				gives 0 "$name, killed at $n$when: applied again" cloud apply --yes stack.json
				"$check" "... and each thing is there once"
			fi
			cloud destroy --yes stack.json >out 2>err
			nothing_left "$name, killed at $n$when: destroyed, nothing is left"
		done
	done 2>/dev/null
	[ $code = 0 ] && [ $points -ge 16 ]
	result $? "$name: all $points points were tried"
	no_violation
}

complete_instance() {
	world_is "$1" 'len(made("instance")) == 1 and len(made("eni")) == 1 and len(made("eip")) == 1 and len(d["ledger"]["rules"]) == 2 and
		made("instance")[0]["status"] == "Running" and made("eni")[0]["instance"] == made("instance")[0]["id"]'
}

check=complete
every_point apply stack_file nothing apply --yes stack.json
check=complete_instance
every_point "apply with an instance" run_file nothing apply --yes stack.json
every_point destroy run_file all destroy --yes stack.json
finish
