#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl host on the kernel's SMC: EIDs, pnet identifiers, the limit of handshakes, buffers; the module that comes with apply and goes with revert.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
ip link add h0 numtxqueues 4 numrxqueues 4 type veth peer name h1 || exit 99
mapfile -t eids < <("$smcctl" eid list --json | python3 -c 'import json, sys; print("\n".join(json.load(sys.stdin)["user"]))')
key() { cat "/proc/sys/net/smc/$1"; }
everything() {
	find /etc/modules-load.d /etc/sysctl.d /etc/udev/rules.d /var/lib/smcctl 2>/dev/null | sort
	"$smcctl" eid list --json; "$smcctl" pnet list --json; "$smcctl" hs-limit show
	key rmem; key wmem
}
is_as() { everything | diff "$1" - >out 2>&1; }
cat >p.json <<'END'
{ "version": 1, "modules": ["smc", "smc_diag"],
  "sysctl": { "net.smc.rmem": 1048576, "net.smc.wmem": 1048576 },
  "smc": { "ueids": ["HOST-1"], "handshake_limit": true, "pnet": [ { "id": "hostnet", "interface": "h0" } ] },
  "xps": { "h0": "one-to-one" } }
END
"$smcctl" hs-limit off >out
"$smcctl" pnet add HOSTNET --interface h1 >out
everything >before
gives 2 "plan" "$smcctl" host plan p.json
says out '^\+ +ueid +HOST-1 +- +present '
says out '^\+ +pnet +interface h0 +- +HOSTNET '
says out '^~ +limit +handshakes +off +on '
holds "... changes nothing" is_as before
gives 0 "apply" "$smcctl" host apply p.json
holds "... the kernel's buffers" test "$(key rmem) $(key wmem) $(key limit_smc_hs)" = "1048576 1048576 1"
"$smcctl" eid list --json >out
holds "... the EID" json '"HOST-1" in d["user"]'
"$smcctl" pnet list --json >out
says out '"h0"'
gives 0 "check" "$smcctl" host check p.json --json
was=$(python3 -c 'import json; print(json.load(open("out"))["counters"]["smc_sockets"])')
# Four of IPv4, three of IPv6.
mkfifo end
python3 -c 'import socket
held = [socket.socket(43, socket.SOCK_STREAM, number // 4) for number in range(7)]
print("held", flush=True)
open("end").read()' >held &
holder=$!
within 30 "seven SMC sockets" grep -x held held
gives 0 "check" "$smcctl" host check p.json --json
holds "... counts them" json 'd["drift"] == 0 and d["counters"]["smc_sockets"] == '"$was + 7"
: >end
wait $holder
gives 0 "apply again" "$smcctl" host apply p.json
says out '^host: as the profile says$'
"$smcctl" eid del HOST-1 >out
"$smcctl" hs-limit off >out
gives 2 "check after a change by hand" "$smcctl" host check p.json
says out '^now +ueid +HOST-1 '
says out '^now +limit +handshakes +off +on$'
gives 0 "apply --boot" "$smcctl" host apply --boot
gives 0 "... sets them again" "$smcctl" host check p.json
gives 0 "revert" "$smcctl" host revert
holds "... all is as it was, the other interface's identifier too" is_as before
"$smcctl" pnet add OTHER --interface h0 >out
gives 3 "another identifier is not overwritten" "$smcctl" host apply p.json
says err "^smcctl: pnet 'interface h0': has the pnet identifier OTHER already"
"$smcctl" pnet flush >out

# Killed before each message that changes something in the kernel: all other points are those of tests/ctl/host.sh
changing() { # COMMAND...: their numbers among all messages
	strace -o trace -e trace=sendmsg "$@" >out 2>err
	# Neither questions for families nor what is only read (NLM_F_DUMP, 0x300).
	awk '/^sendmsg/ { n++; if (!/nlmsg_type=(0x10 |nlctrl)/ && !/NLM_F_DUMP|[|]0x300/) print n }' trace
}
killed() { strace -o trace -e trace=sendmsg -e "inject=sendmsg:signal=KILL:when=$1" "${@:2}" >out 2>err; grep 'killed by' trace; }
everything >before
gives 0 "apply" "$smcctl" host apply p.json
sed 's/"hostnet"/"hostnet2"/' p.json >id.json
gives 0 "another identifier in place of the profile's own" "$smcctl" host apply id.json
"$smcctl" pnet list --json >out
holds "... is there alone" json '[e["id"] for e in d["entries"]] == ["HOSTNET2"]'
gives 0 "revert" "$smcctl" host revert
holds "... all is as it was" is_as before
mapfile -t points < <(changing "$smcctl" host apply p.json)
gives 0 "apply in ${#points[@]} messages that change something: revert" "$smcctl" host revert
holds "... an EID, the limit, a pnet identifier" test "${#points[@]}" -ge 3
for n in "${points[@]}"; do
	holds "apply, killed before message $n" killed "$n" "$smcctl" host apply p.json
	gives 0 "... revert finishes" "$smcctl" host revert
	holds "... and all is as it was" is_as before
done
"$smcctl" host apply p.json >out
mapfile -t points < <(changing "$smcctl" host revert)
holds "revert does, too" test "${#points[@]}" -ge 3
for n in "${points[@]}"; do
	"$smcctl" host apply p.json >out
	holds "revert, killed before message $n" killed "$n" "$smcctl" host revert
	gives 0 "... revert finishes" "$smcctl" host revert
	holds "... and all is as it was" is_as before
done

# Another network namespace
ip netns add other && ip -n other link add n0 type dummy || exit 99
other() { "$smcctl" pnet list --netns other --json; ip netns exec other sh -c 'cat /proc/sys/net/smc/rmem /proc/sys/net/smc/limit_smc_hs'; }
other >other.before
sed 's/"interface": "h0"/"interface": "n0"/; s/"h0": "one/"n*": "one/' p.json >n.json
gives 0 "apply in a namespace" "$smcctl" host apply --netns other n.json
holds "... the kernel's buffers and limit there" test "$(ip netns exec other cat /proc/sys/net/smc/rmem /proc/sys/net/smc/limit_smc_hs | tr '\n' ' ')" = "1048576 1 "
gives 0 "... its pnet identifier" "$smcctl" pnet list --netns other
says out 'HOSTNET.*n0|n0.*HOSTNET'
gives 0 "... check" "$smcctl" host check --netns other n.json
holds "... and nothing of the host, nor the machine's EIDs" is_as before
gives 0 "revert in a namespace" "$smcctl" host revert --netns other
other | diff other.before - >out 2>err
result $? "... all is as it was"
ip netns delete other

# A bond with a VLAN upon it has the addresses and routes of its ports, and no queues of its own that go anywhere.
ip link add h2 type dummy && ip link add bond9 type bond && ip link set h2 master bond9 &&
	ip link add bond9.7 link bond9 type vlan id 7 && ip link set h2 up && ip link set bond9 up && ip link set bond9.7 up &&
	ip addr add 192.0.2.1/24 dev bond9.7 && ip route add default via 192.0.2.2 || exit 99
echo '{ "version": 1, "nic": { "h2": "soft" } }' >port.json
gives 3 "a port of a bond with the default route upon a VLAN" "$smcctl" host apply port.json
says err "h2 is below bond9.7, which has the default route"
ip route del default
gives 3 "... with the connection of ssh" env SSH_CONNECTION="192.0.2.9 1 192.0.2.1 22" "$smcctl" host apply port.json
says err "h2 is below bond9.7, which carries a connection of ssh"
echo '{ "version": 1, "smc": { "pnet": [ { "id": "VLAN", "interface": "bond9.7" } ] }, "xps": { "*": "one-to-one" } }' >all.json
gives 2 "queues of all interfaces" "$smcctl" host plan all.json
for name in bond9 bond9.7; do
	says out "^\. +xps +$name +- +one-to-one"
done
for line in 'hands on to the interfaces that it stands on' 'has a single transmit queue'; do says out "later: $line"; done
says out '^ +note: stands on h2, where SMC looks first and older kernels only: give that one VLAN, too$'
sed 's/\[ {/[ { "id": "VLAN", "interface": "h2" }, {/; s/"\*"/"bond9"/' all.json >bond.json
gives 3 "... of the bond by its name" "$smcctl" host plan bond.json
says out '^x +xps +bond9 '
holds "... and of the identifier nothing more is said" test "$(grep -c 'stands on h2, where' out)" = 0
ip link delete bond9.7; ip link delete bond9; ip link delete h2

# What is built into the kernel is loaded, also without a directory of its own in /sys/module, and nothing of it is to be taken back
built_in=$(sed 's,.*/,,; s/\.ko$//; s/-/_/g' "/lib/modules/$(uname -r)/modules.builtin" | while read -r name; do
	[ -e "/sys/module/$name" ] || { echo "$name"; break; }
done)
echo '{ "version": 1, "modules": ["'"$built_in"'"] }' >built-in.json
gives 0 "apply with $built_in, which is built in" "$smcctl" host apply built-in.json
holds "... as its journal says nothing of" sh -c '! grep \"module\" /var/lib/smcctl/host.journal'
gives 0 "check" "$smcctl" host check built-in.json
gives 0 "revert" "$smcctl" host revert
holds "... all is as it was" is_as before

# A module that is not there yet brings its keys and its netlink with it
gives 0 "unload the module" modprobe -r smc_diag smc
gives 2 "plan without the module" "$smcctl" host plan p.json
says out '^ +later: there once module smc is loaded$'
holds "... does not load it" test ! -e /sys/module/smc
gives 0 "apply" "$smcctl" host apply p.json
holds "... all of it" test "$(key rmem) $(key limit_smc_hs)" = "1048576 1"
gives 0 "check" "$smcctl" host check p.json
modprobe -r smc_diag smc
echo '{ "version": 1 }' >none.json
gives 2 "plan of another profile, when what the module brought is gone" "$smcctl" host plan none.json
grep -E '^. +(sysctl|ueid|pnet|limit) ' out >complaints
lines complaints 0 "... names nothing of that"
modprobe smc && modprobe smc_diag
gives 0 "revert" "$smcctl" host revert
holds "... and the module is gone" test ! -e /sys/module/smc
# When a value of the module is refused, the module goes, too.
sed 's/"net.smc.wmem": 1048576/"net.smc.wmem": 2147483647/' p.json >refused.json
gives 5 "a value that the kernel refuses" "$smcctl" host apply refused.json
says err '^smcctl: host: rolled back: all is as before this run$'
holds "... and the module with it" test ! -e /sys/module/smc -a ! -e /var/lib/smcctl
modprobe smc && modprobe smc_diag
for eid in "${eids[@]}"; do "$smcctl" eid ensure "$eid" >out; done
ip link delete h0
finish
