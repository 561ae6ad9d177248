#!/bin/bash
# SPDX-License-Identifier: MIT
# Every system call of an apply, by strace: where the secret goes. Simulated.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
double
stack_file
unset ALIBABA_CLOUD_ACCESS_KEY_ID ALIBABA_CLOUD_ACCESS_KEY_SECRET
mkdir -p home/.alibabacloud
printf '[default]\ntype = access_key\naccess_key_id = testid\naccess_key_secret = testsecret\n' >home/.alibabacloud/credentials
chmod 600 home/.alibabacloud/credentials

# A process that is traced cannot look for leaks.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0

cat >judge.py <<'END'
import re, sys
secret, source = sys.argv[1], sys.argv[2]
allowed = re.compile(source)
undumpable, seen, bad = None, 0, []
for number, line in enumerate(open("trace", errors="replace")):
    # strace quotes; what the process itself put into memory does not show, what goes in or out does.
    call = re.match(r"(?:\d+ +)?(\w+)\(", line)
    if "PR_SET_DUMPABLE, SUID_DUMP_DISABLE" in line and line.rstrip().endswith("= 0"):
        undumpable = number
    if secret in line:
        seen += 1
        if undumpable is None:
            bad.append("read before the process was made undumpable: " + line[:80])
        if not call or not allowed.fullmatch(call[1]):
            bad.append(line[:120])
print(f"seen {seen} times", *bad, sep="\n")
sys.exit(1 if bad or not seen else 0)
END
# traced WHAT COMMAND...: with all arguments, environments and data
traced() {
	local name=$1
	shift
	fresh
	gives 0 "$name" strace -f -v -s 100000 -o trace "$@"
}
# No file but what it is from, and strace's, has a word of these.
nowhere() {
	local word
	for word in "$@"; do
		if grep -rlaF -e "$word" --exclude=trace --exclude=token --exclude-dir=home .; then return 1; fi
	done
}
traced "plan --out" "$smcctl" cloud plan --out plan --debug stack.json
holds "... the secret comes in by read() and goes nowhere" python3 judge.py testsecret 'read|pread64'
holds "... and stands in no file, the plan included" nowhere testsecret
holds "... which is there" test -s plan
rm plan
traced "apply, the secret in a file" "$smcctl" cloud apply --yes stack.json
cat >journal.py <<'END'
# Before each call that changes something the state is written, synced, put in its place, and that is synced.
import re, sys
steps, calls, bad = [], 0, []
for line in open("trace", errors="replace"):
    if re.search(r"\b(fsync|renameat2?)\(.*= 0$", line.rstrip()):
        steps.append("rename" if '"stack.json.state"' in line else "fsync" if "fsync(" in line else "other")
    sent = re.search(r"x-acs-action: (Authorize|Create|Attach|Allocate|Associate)\w*", line) if re.search(r"\b(sendto|write)\(", line) else None
    if sent:
        calls += 1
        text = " ".join(steps)
        if "fsync rename fsync" not in text:
            bad.append(f"{sent[0]}: {text}")
        steps = []
print(calls, *bad, sep="\n")
sys.exit(1 if bad or calls != 6 else 0)
END
holds "... each call that changes something is on the disk before it is sent" python3 journal.py
holds "... it comes in by read() and goes nowhere: no argument, environment, file, message or packet" python3 judge.py testsecret 'read|pread64'
holds "... and no child sees anything: smcctl and its helper are all that was executed" test "$(grep -c ' execve(.*= 0$' trace)" = 2
holds "... nor is it in what was written" nowhere testsecret
holds "... where the state is" test -s stack.json.state -a -e stack.json.state.lock
rm home/.alibabacloud/credentials
traced "apply, by the instance's role" "$smcctl" cloud apply --yes stack.json
holds "... its secret comes in by the metadata service's reply and goes nowhere" python3 judge.py metasecret 'recvfrom|read'
holds "... the token is in requests alone, not in files and messages" nowhere metasecret meta/token meta%2Ftoken
# As it is while a call is under way, and nobody knows its end.
fresh
ctl fault '{"action":"AllocateEipAddress","kind":"throttle","times":1000}'
gives 5 "a call without an answer" env ALIBABA_CLOUD_RETRY_COUNT=0 "$smcctl" cloud apply --yes --debug --timeout 20000 stack.json
holds "... is in the journal" grep -q '"pending"' stack.json.state
holds "... without secret and token" nowhere metasecret meta/token meta%2Ftoken
ctl faults-off
gives 0 "destroy" "$smcctl" cloud destroy --yes --json --timeout 20000 stack.json
holds "... leaves none either" nowhere metasecret meta/token meta%2Ftoken
printf 'a-token-of-oidc' >token
ctl set '{"oidcToken":"a-token-of-oidc"}'
traced_role() { # NAME FILE-PROVIDER: the secret and the token that STS gave out
	holds "$1: the secret comes in by the reply of STS and goes nowhere" python3 judge.py rolesecret 'recvfrom|read'
	holds "... its token is in the reply and the next request's headers alone" python3 judge.py 'role/token+==' 'recvfrom|read|sendto'
	holds "... and in no message" sh -c '! grep -E "rolesecret|role/token" out err'
}
oidc="ALIBABA_CLOUD_ROLE_ARN=r ALIBABA_CLOUD_OIDC_PROVIDER_ARN=p ALIBABA_CLOUD_OIDC_TOKEN_FILE=$PWD/token"
# shellcheck disable=SC2086
gives 0 "a role by OIDC" env $oidc strace -f -v -s 100000 -o trace "$smcctl" cloud whoami --region cn-hangzhou --debug
traced_role "OIDC"
holds "... the token that was exchanged is read and sent once" python3 judge.py a-token-of-oidc 'read|pread64|sendto'
holds "... and in no message" sh -c '! grep -F a-token-of-oidc out err'
mkdir -p home/.aliyun
printf '{"profiles":[{"name":"default","mode":"RamRoleArn","access_key_id":"testid","access_key_secret":"testsecret","ram_role_arn":"r","ram_session_name":"s"}]}' >home/.aliyun/config.json
chmod 600 home/.aliyun/config.json
gives 0 "a role by a profile" strace -f -v -s 100000 -o trace "$smcctl" cloud whoami --region cn-hangzhou --debug
traced_role "AssumeRole"
holds "... nor does that of the profile" python3 judge.py testsecret 'read|pread64'
finish
