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
ctl fault '{"action":"AllocateEipAddress","kind":"throttle","seconds":100000}'
gives 5 "throttled for longer than the time limit" cloud apply --yes --timeout 100 stack.json
says err "Throttling.User.*run it again, it goes on"
says err "^smcctl: exists: interface/smc eni-"
says err "^smcctl: unknown: address, whose AllocateEipAddress may have happened"
gives 0 "a plan says that something is unfinished" cloud plan stack.json
says err "an earlier run ended during AllocateEipAddress"
ctl faults-off
gives 0 "... and the next run finishes it" cloud apply --yes stack.json
complete "... once"

# Interrupted
fresh
ctl fault '{"action":"AttachNetworkInterface","kind":"throttle","seconds":100000}'
"$smcctl" cloud apply --yes --timeout 80000 stack.json >out 2>err </dev/null &
pid=$!
within 30 "the interface is made" grep -q '"AttachNetworkInterface"' stack.json.state
tr '\0' '\n' <"/proc/$pid/cmdline" >cmdline
holds "no secret among the arguments" sh -c '! grep -q testsecret cmdline && grep -q "^cloud$" cmdline'
kill -TERM $pid
wait $pid
[ $? = 5 ]
result $? "SIGTERM ends it between two calls"
says err "^smcctl: exists: interface/smc eni-"
ctl faults-off
gives 0 "... and the next run goes on" cloud apply --yes stack.json
complete "... to the end"
cloud destroy --yes stack.json >out 2>err

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
fails 77 "a wrong clock" '{"action":"*","kind":"error","code":"InvalidTimeStamp.Expired"}' "the service's clock: .*; the clock is wrong"
fails 5 "a full account" '{"action":"CreateNetworkInterface","kind":"error","status":403,"code":"MaxEniCountExceeded"}' "the account's quota of interfaces is used up"
holds "... leaves no unfinished call" sh -c '! grep -q pending stack.json.state'
cloud destroy --yes stack.json >out 2>err
run_file
fresh
ctl set '{"noStock":true}'
gives 1 "a type that is sold out" cloud apply --yes stack.json
says err "OperationDenied.NoStock: .*take another zone or type"
ctl set '{"noStock":false}'
gives 0 "... and in stock again" cloud apply --yes stack.json
world_is "... is run once" 'len(made("instance")) == 1'
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
