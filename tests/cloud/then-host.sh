#!/bin/bash
# SPDX-License-Identifier: MIT
# cloud apply --then-host: the new interface, known by its MAC address, goes into a profile that smcctl host applies. Simulated.
# shellcheck source-path=SCRIPTDIR source=lib.sh
if [ "${SMCSHIM_HOST_NET:-}" != 1 ]; then
	flags=-n
	[ "$(id -u)" = 0 ] || flags=-rn
	export SMCSHIM_HOST_NET=1
	exec unshare $flags -- "$BASH" "$0"
fi
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
mount -t tmpfs -o mode=755 tmpfs /var/lib && mount -t sysfs sysfs /sys || exit 99
ip link set lo up
mkdir -p /etc/NetworkManager
unset SSH_CONNECTION
double
stack_file
profile=/etc/smc/host-redis.json
echo '{ "version": 1, "sysctl": { "net.core.somaxconn": { "at_least": 5000 } }, "xps": { "other*": "off" } }' >p.json

fresh
gives 64 "an instance that is not this one" cloud apply --yes --then-host p.json stack.json
says err "^smcctl: option '--then-host': the stack's instance is not \"this\"; run it there, or smcctl host apply$"
sed -i 's/"i-1"/"this"/' stack.json
gives 65 "a profile that is not there" cloud apply --yes --then-host nosuch.json stack.json
echo '{' >bad.json
gives 65 "a profile that is none" cloud apply --yes --then-host bad.json stack.json
says err "^smcctl: profile 'bad.json': not a JSON object; smcctl host plan says where. Nothing was changed$"
world_is "... and nothing was made" 'mutating == []'

# Before, for the limit is short.
cloud apply --yes stack.json >out 2>err
gives 5 "the interface does not come" cloud apply --yes --timeout 300 --then-host p.json stack.json
says err "^smcctl: interface/smc '00:16:3e:[0-9a-f:]+': no network interface of this host has that MAC address; .*run it again"
complete "... but the stack is there"
holds "... and no profile" test ! -e $profile
mac=$(python3 -c 'import json; print(next(o["mac"] for o in json.load(open("world"))["objects"] if o["kind"] == "eni" and o["instance"] == "i-1" and o["mac"].startswith("00:16:3e") and o["mode"] == "HighPerformance"))')
# Where the kernel has no SMC, smcctl host refuses the pnet identifier, and with --keep-going leaves it out.
smc=3 rest=5
! python3 -c 'import socket; socket.socket(43, socket.SOCK_STREAM)' 2>/dev/null || smc=0 rest=0
# A process that is traced cannot look for leaks.
untraceable=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
# It comes while it is waited for.
{ sleep 1; ip link add eni0 address "$mac" numtxqueues 2 numrxqueues 2 type veth peer name far; } &
gives $smc "the interface comes" strace -E "ASAN_OPTIONS=$untraceable" -f -v -s 4096 -e trace=execve -o trace \
	"$smcctl" cloud apply --yes --timeout 3000 --then-host p.json stack.json
wait $!
says out "^interface/smc: eni0$"
says out "^smcctl host apply $profile:$"
[ $smc = 0 ] || says err "^smcctl: pnet 'interface eni0': this kernel has no SMC"
says err "interface/smc: no RDMA device on eni0 yet"
says err "interface/smc: where the interrupts of eni0 go is not known; its transmit queues stay as they are$"
id=$(tr -d : <<<"${mac^^}")
holds "the profile is the one that was given, and the interface's" python3 - "$profile" "$id" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
sys.exit(0 if d == {"version": 1, "sysctl": {"net.core.somaxconn": {"at_least": 5000}}, "xps": {"other*": "off"},
                    "nic": {"eni0": "soft"}, "smc": {"pnet": [{"id": sys.argv[2], "interface": "eni0"}]}} else 1)
END
holds "the access key does not go along" sh -c 'grep "\"host\", \"apply\"" trace >line && ! grep -E "testsecret|ALIBABA_CLOUD_ACCESS" line'
gives $rest "the profile is one that smcctl host applies" "$smcctl" host apply --keep-going $profile
holds "... the host is set up" test "$(cat /proc/sys/net/core/somaxconn)" = 5000
holds "... the interface is kept out of NetworkManager" grep -E "$mac|eni0" /etc/NetworkManager/conf.d/90-smcctl-eni0.conf
gives $smc "again" cloud apply --yes --json --then-host p.json stack.json
holds "... in JSON, and that alone" json 'd["complete"] and d["steps"] == []'
says err "^redis: as the file says; steps done: 0$"
says err "^smcctl host apply $profile:$"
# What smcctl cloud holds between two calls, smcctl host can take: bits 2 and 15 are SIGINT and SIGTERM.
mkdir -p usr/bin usr/libexec && cp "$top_builddir/smcctl-cloud" usr/libexec/
printf '#!/bin/sh\necho "$*"\nexec sed -n "s/^SigBlk:.//p" /proc/self/status >blocked\n' >usr/bin/smcctl && chmod +x usr/bin/smcctl
gives 0 "another smcctl host" usr/libexec/smcctl-cloud cloud apply --yes --then-host=p.json -- stack.json
says out "^host apply -- $profile$"
holds "... with no signal blocked" test $((0x$(cat blocked) & 0x4002)) = 0

# Transmit queues follow their interrupts where it is known where these go: on an instance, not of a veth.
mkdir -p sys/devices/system/cpu sys/class/net/eni0/queues/{tx,rx}-{0,1} sys/class/net/eni0/device/msi_irqs sys/kernel/irq/{7,8} irq/{7,8}
echo 0 | tee sys/devices/system/cpu/{online,possible} irq/{7,8}/effective_affinity_list >out
for n in 7 8; do
	echo "virtio1-output.$((n - 7))" >sys/kernel/irq/$n/actions
	touch sys/class/net/eni0/device/msi_irqs/$n
done
mount --bind sys /sys && mount --bind irq /proc/irq || exit 99
gives 0 "an interface whose interrupts are known" usr/libexec/smcctl-cloud cloud apply --yes --then-host=p.json -- stack.json
cp $profile out
holds "... has its transmit queues follow them" json 'd["xps"] == {"other*": "off", "eni0": "irq"}'
umount /sys /proc/irq

# What the profile says of the interface itself stays.
echo '{ "version": 1, "xps": { "eni*": "off" }, "nic": { "eni0": "strict" }, "smc": { "pnet": [ { "id": "MINE", "interface": "eni0" } ] } }' >p.json
gives $smc "a profile that speaks of it" cloud apply --yes --then-host p.json stack.json
holds "... is left as it is" python3 -c 'import json; assert json.load(open("'$profile'")) == json.load(open("p.json"))'
gives 0 "host revert takes it back" "$smcctl" host revert
no_violation
finish
