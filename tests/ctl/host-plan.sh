#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl host plan on machines that are not there, up to 1,024 CPUs and 256 queues: whole plans as text and JSON. They are kept in
# golden/; SMCSHIM_GOLDEN=write writes them anew. That of the largest is worked out a second time instead.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
golden=$top_srcdir/tests/ctl/golden
trees() { python3 "$top_srcdir/tests/ctl/host-trees.py" "$@"; }

# Of the machine we are on, nothing but its programs.
for directory in /usr/lib/sysctl.d /usr/lib/modules-load.d /usr/local/lib; do
	[ ! -d $directory ] || mount -t tmpfs tmpfs $directory || exit 99
done
mount -t tmpfs -o mode=755 tmpfs /var/lib && rm -rf /etc/sysctl.d /etc/modules-load.d /etc/udev && mkdir -p /etc/sysctl.d || exit 99
echo 'net.ipv4.tcp_rmem = 4096 131072 8388608' >/etc/sysctl.conf
ln -s ../sysctl.conf /etc/sysctl.d/99-sysctl.conf
echo 'net.core.somaxconn = 1024' >/etc/sysctl.d/50-site.conf
echo 'net.smc.rmem = 16384' >/etc/sysctl.d/99-zzz.conf
cat >/etc/smc/host.json <<'END'
{ "version": 1, "modules": ["smc", "smc-diag"],
  "sysctl": { "net.core.somaxconn": { "at_least": 8192 }, "net.ipv4.tcp_rmem": "4096 262144 33554432",
              "net.smc.rmem": 1048576, "net.smc.wmem": 65536, "net.ipv4.tcp_max_tw_buckets": 10000,
              "net.smc.nosuch": { "value": 1, "optional": true }, "net.nosuch.key": 1 },
  "xps": { "eth0": "kernel", "eth1": "one-to-one", "eth2": "numa", "eth3": "irq", "eth4": "rxqs", "eth5": "off",
           "eth6": ["1", "6", "8", "30", "c0", "ff00"], "eth7": "numa", "eth8": ["f", "f", "f", "f", "0", "0"],
           "eth9": ["0-0", "1-5", [40], "0", "0", "0"], "eth10": "irq" } }
END
for machine in guest numa large; do
	mkdir $machine && trees make $machine $machine && mount --bind $machine/sys /sys && mount --bind $machine/irq /proc/irq &&
		mount --bind $machine/proc-sys /proc/sys || exit 99
	gives 3 "$machine: plan" "$smcctl" host plan
	mv out $machine.txt
	gives 3 "$machine: plan --json" "$smcctl" host plan --json
	python3 -m json.tool out $machine.json
	umount /proc/sys /proc/irq /sys
	holds "$machine: each queue has the CPUs that are worked out a second time" trees judge $machine $machine.json $machine.txt
	[ $machine != large ] || continue
	for format in txt json; do
		[ "${SMCSHIM_GOLDEN:-}" != write ] || cp $machine.$format "$golden/host-$machine.$format"
		diff "$golden/host-$machine.$format" $machine.$format >out 2>err
		result $? "$machine: the whole plan, $format"
	done
done

# Who may change it later, and what an old kernel has instead
mkdir -p /run/tuned /run/irqbalance && touch /run/tuned/tuned.pid
rm guest/proc-sys/net/smc/rmem guest/proc-sys/net/smc/wmem
mount --bind guest/sys /sys && mount --bind guest/irq /proc/irq && mount --bind guest/proc-sys /proc/sys || exit 99
gives 3 "beside irqbalance and tuned, without the keys of SMC's buffers: plan" "$smcctl" host plan
umount /proc/sys /proc/irq /sys
# Of a list and a policy each; rxqs and off ask for no CPU, and without queues there is nothing to say.
for i in 0 1 2 3; do echo "irqbalance --banirq=$((i + 1))000 --banirq=$((i + 1))001 --banirq=$((i + 1))002 --banirq=$((i + 1))003"; done >expected
sed -n 's/.* note: .*irqbalance is at work (.run.irqbalance).*to keep them: //p' out | diff expected - >told 2>&1
result $? "... for each interface what keeps the interrupts"
grep -c 'tuned is at work' out >notes
holds "... tuned once" grep -x 1 notes
for key in rmem wmem; do
	says out "^x +sysctl +net.smc.$key +- +(1048576|65536) "
	says out "^ +note: (.*; )?Linux has it since 6.1; before, SMC takes the buffers of TCP, the second number of net.ipv4.tcp_$key: .* changes every TCP socket too"
done
mount --bind large/sys /sys && mount --bind large/irq /proc/irq && mount --bind large/proc-sys /proc/sys || exit 99
gives 3 "beside irqbalance, of 256 interrupts: plan" "$smcctl" host plan
umount /proc/sys /proc/irq /sys
says out ' note: .*irqbalance is at work .*to keep them: irqbalance( --banirq=[0-9]+){16} and so on, 256 in all$' "... not all are named"
finish
