#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl cloud from plan to destroy against the double: what is made, what is refused, what is left alone. Simulated.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
double

# smcctl starts before every program it wraps, so it stays small; the helper is found beside it.
readelf -d "$smcctl" >needed
holds "smcctl itself has no libcurl and no libcrypto" sh -c '! grep -Eq "libcurl|libcrypto|libssl" needed'
mkdir alone && cp "$smcctl" alone/smcctl
gives 1 "without its helper" alone/smcctl cloud whoami
says err "^smcctl: helper 'smcctl-cloud': not found beside smcctl; reinstall$"
mkdir -p usr/bin usr/libexec && cp "$smcctl" usr/bin/smcctl && cp "$top_builddir/smcctl-cloud" usr/libexec/
gives 0 "the helper in libexec" usr/bin/smcctl cloud whoami

stack_file
fresh
gives 0 "plan" cloud plan stack.json
says out '^\+ +interface/smc +create +- +an eRDMA interface with 10 queue pairs$'
says out '^bills: the public address'
world_is "a plan changes nothing" 'mutating == []'
holds "... and writes no state" test ! -e stack.json.state
gives 2 "plan --detailed-exitcode" cloud plan --detailed-exitcode stack.json
gives 0 "plan --json" cloud plan --json stack.json
holds "... is the same in JSON" json 'd["changes"] == 6 and [s["action"] for s in d["steps"]] == ["add", "add", "create", "attach", "allocate", "associate"] and d["steps"][4]["bills"]'
gives 64 "apply needs a yes" cloud apply stack.json
says err "nobody can be asked"
world_is "... and does nothing without" 'mutating == []'
# answered WORD COMMAND...: on a terminal, where a person says that.
answered() {
	local word=$1
	shift
	# What the terminal shows is kept, and is not the answer's echo alone.
	printf '%s\n' "$word" | script -qefc "$smcctl cloud $*" /dev/null
}
gives 1 "the question, answered with no" answered no apply --timeout 20000 stack.json
says out "^This costs money. Go on\? Only \"yes\" goes on: "
says out "goes on: smcctl: cloud: not confirmed; nothing was changed"
gives 1 "... with y" answered y apply --timeout 20000 stack.json
world_is "... does nothing" 'mutating == []'
# The limit of 200 s is over after 2.
answered_late() {
	{
		for _ in {1..600}; do
			grep -q 'goes on: ' out && break
			sleep 0.05
		done
		sleep 2
		echo yes
	} | script -qefc "$smcctl cloud $*" /dev/null
}
answered_late apply --timeout 200 stack.json >out 2>err
world_is "... with yes, when the time is over: it begins anew" 'mutating != []'
fresh
gives 0 "... with yes" answered yes apply --timeout 20000 stack.json
complete "... does it"
gives 64 "destroy needs a yes" cloud destroy stack.json
says err "nobody can be asked here, so it needs --yes; nothing was changed"
gives 1 "... or an answer" answered no destroy --timeout 20000 stack.json
complete "... and all is there still"
gives 0 "... which is yes" answered yes destroy --timeout 20000 stack.json
nothing_left
fresh
gives 0 "apply" cloud apply --yes stack.json
complete "all of it is there, once"
says out '^redis: as the file says; steps done: 6$'
holds "the state is for its owner alone" test "$(stat -c %a stack.json.state)" = 600
world_is "the parameters are the right ones" 'all(x["params"].get("ClientToken") for x in c if x["action"] in ("CreateNetworkInterface", "AllocateEipAddress", "AuthorizeSecurityGroup"))
	and next(x for x in c if x["action"] == "AllocateEipAddress")["params"]["InternetChargeType"] == "PayByTraffic"
	and next(x for x in c if x["action"] == "CreateNetworkInterface")["params"]["Tag.3.Key"] == "terway.alibabacloud.com/excluded"
	and next(x for x in c if x["action"] == "AuthorizeSecurityGroup")["params"]["Permissions.1.SourceGroupId"] == "sg-1"'
gives 0 "status" cloud status stack.json
says out '^as the file says$'
gives 0 "status --json" cloud status --json stack.json
holds "... has the MAC address for the host" json 'next(r for r in d["resources"] if r["resource"] == "interface/smc")["mac"].startswith("00:16:3e") and d["drift"] == []'
gives 0 "plan finds nothing to change" cloud plan --detailed-exitcode stack.json
says out '^nothing to change$'
gives 0 "apply again needs no yes and does nothing" cloud apply stack.json
complete "... and all is there still"
cp stack.json.state kept
gives 0 "destroy" cloud destroy --yes stack.json
nothing_left
no_violation
world_is "in reverse order" '[x for x in mutating if x[0] in "UDR"] == ["UnassociateEipAddress", "ReleaseEipAddress", "DetachNetworkInterface", "DeleteNetworkInterface", "RevokeSecurityGroup", "RevokeSecurityGroup"]'
gives 0 "destroy again" cloud destroy --yes stack.json
cp kept stack.json.state
gives 0 "destroy of what was removed by hand" cloud destroy --yes stack.json
holds "... forgets it" sh -c '! grep -q eni- stack.json.state'

# An instance of its own
run_file
fresh
gives 0 "plan with an instance" cloud plan --server-check stack.json
world_is "... tries it with all that the file says" 'next(x for x in c if x["action"] == "RunInstances")["params"].items() >=
	{"KeyPairName": "k", "SystemDisk.Category": "cloud_essd", "SystemDisk.Size": "40", "InstanceName": "redis", "DryRun": "true"}.items()'
says out '^bills: the instance ecs.g8ise.2xlarge, about 1.5000 CNY an hour'
says err 'the service would run it'
world_is "... runs none, also not with --server-check" 'made("instance") == []'
gives 0 "apply runs it" cloud apply --yes stack.json
world_is "one instance, its interface and address on it" 'len(made("instance")) == 1 and made("instance")[0]["status"] == "Running"
	and made("eni")[0]["instance"] == made("instance")[0]["id"] and made("eni")[0]["qp"] == 8 and made("eip")[0]["bound"] == made("instance")[0]["id"]
	and ["team", "storage"] in made("instance")[0]["tags"] and made("eip")[0]["charge"] == "PayByBandwidth"'
world_is "it takes metadata with tokens only, and no password" 'next(x for x in c if x["action"] == "RunInstances")["params"]["HttpTokens"] == "required"'
gives 0 "nothing to change afterwards" cloud plan --detailed-exitcode stack.json
gives 0 "nothing that the service could check" cloud plan --server-check stack.json
says err "none is to be run, and the service can check nothing else"
instance=$(grep -o '"i-[0-9]*"' stack.json.state)
ctl object "{\"id\":\"eni-primary-i-2\",\"type\":\"Secondary\",\"instance\":$instance,\"deleteOnRelease\":true}"
gives 4 "an interface of somebody else that would go with it" cloud destroy --yes stack.json
says err "^smcctl: stack 'instance': i-[0-9]+ has the interface eni-primary-i-2, which is not the stack's and is released with it; detach that first$"
says err "^smcctl: left over: instance i-[0-9]+ Running, which costs money$"
world_is "... stays, and the instance" 'obj("eni-primary-i-2") and made("instance")[0]["status"] == "Running" and made("eni") == [] and "StopInstance" not in a'
ctl object '{"id":"eni-primary-i-2","deleteOnRelease":false}'
gives 0 "destroy stops and deletes it" cloud destroy --yes stack.json
world_is "... and what is not released with it stays" 'obj("eni-primary-i-2")["status"] == "Available"'
nothing_left
world_is "never by force" 'not any(x["params"].get("Force") for x in c)'
no_violation

sed -i 's/"image"/"jumbo_frames": true, "image"/' stack.json
gives 0 "jumbo frames" cloud plan --server-check stack.json
world_is "... are asked for" 'c[-1]["params"]["NetworkOptions.EnableJumboFrame"] == "true" and c[-1]["action"] == "RunInstances"'
sed -i 's/ecs.g8ise.2xlarge/ecs.g7.large/; s/"erdma": true, "queue_pairs": 8/"erdma": false/' stack.json
gives 3 "... of a type that has none" cloud plan stack.json
says err "^smcctl: stack 'instance': ecs.g7.large has no jumbo frames; remove"

# This instance, by the metadata service
stack_file
sed -i 's/"i-1"/"this"/' stack.json
fresh
gives 0 "instance \"this\", with --json" cloud apply --yes --json stack.json
holds "... one document says what was done and what there is" json 'd["complete"] and d["unfinished"] is None and d["instance"] == "i-1" and
	[s["action"] for s in d["steps"] if s["done"]] == ["add", "add", "create", "attach", "allocate", "associate"] and
	all(s["id"] for s in d["steps"]) and len(d["resources"]) == 4 and
	next(r for r in d["resources"] if r["resource"] == "interface/smc")["mac"].startswith("00:16:3e") and
	next(r for r in d["resources"] if r["resource"] == "address")["address"].startswith("47.")'
says err '^\+ +interface/smc +create ' "... and the plan stands on standard error"
says err '^\+ interface/smc: attach eni-' "... with what was done"
complete "... is the one of the metadata service"
gives 0 "destroy --json" cloud destroy --yes --json stack.json
holds "... one document, too" json 'd["complete"] and d["resources"] == [] and d["left_over"] == [] and all(s["done"] for s in d["steps"]) and
	[s["action"] for s in d["steps"]] == ["unassociate", "release", "detach", "delete", "revoke", "revoke"]'
nothing_left
gives 0 "destroy --json of nothing" cloud destroy --json stack.json
holds "... says so" json 'd["complete"] and d["steps"] == [] and d["left_over"] == []'

# Resources that go, one by one
stack_file
fresh
cloud apply --yes stack.json >out 2>err
sed -i '/public_address/d; s/"erdma": true }],/"erdma": true }]/; s/, { "name": "redis".*}\]/]/' stack.json
gives 0 "what the file does not name any more" cloud apply --yes stack.json
world_is "... goes, and only that" 'made("eip") == [] and len(made("eni")) == 1 and len(d["ledger"]["rules"]) == 1'
stack_file
gives 0 "... and comes back" cloud apply --yes stack.json
complete "... as before"
sed -i 's/6379/6380/' stack.json
gives 0 "a rule that has changed" cloud apply --yes stack.json
world_is "... is replaced" 'sorted(r["ports"] for r in d["rules"]["sg-1"]) == ["6380/6380", "65500/65515"]'
sed -i 's/"erdma": true/"erdma": false/' stack.json
gives 1 "an interface that cannot be changed in place" cloud apply --yes stack.json
says err "cannot be changed in place; it must be replaced"
stack_file
cloud destroy --yes stack.json >out 2>err

# Another security group: the rules move there, also those of a rule that is not the stack's; what is in the old one does not
ctl rule '{"group":"sg-1","rule":{"protocol":"tcp","ports":"6379/6379","cidr":"10.0.0.0/8"}}'
gives 0 "rules of a group" cloud apply --yes stack.json
sed -i 's/"sg-1"/"sg-2"/' stack.json
before=$(wc -l <double/calls)
gives 1 "another security group, and an interface in the old one" cloud apply --yes stack.json
says err "^smcctl: stack 'interface/smc': eni-[0-9]+ is in sg-1 and not in the file's security group sg-2; "
world_is "... changes nothing" "not [x for x in a[$before:] if x in mutating]"
eni=$(grep -o 'eni-[0-9]*' stack.json.state | head -1)
ctl object "{\"id\":\"$eni\",\"groups\":[\"sg-1\",\"sg-2\"]}"
gives 2 "... when it is in both" cloud status stack.json
says out '^differs from the file: 4 steps'
gives 0 "... apply" cloud apply --yes stack.json
world_is "... takes the stack's rules out of the old one, and has them in the new one" '[r["ports"] for r in d["rules"]["sg-1"]] == ["6379/6379"] and
	sorted((r["ports"], r.get("group")) for r in d["rules"]["sg-2"]) == [("6379/6379", None), ("65500/65515", "sg-2")] and len(d["ledger"]["rules"]) == 2'
gives 0 "... and that is all" cloud plan --detailed-exitcode stack.json
stack_file
gives 0 "... and back, without a state" sh -c 'sed -i s/sg-1/sg-2/ stack.json && rm stack.json.state && "$1" cloud import stack.json && sed -i s/sg-2/sg-1/ stack.json && "$1" cloud apply --yes --timeout 20000 stack.json' - "$smcctl"
world_is "... too" 'd["rules"]["sg-2"] == [] and len(d["rules"]["sg-1"]) == 2 and len(d["ledger"]["rules"]) == 1'
cloud destroy --yes stack.json >out 2>err
nothing_left
no_violation

# What can be changed in place is
fresh
sed -i 's/"erdma": true/"erdma": false/' stack.json
cloud apply --yes stack.json >out 2>err
sed -i 's/"erdma": false/"erdma": true/; s/"bandwidth": 5/"bandwidth": 7/' stack.json
gives 2 "a plan of changes in place" cloud plan --detailed-exitcode stack.json
says out '^~ +interface/smc +modify +eni-[0-9]+ +becomes an eRDMA interface with 10 queue pairs; should the service refuse: take it out '
says out '^~ +address +modify +eip-[0-9]+ +7 Mbit/s instead of 5$'
gives 2 "status" cloud status stack.json
says out '^differs from the file: 2 steps'
ctl set '{"staleModify":1}'
gives 0 "apply changes them" cloud apply --yes stack.json
complete "... each is still the one it was"
world_is "... and nothing was made anew" 'made("eni")[0]["qp"] == 10 and made("eip")[0]["bandwidth"] == "7" and d["ledger"]["created"] == 2 and
	[x for x in mutating if x.startswith("Modify")] == ["ModifyNetworkInterfaceAttribute", "ModifyEipAddressAttribute"]'
gives 0 "nothing to change afterwards" cloud plan --detailed-exitcode stack.json
sed -i 's/"erdma": true/"erdma": true, "queue_pairs": 12/' stack.json
ctl fault '{"action":"ModifyNetworkInterfaceAttribute","kind":"reset-after"}'
gives 0 "other queue pairs, and the reply is lost" cloud apply --yes stack.json
world_is "... the interface has them" 'made("eni")[0]["qp"] == 12'
sed -i 's/"queue_pairs": 12/"queue_pairs": 8/' stack.json
ctl set '{"noTrafficConfig":true}'
gives 77 "an account that may not change it" cloud apply --yes stack.json
says err 'Forbidden.NotInWhiteList'
ctl set '{"noTrafficConfig":false}'
gives 0 "... and once it may" cloud apply --yes stack.json
sed -i 's/"bandwidth": 7/"bandwidth": 7, "charge": "bandwidth"/' stack.json
gives 1 "an address that cannot be changed in place" cloud apply --yes stack.json
says err "charged PayByTraffic, which cannot be changed in place; it must be replaced, and the address is then another one"
gives 2 "status of what has to be replaced" cloud status --json stack.json
holds "... has it among the differences" json '[x["resource"] for x in d["drift"]] == ["address"] and "must be replaced" in d["drift"][0]["why"]'
gives 2 "... and as text" cloud status stack.json
says out "^refused: address: eip-.*must be replaced"
stack_file
sed -i 's/"bandwidth": 5, "on": "smc"/"bandwidth": 7/' stack.json
gives 0 "an address for the instance, not the interface any more" cloud apply --yes stack.json
world_is "... is moved" 'made("eip")[0]["bound"] == "i-1" and made("eip")[0]["status"] == "InUse" and mutating[-2:] == ["UnassociateEipAddress", "AssociateEipAddress"] and
	len(made("eip")) == 1 and a.count("AllocateEipAddress") == 1'
sed -i 's/"bandwidth": 7/"bandwidth": 7, "on": "smc"/' stack.json
gives 0 "... and back" cloud apply --yes stack.json
world_is "... too" 'made("eip")[0]["bound"] == made("eni")[0]["id"] and made("eip")[0]["status"] == "InUse" and a.count("AllocateEipAddress") == 1'
stack_file
cloud destroy --yes stack.json >out 2>err
nothing_left
no_violation

# What was there before stays
fresh
ctl rule '{"group":"sg-1","rule":{"protocol":"tcp","ports":"6379/6379","cidr":"10.0.0.0/8"}}'
gives 0 "a rule that is there already" cloud apply --yes stack.json
world_is "... is not added again" 'len(d["rules"]["sg-1"]) == 2 and len(d["ledger"]["rules"]) == 1'
gives 0 "destroy" cloud destroy --yes stack.json
world_is "... and survives destroy" '[r["ports"] for r in d["rules"]["sg-1"]] == ["6379/6379"]'
fresh
ctl rule '{"group":"sg-1","rule":{"protocol":"tcp","ports":"22/22","cidr":"10.0.0.0/8"}}'
cloud apply --yes stack.json >out 2>err
cloud destroy --yes stack.json >out 2>err
world_is "foreign rules are never touched" '[r["ports"] for r in d["rules"]["sg-1"]] == ["22/22"]'

fresh
cloud apply --yes stack.json >out 2>err
ctl rule '{"group":"sg-1","first":true,"rule":{"protocol":"tcp","ports":"6379/6379","cidr":"10.0.0.0/8","priority":50}}'
cloud destroy --yes stack.json >out 2>err
world_is "of two that say the same the stack's goes, wherever it is listed" '[r["priority"] for r in d["rules"]["sg-1"]] == [50] and d["ledger"]["rules"] == []'

# Two stacks on one group: a rule of the one is there for the other, until the one goes.
fresh
cloud apply --yes stack.json >out 2>err
sed 's/"stack": "redis"/"stack": "redis-b"/; s/"i-1"/"i-2"/' stack.json >b.json
gives 0 "a second stack with the same rules" cloud apply --yes b.json
says out '^= +rule/smc-peers +keep +sgr-[0-9]+ +there already, of the stack redis: it goes when that one goes$'
world_is "... does not get them twice" 'len(d["rules"]["sg-1"]) == 2'
gives 0 "... which its status says" cloud status b.json
says out '^ *of the stack redis: it goes when that one goes$'
gives 0 "destroying the first" cloud destroy --yes stack.json
world_is "... takes its own rules" 'd["rules"]["sg-1"] == [] and len(made("eni")) == 1'
gives 2 "the second misses them" cloud status b.json
gives 0 "... and gets its own" cloud apply --yes b.json
world_is "... by its name" 'sorted(r["description"] for r in d["rules"]["sg-1"]) == ["smcctl:redis-b:redis", "smcctl:redis-b:smc-peers"]'
gives 0 "destroying it" cloud destroy --yes b.json
nothing_left

# What cannot work is said before anything is changed
refused() { # EXIT NAME REGEX
	gives "$1" "$2" cloud apply --yes stack.json
	says err "$3"
	world_is "... before anything is changed" 'mutating == []'
}
fresh
stack_file
sed -i 's/"i-1"/"i-plain"/' stack.json
refused 3 "a type without eRDMA" "takes 0 eRDMA interfaces"
fresh
stack_file
sed -i 's/"erdma": true }/"erdma": true, "vswitch": "vsw-b" }/' stack.json
refused 3 "a vSwitch of another zone" "zone zone-b, the instance in zone-a"
fresh
stack_file
sed -i 's/"sg-1"/"sg-advanced"/' stack.json
refused 3 "an advanced group and a rule for a group" "lets in no other groups"
fresh
stack_file
sed -i 's/"erdma": true }/"erdma": true, "queue_pairs": 21 }/' stack.json
refused 3 "more queue pairs than there are" "has 20 queue pairs, these would be 21"
fresh
stack_file
ctl object '{"id":"i-1","publicIp":"8.8.4.4"}'
sed -i 's/"on": "smc"/"on": "instance"/' stack.json
refused 3 "a second public address" "has the public address 8.8.4.4 already"
fresh
stack_file
sed -i 's/"i-1"/"i-none"/' stack.json
refused 1 "no such instance" "there is none in region cn-hangzhou"
fresh
stack_file
sed -i 's/"erdma": true }/"erdma": true, "vswitch": "vsw-c" }/' stack.json
refused 3 "a vSwitch of another VPC" "^smcctl: stack 'smc': its vSwitch vsw-c is in vpc-2, the instance in vpc-1; take a vSwitch of that VPC$"
sed -i 's/vsw-c/vsw-none/' stack.json
refused 1 "no such vSwitch" "^smcctl: vSwitch 'vsw-none': there is none in region cn-hangzhou$"
stack_file
sed -i 's/"sg-1"/"sg-none"/' stack.json
refused 1 "no such group" "^smcctl: security group 'sg-none': there is none in region cn-hangzhou$"
run_file
sed -i 's/ecs.g8ise.2xlarge/ecs.none/' stack.json
refused 3 "no such type" "^smcctl: instance type 'ecs.none': the service does not know it in region cn-hangzhou$"
echo '{ "version": 1, "stack": "A", "region": "x", "instance": "this" }' >stack.json
gives 65 "a file with errors" cloud plan stack.json
says err "^stack.json:1:26: stack 'A': is not 1 to 32 of a-z"
says err "^stack.json:1:41: region 'x': is not the name of a region"
says err "^smcctl: stack 'stack.json': 2 errors; nothing was changed$"
stack_file
sed -i 's/"bandwidth": 5/"bandwidth": 201/' stack.json
gives 65 "more bandwidth than there is by traffic" cloud apply --yes stack.json
says err "^stack.json:9:[0-9]+: public_address '\{': has over 200 Mbit/s by traffic"
gives 65 "no file" cloud plan nosuch.json
stack_file
for seconds in 0 x 86401; do gives 64 "--timeout $seconds" cloud apply --yes --timeout $seconds stack.json; done

# What is somebody else's
fresh
stack_file
cloud apply --yes stack.json >out 2>err
eni=$(grep -o 'eni-[0-9]*' stack.json.state | head -1)
ctl object "{\"id\":\"$eni\",\"instance\":\"i-2\"}"
gives 4 "an interface that was taken to another instance" cloud apply --yes stack.json
says err "attached to i-2"
gives 4 "... is not taken from there by destroy" cloud destroy --yes --json stack.json
holds "... which is not complete, and says what is left" json "not d['complete'] and [r['id'] for r in d['left_over']] == ['$eni'] and
	next(s for s in d['steps'] if s['action'] == 'detach')['done'] is False"
world_is "... stays where it is" "obj('$eni')['instance'] == 'i-2' and obj('$eni')['status'] == 'InUse'"
says err "left over: interface/smc $eni"
holds "... nor waited for" sh -c '! grep -q "the time is over" err'
ctl object "{\"id\":\"$eni\",\"instance\":\"i-1\",\"tags\":[]}"
gives 4 "an object without our tags" cloud destroy --yes stack.json
says err "does not bear the stack's tags"
world_is "... is not removed" "obj('$eni') is not None"

# A plan that was written
fresh
gives 0 "plan --out" cloud plan --out plan stack.json
holds "... is for its owner alone" test "$(stat -c %a plan)" = 600
gives 0 "apply --plan" cloud apply --yes --plan plan stack.json
complete "... does it"
gives 4 "a stale plan" cloud apply --yes --plan plan stack.json
says err "stale"
echo nonsense >plan
gives 65 "no plan at all" cloud apply --yes --plan plan stack.json
gives 65 "no plan file" cloud apply --yes --plan nowhere stack.json

# The state is lost, damaged, of another stack, foreign
rm stack.json.state
gives 0 "plan without the state" cloud plan --detailed-exitcode stack.json
gives 0 "import" cloud import stack.json
says out "^redis: resources taken into the state: 4$"
holds "... has them all" sh -c 'for n in interface/smc address rule/redis rule/smc-peers; do grep -q "\"$n\"" stack.json.state || exit 1; done'
gives 0 "... and nothing is to change" cloud plan --detailed-exitcode stack.json
cp stack.json.state kept
head -c 100 kept >stack.json.state && chmod 600 stack.json.state
gives 65 "a damaged state" cloud apply --yes stack.json
lines err 1 "... is one line"
cp kept stack.json.state && chmod 666 stack.json.state
gives 77 "a state that others can write" cloud apply --yes stack.json
sed 's/"redis"/"other"/' kept >stack.json.state && chmod 600 stack.json.state
gives 4 "the state of another stack" cloud apply --yes stack.json
rm stack.json.state
gives 0 "another place for the state" cloud import --state other.state --json stack.json
holds "... one document" json 'sorted(r["resource"] for r in d["resources"]) == ["address", "interface/smc", "rule/redis", "rule/smc-peers"] and d["complete"]'
holds "... is taken" sh -c 'test -s other.state && test ! -e stack.json.state'
gives 0 "... by each" cloud status --state other.state stack.json
gives 0 "destroy by tags alone" cloud destroy --yes stack.json
nothing_left
no_violation

# Pages
fresh
ctl set '{"onePerPage":true}'
gives 0 "one object a page" cloud apply --yes stack.json
complete "... makes no difference"
gives 0 "... to destroy either" cloud destroy --yes stack.json
nothing_left
ctl set '{"repeatToken":true}'
for n in 1 2 3; do ctl rule "{\"group\":\"sg-1\",\"rule\":{\"protocol\":\"tcp\",\"ports\":\"$n/$n\",\"cidr\":\"10.0.0.0/8\"}}"; done
gives 1 "a page that is repeated" timeout 60 "$smcctl" cloud plan stack.json
says err "repeats a page"
fresh
ctl set '{"onePerPage":true}'
ctl fault '{"action":"DescribeSecurityGroupAttribute","nth":2,"kind":"error","code":"InvalidParameter.NextToken","times":1000}'
for n in 1 2; do ctl rule "{\"group\":\"sg-1\",\"rule\":{\"protocol\":\"tcp\",\"ports\":\"$n/$n\",\"cidr\":\"10.0.0.0/8\"}}"; done
gives 1 "a page whose token has expired" cloud apply --yes stack.json
says err "^smcctl: call 'DescribeSecurityGroupAttribute': InvalidParameter.NextToken: "
world_is "... changes nothing" 'mutating == []'

# Two at once
fresh
cloud apply --yes stack.json >first 2>&1 &
one=$!
cloud apply --yes stack.json >second 2>&1
code=$?
wait $one
[ $? = 0 ] && [ $code = 0 ]
result $? "two applies at once"
complete "... make each thing once"
no_violation

# The guide: its policy allows every action that was called here, and its files are ones that smcctl takes.
cat >blocks.py <<'END'
import json, re, sys
blocks = [json.loads(b) for b in re.findall(r"^```json\n(.*?)^```", open(sys.argv[1]).read(), re.M | re.S)]
for name, key in (("ram", "Statement"), ("stack", "stack"), ("policy", "rules")):
    found = [b for b in blocks if key in b and (name != "policy" or "stack" not in b)]
    for n, block in enumerate(found):
        json.dump(block, open(f"{name}-{n}.json", "w"))
allowed = set(json.load(open("ram-0.json"))["Statement"][0]["Action"])
products = {"2014-05-26": "ecs", "2016-04-28": "vpc"}
called = {f"{products[v]}:{a}" for v, a in map(str.split, open("double/actions")) if v in products}
print(*sorted(called - allowed), "missing; of", len(called))
sys.exit(bool(called - allowed) or len(called) < 20)
END
holds "the guide's RAM policy allows all that was called" python3 blocks.py "$top_srcdir/doc/cloud.md"
for file in stack-0.json stack-1.json; do
	gives 1 "the guide's $file is read" cloud plan $file
	says err "there is none in region cn-hangzhou$" "... and only its identifiers are unknown"
done
gives 0 "the guide's policy is one" "$smcctl" policy check policy-0.json
finish
