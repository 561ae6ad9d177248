#!/bin/bash
# SPDX-License-Identifier: MIT
# Lost replies, throttling, half replies, stale reads: each thing is made once all the same. Simulated.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
double

# A fault at one action on the way up or down changes nothing of the end.
survives() { # NAME FAULT FILE-FUNCTION
	"${3:-stack_file}"
	fresh
	ctl fault "$2"
	gives 0 "$1: apply" cloud apply --yes --timeout 20000 stack.json
	world_is "... each thing is there once" 'len(made("eni")) == 1 and len(made("eip")) == 1 and len(d["ledger"]["rules"]) == 2 and len(made("instance")) <= 1'
	gives 0 "... destroy" cloud destroy --yes --timeout 20000 stack.json
	nothing_left "... nothing is left"
	no_violation "... no call was wrong"
}
# What takes no token is not sent again before a look: whether it has happened shows there.
looked() {
	world_is "... $1 is not sent blindly a second time" "a.count('$1') == 1"
}
for action in AuthorizeSecurityGroup CreateNetworkInterface AllocateEipAddress AssociateEipAddress UnassociateEipAddress RevokeSecurityGroup; do
	survives "the reply of $action is lost" "{\"action\":\"$action\",\"kind\":\"reset-after\"}"
done
for action in AttachNetworkInterface ReleaseEipAddress DetachNetworkInterface DeleteNetworkInterface; do
	survives "the reply of $action is lost" "{\"action\":\"$action\",\"kind\":\"reset-after\"}"
	looked $action
done
for action in RunInstances StopInstance DeleteInstances; do
	survives "the reply of $action is lost" "{\"action\":\"$action\",\"kind\":\"reset-after\"}" run_file
	[ $action != StopInstance ] || looked $action
done
for kind in truncated invalid-utf8 500-after html empty reset hang-after drip; do
	survives "CreateNetworkInterface: $kind" "{\"action\":\"CreateNetworkInterface\",\"kind\":\"$kind\"}"
done
for kind in 500-after empty reset hang; do
	survives "AttachNetworkInterface: $kind" "{\"action\":\"AttachNetworkInterface\",\"kind\":\"$kind\"}"
done
survives "the second AllocateEipAddress of a lost one" '{"action":"AllocateEipAddress","kind":"reset-after","times":3}'
survives "a storm of throttling" '{"action":"*","kind":"throttle","seconds":60}'
survives "a service that is not available" '{"action":"AttachNetworkInterface","kind":"error","status":503,"code":"ServiceUnavailable","times":2}'
survives "a busy vSwitch" '{"action":"CreateNetworkInterface","kind":"error","code":"IncorrectVSwitchStatus","times":3}'
survives "a call that is in flight" '{"action":"AllocateEipAddress","kind":"error","code":"LastTokenProcessing","times":2}'
survives "an address in another state" '{"action":"AssociateEipAddress","kind":"error","code":"IncorrectEipStatus","times":2}'
survives "an instance that is not ready" '{"action":"AttachNetworkInterface","kind":"error","code":"InvalidOperation.InvalidEcsState","times":2}'

# Killed while a reply is outstanding, and then reads that do not see what was made: only the token on the disk helps.
killed_unseen() { # ACTION KIND FILE-FUNCTION
	"$3"
	fresh
	ctl fault "{\"action\":\"$1\",\"kind\":\"hang-after\"}"
	"$smcctl" cloud apply --yes stack.json >out 2>err </dev/null &
	local pid=$!
	within 30 "$1 is sent" grep -q "\"$1\"" double/calls
	{ kill -KILL $pid; wait $pid; } 2>/dev/null
	holds "... its token is on the disk" sh -c 'grep -q "ClientToken=" stack.json.state && grep -q "\"action\":.*$1" stack.json.state' - "$1"
	ctl set "{\"hideFor\":40,\"hideKind\":\"$2\"}"
	gives 0 "... the next run sends the same call again" cloud apply --yes --timeout 20000 stack.json
	says err "an earlier run ended during $1; the same call is sent again first"
	world_is "... and each thing is there once" 'len(made("eni")) == 1 and len(made("eip")) == 1 and len(d["ledger"]["rules"]) == 2 and len(made("instance")) <= 1'
	cloud destroy --yes --timeout 20000 stack.json >out 2>err
	nothing_left
	no_violation
}
killed_unseen CreateNetworkInterface eni stack_file
killed_unseen AllocateEipAddress eip stack_file
killed_unseen RunInstances instance run_file

stack_file
fresh
ctl set '{"late":20}'
gives 0 "reads that do not see the newest" cloud apply --yes --timeout 20000 stack.json
complete "... make nothing twice"
fresh
ctl set '{"emptyReply":1}'
gives 0 "a reply without an identifier" cloud apply --yes stack.json
complete "... is asked for again"
world_is "... with the same token" 'len({x["params"]["ClientToken"] for x in c if x["action"] == "CreateNetworkInterface"}) == 1 and a.count("CreateNetworkInterface") == 2'

fresh
ctl set '{"failAttach":1}'
gives 5 "an attach that the service takes back without a word" cloud apply --yes stack.json
says err "took .* back to Available without a reason"
gives 0 "... can be tried again" cloud apply --yes stack.json
complete "... and is there then"
ctl set '{"stickDetach":1}'
gives 0 "a detach that is stuck" cloud destroy --yes --timeout 20000 stack.json
nothing_left "... is asked for again"

finish
