#!/bin/bash
# SPDX-License-Identifier: MIT
# The containers of the DaemonSet, played with the capabilities they are given and roots of their own. The one that sets a node
# up loads the node's module, sets its kernel and writes its files; and an empty profile takes all of it back. The others give
# the node its EID, its pnet identifier, the library and the policy: with them a pod by hostPath, which has nothing else, is SMC.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
here=$(dirname "$0")
stage=$top_builddir/stage
state=$PWD/state
mkdir -p "$state"
ip link add n0 numtxqueues 4 numrxqueues 4 type veth peer name n1 || exit 99
mapfile -t eids < <("$smcctl" eid list --json | python3 -c 'import json, sys; print("\n".join(json.load(sys.stdin)["user"]))')
play() { "$here/play-pod.py" pod.json "$state" "$stage" "$@"; }
# profile: the DaemonSet of standard input's profile, as pod.json; and its ConfigMaps.
profile() {
	cat >p.json
	"$smcctl" pod manifest --host-profile p.json >manifest.json
	jq '.items[] | select(.kind == "DaemonSet") | .spec.template' manifest.json >pod.json
	jq -r '.items[] | select(.metadata.name == "smcshim-host") | .data["host.json"]' manifest.json >from-map.json
	"$here/play-pod.py" --publish "$state/configmaps/smcshim-host" from-map.json host.json
	jq -r '.items[] | select(.metadata.name == "smcshim-policy" and .kind == "ConfigMap") | .data["policy.json"]' manifest.json >policy.json
	"$here/play-pod.py" --publish "$state/configmaps/smcshim-policy" policy.json
}
everything() {
	find /etc/modules-load.d /etc/sysctl.d /etc/udev/rules.d /var/lib/smcctl 2>/dev/null | sort
	cat /proc/sys/net/core/somaxconn /sys/class/net/n0/queues/tx-*/xps_cpus
	[ ! -e /sys/module/smc ] || echo smc
}
is_as() { everything | diff "$1" - >out 2>&1; }

echo 4096 >/proc/sys/net/core/somaxconn
gives 0 "the module is not there" modprobe -r smc_diag smc
everything >before
profile <<'END'
{ "version": 1, "modules": ["smc", "smc_diag"],
  "sysctl": { "net.smc.rmem": 1048576, "net.core.somaxconn": { "at_least": 8192 } },
  "smc": { "ueids": ["NODE-1"], "pnet": [ { "id": "NODENET", "interface": "n0" } ] },
  "xps": { "n0": "one-to-one" } }
END
holds "the ConfigMap has the profile to the byte" cmp p.json <(head -c -1 from-map.json)
ip netns add pod
gives 3 "in a network namespace of its own" nsenter --net=/run/netns/pod "$here/play-pod.py" pod.json "$state" "$stage" host
says err "^smcctl: node '/host': this process is not in the network namespace of that host"
holds "... it changes nothing" is_as before
ip netns del pod
gives 0 "the container" play host
says out '^host: as the profile says; changed: '
holds "... loads the module, sets its buffers" test "$(cat /proc/sys/net/smc/rmem)" = 1048576
ip netns add pod
holds "... which reach no pod with a network namespace of its own" test "$(nsenter --net=/run/netns/pod cat /proc/sys/net/smc/rmem)" = 65536
ip netns del pod
holds "... the node has it all" "$smcctl" host check p.json
"$smcctl" eid list --json >out
holds "... the EID among it" json '"NODE-1" in d["user"]'
holds "... and files for the next boot" grep -x 'net.smc.rmem = 1048576' /etc/sysctl.d/99-zz-smcctl-host.conf
gives 0 "a pod that starts again" play host
says out '^host: as the profile says$'
"$smcctl" eid del NODE-1 >out
gives 0 "... sets what was lost" play host
gives 0 "... again" "$smcctl" host check p.json
before_change=$(jq -r '.metadata.annotations["smc.smcctl.io/host-profile"]' pod.json)
profile <<<'{ "version": 1 }'
holds "another profile makes the pods anew" test "$before_change" != "$(jq -r '.metadata.annotations["smc.smcctl.io/host-profile"]' pod.json)"
gives 0 "an empty profile" play host
gives 0 "... and then revert" "$smcctl" host revert
holds "... leave the node as it was" is_as before
modprobe smc && modprobe smc_diag
for eid in "${eids[@]}"; do "$smcctl" eid ensure "$eid" >out; done

# ---- what else the DaemonSet does, and a pod that lives on it
echo '{"version":1,"rules":[{"use":"smc","connect":"127.0.0.0/8"},{"use":"smc","listen":"any"}]}' >smc.json
echo '{"version":1,"rules":[{"use":"tcp","connect":"any"}]}' >tcp.json
publish() { "$here/play-pod.py" --publish "$state/configmaps/smcshim-policy" "$1"; }
"$smcctl" pod manifest --policy smc.json --eid NODE-2 --pnet NODENET --interface n0 >manifest.json
jq '.items[] | select(.kind == "DaemonSet") | .spec.template' manifest.json >pod.json
publish smc.json
gives 0 "eid" play eid
"$smcctl" eid list --json >out
holds "... gives the node its EID" json '"NODE-2" in d["user"]'
gives 0 "pnet" play pnet
"$smcctl" pnet list --json >out
holds "... gives its interface the identifier" grep -c NODENET out
gives 0 "place" play place
says out '^/run/smc/policy: applied, state on$'
holds "... the library is there, for all" test "$(stat -c %a /var/lib/smcshim/libsmcshim.so)" = 755
gives 1 "the root of its containers is read-only" play policy touch /etc/x
says err 'Read-only file system'
play policy >watch.log 2>&1 &
children=$!
mapfile -t probe < <(jq -r '.spec.containers[0].readinessProbe.exec.command[]' pod.json)
gives 0 "policy is ready" play policy "${probe[@]}"

cat >plain.json <<'END'
{ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p" }, "spec": { "containers": [
  { "name": "app", "image": "i", "securityContext": { "runAsUser": 1000 } } ] } }
END
ip netns add pod && ip -n pod link set lo up
in_pod() { nsenter --net=/run/netns/pod "$here/play-pod.py" app.json "$state" "$stage" "$@"; }
"$smcctl" pod inject --method hostpath plain.json >app.json 2>err
mkfifo app.in
in_pod app "$here/pod-app.py" <app.in >app.out 2>&1 &
children="$children $!"
exec 7>app.in
becomes() { # KIND: a new connection is that
	echo >&7
	sleep 0.2
	[ "$(tail -n 1 app.out)" = "$1 $1" ]
}
within 60 "hostpath: a pod's sockets are SMC" becomes smc
holds "... and it cannot write the node's table" grep -x 'user 1000, table read-only' app.out
publish tcp.json
within 60 "... its ConfigMap changes: TCP, by the container policy" becomes tcp
exec 7>&-
kill_children

# The library out of an image's volume, the rest as by init.
"$smcctl" pod inject --method image-volume --no-watch plain.json >app.json 2>err
publish smc.json
gives 0 "image-volume: smc-init" in_pod smc-init
echo >line
in_pod app "$here/pod-app.py" <line >out 2>err
says out '^smc smc$' "... a pod's sockets are SMC"
ip netns del pod
gives 0 "the EID is gone" "$smcctl" eid del NODE-2
umount "$state"/volumes/smc-run
ip link delete n0
finish
