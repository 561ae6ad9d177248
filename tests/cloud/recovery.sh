#!/bin/bash
# SPDX-License-Identifier: MIT
# What an earlier run left: calls without an answer, objects that are not listed yet, keys that run out, another instance. Simulated.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
double

# killed_during ACTION KIND [FIRST]: an apply that ends while ACTION is answered by nobody; what somebody else did before.
killed_during() {
	ctl fault "{\"action\":\"$1\",\"kind\":\"$2\",\"first\":\"${3:-}\"}"
	local before pid
	before=$(grep -c "\"$1\"" double/calls)
	"$smcctl" cloud apply --yes stack.json >out 2>err </dev/null &
	pid=$!
	within 30 "$1 is outstanding when apply is killed" asked_for "$1" "$before"
	{ kill -KILL $pid; wait $pid; } 2>/dev/null
	ctl faults-off
}
asked_for() { [ "$(grep -c "\"$1\"" double/calls)" -gt "$2" ]; }
address_file() {
	stack_file
	sed -i '/"rules"/d; /"interfaces"/d; s/"on": "smc"/"on": "instance"/' stack.json
}
this_file() {
	stack_file
	sed -i 's/"i-1"/"this"/' stack.json
}
state_has() { grep -q -- "$1" stack.json.state; }
state_has_not() { ! grep -q -- "$1" stack.json.state; }
the_interface() { grep -o 'eni-[0-9]*' stack.json.state | head -1; }

# A creation that was refused is none
run_file
fresh
ctl deny '{"actions":"CreateNetworkInterface"}'
gives 77 "a creation that the policy does not allow" cloud apply --yes stack.json
holds "... leaves no unfinished call" state_has_not pending
gives 0 "... and destroy is not held up by it" cloud destroy --yes stack.json
nothing_left
world_is "... nor is it sent again" 'a.count("CreateNetworkInterface") == 1'
fresh
killed_during CreateNetworkInterface hang
ctl fault '{"action":"CreateNetworkInterface","kind":"error","status":403,"code":"MaxEniCountExceeded","times":1000}'
gives 0 "a creation that cannot be repeated does not stop destroy" cloud destroy --yes stack.json
says err "MaxEniCountExceeded"
nothing_left
no_violation

# Nobody knows whether it happened, and it may not be repeated
stack_file
fresh
killed_during AllocateEipAddress hang-after
ctl set '{"hideFor":40,"hideKind":"eip"}'
ctl deny '{"actions":"AllocateEipAddress"}'
gives 5 "destroy, where an unanswered creation is denied now" cloud destroy --yes stack.json
says err "^smcctl: left over: address, whose AllocateEipAddress may have happened"
world_is "... removes all else" 'made("eni") == [] and d["ledger"]["rules"] == [] and len(made("eip")) == 1'
holds "... and keeps what is needed to find out" state_has '"AllocateEipAddress"'
gives 2 "status" cloud status stack.json
says out "^unfinished +AllocateEipAddress$"
ctl deny '{"actions":null}'
gives 0 "... destroy again, when it is allowed" cloud destroy --yes stack.json
nothing_left
holds "... nothing is unfinished any more" state_has_not AllocateEipAddress
no_violation

# Refused when it is sent again: the first one may have happened, and what it made may not be listed yet
refused_again() { # SECONDS: a killed creation that is not listed for so long, and a quota that is used up since
	stack_file
	fresh
	killed_during CreateNetworkInterface hang-after
	ctl set "{\"hideFor\":$1,\"hideKind\":\"eni\"}"
	ctl fault '{"action":"CreateNetworkInterface","kind":"error","status":403,"code":"MaxEniCountExceeded","times":1000}'
}
refused_again 40
gives 0 "a creation that is refused when it is sent again, and had happened" cloud apply --yes stack.json
says err "MaxEniCountExceeded"
complete "... is found, and nothing is made twice"
refused_again 40
gives 0 "... also by destroy" cloud destroy --yes stack.json
nothing_left "... which removes it"
refused_again 100000
gives 5 "... not when there is no time to look" cloud apply --yes --timeout 20 stack.json
holds "... then its token stays" state_has '"CreateNetworkInterface"'
ctl set '{"hideFor":0}'
gives 0 "... and the next run finds it" cloud apply --yes stack.json
complete "... once"
cloud destroy --yes stack.json >out 2>err
nothing_left
no_violation
# An answer that is not the service's says nothing
address_file
for answer in '"redirect","location":"http://127.0.0.1:1/"' '"huge"' '"empty","status":404'; do
	fresh
	ctl fault '{"action":"AllocateEipAddress","kind":"reset-after"}'
	ctl fault "{\"action\":\"AllocateEipAddress\",\"kind\":$answer}"
	ctl set '{"hideFor":40,"hideKind":"eip"}'
	gives 1 "after a lost reply $answer" cloud apply --yes stack.json
	says err "^smcctl: unknown: address, whose AllocateEipAddress may have happened"
	gives 0 "... the next run" cloud apply --yes stack.json
	world_is "... sends the same call" 'len(made("eip")) == 1 and len({x["params"]["ClientToken"] for x in c if x["action"] == "AllocateEipAddress"}) == 1'
done
cloud destroy --yes stack.json >out 2>err
nothing_left
no_violation

# A rule that was asked for in another group than the file names by now
rules_file() {
	stack_file
	sed -i '/public_address/d; /"interfaces"/d; s/}\],/}]/' stack.json
}
asked_elsewhere() { # [FIRST]
	rules_file
	fresh
	killed_during AuthorizeSecurityGroup hang-after "${1:-}"
	sed -i 's/"sg-1"/"sg-2"/' stack.json
}
asked_elsewhere
gives 0 "a rule that was asked for in the group that the file named before" cloud apply --yes stack.json
world_is "... is taken out of it" 'd["rules"]["sg-1"] == [] and len(d["rules"]["sg-2"]) == 2'
asked_elsewhere
gives 0 "... by destroy, too" cloud destroy --yes stack.json
nothing_left
asked_elsewhere forestall
gives 0 "... and stays where it is somebody else's" cloud apply --yes stack.json
world_is "... there" '[r.get("made") for r in d["rules"]["sg-1"]] == [None] and len(d["rules"]["sg-2"]) == 2'
asked_elsewhere
ctl rule '{"group":"sg-2","rule":{"protocol":"TCP","ports":"65500/65515","group":"sg-2","description":"smcctl:redis:smc-peers"}}'
gives 0 "... also when the stack has it in both" cloud apply --yes stack.json
world_is "... once it is in one only" 'd["rules"]["sg-1"] == [] and len(d["rules"]["sg-2"]) == 2'
cloud destroy --yes stack.json >out 2>err
world_is "... and then in none" 'd["rules"]["sg-1"] == [] and d["rules"]["sg-2"] == []'
no_violation

# What costs money is sent after the question only, also when it is sent again
address_file
fresh
killed_during AllocateEipAddress hang
ctl reset
gives 64 "apply asks before it repeats a creation" cloud apply stack.json
says err "^smcctl: address: an earlier run ended during AllocateEipAddress; "
world_is "... and nothing was changed" 'mutating == []'
gives 64 "destroy likewise" cloud destroy stack.json
says err "^smcctl: address: an earlier run ended during AllocateEipAddress; "
world_is "... and nothing was changed" 'mutating == []'
gives 0 "a plan of that" cloud plan --out plan stack.json
gives 4 "... is stale" cloud apply --yes --plan plan stack.json
says err "^smcctl: plan 'plan': stale: an earlier run ended during AllocateEipAddress; .*Nothing was changed$"
world_is "... and nothing was changed" 'mutating == []'
gives 0 "with yes" cloud apply --yes stack.json
world_is "... it is repeated" 'len(made("eip")) == 1 and a.count("AllocateEipAddress") == 1'
gives 0 "destroy" cloud destroy --yes stack.json
nothing_left
stack_file
fresh
killed_during AttachNetworkInterface hang
gives 0 "a plan after a call that makes nothing" cloud plan --out plan stack.json
gives 0 "... can be applied" cloud apply --yes --plan plan stack.json
complete "... to the end"
cloud destroy --yes stack.json >out 2>err

# Listed late: one minute is allowed for
fresh
ctl set '{"late":55}'
gives 0 "objects that are listed after 55 seconds" cloud apply --yes stack.json
complete "... are waited for"
says err "interface/smc: not listed yet"
gives 0 "destroy" cloud destroy --yes stack.json
nothing_left
fresh
ctl set '{"late":55}'
"$smcctl" cloud apply --yes stack.json >out 2>err </dev/null &
pid=$!
within 30 "an interface is made and not listed" grep -q '"eni-' stack.json.state
{ kill -KILL $pid; wait $pid; } 2>/dev/null
gives 0 "destroy at once" cloud destroy --yes stack.json
nothing_left "... waits for it to be listed"
no_violation

# A token that the service knows from another call
fresh
killed_during CreateNetworkInterface hang-after
ctl set '{"hideFor":40,"hideKind":"eni"}'
sed -i 's/QueuePairNumber=10/QueuePairNumber=9/' stack.json.state
gives 0 "another call with the same token" cloud apply --yes stack.json
says err "IdempotentParameterMismatch: .*; an earlier call with this token was a different one"
holds "... is not sent a third time" state_has_not pending
complete "... and what the first call made is found"
world_is "... no other call was wrong" '[v.split(":")[1] for v in d["violations"]] == [" IdempotentParameterMismatch"]'
gives 0 "destroy" cloud destroy --yes stack.json
nothing_left

# Deleting for long: sent again, as its page says
fresh
cloud apply --yes stack.json >out 2>err
ctl set '{"stickDelete":1}'
gives 0 "a deletion that is stuck" cloud destroy --yes stack.json
nothing_left "... is asked for again"
fresh
sed -i '/public_address/d; s/"erdma": true }],/"erdma": true }]/' stack.json
cloud apply --yes stack.json >out 2>err
ctl object "{\"id\":\"$(the_interface)\",\"instance\":\"\",\"status\":\"Deleting\"}"
gives 0 "an interface that is being deleted" cloud apply --yes stack.json
world_is "... is replaced" '[e["status"] for e in made("eni")] == ["Deleting", "InUse"]'
ctl object "{\"id\":\"$(the_interface)\",\"instance\":\"\",\"status\":\"Deleting\"}"
gives 0 "one that an earlier run could not wait for" cloud destroy --yes stack.json
world_is "... is deleted, not detached" 'len(made("eni")) == 1 and "DetachNetworkInterface" not in a'
no_violation

# Nor is what is on its way out what a call has made that nobody answered
address_file
fresh
cloud apply --yes stack.json >out 2>err
old=$(grep -o 'eip-[0-9]*' stack.json.state | head -1)
ctl object "{\"id\":\"$old\",\"bound\":\"\",\"status\":\"Releasing\"}"
ctl advance '{"seconds":100}'
killed_during AllocateEipAddress hang-after
ctl set '{"late":55}'
gives 0 "an address that is being released, and one whose allocation nobody answered" cloud apply --yes stack.json
world_is "... which is sent again, and there is one" "len({x['params']['ClientToken'] for x in c if x['action'] == 'AllocateEipAddress'}) == 2 and
	[e['status'] for e in made('eip')] == ['Releasing', 'InUse']"
holds "... and known" state_has_not "$old"
no_violation

# What an unfinished call made is found by import, too, and the call is not sent again
stack_file
fresh
killed_during CreateNetworkInterface hang-after
gives 0 "import after a creation that nobody answered" cloud import stack.json
says out "^redis: resources taken into the state: 1$"
holds "... knows that it is over" state_has_not pending
gives 0 "... and apply goes on" cloud apply --yes stack.json
world_is "... without it" 'a.count("CreateNetworkInterface") == 1'
complete "... to the end"

# Two bear the same tags: one is elsewhere, and the other goes
stack_file
fresh
cloud apply --yes stack.json >out 2>err
eni=$(the_interface)
sed 's/"redis"/"other"/; /"rules"/d; /public_address/d; s/true }],/true }]/' stack.json >other.json
cloud apply --yes other.json >out 2>err
two=$(grep -o 'eni-[0-9]*' other.json.state | head -1)
ctl object "{\"id\":\"$two\",\"tags\":[[\"smcctl:stack\",\"redis\"],[\"smcctl:resource\",\"interface/smc\"]]}"
before=$(wc -l <double/calls)
gives 4 "two interfaces with the same tags" cloud apply --yes stack.json
says err "^smcctl: stack 'interface/smc': two objects bear its tags, eni-[0-9]+ is one; remove the one that is too many in the console$"
gives 4 "... are not taken into a state" cloud import --state two.state stack.json
says err "^smcctl: resource 'interface/smc': two objects bear its tags, "
holds "... of which there is none then" test ! -e two.state
world_is "... and nothing is changed" "not [x for x in a[$before:] if x in mutating]"
ctl object "{\"id\":\"$eni\",\"instance\":\"i-2\"}"
gives 4 "an interface elsewhere, and a second one with its tags" cloud destroy --yes stack.json
world_is "... which goes" "obj('$two') is None and obj('$eni')['instance'] == 'i-2'"
holds "... and the other one stays recorded" state_has "$eni"

# A key of another account sees nothing of it: that is not to be taken for gone.
stack_file
fresh
cloud apply --yes stack.json >out 2>err
cp stack.json.state kept
other='ALIBABA_CLOUD_ACCESS_KEY_ID=other ALIBABA_CLOUD_ACCESS_KEY_SECRET=othersecret'
for what in 'destroy --yes' 'apply --yes' import status plan; do
	# shellcheck disable=SC2086
	gives 4 "a key of another account: $what" env $other "$smcctl" cloud $what stack.json
	says err "^smcctl: state 'stack.json.state': the stack is in account 1234, the access key of account 5678; "
done
holds "... and the state is as it was" cmp kept stack.json.state
complete "... and the stack"
cloud destroy --yes stack.json >out 2>err
nothing_left

# Which instance "this" is
this_file
fresh
gives 0 "this" cloud apply --yes stack.json
eni=$(the_interface)
ctl set '{"self":null}'
ctl object "{\"id\":\"$eni\",\"instance\":\"i-2\"}"
gives 4 "destroy elsewhere, and the interface is on a foreign instance" cloud destroy --yes stack.json
world_is "... which keeps it" "obj('$eni')['instance'] == 'i-2' and obj('$eni')['status'] == 'InUse'"
ctl object "{\"id\":\"$eni\",\"instance\":\"i-1\"}"
gives 0 "destroy elsewhere, by the recorded instance" cloud destroy --yes stack.json
nothing_left
sed -i 's/"on": "smc"/"on": "instance"/' stack.json
for what in interface/smc address; do
	fresh
	ctl set '{"self":"i-1"}'
	[ $what = interface/smc ] || sed -i '/"interfaces"/d' stack.json
	cloud apply --yes stack.json >out 2>err
	ctl set '{"self":null}'
	rm stack.json.state
	gives 4 "$what, and nobody knows which instance it should be on" cloud destroy --yes stack.json
	says err "^smcctl: resource '$what': .* is attached to i-1, and which instance is the stack's is not known here; "
	world_is "... stays" '[o["status"] for o in made("eni") + made("eip")] in (["InUse"], ["InUse", "InUse"])'
	ctl set '{"self":"i-1"}'
	gives 0 "... and goes on the instance itself" cloud destroy --yes stack.json
	nothing_left
done
this_file
fresh
gives 0 "a plan for one instance" cloud plan --out plan stack.json
ctl set '{"self":"i-2"}'
gives 4 "... is stale on another" cloud apply --yes --plan plan stack.json
world_is "... and nothing was changed" 'mutating == []'

# The question can be interrupted
fresh
cat >interrupt.py <<'PY'
import os, pty, select, signal, sys, time
pid, terminal = pty.fork()
if pid == 0:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(sys.argv[1], ["smcctl", "cloud", *sys.argv[2:]])
seen, end, sent = b"", time.monotonic() + 30, False
while time.monotonic() < end:
    if select.select([terminal], [], [], 0.1)[0]:
        try:
            seen += os.read(terminal, 4096)
        except OSError:
            break
    if not sent and b'Only "yes" goes on' in seen:
        os.write(terminal, b"\x03")
        sent = True
        end = time.monotonic() + 20
# The terminal is let go a moment before the program has ended (do_exit() closes files first).
ended = 0
while not ended and time.monotonic() < end:
    ended, status = os.waitpid(pid, os.WNOHANG)
    time.sleep(0.01)
if not ended:
    os.kill(pid, 9)
    status = os.waitpid(pid, 0)[1]
if not sent or not os.WIFSIGNALED(status) or os.WTERMSIG(status) != 2:
    sys.exit(f"asked: {sent}, status {status:#x}, on the terminal: {seen}")
PY
holds "Ctrl-C at the question ends apply" python3 interrupt.py "$smcctl" apply stack.json
world_is "... and nothing was changed" 'mutating == []'

# Who hands out keys is asked again
unset ALIBABA_CLOUD_ACCESS_KEY_ID ALIBABA_CLOUD_ACCESS_KEY_SECRET
key='metadata meta-data/ram/security-credentials/the-role'
hands_out() { # NAME FAULT [ASSIGNMENT...]
	ctl reset
	ctl fault "$2"
	# The minute for credentials is three seconds then: enough for a loaded machine.
	gives 0 "$1" env SMCCTL_CLOUD_SPEED=20 "${@:3}" "$smcctl" cloud whoami --region cn-hangzhou
}
for kind in empty reset; do
	hands_out "the metadata service: $kind" "{\"action\":\"$key\",\"kind\":\"$kind\",\"times\":2}"
done
printf 'oidc-token' >token
oidc="ALIBABA_CLOUD_ROLE_ARN=acs:ram::1:role/x ALIBABA_CLOUD_OIDC_PROVIDER_ARN=acs:ram::1:oidc/y ALIBABA_CLOUD_OIDC_TOKEN_FILE=$PWD/token"
for kind in throttle empty reset; do
	# shellcheck disable=SC2086 # assignments without blanks
	hands_out "STS by OIDC: $kind" "{\"action\":\"AssumeRoleWithOIDC\",\"kind\":\"$kind\",\"times\":2}" $oidc
done
mkdir -p home/.aliyun
echo '{ "current": "a", "profiles": [ { "name": "a", "mode": "RamRoleArn", "access_key_id": "testid", "access_key_secret": "testsecret",
	"ram_role_arn": "acs:ram::1:role/x", "ram_session_name": "s" } ] }' >home/.aliyun/config.json
chmod 600 home/.aliyun/config.json
hands_out "STS for a role: throttle" '{"action":"AssumeRole","kind":"throttle","times":2}'
ctl fault '{"action":"AssumeRole","kind":"throttle","times":100000}'
gives 1 "... but not without end" timeout 60 "$smcctl" cloud whoami --region cn-hangzhou
says err "Throttling.User"
rm home/.aliyun/config.json

# A key is replaced before it runs out, and used as long as it lasts when that fails
handed_out() { # NAME LIFETIME EXPRESSION
	fresh
	ctl set "{\"lifetime\":$2}"
	gives 0 "a key for $2 seconds" cloud apply --yes stack.json
	# shellcheck disable=SC2016
	world_is "... $1" "(lambda n: $3)(open('double/ways').read().count('\"meta-data/ram/security-credentials/the-role\"'))"
	cloud destroy --yes stack.json >out 2>err
}
stack_file
handed_out "is replaced in time" 170 "n > 1"
handed_out "is not replaced yet" 600 "n == 1"
fresh
ctl set '{"lifetime":100}'
ctl fault "{\"action\":\"$key\",\"kind\":\"empty\",\"nth\":2,\"times\":100000}"
gives 0 "a key that cannot be replaced and is good still" cloud apply --yes stack.json
complete "... is used"
holds "... and that is said once" test "$(grep -c '^smcctl: .*the key in use is good' err)" = 1
fresh
ctl set '{"lifetime":0}'
ctl fault "{\"action\":\"$key\",\"kind\":\"empty\",\"nth\":2,\"times\":100000}"
gives 1 "a key that cannot be replaced and has run out" cloud apply --yes stack.json
says err "metadata service"
finish
