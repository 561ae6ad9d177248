#!/bin/bash
# SPDX-License-Identifier: MIT
# What does not end well: time limits, signals, refusals of the service. The message says what to do, and the next run goes on. Simulated.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
double
stack_file

# What does not end in time goes on in the next run
fresh
# The limit is short, so all but what is throttled is there before.
sed -i '/public_address/d; s/"erdma": true }],/"erdma": true }]/' stack.json
cloud apply --yes stack.json >out 2>err
stack_file
ctl fault '{"action":"AllocateEipAddress","kind":"throttle","seconds":100000}'
gives 5 "throttled for longer than the time limit" cloud apply --yes --json --timeout 400 stack.json
holds "... in JSON what is not done" json 'not d["complete"] and d["unfinished"] == "AllocateEipAddress" and
	[s["action"] for s in d["steps"] if not s["done"]] == ["allocate", "associate"] and "interface/smc" in [r["resource"] for r in d["resources"]]'
says err "Throttling.User.*run it again, it goes on"
says err "^smcctl: exists: interface/smc eni-"
says err "^smcctl: unknown: address, whose AllocateEipAddress may have happened"
gives 0 "a plan says that something is unfinished" cloud plan stack.json
says err "an earlier run ended during AllocateEipAddress"
ctl faults-off
gives 0 "... and the next run finishes it" cloud apply --yes stack.json
complete "... once"

# Interrupted
ends_at() { # SIGNAL NAME REGEX: so does the command in the background, and says what there is
	kill "-$1" $pid
	wait $pid
	[ $? = 5 ]
	result $? "$2"
	says err "$3"
	ctl faults-off
}
fresh
ctl fault '{"action":"AttachNetworkInterface","kind":"throttle","seconds":100000}'
"$smcctl" cloud apply --yes --timeout 80000 stack.json >out 2>err </dev/null &
pid=$!
within 30 "the interface is made" grep -q '"AttachNetworkInterface"' stack.json.state
tr '\0' '\n' <"/proc/$pid/cmdline" >cmdline
holds "no secret among the arguments" sh -c '! grep -q testsecret cmdline && grep -q "^cloud$" cmdline'
ends_at TERM "SIGTERM ends it between two calls" "^smcctl: exists: interface/smc eni-"
gives 0 "... and the next run goes on" cloud apply --yes stack.json
complete "... to the end"
ctl fault '{"action":"DetachNetworkInterface","kind":"throttle","seconds":100000}'
env --default-signal=INT "$smcctl" cloud destroy --yes --timeout 80000 stack.json >out 2>err </dev/null &
pid=$!
within 30 "the interface is to be detached" grep -q '"DetachNetworkInterface"' stack.json.state
ends_at INT "SIGINT ends destroy between two calls" "^smcctl: left over: interface/smc eni-"
gives 0 "... and the next run removes the rest" cloud destroy --yes stack.json
nothing_left

# The token of the instance's role runs out on the way
with_role() { env -u ALIBABA_CLOUD_ACCESS_KEY_ID -u ALIBABA_CLOUD_ACCESS_KEY_SECRET "$smcctl" "$@"; }
fresh
ctl fault '{"action":"AttachNetworkInterface","kind":"expire"}'
gives 0 "a token that runs out is replaced" with_role cloud apply --yes stack.json
complete "... and nothing is made twice"
world_is "... the call was made again" 'len([x for x in a if x == "AttachNetworkInterface"]) == 2'
no_violation
fresh
ctl fault '{"action":"AttachNetworkInterface","kind":"expire","times":1000}'
gives 77 "a token that is refused again" with_role cloud apply --yes stack.json
says err "InvalidSecurityToken.Expired: .*the security token is expired or not of this key"
says err "^smcctl: exists: interface/smc eni-"
ctl faults-off
gives 0 "... the next run goes on" with_role cloud apply --yes stack.json
complete "... to the end"
with_role cloud destroy --yes stack.json >out 2>err

# Answers that no retry helps
fails() { # EXIT NAME FAULT REGEX
	fresh
	ctl fault "$3"
	gives "$1" "$2" cloud apply --yes stack.json
	says err "$4"
}
fails 1 "a redirect is not followed" "{\"action\":\"*\",\"kind\":\"redirect\",\"location\":\"http://127.0.0.1:$port/stolen\"}" "HTTP status 302"
no_violation "... to nobody"
fails 1 "a reply without end" '{"action":"*","kind":"huge"}' "the reply is too large"
fails 77 "an unknown key" '{"action":"*","kind":"error","status":404,"code":"InvalidAccessKeyId.NotFound"}' "InvalidAccessKeyId.NotFound: .*request id .*; the access key is unknown"
fails 77 "a wrong clock" '{"action":"*","kind":"error","code":"InvalidTimeStamp.Expired"}' \
	"the service's clock: .* GMT; this host's: [0-9]{4}-.*Z\), .*; the clock is wrong"
fails 5 "a full account" '{"action":"CreateNetworkInterface","kind":"error","status":403,"code":"MaxEniCountExceeded","times":1000}' \
	"the account's quota of interfaces is used up"
world_is "... is asked once" 'a.count("CreateNetworkInterface") == 1'
holds "... leaves no unfinished call" sh -c '! grep -q pending stack.json.state'
cloud destroy --yes stack.json >out 2>err
fails 5 "a token that was used for another call" '{"action":"CreateNetworkInterface","kind":"error","code":"IdempotentParameterMismatch"}' "smcctl cloud import, then again"
holds "... is not kept" sh -c '! grep -q pending stack.json.state'
gives 0 "... and the next run takes another" cloud apply --yes stack.json
complete "... once"
ctl fault '{"action":"RevokeSecurityGroup","kind":"error","status":403,"code":"Forbidden.RAM","times":1000}'
gives 77 "rules that may not be revoked" cloud destroy --yes stack.json
world_is "... are each asked for once" '[len({x["params"]["SecurityGroupRuleId.1"] for x in c if x["action"] == "RevokeSecurityGroup"}), a.count("RevokeSecurityGroup")] == [2, 2]'
says err "^smcctl: left over: rule/redis sgr-"
ctl faults-off
cloud destroy --yes stack.json >out 2>err

# A rule that somebody removes between the look and the call is gone, which is all that was wanted.
fresh
cloud apply --yes stack.json >out 2>err
ctl fault '{"action":"RevokeSecurityGroup","first":"vanish"}'
gives 0 "a rule that vanishes meanwhile" cloud destroy --yes stack.json
world_is "... was asked for once, as all others" 'a.count("RevokeSecurityGroup") == len({x["params"]["SecurityGroupRuleId.1"] for x in c if x["action"] == "RevokeSecurityGroup"}) == 2 and
	[x["fault"] for x in c if x.get("fault")][-1] == "vanish"'
nothing_left
no_violation

# A rule that somebody adds between the look and the call is theirs: the service takes the call and adds nothing.
fresh
ctl fault '{"action":"AuthorizeSecurityGroup","first":"forestall","nth":2}'
gives 0 "a rule that somebody else adds meanwhile" cloud apply --yes stack.json
world_is "... is there once, and not ours" 'len(d["rules"]["sg-1"]) == 2 and len(d["ledger"]["rules"]) == 1'
gives 0 "... which status knows" cloud status --json stack.json
cloud destroy --yes stack.json >out 2>err
world_is "... and destroy leaves it" '[r["ports"] for r in d["rules"]["sg-1"]] == ["6379/6379"] and d["ledger"]["rules"] == [] and d["ledger"]["live"] == []'
fresh
ctl fault '{"action":"AuthorizeSecurityGroup","first":"forestall","kind":"hang-after","nth":2}'
"$smcctl" cloud apply --yes stack.json >out 2>err </dev/null &
pid=$!
within 30 "the second rule is asked for" sh -c '[ "$(grep -c AuthorizeSecurityGroup double/calls)" = 2 ]'
{ kill -KILL $pid; wait $pid; } 2>/dev/null
gives 0 "... also when the run that asked for it was killed" cloud destroy --yes stack.json
says err "rule/redis: an earlier run ended during AuthorizeSecurityGroup; the same call is sent again first"
world_is "... is it left" '[r["ports"] for r in d["rules"]["sg-1"]] == ["6379/6379"] and d["ledger"]["rules"] == [] and d["ledger"]["live"] == []'
no_violation

# Nothing is sent that is not on the disk before.
fresh
mkdir -p full && mount -t tmpfs -o size=8k tmpfs full || exit 99
head -c 8192 /dev/zero >full/fill 2>/dev/null
gives 1 "a state that cannot be written" cloud apply --yes --state full/state stack.json
says err "^smcctl: state 'full/state': No space left on device; nothing is sent without it$"
world_is "... and nothing was changed" 'mutating == []'
rm full/fill
gives 0 "... and once it can" cloud apply --yes --state full/state stack.json
complete "... all is there"
gives 0 "... and is removed" cloud destroy --yes --state full/state stack.json
umount full

# No retry helps: each is asked once, though the limit is 300 s.
fresh
asked=0
while read -r status code exit; do
	ctl faults-off
	ctl fault "{\"action\":\"GetCallerIdentity\",\"kind\":\"error\",\"status\":$status,\"code\":\"$code\",\"times\":1000}"
	gives "$exit" "$code" "$smcctl" cloud whoami --region cn-hangzhou
	asked=$((asked + 1))
done <<'END'
403 Forbidden.RAM 77
403 NoPermission 77
404 InvalidAccessKeyId.NotFound 77
400 SignatureDoesNotMatch 77
400 IncompleteSignature 77
400 InvalidSecurityToken.Expired 77
400 MissingParameter 1
400 InvalidSourceCidrIp.Malformed 1
404 InvalidVSwitchId.NotFound 1
400 QuotaExceeded.PrivateIpAddress 1
400 InsufficientBalance 1
400 IdempotentFailed 1
END
world_is "each of these is asked once" "len(a) == $asked and $asked == 12"

# What is worth repeating is said once, and repeated for as long as the limit is.
fresh
ctl fault '{"action":"GetCallerIdentity","kind":"throttle","times":3}'
gives 0 "throttled three times" "$smcctl" cloud whoami --region cn-hangzhou
lines err 1 "... is said once"
says err "^smcctl: call GetCallerIdentity: Throttling.User: .*; trying again until the time is over$"
gives 5 "nobody answers" env SMCCTL_CLOUD_ENDPOINT=http://127.0.0.1:1 "$smcctl" cloud whoami --region cn-hangzhou
says err "^smcctl: call GetCallerIdentity: sts.cn-hangzhou.aliyuncs.com: .*; trying again until the time is over$" "... the first attempt says so"
fresh
ctl fault '{"action":"GetCallerIdentity","kind":"throttle","retryAfter":60000}'
gives 0 "throttled, with a time to wait" "$smcctl" cloud whoami --region cn-hangzhou
world_is "... which is waited" 'len(c) == 2 and c[1]["at"] - c[0]["at"] >= 60'

# Or as often as it is allowed, and each attempt for as long.
fresh
ctl fault '{"action":"GetCallerIdentity","kind":"throttle","times":1000}'
gives 5 "a number of retries" env ALIBABA_CLOUD_RETRY_COUNT=2 "$smcctl" cloud whoami --region cn-hangzhou
world_is "... is that number" 'len(a) == 3'
fresh
ctl fault '{"action":"GetCallerIdentity","kind":"late","after":4,"times":2}'
gives 5 "an answer that comes too late" env SMCCTL_CLOUD_SPEED=5 ALIBABA_CLOUD_RETRY_COUNT=0 "$smcctl" cloud whoami --region cn-hangzhou
says err "^smcctl: call 'GetCallerIdentity': sts.cn-hangzhou.aliyuncs.com: Timeout was reached"
gives 0 "... is waited for with more time" env SMCCTL_CLOUD_SPEED=5 ALIBABA_CLOUD_RETRY_COUNT=0 ALIBABA_CLOUD_READ_TIMEOUT=300 "$smcctl" cloud whoami --region cn-hangzhou
for setting in CONNECT_TIMEOUT=0 READ_TIMEOUT=30000 CONNECT_TIMEOUT=5s RETRY_COUNT=-1; do
	gives 64 "not a number: $setting" env ALIBABA_CLOUD_$setting "$smcctl" cloud whoami
	says err "^smcctl: ALIBABA_CLOUD_${setting%=*} '${setting#*=}': not a number of (seconds, 1 to 600|retries, 0 to 1000)$"
done

# What the service quotes of us is not printed
unquoted() { # NAME WORDS COMMAND...
	local name=$1 words=$2
	shift 2
	gives 1 "$name: the service quotes it" "$@"
	says err "Odd\.\*\*\*.*\*\*\*"
	holds "... and nothing of it is printed" sh -c '! grep -E "$1" out err' - "$words"
}
fresh
ctl fault '{"action":"*","kind":"quote","times":1000}'
unquoted "key and secret" 'testid|testsecret' "$smcctl" cloud whoami --debug --region cn-hangzhou
unquoted "... in a plan" 'testid|testsecret' "$smcctl" cloud plan --debug stack.json
ctl faults-off
ctl fault '{"action":"*","kind":"quote","times":1000,"before":501}'
unquoted "a secret where the message is cut off" 'testid|tests' "$smcctl" cloud plan stack.json
ctl faults-off
ctl fault '{"action":"*","kind":"quote","times":1000}'
unquoted "an instance's role" 'STS\.meta|metasecret|meta/token|meta%2Ftoken' env -u ALIBABA_CLOUD_ACCESS_KEY_ID "$smcctl" cloud plan --debug stack.json
printf oidc-token >token
unquoted "an OIDC token" 'oidc-token' env -u ALIBABA_CLOUD_ACCESS_KEY_ID ALIBABA_CLOUD_ROLE_ARN=r ALIBABA_CLOUD_OIDC_PROVIDER_ARN=p \
	ALIBABA_CLOUD_OIDC_TOKEN_FILE="$PWD/token" "$smcctl" cloud whoami --debug

# An instance that does not start
run_file
fresh
ctl set '{"failStart":1}'
gives 1 "an instance that the service cannot start" cloud apply --yes stack.json
says err "took i-[0-9]+ back to Stopped without a reason"
says err "^smcctl: exists: instance i-"
cloud destroy --yes stack.json >out 2>err
nothing_left "... and destroy removes it"
fresh
ctl set '{"noStock":true}'
gives 1 "a type that is sold out" cloud apply --yes stack.json
says err "OperationDenied.NoStock: .*take another zone or type"
ctl set '{"noStock":false}'
ctl fault '{"action":"RunInstances","kind":"error","status":403,"code":"InvalidAccountStatus.NotEnoughBalance"}'
gives 1 "a check by the service that does not pass" cloud plan --server-check stack.json
says err "^smcctl: call 'RunInstances': InvalidAccountStatus.NotEnoughBalance: .*; the account has no money left for it$"
gives 0 "... and in stock again" cloud apply --yes stack.json
world_is "... is run once" 'len(made("instance")) == 1'
instance=$(grep -o '"i-[0-9]*"' stack.json.state | head -1)
ctl object "{\"id\":$instance,\"deletionProtection\":true}"
gives 5 "an instance that is protected from deletion" cloud destroy --yes stack.json
says err "InvalidOperation.DeletionProtection"
says err "left over: instance i-[0-9]+ Stopped, which costs money"
ctl object "{\"id\":$instance,\"deletionProtection\":false}"
gives 0 "... and once it is not" cloud destroy --yes stack.json
nothing_left
fresh
ctl deny '{"actions":"DescribePrice"}'
gives 0 "a price that may not be asked for" cloud plan stack.json
says err "^smcctl: price: the service does not tell it: Forbidden.RAM: "
lines err 1 "... is no error"
says out "^bills: the instance ecs.g8ise.2xlarge, price unknown$"
fresh
ctl deny '{"actions":"CreateNetworkInterface"}'
gives 77 "a policy that does not allow it" cloud apply --yes stack.json
says err "Forbidden.RAM.*doc/cloud.md has the policy"
for file in out err stack.json.state double/calls; do
	holds "no secret in $file" sh -c '! grep -q testsecret "$1"' - "$file"
done

# Where it may connect to
for endpoint in http://example.com https://example.com http://127.0.0.1.example.com http://127.0.0.1:1@example.com ftp://127.0.0.1 'http://127.0.0.1/x'; do
	gives 64 "the hook for tests: not $endpoint" env SMCCTL_CLOUD_ENDPOINT="$endpoint" "$smcctl" cloud whoami
done
gives 64 "the clock's speed goes with it only" env -u SMCCTL_CLOUD_ENDPOINT "$smcctl" cloud whoami
for region in evil.com/ cn cn- CN-HANGZHOU cn-hangzhou.evil; do
	gives 64 "no region: $region" env -u SMCCTL_CLOUD_ENDPOINT -u SMCCTL_CLOUD_SPEED "$smcctl" cloud whoami --region "$region"
done
finish
