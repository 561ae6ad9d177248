#!/bin/bash
# SPDX-License-Identifier: MIT
# The containers of an injected pod, played as processes in namespaces of their own: their sockets are SMC, and a ConfigMap's
# change reaches them.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
here=$(dirname "$0")
stage=$top_builddir/stage
state=$PWD/state
mkdir -p "$state"
ip netns add pod && ip -n pod link set lo up || exit 99
play() { nsenter --net=/run/netns/pod "$here/play-pod.py" pod.json "$state" "$stage" "$@"; }
policy() { # JSON: the ConfigMap from now on
	echo "$1" >policy.json
	"$here/play-pod.py" --publish "$state/configmaps/smcshim-policy" policy.json
}
smc='{"version":1,"rules":[{"use":"smc","connect":"127.0.0.0/8"},{"use":"smc","listen":"any"}]}'
tcp='{"version":1,"rules":[{"use":"tcp","connect":"any"}]}'

cat >plain.json <<'END'
{ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p" }, "spec": { "containers": [
  { "name": "user", "image": "i", "securityContext": { "runAsUser": 1000 } },
  { "name": "root", "image": "i" } ] } }
END
gives 0 "inject" "$smcctl" pod inject plain.json
cp out pod.json

# Without a policy: the pod starts, on TCP.
gives 0 "smc-init without a ConfigMap" play smc-init
says err 'there is no policy'
echo >line
play user "$here/pod-app.py" <line >out 2>err
says out '^tcp tcp$' "without a policy all is TCP"
umount "$state/volumes/smc-run" && rm -rf "${state:?}"

policy "$smc"
gives 0 "smc-init" play smc-init
says out '^/run/smc/policy: applied, state on$'
play smc-watch >watch.log 2>&1 &
children=$!
# Two containers of different users; the table belongs to neither.
for name in user root; do
	mkfifo "$name.in"
	play "$name" "$here/pod-app.py" <"$name.in" >"$name.out" 2>&1 &
	children="$children $!"
done
exec 7>user.in 8>root.in
becomes() { # KIND: a new connection of each container is that
	echo >&7 && echo >&8
	sleep 0.2
	[ "$(tail -n 1 user.out)" = "$1 $1" ] && [ "$(tail -n 1 root.out)" = "$1 $1" ]
}
within 60 "both containers' sockets are SMC" becomes smc
holds "... of user 1000, which cannot write the table" grep -x 'user 1000, table read-only' user.out
holds "... and of root, which cannot either" grep -x 'user 0, table read-only' root.out
policy "$tcp"
within 60 "the ConfigMap changes: new connections are TCP" becomes tcp
policy "$smc"
within 60 "... and SMC again" becomes smc
echo '{' >bad && "$here/play-pod.py" --publish "$state/configmaps/smcshim-policy" bad
within 60 "a bad policy is said" grep 'smcctl: ' watch.log
holds "... and what is in force stays" becomes smc
exec 7>&- 8>&-
kill_children
ip netns del pod
finish
