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
traced "apply, the secret in a file" "$smcctl" cloud apply --yes stack.json
holds "... it comes in by read() and goes nowhere: no argument, environment, file, message or packet" python3 judge.py testsecret 'read|pread64'
holds "... and no child sees anything: smcctl and its helper are all that was executed" test "$(grep -c ' execve(.*= 0$' trace)" = 2
holds "... nor is it in what was written" sh -c '! grep testsecret stack.json.state out err double/calls'
rm home/.alibabacloud/credentials
traced "apply, by the instance's role" "$smcctl" cloud apply --yes stack.json
holds "... its secret comes in by the metadata service's reply and goes nowhere" python3 judge.py metasecret 'recvfrom|read'
holds "... the token is in requests alone, not in files and messages" sh -c '! grep -F "meta/token" stack.json.state out err'
finish
