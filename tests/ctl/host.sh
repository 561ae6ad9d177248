#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl host on the kernel of the host in namespaces of its own: sysctls, queues of a veth, files; whatever happens in between.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
# shellcheck disable=SC2093
if [ "${SMCSHIM_HOST_NET:-}" != 1 ]; then
	flags=-n
	[ "$(id -u)" = 0 ] || flags=-rn
	export SMCSHIM_HOST_NET=1
	exec unshare $flags -- "$BASH" "$SMCSHIM_TEST_SCRIPT"
fi
in_namespace
mount -t tmpfs -o mode=755 tmpfs /var/lib && mount -t sysfs sysfs /sys || exit 99
ip link set lo up
ip link add v0 numtxqueues 4 numrxqueues 4 type veth peer name v1 numtxqueues 1 numrxqueues 1 || exit 99
unset SSH_CONNECTION
# What the machine has there would be written to its kernel by the loaders.
for file in /usr/lib/sysctl.d/*.conf; do ln -sf /dev/null "/etc/sysctl.d/${file##*/}"; done
rm -f /etc/sysctl.d/99-sysctl.conf /etc/sysctl.conf
find /etc -name '*-smcctl-*' -delete
cpus=$(nproc)
key() { tr '\t' ' ' <"/proc/sys/${1//./\/}"; }
queues() { cat /sys/class/net/v0/queues/tx-*/xps_cpus; }
profile() { cat >p.json; }
# All that a revert has to bring back.
everything() {
	(cd / && find etc var/lib -printf '%p %y %m %U %G %l\n' | sort && find etc var/lib -type f -exec sha256sum {} + | sort)
	key net.core.somaxconn; key net.ipv4.tcp_rmem; key net.ipv4.tcp_tw_reuse; queues
}
is_as() { everything | diff "$1" - >out 2>&1; }
sysctl_file=/etc/sysctl.d/99-zz-smcctl-host.conf
rules=/etc/udev/rules.d/90-smcctl-host.rules
journal=/var/lib/smcctl/host.journal

for words in "host" "host bogus" "host plan a b" "host apply --bogus" "host revert x" "host apply --boot p.json" \
	"host apply --plan p q" "host check --metrics"; do
	# shellcheck disable=SC2086
	gives 64 "wrong usage: smcctl $words" "$smcctl" $words
	lines err 1 "... is one line"
done
gives 65 "no profile" "$smcctl" host plan nowhere.json
says err "^smcctl: profile 'nowhere.json': No such file or directory; write one, see smcctl-host\(8\)$"
printf '{ "version": 1,\n  "sysctl": { "net.ipv4.tcp_rmem": 5 } }' >bad.json
for command in plan apply check; do
	gives 65 "$command: a bad profile" "$smcctl" host $command bad.json
	says err "^bad.json:2:15: value of key 'net.ipv4.tcp_rmem': has not three numbers"
	holds "... leaves nothing behind" test ! -e /var/lib/smcctl
done
gives 0 "revert of nothing" "$smcctl" host revert
says out "^host: nothing to revert$"

# plan, apply, revert
profile <<'END'
{ "version": 1,
  "sysctl": { "net.core.somaxconn": { "at_least": 8192 }, "net.ipv4.tcp_rmem": "4096 262144 33554432",
              "net.nosuch.key": { "value": 1, "optional": true }, "net.ipv4.tcp_tw_reuse": 1 },
  "xps": { "v*": "one-to-one" } }
END
echo 4096 >/proc/sys/net/core/somaxconn
everything >before
gives 2 "plan" "$smcctl" host plan p.json
says out '^~ +sysctl +net.core.somaxconn +4096 +8192 +the kernel.s own +-$'
says out '^\. +sysctl +net.nosuch.key +- +1 '
says out 'note: helps only the side that connects'
says out '^\. +xps +v1 '
says out 'has a single transmit queue'
says out "^\+ +file +$sysctl_file "
holds "... changes nothing" is_as before
gives 2 "plan as an ordinary user" unprivileged "$smcctl" host plan p.json
gives 2 "plan --json" "$smcctl" host plan --json p.json
holds "... says the same" json 'd["changes"] >= 6 and [i for i in d["items"] if i["name"] == "net.core.somaxconn"][0] ==
	{"state": "change", "kind": "sysctl", "name": "net.core.somaxconn", "now": "4096", "wanted": "8192", "at_least": True, "boot": None,
	"boot_by_sysctl": None, "origin": None, "overruled_by": None, "why": None, "danger": None, "note": None}'
gives 77 "apply as an ordinary user" unprivileged "$smcctl" host apply p.json
holds "... changes nothing" is_as before
gives 0 "apply" "$smcctl" host apply p.json
holds "... the values" test "$(key net.core.somaxconn) $(key net.ipv4.tcp_rmem) $(key net.ipv4.tcp_tw_reuse)" = "8192 4096 262144 33554432 1"
holds "... the queues, every CPU in one of them" python3 - "$cpus" <<'END'
import sys
sets = [int(open(f"/sys/class/net/v0/queues/tx-{i}/xps_cpus").read().replace(",", ""), 16) for i in range(4)]
assert sum(sets) == (1 << int(sys.argv[1])) - 1 and sets[0] & 1, sets
END
printf '# Managed by smcctl(8): smcctl host apply. Undo: smcctl host revert.\n%s\n' "net.core.somaxconn = 8192
net.ipv4.tcp_rmem = 4096 262144 33554432
-net.nosuch.key = 1
net.ipv4.tcp_tw_reuse = 1" | diff - "$sysctl_file" >out 2>err
result $? "... the file for sysctl.d"
holds "... readable by all" test "$(stat -c '%a %u' "$sysctl_file" "$rules")" = $'644 0\n644 0'
holds "systemd-sysctl takes the file" /lib/systemd/systemd-sysctl --prefix=/net/core --prefix=/net/ipv4
everything >applied
gives 0 "plan afterwards" "$smcctl" host plan p.json
gives 0 "check afterwards" "$smcctl" host check p.json
says out '^ *no drift: '
says out '^TIME-WAIT +0$'
says out '^v0 +- +- *$'
says out '^ +no counters: its driver does not count the packets of each queue$'
holds "connections end, three of them from the client's side" python3 - <<'END'
import socket
server = socket.create_server(("127.0.0.1", 0))
for _ in range(3):
    client = socket.create_connection(server.getsockname())
    end, _ = server.accept()
    client.close()
    assert end.recv(1) == b""
    end.close()
END
gives 0 "check --json" "$smcctl" host check p.json --json
holds "... counts them in TIME-WAIT, and no queue" json 'd["counters"]["time_wait"] == 3 and
	d["queues"] == [{"interface": "v0", "queue": None, "packets": None}]'
gives 0 "apply again" "$smcctl" host apply p.json
holds "... changes nothing" is_as applied
echo 16384 >/proc/sys/net/core/somaxconn
gives 0 "at least: more is fine" "$smcctl" host check p.json
echo 8192 >/proc/sys/net/core/somaxconn
gives 0 "revert" "$smcctl" host revert
holds "... all is as it was" is_as before
gives 0 "revert again" "$smcctl" host revert

# What udev makes of the rules, for an interface that keeps its name and one that is given another.
gives 0 "apply" "$smcctl" host apply p.json
if command -v udevadm >/dev/null; then
	udevadm test --action=add /sys/class/net/v0 >out 2>err
	says out '^SYSTEMD_WANTS=smcctl-host@v0.service' "udev starts the unit for the interface"
	grep -E '90-smcctl.*(Invalid|Unknown|Failed|error)' out err >complaints
	lines complaints 0 "... and finds nothing wrong with the rules"
	# Queues are no devices that udevadm test can take: what becomes of their rule is seen in tests/host/guest.
	again='RUN+="/usr/bin/systemctl --no-block restart smcctl-host@cpu.service"'
	printf '%s, %s\n' 'ACTION=="add|remove", SUBSYSTEM=="queues", KERNEL=="tx-*", DEVPATH=="*/net/v*/queues/*"' "$again" \
		'ACTION=="online|offline", SUBSYSTEM=="cpu"' "$again" | diff - <(grep systemctl "$rules") >out 2>err
	result $? "... which have the unit begin anew when channels and CPUs come and go"
else
	result 1 "udevadm is not installed"
fi

# Drift
echo 0 >/sys/class/net/v0/queues/tx-0/xps_cpus
echo 128 >/proc/sys/net/core/somaxconn
echo '# by hand' >>"$rules"
gives 2 "check" "$smcctl" host check p.json
says out '^now +sysctl +net.core.somaxconn +128 +8192$'
says out 'a file of the host sets it|somebody has set it since apply'
says out '^ +the queue was made anew: channels were changed \(ethtool -L\)'
says out '^ +it was edited'
gives 2 "check --json --metrics" "$smcctl" host check p.json --json --metrics smcctl.prom
holds "... as JSON" json 'd["drift"] == 3 and [i["cause"] for i in d["items"] if i["name"] == "v0/tx-0/xps_cpus"][0] and d["counters"]["time_wait_limit"] > 0'
holds "... for Prometheus" python3 - smcctl.prom <<'END'
import re, sys
text = open(sys.argv[1]).read()
assert text.endswith("\n")
seen, family = {}, None
for line in text.splitlines():
    m = re.match(r"# (HELP|TYPE) (\w+) (.+)$", line)
    if m:
        assert (m[1], m[2]) not in seen, line
        seen[m[1], m[2]] = 1
        family = m[2]
        continue
    m = re.match(r'(\w+)(\{(\w+="([^"\\]|\\.)*",?)+\})? [0-9]+$', line)
    assert m and m[1] == family and ("TYPE", family) in seen and (m[1], m[2]) not in seen, line
    seen[m[1], m[2]] = line
assert seen["smcctl_host_drift", None] == "smcctl_host_drift 3"
assert seen["smcctl_host_in_force", '{kind="sysctl",name="net.core.somaxconn"}'].endswith(" 0")
END
mkdir /run/tuned && touch /run/tuned/tuned.pid
gives 2 "check beside tuned" "$smcctl" host check p.json
says out '^ +tuned is at work \(/run/tuned/tuned.pid\), and sets values after us: tuned-adm active$'
gives 2 "plan beside tuned" "$smcctl" host plan p.json
grep 'note: tuned is at work .*/etc/tuned/NAME/tuned.conf with include=' out >notes
lines notes 1 "... says so once"
gives 4 "apply over an edited file, beside tuned" "$smcctl" host apply p.json
gives 0 "apply --force" "$smcctl" host apply --force p.json
says err "^smcctl: sysctl 'net.core.somaxconn': tuned is at work "
gives 0 "apply --boot" "$smcctl" host apply --boot
lines err 0 "... does not say it at every boot"
rm -r /run/tuned
echo 0 >/sys/class/net/v0/queues/tx-0/xps_cpus
echo 128 >/proc/sys/net/core/somaxconn
echo '# by hand' >>"$rules"
gives 4 "apply over an edited file" "$smcctl" host apply p.json
says err "^smcctl: file '$rules': was edited since smcctl wrote it; put it back, or --force. Nothing was changed$"
holds "... changes nothing" test "$(key net.core.somaxconn)" = 128
# The unit's command sets values and leaves files alone, whoever has edited them.
gives 0 "apply --boot" "$smcctl" host apply --boot
holds "... leaves the edited file" grep -x '# by hand' "$rules"
echo 128 >/proc/sys/net/core/somaxconn
sed -i '$d' "$rules"
gives 0 "apply --boot" "$smcctl" host apply --boot
holds "... sets all again" is_as applied
echo 7 >/proc/sys/net/core/somaxconn
echo '# by hand' >>"$rules"
for command in revert "revert, again"; do
	gives 5 "$command, of what is another's by now" "$smcctl" host revert
	says err "^smcctl: sysctl 'net.core.somaxconn': diverged: it is not what smcctl set but '7'; kept \(--force restores it\)$"
	says err "^smcctl: file '$rules': diverged: .*; kept \(--force restores it\)$"
	says err "^smcctl: host: kept: 2; smcctl host revert --force restores them$"
	holds "... is kept" test "$(key net.core.somaxconn) $(tail -n 1 "$rules")" = "7 # by hand"
done
echo '{ "version": 1 }' >none.json
gives 2 "check of another profile" "$smcctl" host check none.json
holds "... names our file, and not the value, which is another's" test "$(grep -c '^now\|^boot' out) $(grep -c "^now *file *$rules" out)" = "1 1"
gives 0 "apply --boot" "$smcctl" host apply --boot
holds "... sets nothing of it" test "$(key net.core.somaxconn)" = 7
gives 0 "revert --force" "$smcctl" host revert --force
holds "... all is as it was, and no journal left" is_as before
gives 0 "apply --boot of nothing" "$smcctl" host apply --boot
holds "... does nothing" is_as before

# A smaller profile: what is not in it goes back
gives 0 "apply" "$smcctl" host apply p.json
echo '{ "version": 1, "sysctl": { "net.ipv4.tcp_tw_reuse": 1 } }' >small.json
gives 2 "plan of a smaller profile" "$smcctl" host plan small.json
says out 'no longer in the profile: back to what it was'
gives 0 "apply it" "$smcctl" host apply small.json
holds "... the others are as they were" test "$(key net.core.somaxconn) $(key net.ipv4.tcp_rmem) $(queues | tr -d '\n,0')" = \
	"4096 $(sed -n '/^[0-9]* [0-9]* [0-9]*$/p' before) "
holds "... and no rule for udev" test ! -e "$rules"
gives 0 "revert" "$smcctl" host revert
holds "... all is as it was" is_as before

# What is not there any more is no obstacle: a key, an interface, a queue
channels() { # INTERFACE NUMBER: as ethtool -L
	python3 -c 'import array, fcntl, socket, struct, sys
number = int(sys.argv[2])
wanted = array.array("I", [0x3d, 0, 0, 0, 0, number, number, 0, 0])  # ETHTOOL_SCHANNELS
request = struct.pack("16sP16x", sys.argv[1].encode(), wanted.buffer_info()[0])
fcntl.ioctl(socket.socket(), 0x8946, request)  # SIOCETHTOOL' "$@"
}
echo '{ "version": 1, "xps": { "gone0": "rxqs", "v0": "rxqs" } }' >gone.json
sed 's/"xps"/"sysctl": { "net.ipv4.conf.gone0.rp_filter": 2 }, "xps"/' gone.json >more.json
ip link add gone0 numtxqueues 4 numrxqueues 4 type veth peer name gone1
gives 0 "apply for an interface that will go" "$smcctl" host apply more.json
holds "... and channels" channels v0 2
gives 0 "plan with fewer channels" "$smcctl" host plan more.json
ip link delete gone0
gives 2 "plan without the interface, and without its key" "$smcctl" host plan gone.json
holds "... names only the file" test "$(grep -cE '^[-+~x!]' out) $(grep -c "^- *file *$sysctl_file" out)" = "1 1"
gives 0 "... apply" "$smcctl" host apply gone.json
gives 0 "... check" "$smcctl" host check gone.json
holds "... with all channels again" channels v0 4
gives 2 "... check finds the queues that are new" "$smcctl" host check gone.json
gives 0 "... and apply sets them" "$smcctl" host apply gone.json
gives 0 "revert" "$smcctl" host revert
says err "^smcctl: xps 'gone0/tx-3/xps_rxqs': is not there any more$"
holds "... all is as it was" is_as before

# A saved plan
gives 2 "plan --out" "$smcctl" host plan p.json --out plan.json
echo 4097 >/proc/sys/net/core/somaxconn
gives 4 "apply of a stale plan" "$smcctl" host apply --plan plan.json
says err "^smcctl: plan: stale: "
echo 4096 >/proc/sys/net/core/somaxconn
cp p.json kept.json && echo ' ' >>p.json
gives 4 "... as the profile has changed" "$smcctl" host apply --plan plan.json
cp kept.json p.json
holds "... changes nothing" is_as before
gives 0 "apply of a plan" "$smcctl" host apply --plan plan.json
holds "... does it" is_as applied
gives 0 "revert" "$smcctl" host revert
gives 65 "a plan that is none" "$smcctl" host apply --plan p.json

# What cannot be, and what is dangerous
refused() { # EXIT NAME REGEX, profile on standard input
	profile
	gives "$1" "$2" "$smcctl" host apply p.json
	says err "$3"
	holds "... changes nothing" is_as before
}
refused 3 "a key that is not there" "sysctl 'net.nosuch.key': this kernel has no such key.*--keep-going" <<<'{ "version": 1, "sysctl": { "net.nosuch.key": 1, "net.core.somaxconn": 5 } }'
gives 5 "... --keep-going leaves it out" "$smcctl" host apply --keep-going p.json
holds "... and does the rest" test "$(key net.core.somaxconn)" = 5
gives 0 "revert" "$smcctl" host revert
holds "... all is as it was" is_as before
refused 3 "a key of a module that is not there" "sysctl 'net.smc.rmem': module smc is not loaded; name it in" <<<'{ "version": 1, "sysctl": { "net.smc.rmem": 65536 } }'
refused 3 "a module that is not there" "module 'no_such_module': this kernel has no such module" <<<'{ "version": 1, "modules": ["no-such-module"] }'
refused 3 "an EID without SMC" "ueid 'X': this kernel has no SMC" <<<'{ "version": 1, "smc": { "ueids": ["X"] } }'
refused 3 "fewer TIME-WAIT" "sysctl 'net.ipv4.tcp_max_tw_buckets': lowers a limit.*--force" <<<'{ "version": 1, "sysctl": { "net.ipv4.tcp_max_tw_buckets": 10 } }'
before_tw=$(key net.ipv4.tcp_max_tw_buckets)
gives 0 "... but for --force" "$smcctl" host apply --force p.json
holds "... which does it" test "$(key net.ipv4.tcp_max_tw_buckets)" = 10
gives 0 "revert" "$smcctl" host revert
holds "... as it was" test "$(key net.ipv4.tcp_max_tw_buckets)" = "$before_tw"
refused 3 "half of a vector" "sysctl 'net.ipv4.ip_local_port_range': has not as many numbers" <<<'{ "version": 1, "sysctl": { "net.ipv4.ip_local_port_range": 1024 } }'
refused 3 "queues that fight" "xps 'v0/tx-0/xps_cpus': tx-1 has CPUs that another queue has too|tx-0/xps_cpus': CPU . is in no" \
	<<<'{ "version": 1, "xps": { "v0": ["3", "3", "3", "3"] } }'
refused 3 "a CPU that cannot be" "xps 'v0/tx-0/xps_cpus': this machine cannot have a CPU 4095 \(EOVERFLOW\)" \
	<<<'{ "version": 1, "xps": { "v0": [[0], [1], [], [4095]] } }'
refused 3 "not as many masks as queues" "xps 'v0': has 4 transmit queues, and 2 masks are given" <<<'{ "version": 1, "xps": { "v0": ["1", "2"] } }'
refused 3 "a single queue" "xps 'v1': has a single transmit queue" <<<'{ "version": 1, "xps": { "v1": "kernel" } }'
refused 3 "... of lo, by its name" "xps 'lo': has a single transmit queue" <<<'{ "version": 1, "xps": { "lo": "kernel" } }'
refused 3 "interrupts that are not known" "xps 'v0': where the interrupts" <<<'{ "version": 1, "xps": { "v0": "irq" } }'
echo '{ "version": 1, "xps": { "v9": "kernel" } }' >p.json
gives 0 "an interface that is not there comes later" "$smcctl" host apply p.json
gives 0 "revert" "$smcctl" host revert
for policy in kernel numa rxqs off; do
	echo "{ \"version\": 1, \"xps\": { \"v0\": \"$policy\" } }" >p.json
	gives 0 "xps: $policy" "$smcctl" host apply --force p.json
	gives 0 "... is in force" "$smcctl" host check p.json
	gives 0 "... reverted" "$smcctl" host revert
done
holds "all is as it was" is_as before

# The kernel takes what it does not keep: read back. It refuses in the middle: all goes back.
echo '{ "version": 1, "sysctl": { "net.core.somaxconn": 5000, "net.ipv4.tcp_congestion_control": "nosuch" } }' >p.json
gives 5 "a value that the kernel refuses" "$smcctl" host apply p.json
says err "^smcctl: sysctl 'net.ipv4.tcp_congestion_control': cannot be set: "
says err "^smcctl: host: rolled back"
holds "... and all is as before" is_as before
echo '{ "version": 1, "sysctl": { "net.core.somaxconn": 5000, "net.ipv4.tcp_base_mss": "0x400" } }' >p.json
gives 5 "a value that reads otherwise afterwards" "$smcctl" host apply p.json
says err "^smcctl: sysctl 'net.ipv4.tcp_base_mss': was set, but reads as '1024' afterwards$"
holds "... and all is as before" is_as before

# Read-only
profile <<<'{ "version": 1, "sysctl": { "net.core.somaxconn": 5000 } }'
mount --bind /proc/sys/net/core /proc/sys/net/core && mount -o remount,bind,ro /proc/sys/net/core
gives 3 "a read-only /proc/sys" "$smcctl" host apply p.json
says err "^smcctl: sysctl 'net.core.somaxconn': read-only here \(Read-only file system\): /proc/sys is mounted so, as in a container"
umount /proc/sys/net/core
gives 0 "apply" "$smcctl" host apply p.json
mount --bind /proc/sys/net/core /proc/sys/net/core && mount -o remount,bind,ro /proc/sys/net/core
gives 5 "revert on a read-only /proc/sys" "$smcctl" host revert
says err "^smcctl: sysctl 'net.core.somaxconn': cannot be restored: Read-only file system$"
umount /proc/sys/net/core
gives 0 "... and again" "$smcctl" host revert
holds "... all is as it was" is_as before

# Files that are not ours
mkdir -p /etc/sysctl.d && echo 'net.core.somaxconn = 9' >"$sysctl_file"
everything >foreign
gives 4 "a foreign file of our name" "$smcctl" host apply p.json
says err "^smcctl: file '$sysctl_file': a file that smcctl did not write stands there; remove it yourself"
holds "... is left alone" is_as foreign
rm "$sysctl_file" && ln -s /dev/null "$sysctl_file"
gives 3 "a link of our name" "$smcctl" host apply p.json
rm "$sysctl_file"
printf '# Managed by smcctl(8)\nnet.core.somaxconn = 77\n' >"$sysctl_file" && chmod 640 "$sysctl_file" && chown 1:1 "$sysctl_file"
# Of tmpfs, ordinary attributes are new; the others are for root alone.
xattrs() { python3 -c 'import os, sys; print([(n, os.getxattr(sys.argv[1], n)) for n in os.listxattr(sys.argv[1])])' "$sysctl_file"; }
python3 - "$sysctl_file" <<'END'
import os, sys
try:
    os.setxattr(sys.argv[1], "user.mark", b"a b\0c")
except OSError:
    os.setxattr(sys.argv[1], "trusted.mark", b"a b\0c")
END
xattrs >xattrs
everything >lost
gives 0 "a file of ours from before" "$smcctl" host apply p.json
holds "... is written anew" test "$(stat -c %a "$sysctl_file")$(xattrs)" = "644[]"
gives 0 "... comes back" "$smcctl" host revert
holds "... with bytes, mode and owner" is_as lost
grep mark xattrs >/dev/null && xattrs | diff xattrs - >out 2>err
result $? "... and extended attributes"
rm "$sysctl_file"
holds "all is as it was" is_as before

# Who decides at boot: what the two loaders really do, on trees of files made up at random
cat >trees.py <<'END'
import json, os, random, subprocess, sys
smcctl, rounds = sys.argv[1], int(sys.argv[2])
random.seed(5)
keys = ["net.core.somaxconn", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.conf.v0.rp_filter"]
dirs = ["/etc/sysctl.d", "/run/sysctl.d"]
names = ["10-a.conf", "50-b.conf", "99-sysctl.conf", "zz.conf", "99-zz-z.conf", "no", ".x.conf"]
read = lambda k: open("/proc/sys/" + k.replace(".", "/")).read().strip()
def value(k): return str(random.randint(0, 2) if k.endswith("filter") else random.randint(2, 900))
def line():
    k = random.choice(keys)
    form = random.choice([k, k, k, k.replace(".", "/"), "-" + k, "net.ipv4.tcp_keepalive*", "net/ipv4/tcp_keepalive_*"])
    if random.random() < .1: return random.choice(["# c", "; c", "", "  "])
    if random.random() < .06: return "-" + k
    return random.choice(["%s=%s", "%s = %s", "  %s\t=  %s "]) % (form, value(k))
wrong = 0
json.dump({"version": 1, "sysctl": {k: 1 for k in keys}}, open("keys.json", "w"))
for n in range(rounds):
    made = []
    for d in dirs:
        os.makedirs(d, exist_ok=True)
        for name in random.sample(names, random.randint(0, 4)):
            path = d + "/" + name
            made.append(path)
            if random.random() < .15: os.symlink("/dev/null", path)
            else: open(path, "w").write("\n".join(line() for _ in range(random.randint(0, 4))) + "\n")
    if random.random() < .5:
        open("/etc/sysctl.conf", "w").write(line() + "\n")
        made.append("/etc/sysctl.conf")
    plan = json.loads(subprocess.run([smcctl, "host", "plan", "--json", "keys.json"], capture_output=True, text=True).stdout)
    mine = {i["name"]: i for i in plan["items"] if i["kind"] == "sysctl"}
    for loader in (["/lib/systemd/systemd-sysctl"], ["sysctl", "-q", "--system"]):
        start = {k: value(k) for k in keys}
        for k in keys: open("/proc/sys/" + k.replace(".", "/"), "w").write(start[k])
        subprocess.run(loader, capture_output=True)
        for k in keys:
            got, said = read(k), mine[k]["boot_by_sysctl" if loader[0] == "sysctl" else "boot"]
            if got != (said if said is not None else start[k]):
                wrong += 1
                print(f"round {n}: {loader[0]}: {k} is {got}, said {said} (before {start[k]})")
                for p in made: print("  ", p, "->" if os.path.islink(p) else open(p).read().split("\n"))
    for p in made: os.unlink(p)
sys.exit(wrong != 0)
END
everything >kept
key net.ipv4.tcp_fin_timeout >kept.fin
gives 0 "systemd-sysctl and sysctl --system do what the plan says they do" python3 trees.py "$smcctl" "${SMCSHIM_TREES:-40}"
cat kept.fin >/proc/sys/net/ipv4/tcp_fin_timeout
rmdir /run/sysctl.d
echo 4096 >/proc/sys/net/core/somaxconn
echo 'net.core.somaxconn = 99' >/etc/sysctl.d/zzz.conf
profile <<<'{ "version": 1, "sysctl": { "net.core.somaxconn": 5000 } }'
gives 0 "apply where a later file wins" "$smcctl" host apply p.json
says err "at boot /etc/sysctl.d/zzz.conf:1 sets 99 and comes after ours; remove that line"
gives 2 "... check says so" "$smcctl" host check p.json
says out '^ +/etc/sysctl.d/zzz.conf:1 comes after ours and wins at boot$'
rm /etc/sysctl.d/zzz.conf
gives 0 "... and no more once it is gone" "$smcctl" host check p.json
gives 0 "revert" "$smcctl" host revert
# Of "at least" only what is less overrules it.
profile <<<'{ "version": 1, "sysctl": { "net.core.somaxconn": { "at_least": 4096 } } }'
echo 8192 >/proc/sys/net/core/somaxconn
echo 'net.core.somaxconn = 65535' >/etc/sysctl.d/zzz.conf
gives 0 "apply where a later file sets more" "$smcctl" host apply p.json
lines err 0 "... of which nothing has to be said"
gives 0 "... check" "$smcctl" host check p.json
echo 'net.core.somaxconn = 4096' >/etc/sysctl.d/zzz.conf
gives 0 "... check, where it sets no more than that" "$smcctl" host check p.json
echo 'net.core.somaxconn = 4095' >/etc/sysctl.d/zzz.conf
gives 2 "... check, where it sets less" "$smcctl" host check p.json
says out '^ +/etc/sysctl.d/zzz.conf:1 comes after ours and wins at boot$'
mv /etc/sysctl.d/zzz.conf /etc/sysctl.conf
gives 0 "plan where what sysctl --system reads last sets less" "$smcctl" host plan p.json
says out '/etc/sysctl.conf:1 sets 4095: sysctl --system, which reads it last, would undo ours'
echo 'net.core.somaxconn = 65535' >/etc/sysctl.conf
gives 0 "... and where it sets more" "$smcctl" host plan p.json
grep 'would undo ours' out >complaints
lines complaints 0 "... does not call that undone"
rm /etc/sysctl.conf
gives 0 "revert" "$smcctl" host revert
echo 4096 >/proc/sys/net/core/somaxconn
holds "all is as it was" is_as before

# Interfaces: not the one that we would be cut off with
profile <<<'{ "version": 1, "nic": { "v0": "soft", "v1": "strict" } }'
mkdir -p /etc/NetworkManager && everything >before_nic
ip addr add 192.0.2.1/24 dev v0 && ip link set v0 up && ip link set v1 up && ip route add default via 192.0.2.2
gives 3 "the interface with the default route" "$smcctl" host apply p.json
says err "^smcctl: file '/etc/NetworkManager/conf.d/90-smcctl-v0.conf': v0 has the default route"
ip route del default
gives 3 "the interface of this ssh connection" env SSH_CONNECTION="192.0.2.9 1 192.0.2.1 22" "$smcctl" host apply p.json
says err "v0 carries a connection of ssh"
holds "... changes nothing" is_as before_nic
gives 3 "... which its peer is reached by" env SSH_CONNECTION="192.0.2.9 1 198.51.100.1 22" "$smcctl" host apply p.json
says err "v0 carries a connection of ssh"
gives 0 "... but not one whose peer is elsewhere" env SSH_CONNECTION="127.0.0.9 1 198.51.100.1 22" "$smcctl" host apply p.json
gives 0 "revert" "$smcctl" host revert
# with_ssh FROM TO COMMAND...: while the address FROM has a connection to port 22 of the address TO
with_ssh() {
	python3 -c 'import os, socket, subprocess, sys
server = socket.create_server((sys.argv[2], 22), family=socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET)
client = socket.create_connection(server.getsockname()[:2], source_address=(sys.argv[1], 0))
sys.exit(subprocess.run(sys.argv[3:]).returncode)' "$@"
}
gives 3 "a connection of ssh that the environment does not tell of" with_ssh 127.0.0.1 192.0.2.1 "$smcctl" host apply p.json
says err "v0 carries a connection of ssh"
# The route of lo's address is that of every reply to it.
ip addr add 203.0.113.1/32 dev lo && ip route add 203.0.113.9/32 dev v0 && ip addr add 203.0.113.9/32 dev lo || exit 99
gives 0 "... at an address of another interface, from another" with_ssh 203.0.113.9 203.0.113.1 "$smcctl" host apply p.json
gives 0 "revert" "$smcctl" host revert
ip addr flush dev lo scope global && ip addr add 2001:db8::1/64 dev v0 nodad || exit 99
ip -6 route add default via 2001:db8::2 dev v0
gives 3 "the interface with the default route of IPv6" "$smcctl" host apply p.json
says err "v0 has the default route"
ip -6 route del default
gives 3 "... with a connection of ssh over IPv6" with_ssh ::1 2001:db8::1 "$smcctl" host apply p.json
says err "v0 carries a connection of ssh"
gives 3 "... with the route to the peer of one" env SSH_CONNECTION="2001:db8::9 1 2001:db8:1::1 22" "$smcctl" host apply p.json
says err "v0 carries a connection of ssh"
local_address=$(ip -6 -o addr show dev v0 scope link | awk '{sub("/.*", "", $4); print $4; exit}')
gives 3 "... with a connection between link-local addresses" env SSH_CONNECTION="fe80::9%v0 1 $local_address%v0 22" "$smcctl" host apply p.json
says err "v0 carries a connection of ssh"
ip addr flush dev v0 scope global
# A port of a bridge, and what other interfaces stand on: theirs are the addresses and the routes.
ip link add br0 type bridge && ip link set v0 master br0 && ip link set br0 up && ip addr add 192.0.2.1/24 dev br0 &&
	ip route add default via 192.0.2.2 || exit 99
gives 3 "a port of the bridge with the default route" "$smcctl" host apply p.json
says err "v0 is below br0, which has the default route"
ip route del default
gives 3 "... with this ssh connection" env SSH_CONNECTION="192.0.2.9 1 192.0.2.1 22" "$smcctl" host apply p.json
says err "v0 is below br0, which carries a connection of ssh"
ip link add m0 link br0 type macvlan && ip link set m0 up && ip addr flush dev br0 && ip addr add 192.0.2.1/24 dev m0 || exit 99
gives 3 "... with an interface upon it that the connection goes through" env SSH_CONNECTION="192.0.2.9 1 198.51.100.1 22" "$smcctl" host apply p.json
says err "v0 is below m0, which carries a connection of ssh"
ip link delete br0
ip addr add 192.0.2.1/24 dev v0
holds "nothing of all that has changed anything" is_as before_nic
gives 0 "other interfaces" "$smcctl" host apply p.json
printf '# Managed by smcctl(8): smcctl host apply. Undo: smcctl host revert.\n[device-smcctl-v0]\nmatch-device=interface-name:v0\nmanaged=0\n' |
	diff - /etc/NetworkManager/conf.d/90-smcctl-v0.conf >out 2>err
result $? "... soft: a section of its own"
holds "... strict: appended" grep -x 'unmanaged-devices+=interface-name:v1' /etc/NetworkManager/conf.d/90-smcctl-v1.conf
gives 0 "revert" "$smcctl" host revert
holds "... all is as it was, the directory too" is_as before_nic

# The managers are told, where they run; what they say to it is said.
mkdir -p bin /run/NetworkManager
rm -rf /run/udev # its rules keep NetworkManager off a veth
manager() { # SCRIPT of nmcli; SCRIPT of NetworkManager
	printf '#!/bin/sh\necho "$0 $*" >>%s\n%s\n' "$PWD/told" "$1" >bin/nmcli
	printf '#!/bin/sh\n%s\n' "$2" >bin/NetworkManager
	chmod +x bin/nmcli bin/NetworkManager
	rm -f told
}
manager 'exit 0' 'echo "# all is well"'
gives 0 "apply tells NetworkManager" env PATH="$PWD/bin:$PATH" "$smcctl" host apply p.json
lines err 0 "... of which nothing has to be said"
printf '%s\n' 'nmcli general reload conf' 'nmcli device set v0 managed no' | diff - <(sed 's,^.*/,,' told) >out 2>err
result $? "... to read its configuration, and to give up what is soft, as it would only do when the interface came"
manager 'echo "Error: not now" >&2; exit 8' 'echo "# WARNING: unknown key in section [x]"'
gives 0 "revert, and the reload fails" env PATH="$PWD/bin:$PATH" "$smcctl" host revert
says err "^smcctl: NetworkManager: was not told of the new files: nmcli: Error: not now$"
grep -x '.*/nmcli device set v0 managed yes' told >out
lines out 1 "... which takes back what it gave up"
says err "^smcctl: NetworkManager: # WARNING: unknown key in section \[x\]$"
manager 'exit 0' 'echo "Failed to read configuration: garbage" >&2; exit 1'
gives 0 "apply where NetworkManager's files are damaged" env PATH="$PWD/bin:$PATH" "$smcctl" host apply p.json
says err "^smcctl: NetworkManager: was not told to read its files again, for it could not: Failed to read configuration: garbage$"
holds "... it is not told to" test -z "$(grep reload told)"
manager 'echo "Error: NetworkManager is not running." >&2; exit 8' 'exit 0'
mkdir -p /run/udev/data && echo 'E:NM_UNMANAGED=1' >"/run/udev/data/n$(cat /sys/class/net/v0/ifindex)"
gives 0 "revert, and it does not run" env PATH="$PWD/bin:$PATH" "$smcctl" host revert
lines err 0 "... of which nothing has to be said"
lines told 1 "... and what udev keeps it off it is not told to take"
rm -r /run/NetworkManager /run/udev
holds "all is as it was" is_as before_nic
rmdir /etc/NetworkManager 2>/dev/null
ip addr flush dev v0

# An image
mkdir -p image/etc/sysctl.d.real image/var/lib image/etc/smc && ln -s /etc/sysctl.d.real image/etc/sysctl.d
cp p.json image/etc/smc/host.json
echo '{ "version": 1, "modules": ["smc"], "sysctl": { "net.smc.rmem": 65536, "net.core.somaxconn": 5000 } }' >image/etc/smc/host.json
(cd image && find . -printf '%p %y %m %l\n' | sort) >image.before
everything >before_image
# In an image without /proc the sanitizer's search for leaks fails.
image() { ASAN_OPTIONS=detect_leaks=0 "$smcctl" host "$@"; }
gives 2 "plan of an image" image plan --root image
gives 0 "apply to an image" image apply --root image
holds "... writes there, links stay inside" grep -x 'net.smc.rmem = 65536' image/etc/sysctl.d.real/99-zz-smcctl-host.conf
holds "... and not here" is_as before_image
gives 0 "check of an image" image check --root image
echo '# by hand' >>image/etc/modules-load.d/90-smcctl-host.conf
gives 5 "revert of an image, where a file was edited in a directory of ours" image revert --root image
gives 0 "... revert --force" image revert --root image --force
(cd image && find . -printf '%p %y %m %l\n' | sort) | diff image.before - >out 2>err
result $? "... takes the directory away, too"
echo '{ "version": 1, "sysctl": { "net.core.somaxconn": 1 } }' >/etc/smc/host.json
gives 2 "plan of an image, saved" image plan --root image --out plan.json
gives 0 "apply of that plan, with the profile of the image" image apply --root image --plan plan.json
gives 0 "... check" image check --root image
gives 0 "revert of an image" image revert --root image
gives 2 "plan of an image with a profile outside of it, saved" image plan --root image --out plan.json /etc/smc/host.json
gives 0 "apply of that plan" image apply --root image --plan plan.json
holds "... with that profile" grep -x 'net.core.somaxconn = 1' image/etc/sysctl.d.real/99-zz-smcctl-host.conf
gives 0 "revert of an image" image revert --root image
rm /etc/smc/host.json
(cd image && find . -printf '%p %y %m %l\n' | sort) | diff image.before - >out 2>err
result $? "... it is as it was"
# Patience has an end, after ten seconds: meanwhile the rest of these tests.
mkdir -p busy/etc/smc busy/var/lib/smcctl && cp image/etc/smc/host.json busy/etc/smc
{ flock 9 && exec sleep 600; } 9<busy/var/lib/smcctl &
sleeper=$!
within 10 "another has the lock" sh -c '! flock -n busy/var/lib/smcctl true'
image apply --root busy >busy.out 2>busy.err &
busy=$!
gives 3 "a node that is no running host" image apply --node image
says err "^smcctl: node 'image': not the root of a running host: "
gives 64 "a node and an image" image plan --node / --root image
gives 64 "a node with --boot" "$smcctl" host apply --boot --node /
everything >before
gives 0 "apply to a node" "$smcctl" host apply --node / p.json
gives 0 "check of a node" "$smcctl" host check --node / p.json
gives 0 "revert of a node" "$smcctl" host revert --node /
holds "... all is as it was" is_as before

# The journal, damaged
rmdir /etc/NetworkManager 2>/dev/null
echo 4096 >/proc/sys/net/core/somaxconn
profile <<<'{ "version": 1, "sysctl": { "net.core.somaxconn": 5000 }, "xps": { "v0": "numa" } }'
everything >before
gives 0 "apply" "$smcctl" host apply p.json
everything >applied
for damage in 'truncate -s 100' 'truncate -s 0' 'sed -i s/5000/5001/' 'rm'; do
	cp -a /var/lib/smcctl saved
	$damage "$journal"
	gives 0 "journal: $damage: revert" "$smcctl" host revert
	holds "... all is as it was" is_as before
	gives 0 "apply" "$smcctl" host apply p.json
	rm -r saved
done
truncate -s 10 "$journal" && truncate -s 10 "$journal.backup"
for command in apply revert; do
	# shellcheck disable=SC2046
	gives 1 "both damaged: $command" "$smcctl" host $command $([ $command = revert ] || echo p.json)
	[ $command = revert ] || continue
	says err "damaged, and its backup too; smcctl host revert --force removes the files"
done
gives 0 "both damaged: revert --force" "$smcctl" host revert --force
holds "... leaves no file" test ! -e "$sysctl_file" -a ! -e "$rules" -a ! -e /var/lib/smcctl
echo 4096 >/proc/sys/net/core/somaxconn
for i in 0 1 2 3; do echo 0 >"/sys/class/net/v0/queues/tx-$i/xps_cpus"; done
holds "... and all is as it was" is_as before

# Two at once
children=
for i in 1 2 3 4 5 6; do
	command=(revert)
	[ $((i % 2)) = 0 ] || command=(apply p.json)
	"$smcctl" host "${command[@]}" >"race.$i" 2>&1 &
	children="$children $!"
done
for pid in $children; do wait "$pid" || result 1 "a race: one failed"; done
children=
gives 0 "a race: revert" "$smcctl" host revert
holds "... all is as it was" is_as before

# Another network namespace: its own values, and nothing of the machine's
foreign() { # sets foreign to a process in a namespace of its own, known to ip-netns(8) as other
	unshare -n sleep 300 &
	foreign=$!
	children="$children $foreign"
	while [ "$(readlink "/proc/$foreign/ns/net")" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
	mkdir -p /run/netns && touch /run/netns/other && mount --bind "/proc/$foreign/ns/net" /run/netns/other || exit 99
	in_other ip link add w0 numtxqueues 4 numrxqueues 4 type veth peer name w1 numtxqueues 1 numrxqueues 1
	in_other sh -c 'echo 4096 >/proc/sys/net/core/somaxconn'
}
foreign_ends() { kill_children; umount /run/netns/other && rm -r /run/netns; }
in_other() { nsenter --net="/proc/$foreign/ns/net" -- "$@"; }
values() {
	# shellcheck disable=SC2016
	in_other unshare -m sh -c 'mount -t sysfs sysfs /sys
		cat /proc/sys/net/core/somaxconn /proc/sys/net/ipv4/tcp_tw_reuse /sys/class/net/w0/queues/tx-*/xps_cpus' | tr '\n' ' '
}
children=
foreign
profile <<'END'
{ "version": 1, "modules": ["smc"], "nic": { "w0": "soft" },
  "sysctl": { "net.core.somaxconn": { "at_least": 8192 }, "net.ipv4.tcp_tw_reuse": 1, "kernel.pid_max": 4194304 },
  "smc": { "ueids": ["X"], "seid": true, "pnet": [ { "id": "N", "device": "mlx5_0" } ] }, "xps": { "*": "one-to-one" } }
END
everything >before
fresh=$(values)
gives 2 "plan for a namespace" "$smcctl" host plan --netns other p.json
for thing in 'module +smc' 'sysctl +kernel.pid_max' 'ueid +X' 'seid +system' 'pnet +device mlx5_0 1'; do says out "^\. +$thing "; done
says out '^ +later: is of the machine, not of a network namespace: with smcctl host apply without --netns$'
says out '^~ +xps +w0/tx-0/xps_cpus '
grep -E ' (v0|file) ' out >complaints
lines complaints 0 "... no file, and no interface of another namespace"
holds "... changes nothing" test "$(values)" = "$fresh"
gives 77 "... as an ordinary user" unprivileged "$smcctl" host plan --netns other p.json
gives 2 "... saved" "$smcctl" host plan --netns other p.json --out plan.json
gives 4 "... is no plan for the host" "$smcctl" host apply --keep-going --plan plan.json
gives 0 "apply" "$smcctl" host apply --netns "$foreign" p.json
read -r -a got < <(values)
holds "... sets its values" test "${got[0]} ${got[1]}" = "8192 1"
holds "... its queues, every CPU in one of them" python3 -c 'import sys
sets = [int(m.replace(",", ""), 16) for m in sys.argv[2:]]
assert len(sets) == 4 and sum(sets) == (1 << int(sys.argv[1])) - 1' "$cpus" "${got[@]:2}"
holds "... and nothing of the host" is_as before
gives 0 "check, by its path" "$smcctl" host check --netns /run/netns/other --json p.json
holds "... of no boot" json 'd["drift"] == 0 and {i["at_boot"] for i in d["items"]} == {None}'
in_other sh -c 'echo 100 >/proc/sys/net/core/somaxconn'
gives 2 "... finds drift there" "$smcctl" host check --netns other p.json --metrics netns.prom
says out '^now +sysctl +net.core.somaxconn +100 +8192$'
grep smcctl_host_lasts netns.prom >complaints
lines complaints 0 "... and the metrics claim nothing of a boot"
in_other sh -c 'echo 8192 >/proc/sys/net/core/somaxconn'
gives 0 "apply again" "$smcctl" host apply --netns other p.json
gives 0 "revert of the host" "$smcctl" host revert
says out '^host: nothing to revert$'
gives 0 "revert" "$smcctl" host revert --netns other
holds "... its values are as they were" test "$(values)" = "$fresh"
holds "... no journal stays" test -z "$(find /run -name 'smcctl*')"
holds "... and nothing of the host has changed" is_as before
gives 0 "apply" "$smcctl" host apply --netns other p.json
foreign_ends
foreign
gives 0 "a new namespace of the old name has no journal" "$smcctl" host revert --netns other
says out '^host: nothing to revert$'
profile <<<'{ "version": 1, "sysctl": { "net.core.rmem_max": 77777 } }'
gives 3 "what the namespace may not set" "$smcctl" host apply --netns other p.json
says err "^smcctl: sysctl 'net.core.rmem_max': (read-only here|this kernel has no such key)"
gives 64 "the namespace that smcctl runs in" "$smcctl" host apply --netns $$ p.json
says err "is the one that smcctl runs in; leave out --netns"
gives 1 "a namespace that is not there" "$smcctl" host apply --netns nowhere p.json
for words in "apply --netns other --boot" "plan --netns other --root / p.json" "check --netns other --root / p.json" \
	"revert --netns other --root /"; do
	# shellcheck disable=SC2086
	gives 64 "wrong usage: host $words" "$smcctl" host $words
done
foreign_ends
rm -rf /run/smcctl-netns-*
holds "and nothing of the host has changed" is_as before

wait $busy
[ $? = 1 ]
result $? "the lock of another"
says busy.err "^smcctl: lock '/var/lib/smcctl': another smcctl host is at work$"
holds "... nothing was done" test -z "$(find busy/etc busy/var -name '*smcctl-host*' -o -name 'host.journal*')"
kill $sleeper

# At each of these system calls in turn apply, then revert, is killed, or told that there is no space: then revert finishes. strace
# counts each call by itself.
storm() { # NAME CALLS INJECTION COMMAND...
	local name=$1 calls=$2 injection=$3 call n points=0 bad='' code
	shift 3
	# What is opened to be read is not of interest: plan does that too, and apply twice.
	strace -o reads -e trace=openat "$smcctl" host plan p.json >out 2>err
	for call in ${calls//,/ }; do
		n=0
		[ "$call$3" != openatapply ] || n=$(grep -c '^openat' reads)
		while [ $((++n)) -lt 400 ]; do
			[ "$2" = host ] && [ "$3" = revert ] && { "$smcctl" host apply p.json >out 2>err || bad="$bad setup:$call:$n"; }
			{ strace -o trace -e trace="$call" -e inject="$call:$injection:when=$n" "$@" >out 2>err; } 2>/dev/null
			code=$?
			if ! grep -q 'INJECTED\|killed by' trace; then
				"$smcctl" host revert >out 2>err
				break
			fi
			points=$((points + 1))
			if [ "$injection" != signal=KILL ] && [ $code = 0 ]; then
				grep -q 'host: ' out || bad="$bad silent:$call:$n"
			fi
			"$smcctl" host revert >out 2>err || bad="$bad revert:$call:$n"
			is_as before || bad="$bad $call:$n"
		done
		[ $n -lt 400 ] && [ $code = 0 ] || bad="$bad end:$call"
	done
	[ -z "$bad" ] && [ $points -gt 10 ]
	result $? "$name: at each of $points calls${bad:+, not:$bad}"
	"$smcctl" host revert >out 2>err
	holds "... and nothing stays behind" is_as before
}
if [ -z "$asan" ]; then
	# One of each: a module's file, a value, queues, rules for udev, files for both managers, directories for them. Between calls that
	# change nothing it makes no difference where it ends.
	mkdir -p /etc/NetworkManager
	for module in /sys/module/*; do
		module=${module##*/}
		[[ $module =~ ^[a-z][a-z0-9_]*$ ]] && break
	done
	profile <<<'{ "version": 1, "modules": ["'"$module"'"], "sysctl": { "net.core.somaxconn": 5000 }, "xps": { "v0": "one-to-one" },
		"nic": { "v1": "strict" } }'
	everything >before
	changing=mkdir,rmdir,write,renameat,unlink,unlinkat
	storm "apply, killed" $changing signal=KILL "$smcctl" host apply p.json
	storm "revert, killed" $changing signal=KILL "$smcctl" host revert
	rmdir /etc/NetworkManager 2>/dev/null
	# A new file that cannot be taken away again, when the next one fails.
	profile <<<'{ "version": 1, "modules": ["'"$module"'"], "sysctl": { "net.core.somaxconn": 5000 } }'
	everything >before
	strace -o trace -e trace=renameat "$smcctl" host apply p.json >out 2>err
	n=$(grep -n "${sysctl_file##*/}" trace | cut -d: -f1)
	"$smcctl" host revert >out 2>err
	# Before each renameat there is an unlinkat.
	gives 5 "apply that cannot be taken back" strace -o trace -e trace=renameat,unlinkat -e inject=renameat:error=ENOSPC:when="$n" \
		-e inject=unlinkat:error=EPERM:when=$((n + 1))+ "$smcctl" host apply p.json
	says err "^smcctl: file '/etc/modules-load.d/90-smcctl-host.conf': cannot be set back: Operation not permitted$"
	says err '^smcctl: host: not all could be taken back; smcctl host revert goes on from here$'
	lines err 3 "... of what was not done nothing is said"
	gives 0 "... revert goes on from there" "$smcctl" host revert
	holds "... and all is as it was" is_as before
	all=$changing,openat,fchmod,fchown,fsync,flock
	echo '{ "version": 1, "sysctl": { "net.core.somaxconn": 5000 } }' >p.json
	everything >before
	storm "apply, no space" $all error=ENOSPC "$smcctl" host apply p.json
	storm "revert, no space" $all error=ENOSPC "$smcctl" host revert
fi
echo '{ "version": 1, "sysctl": { "net.core.somaxconn": 5000 } }' >p.json

# A file system that is really full
mkdir full && mount -t tmpfs -o size=64k tmpfs full && cp -a /etc/sysctl.d/. full && mount --bind full /etc/sysctl.d
dd if=/dev/zero of=/etc/sysctl.d/fill bs=4k >filled 2>&1
gives 5 "a full file system" "$smcctl" host apply p.json
says err "^smcctl: file '$sysctl_file': cannot be set: No space left on device$"
holds "... all is rolled back" test "$(key net.core.somaxconn)" = 4096
umount /etc/sysctl.d full
holds "... and as it was" is_as before
finish
