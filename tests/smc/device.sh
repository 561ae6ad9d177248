#!/bin/bash
# SPDX-License-Identifier: MIT
# device list: what it says of devices is what rdma and sysfs say, and what it says they serve is what a connection gets.
# Modes: smcd smcr
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
here=$(dirname "$0")

# serves V1 V2 KIND NAME: what the one device is said to serve, and what a connection over lo becomes.
serves() {
	gives 0 "$4" "$smcctl" device list --json
	holds "... serves_v1 $1, serves_v2 $2" json "[(x['serves_v1'], x['serves_v2']) for x in d['devices']] == [($1, $2)]"
	[ "$("$here/connections.py" kind)" = "$3" ]
	result $? "... and a connection is $3"
}

why() { # PART NAME
	gives 0 "$2" "$smcctl" device list
	says out "$1"
}

"$here/configure.py" pnet && "$here/configure.py" ueid SMCSHIM-LAB || exit 99
case $LAB_MODE in
smcd)
	gives 0 "loopback-ism is known, though the kernel does not list it" "$smcctl" device list
	says out '^loopback-ism  -     active .*  SMC-D v2$'
	says out 'the kernel does not list it; known by (a link group with|SMC-D of version 2 without an ISM device)'
	serves False True smc "with a UEID"
	gives 0 "a link group proves it" "$smcctl" device list --json
	holds "... and is counted" json "d['devices'][0]['known_by'].startswith('a link group') and d['devices'][0]['linkgroups'] >= 1"
	device=loopback-ism
	no_pnetid='its pnet identifier NETA was set by hand; smcctl pnet del NETA'
	;;
smcr)
	gives 0 "the RDMA device" "$smcctl" device list --json
	rdma -j link >links
	holds "name, port, state and interface are those of rdma link" json "[(x['name'], x['port'], x['state'], x['netdev']) for x in d['devices']] == [(l['ifname'], l['port'], l['state'].lower(), l['netdev']) for l in json.load(open('links'))]"
	ports=/sys/class/infiniband/rxel/ports/1
	grep -Hv '^0000:0000:0000:0000:0000:0000:0000:0000$' $ports/gids/* | sed 's/.*gids.//' | sort -n >gids
	holds "GIDs are those of sysfs" json "[(str(g['index']), __import__('ipaddress').ip_address(g['gid']).exploded) for g in d['devices'][0]['gids']] == [tuple(l.strip().split(':', 1)) for l in open('gids')]"
	holds "... by type" json "[g['type'] for g in d['devices'][0]['gids']] == ['RoCE v2, IPv6', 'RoCE v2, IPv4', 'RoCE v2, IPv6']"
	holds "the GUID is made of the MAC" json "d['devices'][0]['guid_matches_mac'] is True"
	serves False True smc "with a UEID"
	device=rxel
	no_pnetid='its interface lo has the pnet identifier NETA, the port has none'

	ip link set lo down
	within 10 "with the interface down" bash -c '"$1" device list | grep -q "not SMC-R v2: the port is down"' - "$smcctl"
	ip link set lo up
	within 10 "... and up" bash -c '"$1" device list | grep -q "SMC-R v2$"' - "$smcctl"
	;;
esac

"$smcctl" device list --json | sed -E 's/"(known_by|guid)":"[^"]*"/"\1":"*"/g; s/"(links|linkgroups)":[0-9]+/"\1":0/g; s/"critical":(true|false)/"critical":null/g' >out
holds "the JSON is the golden one" diff out "$here/golden/device-$LAB_MODE.json"
holds "RDMA's mode of network namespaces is that of rdma system" json "d['rdma_netns_mode'] == '$(rdma system | sed 's/^netns \([a-z]*\).*/\1/')'"

"$here/configure.py" ueid
serves False False tcp "without a UEID"
why 'v2: this host has no UEID; smcctl eid ensure NAME' "... why"
"$here/configure.py" ueid SMCSHIM-LAB

# A pnet identifier on the one, then on both.
case $LAB_MODE in
smcd) "$here/configure.py" pnet NETA=device:$device ;;
smcr) "$here/configure.py" pnet NETA=netdev:lo ;;
esac
serves False False tcp "a pnet identifier that the other side does not have"
why "$no_pnetid" "... why"
"$here/configure.py" pnet NETA=device:$device NETA=netdev:lo
case $LAB_MODE in
# The kernel compares an ISM device's with those of hardware only.
smcd) serves False False tcp "the same pnet identifier on both" ;;
smcr) serves False True smc "the same pnet identifier on both" ;;
esac
holds "... is shown" json "d['devices'][0]['pnetid'] == 'NETA' and d['devices'][0]['pnetid_by_user']"
"$here/configure.py" pnet
serves False True smc "none again"

gives 0 "needs no rights" unprivileged "$smcctl" device list
gives 1 "a network namespace that does not exist" "$smcctl" device list --netns nowhere
lines err 1 "... is one line"
if [ "$LAB_MODE" = smcr ]; then
	# What rdma changes only while there is one network namespace.
	within 10 "rdma system set netns exclusive" rdma system set netns exclusive
	ip netns add far
	gives 0 "a device of another network namespace" "$smcctl" device list --netns far
	says out '^RDMA NETNS   exclusive$'
	says out '^rxel .* nothing$'
	says out 'not SMC-R v2: it is not in this network namespace; see "rdma system"'
	ip netns delete far
	within 10 "rdma system set netns shared" rdma system set netns shared
	ip netns add far
	gives 0 "a shared device in another network namespace" "$smcctl" device list --netns far
	says out 'not SMC-R v2: no interface here belongs to it, and it has no pnet identifier'
	holds "... has GIDs there too" grep -q '1 v2 IPv4' out
	ip netns delete far
fi
finish
