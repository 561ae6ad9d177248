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

# Ours and the vendor's client for the same stack: each call has the same parameters, and what changes something comes in the
# same order. Identifiers, tokens and addresses stand for any of their kind.
cat >normal.py <<'END'
import json, re, sys
def normal(value):
    return re.sub(r"\b(eni|i|eip|sgr)-\d+\b", r"\1-N", re.sub(r"^10\.0\.0\.\d+$", "IP", value))
calls = [(x["version"], x["action"], {k: "T" if k == "ClientToken" else normal(v) for k, v in sorted(x["params"].items())})
         for x in map(json.loads, open("double/calls"))]
texts = [json.dumps(x) for x in calls]
reads = [x[1].startswith(("Describe", "Get")) for x in calls]
print(*[t for t, read in zip(texts, reads) if not read], *sorted({t for t, read in zip(texts, reads) if read}), sep="\n")
END
run_file
sed -i 's/"image"/"jumbo_frames": true, "image"/; s/"charge": "bandwidth"/"charge": "bandwidth", "on": "smc"/' stack.json
fresh
gives 0 "smcctl applies a stack" cloud apply --yes stack.json
sed -i 's/"queue_pairs": 8/"queue_pairs": 6/; s/"bandwidth": 5/"bandwidth": 7/' stack.json
gives 0 "... changes it" cloud apply --yes stack.json
gives 0 "... and destroys it" cloud destroy --yes stack.json
python3 normal.py >ours
ctl reset
gives 0 "the official client does the same" node "$top_srcdir/tests/fakecloud/golden.js" "$port"
nothing_left
python3 normal.py >theirs
diff ours theirs >out
result $? "... by the same calls ($(wc -l <ours) of them)"
finish
