#!/bin/bash
# SPDX-License-Identifier: MIT
# The double before anything is believed that it says: the vendor's client passes, clients with a defect do not. Simulated.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
double

# Their TAP lines become ours.
inner() {
	while read -r line; do
		case $line in
		ok\ *) result 0 "${line#* - }" ;;
		not\ ok\ *) result 1 "${line#* - }" ;;
		esac
	done < <(node "$top_srcdir/tests/fakecloud/$1" "$port" 2>err)
}
inner official.js
nothing_left "the official client leaves nothing"
world_is "... and makes no call that is wrong but those it is asked to" 'len(d["violations"]) == 2 or print(d["violations"])'
ctl reset
before=$count
inner mutants.js
[ $((count - before)) -ge 14 ]
result $? "at least 12 defects were tried"
finish
