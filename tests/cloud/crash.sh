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

# Where a run begins: the file, and what of it is there already.
nothing_yet() { stack_file && fresh; }
nothing_yet_of_instance() { run_file && fresh; }
all_of_instance() { run_file && fresh && cloud apply --yes stack.json >out 2>err; }
otherwise() {
	stack_file && fresh && sed -i 's/"erdma": true/"erdma": false/' stack.json && cloud apply --yes stack.json >out 2>err &&
		sed -i 's/"erdma": false/"erdma": true/; s/"bandwidth": 5/"bandwidth": 7/' stack.json
}

# picture FILE: the cloud and the state file, without what differs from run to run: numbers, moments, addresses.
picture() {
	ctl state
	python3 - >"$1" 2>python.out <<'END'
import json, os, re
d = json.load(open("world"))
s = json.load(open("stack.json.state"))
s.pop("serial", None)
for r in s["resources"]:
    r["created"] = bool(r.get("created"))
s["resources"].sort(key=lambda r: r["name"])
objects = [{k: v for k, v in o.items() if k not in ("since", "at", "then", "ip", "mac")} for o in d["objects"]]
text = json.dumps({"objects": sorted(objects, key=lambda o: o["id"]), "rules": d["rules"], "state": s,
                   "mode": oct(os.stat("stack.json.state").st_mode)}, indent=1, sort_keys=True)
print(re.sub(r"\b(eni|eip|i)-\d{4}\b", r"\1-N", re.sub(r"\bsgr-\d+", "sgr-N", text)))
END
}
as_undisturbed() { # REFERENCE NAME
	picture now && diff "$1" now >out 2>&1
	result $? "$2"
}

# Counts the points of a whole run: the first number at which nothing is killed any more. CHECK is what must be true after the run
# without disturbance; cloud and state then are what every other has to end with. "-": the run destroys.
every_point() { # NAME LEAST BEGIN CHECK COMMAND...
	local name=$1 least=$2 begin=$3 check=$4 n when code=1 points=0 step=1
	shift 4
	# AddressSanitizer sees the same code at every third.
	[ -z "$asan" ] || step=3
	"$begin" && gives 0 "$name" cloud "$@"
	[ "$check" = - ] || "$check" "... each thing is there once"
	picture undisturbed
	cloud destroy --yes stack.json >out 2>err
	nothing_left
	picture gone
	for n in $(seq 1 $step 40); do
		for when in b a; do
			"$begin" || break 2
			killed_at "$n$when" "$@" 2>/dev/null
			code=$?
			[ $code = 137 ] || break 2
			points=$((points + 1))
			if [ "$check" != - ]; then
				gives 0 "$name, killed at $n$when: applied again" cloud apply --yes stack.json
				as_undisturbed undisturbed "... cloud and state are those of a run without disturbance"
			fi
			cloud destroy --yes stack.json >out 2>err
			as_undisturbed gone "$name, killed at $n$when: destroyed, nothing is left in cloud and state"
		done
	done 2>/dev/null
	[ $code = 0 ] && [ $points -ge $((least / step)) ]
	result $? "$name: all $points points were tried"
	no_violation
}

complete_instance() {
	world_is "$1" 'len(made("instance")) == 1 and len(made("eni")) == 1 and len(made("eip")) == 1 and len(d["ledger"]["rules"]) == 2 and
		made("instance")[0]["status"] == "Running" and made("eni")[0]["instance"] == made("instance")[0]["id"]'
}
changed() {
	world_is "$1, and as it is wanted" 'made("eni")[0]["qp"] == 10 and made("eip")[0]["bandwidth"] == "7" and d["ledger"]["created"] == 2'
}

every_point apply 16 nothing_yet complete apply --yes stack.json
every_point "apply with an instance" 16 nothing_yet_of_instance complete_instance apply --yes stack.json
every_point "apply in place" 8 otherwise changed apply --yes stack.json
every_point destroy 16 all_of_instance - destroy --yes stack.json
finish
