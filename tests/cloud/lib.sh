# SPDX-License-Identifier: MIT
# What the tests of smcctl cloud share: the double, ways to disturb it, questions about what happened. No cloud is contacted.
# shellcheck shell=bash disable=SC2034
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
# In the guest the double has no judges: it would take minutes to load them.
unjudged=${LAB_MODE:+--unjudged}
modules=$("$(dirname "${BASH_SOURCE[0]}")/../fakecloud/setup" --print 2>/dev/null) || modules=
if [ -z "$modules$unjudged" ] || ! command -v node >/dev/null; then
	echo "1..0 # SKIP node or the vendor's SDK is missing: ./dev setup"
	exit 0
fi
export NODE_PATH=$modules/node_modules
. "$(dirname "${BASH_SOURCE[0]}")/../ctl/lib.sh" || exit 99
for name in $(env | sed -n 's/^\(ALIBABA_CLOUD_[A-Z0-9_]*\|[a-zA-Z]*_proxy\|[A-Z]*_PROXY\)=.*/\1/p'); do unset "$name"; done

# double [ARGUMENT...]: starts the double in the directory double, and points smcctl at it.
double() {
	mkdir -p double && rm -f double/port
	# shellcheck disable=SC2086 # an option or none
	node ${unjudged:+--jitless} "$top_srcdir/tests/fakecloud/server.js" double --speed 100 $unjudged "$@" >double/log 2>&1 &
	children="${children:-} $!"
	within 30 "the double serves (simulated: no cloud is contacted)" test -e double/port
	port=$(cat double/port)
	export SMCCTL_CLOUD_ENDPOINT=http://127.0.0.1:$port SMCCTL_CLOUD_METADATA=http://127.0.0.1:$port SMCCTL_CLOUD_SPEED=100
	export HOME=$PWD/home ALIBABA_CLOUD_ACCESS_KEY_ID=testid ALIBABA_CLOUD_ACCESS_KEY_SECRET=testsecret
	mkdir -p home
}

# ctl WHAT [JSON]: a word to the double; its state goes to the file world.
ctl() {
	curl -s -f -m 30 --data-binary "${2:-}" "http://127.0.0.1:$port/__ctl/$1" >world
}

# A new world, no state.
fresh() {
	rm -f stack.json.state stack.json.state.new plan
	ctl reset
}

# world_is NAME EXPRESSION: python over the double's state d, its calls c and the actions that they were a.
world_is() {
	ctl state
	python3 - "$2" >python.out 2>&1 <<'END'
import json, re, sys
d = json.load(open("world"))
c = [json.loads(l) for l in open("double/calls")]
a = [x["action"] for x in c]
mutating = [x for x in a if re.match("Run|Stop|Delete|Create|Attach|Detach|Authorize|Revoke|Allocate|Associate|Unassociate|Release|Modify|Tag", x)]
def obj(i): return next((o for o in d["objects"] if o["id"] == i), None)
def made(kind): return [o for o in d["objects"] if o["kind"] == kind and o["id"] in d["ledger"]["live"]]
sys.exit(0 if eval("(" + sys.argv[1] + ")") else 1)
END
	result $? "$1"
}

# What every scenario ends with: no call was wrong, and nothing is left that nobody knows of.
no_violation() {
	world_is "${1:-no call was one that no client should make}" 'd["violations"] == [] or print(d["violations"])'
}
nothing_left() {
	world_is "${1:-nothing is left in the cloud}" 'd["ledger"]["live"] == [] and d["ledger"]["rules"] == []'
}

# complete NAME: exactly one of each of the stack of stack_file, as it should be.
complete() {
	world_is "$1" 'len(made("eni")) == 1 and len(made("eip")) == 1 and len(d["ledger"]["rules"]) == 2 and
		made("eni")[0]["status"] == "InUse" and made("eni")[0]["instance"] == "i-1" and made("eni")[0]["mode"] == "HighPerformance" and
		made("eip")[0]["status"] == "InUse" and made("eip")[0]["bound"] == made("eni")[0]["id"]'
}

stack_file() {
	cat >stack.json <<'END'
{
  "version": 1,
  "stack": "redis",
  "region": "cn-hangzhou",
  "instance": "i-1",
  "security_group": "sg-1",
  "rules": ["smc-peers", { "name": "redis", "protocol": "tcp", "ports": 6379, "source": "10.0.0.0/8" }],
  "interfaces": [{ "name": "smc", "erdma": true }],
  "public_address": { "bandwidth": 5, "on": "smc" }
}
END
}

# The same with an instance to be run.
run_file() {
	cat >stack.json <<'END'
{
  "version": 1,
  "stack": "redis",
  "region": "cn-hangzhou",
  "instance": { "image": "aliyun_3", "type": "ecs.g8ise.2xlarge", "vswitch": "vsw-a", "key_pair": "k", "disk": { "category": "cloud_essd", "size": 40 }, "tags": { "team": "storage" } },
  "security_group": "sg-1",
  "rules": ["smc-peers", { "name": "redis", "protocol": "tcp", "ports": 6379, "source": "10.0.0.0/8" }],
  "interfaces": [{ "name": "smc", "erdma": true, "queue_pairs": 8 }],
  "public_address": { "bandwidth": 5, "charge": "bandwidth" }
}
END
}

# A loaded machine is slow, and the double's clock is not: the time limit is a test's own business only.
cloud() {
	case " $* " in
	*' --timeout '*) "$smcctl" cloud "$@" ;;
	' apply '* | ' destroy '*) "$smcctl" cloud "$1" --timeout 20000 "${@:2}" ;;
	*) "$smcctl" cloud "$@" ;;
	esac
}
