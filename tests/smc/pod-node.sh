#!/bin/bash
# SPDX-License-Identifier: MIT
# The container of the DaemonSet that sets a node up, played with the capabilities it is given and a root of its own: it loads
# the node's module, sets its kernel and writes its files; and an empty profile takes all of it back.
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
ip link delete n0
finish
