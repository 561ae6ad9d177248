#!/bin/bash
# SPDX-License-Identifier: MIT
# cloud apply --then-host on a kernel that has SMC, with an RDMA device on the new interface. The cloud is simulated.
# Modes: smcr
# shellcheck source-path=SCRIPTDIR source=../cloud/lib.sh
. "$(dirname "$0")/../cloud/lib.sh" || exit 99
in_namespace
mount -t tmpfs -o mode=755 tmpfs /var/lib || exit 99
mkdir -p /etc/NetworkManager
double
stack_file
sed -i 's/"i-1"/"this"/; /"rules"/d; /public_address/d; s/true }],/true }]/' stack.json
profile=/etc/smc/host-redis.json
exclusion=/etc/NetworkManager/conf.d/90-smcctl-eni0.conf
echo '{ "version": 1, "xps": { "eni*": "one-to-one" } }' >p.json
everything() {
	"$smcctl" pnet list --json
	cat /sys/class/net/eni0/queues/tx-*/xps_cpus
	find /etc/NetworkManager /etc/systemd/network /etc/udev/rules.d /etc/modules-load.d /etc/sysctl.d /var/lib 2>/dev/null | sort
}

gives 0 "apply" cloud apply --yes stack.json
ctl state
mac=$(grep -o '"mac":"[^"]*","mode":"HighPerformance"' world | cut -d '"' -f 4)
ip link add eni0 address "$mac" numtxqueues 2 numrxqueues 2 type veth peer name far && ip link set eni0 up &&
	rdma link add erdma_0 type rxe netdev eni0 || exit 99
id=$(tr -d : <<<"${mac^^}")
everything >before

gives 0 "apply --then-host" cloud apply --yes --then-host p.json stack.json
says out "^interface/smc: eni0, RDMA device erdma_0$"
says out "^host: as the profile says; changed: 7$"
cp $profile out
holds "the profile has the interface and its RDMA device" json "d == {'version': 1, 'nic': {'eni0': 'soft'}, 'xps': {'eni*': 'one-to-one'},
	'smc': {'pnet': [{'id': '$id', 'interface': 'eni0'}, {'id': '$id', 'device': 'erdma_0'}]}}"
gives 0 "the kernel" "$smcctl" pnet list --json
holds "... has the pnet identifier on both" json "sorted((e['id'], e['interface'] or '', e['device'] or '') for e in d['entries']) == [('$id', '', 'erdma_0'), ('$id', 'eni0', '')]"
holds "... each transmit queue has its processor" test "$(cat /sys/class/net/eni0/queues/tx-*/xps_cpus | tr '\n' ' ')" = "1 2 "
holds "... the interface is kept out of NetworkManager" grep -qi "$mac\|eni0" $exclusion
gives 0 "smcctl host check" "$smcctl" host check $profile
gives 0 "host revert" "$smcctl" host revert
everything | diff before - >out
result $? "... takes all of it back"
rdma link delete erdma_0
ip link delete eni0
finish
