#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl check: wrong usage, rights, and listeners on the loopback device of a namespace. The middleboxes are in tests/smc/check.sh.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace

for words in "" "10.0.0.1" "10.0.0.1:0" "10.0.0.1:65536" "10.0.0.1:x" "fd00::1:80" "[fd00::1]" ":80" "10.0.0.1:80 10.0.0.1:81" \
	"--url http://h 10.0.0.1:80" "--url h:80" "--url redis://h" "--url=" "--policy p 10.0.0.1:80" "--policy p --url http://h" \
	"--timeout 0 10.0.0.1:80" "--timeout 601 10.0.0.1:80" "--timeout x 10.0.0.1:80" "--bogus 10.0.0.1:80" "--netns= 10.0.0.1:80"; do
	# shellcheck disable=SC2086
	refuses 64 "wrong usage: smcctl check $words" "$smcctl" check $words
done
gives 64 "a scheme without a port" "$smcctl" check --url redis://h
says err "^smcctl: URL 'redis://h': not http://HOST, https://HOST or SCHEME://HOST:PORT; of other schemes the port must be named$"
gives 1 "a name that nobody has" "$smcctl" check nobody.invalid:80
says err "^smcctl: host 'nobody.invalid': "
lines err 1 "... is one line"
gives 1 "a network namespace that is not there" "$smcctl" check --netns nowhere 10.0.0.1:80
gives 65 "a policy that is not there" "$smcctl" check --policy nothing.json
echo '{"version": 1, "rules": [{"use": "smc"}]}' >bad.json
gives 65 "a policy that is wrong" "$smcctl" check --policy bad.json
echo '{"version": 1, "rules": [{"use": "smc", "connect": "any"}, {"use": "smc", "listen": "any"}]}' >wide.json
gives 0 "a policy that names no host" "$smcctl" check --policy wide.json
says out '^not checked: rule 1, line 1: no port is named: '
says out '^0 fit, 0 unfit, 0 unanswered, 0 unknown; 1 rule not checked$'

# Without rights: with SMC in the kernel the handshake is left, else nothing.
gives 77 "no CAP_NET_RAW and no handshake" unprivileged "$smcctl" check --no-handshake 127.0.0.1:9
says err '^smcctl: check: raw sockets are not permitted \(CAP_NET_RAW\), and there is no handshake; run as root$'
says out '^Verdict +unknown: nothing could be tried from here$'

# A namespace of our own, in which everything is permitted and nothing is beside us.
cat >inside.sh <<'END'
ip link set lo up
python3 -c 'import socket, sys
kept = []
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    sock = socket.socket(family)
    sock.bind((address, 8080))
    sock.listen(1)
    kept.append(sock)
print("ready", flush=True)
sys.stdin.read()' <"$1" >ready &
exec 9>"$1"
until [ -s ready ]; do sleep 0.05; done
shift
"$@" 9>&-
status=$?
exec 9>&-
wait
exit $status
END
inside() {
	rm -f pipe ready
	mkfifo pipe
	unshare -n bash inside.sh pipe "$@"
}
for address in 127.0.0.1:8080 "[::1]:8080"; do
	gives 2 "plain TCP at $address" inside "$smcctl" check --no-handshake "$address"
	says out '^Verdict +plain: '
	says out '^With option +6 of 6 SYNs answered, median [0-9.]+ ms; sent fe06e2d4c3d9, seen [0-9a-f]+$'
	says out '^Unknown id +3 of 3 SYNs answered; sent fe065'
	says out '^Unknown kind +3 of 3 SYNs answered; sent fd065'
	says out '^Rule +\{ "use": "tcp", "connect": "[0-9a-f.:]+/(32|128)", "ports": 8080, "note": "plain" \}$'
	gives 2 "... as JSON" inside "$smcctl" check --no-handshake --json "$address"
	holds "... with the same" json '[x["verdict"] for x in d["destinations"]] == ["plain"] and d["destinations"][0]["syn"]["with_option"]["sent"] == 6'
	python3 -c 'import json
print(json.dumps({"version": 1, "rules": [json.load(open("out"))["destinations"][0]["rule"]]}))' >rule.json
	gives 0 "... and its rule is one" "$smcctl" policy check rule.json
	gives 1 "a closed port at ${address%:*}" inside "$smcctl" check "${address%:*}:8081"
	says out '^Verdict +refused: nobody listens on that port$'
done
gives 2 "a URL" inside "$smcctl" check --no-handshake --url http://user:pw@127.0.0.1:8080/path
gives 1 "no route" inside "$smcctl" check 192.0.2.1:80
says out '^Verdict +unreachable: '
says out '^Network said +Network is unreachable$'
gives 1 "without CAP_NET_RAW a closed port is known all the same" inside setpriv --bounding-set=-net_raw --inh-caps=-net_raw -- "$smcctl" check 127.0.0.1:8081
says out '^Verdict +refused: '
says out '^SYNs +not sent: raw sockets take root.s rights'
if ! python3 -c 'import socket; socket.socket(43, socket.SOCK_STREAM)' 2>/dev/null; then
	gives 2 "a kernel without SMC says so, and judges the SYNs" inside "$smcctl" check 127.0.0.1:8080
	says out '^Handshake +not done: this host has no SMC \('
	gives 3 "no SMC and no CAP_NET_RAW" inside setpriv --bounding-set=-net_raw --inh-caps=-net_raw -- "$smcctl" check 127.0.0.1:8080
	says err '^smcctl: check: this host has no SMC, and raw sockets are not permitted \(CAP_NET_RAW\); run as root$'
fi
finish
