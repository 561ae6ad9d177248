#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl service on a systemctl that is made up: what it writes and removes, whatever happens in between. The real one: tests/service.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
mkdir bin && ln -s "$top_srcdir/tests/ctl/fake/systemctl" bin/systemctl
export PATH=$PWD/bin:$PATH FAKE_SYSTEMCTL_LOG=$PWD/log HOME=$PWD/home
mkdir home
system=/etc/systemd/system
rm -rf "$system" && mkdir -p "$system"
lib=$(realpath "$top_builddir"/preload/.libs/libsmcshim.so 2>/dev/null || realpath "$top_builddir"/.libs/libsmcshim.so)
unit() { # NAME LINE...
	local name=$1
	shift
	{ printf '[Service]\nExecStart=/bin/sleep 1\n' && printf '%s\n' "$@"; } >"$system/$name"
}
# Everything there is, with modes and contents.
tree() { (cd "${1:-$system}" && find . -printf '%p %y %m %l\n' | sort && find . -type f -exec sha256sum {} + | sort); }
same_as() { tree "${2:-$system}" | diff "$1" - >out 2>&1; }

for words in "service" "service bogus" "service explain" "service enable" "service disable" "service enable a b --bogus" \
	"service explain ../x" "service explain -- -x" "service explain a/b" "service enable x.socket" \
	"service status --json=1" "service enable x --policy=" "service enable a.timer"; do
	# shellcheck disable=SC2086
	gives 64 "wrong usage: smcctl $words" "$smcctl" $words
	lines err 1 "... is one line"
done
gives 3 "no systemd on this host" env PATH=/nowhere "$smcctl" service explain x
says err "^smcctl: unit 'x.service': no systemctl: systemd is not installed here$"
gives 1 "no such unit" "$smcctl" service enable nosuch
says err "^smcctl: unit 'nosuch.service': there is none of that name$"
gives 3 "what systemctl says is passed on" env FAKE_SYSTEMCTL_FAILS=show "$smcctl" service enable x
says err "^smcctl: unit 'x.service': systemctl: fake: show fails$"

unit plain.service
unit other.service
gives 0 "completion of units" "$smcctl" complete -- service enable pl
says out '^plain\.service$'
lines out 1 "... those that begin so"
gives 0 "... of a user's own" "$smcctl" complete -- service status --user pl
lines out 0 "... which are others"
gives 0 "... where no systemd is" env PATH=/nowhere "$smcctl" complete -- service enable pl
lines out 0 "... there is nothing, and no complaint"
lines err 0 "... on either stream"
rm "$system/other.service"
tree >before
gives 0 "explain" "$smcctl" service explain plain
says out '^listeners +TCP: see policy below$'
says out 'would write /etc/systemd/system/plain.service.d/90-smcctl.conf:$'
holds "... changes nothing" same_as before
: >log
gives 0 "enable" "$smcctl" service enable plain
says out '^plain.service: enabled, not running$'
drop_in=$system/plain.service.d/90-smcctl.conf
says "$drop_in" '^# Written by smcctl\(8\): smcctl service enable plain.service. Undo it by: smcctl service disable plain.service$'
says "$drop_in" "^Environment=LD_PRELOAD=$lib$"
holds "... never makes an allow-list" sh -c '! grep -E "Restrict|SystemCall|Bind|Exec" "$0"' "$drop_in"
holds "... readable by all" test "$(stat -c '%a %a' "$drop_in")" = "644 644"
says log '^--system .*daemon-reload'
holds "... restarts nothing" sh -c '! grep restart log'
tree >enabled
: >log
gives 0 "enable again" "$smcctl" service enable plain.service
says out '^plain.service: enabled already'
holds "... changes nothing" same_as enabled
gives 2 "status" "$smcctl" service status
says out '^plain.service +enabled, not running +0 of 0'
gives 0 "explain of what is enabled" "$smcctl" service explain plain --json
holds "... says so" json 'd["units"][0]["drop_in"]["kind"] == "enabled"'
gives 0 "enable and restart" "$smcctl" service enable --restart plain
says log 'try-restart -- plain.service$'
gives 0 "disable" "$smcctl" service disable plain
says out '^plain.service: disabled$'
holds "... leaves the tree as it was" same_as before
gives 0 "disable again" "$smcctl" service disable plain
says out '^plain.service: not enabled$'
gives 2 "status of what is not enabled" "$smcctl" service status plain
gives 0 "status of nothing" "$smcctl" service status

# Edited, foreign, or in the way
"$smcctl" service enable plain >out 2>&1
echo '# by hand' >>"$drop_in"
tree >edited
for words in "disable plain" "enable plain"; do
	# shellcheck disable=SC2086
	gives 4 "$words: an edited drop-in is left alone" "$smcctl" service $words
	says err "^smcctl: drop-in '$drop_in': was edited since smcctl wrote it; remove it yourself, or --force$"
	holds "... is left alone" same_as edited
done
gives 0 "disable --force" "$smcctl" service disable --force plain
holds "... leaves the tree as it was" same_as before
mkdir "$system/plain.service.d" && echo '[Service]' >"$drop_in"
gives 4 "a foreign file of the name is left alone" "$smcctl" service disable plain
says err "is not of smcctl"
gives 0 "... but for --force" "$smcctl" service enable --force plain
gives 0 "... and taken away" "$smcctl" service disable plain
holds "the directory was not ours" test -d "$system/plain.service.d"
echo '[Service]' >"$system/plain.service.d/own.conf"
tree >with_directory
gives 0 "enable beside another drop-in" "$smcctl" service enable plain
gives 0 "disable beside another drop-in" "$smcctl" service disable plain
holds "... leaves that" same_as with_directory
rm -r "$system/plain.service.d"
gives 0 "enable" "$smcctl" service enable plain
echo '[Service]' >"$system/plain.service.d/own.conf"
gives 0 "disable with a drop-in that came later" "$smcctl" service disable plain
holds "... leaves that in its directory" test "$(ls "$system/plain.service.d")" = own.conf
rm -r "$system/plain.service.d"
ln -s /nowhere "$system/plain.service.d"
gives 1 "a symbolic link for the directory" "$smcctl" service enable plain
rm "$system/plain.service.d"
mkdir "$system/other" && ln -s other "$system/plain.service.d"
gives 1 "a symbolic link to another directory" "$smcctl" service enable plain
says err 'a symbolic link, or no directory'
rm -r "$system/plain.service.d" "$system/other"

gives 0 "enable" "$smcctl" service enable plain
echo '# by hand' >>"$drop_in"
printf '[Service]\nEnvironment=LD_PRELOAD=/z.so\n' >"$system/plain.service.d/zz.conf"
tree >edited
gives 5 "over an edited drop-in, and a later one overrules it" "$smcctl" service enable --force plain
holds "... rolled back to what was edited" same_as edited
rm -r "$system/plain.service.d"

# The unit goes, the drop-in stays
gives 0 "enable" "$smcctl" service enable plain
rm "$system/plain.service"
gives 0 "disable when the unit is gone" "$smcctl" service disable plain
holds "... leaves nothing" test "$(ls -A "$system")" = ""
unit plain.service

# What the sandbox needs
line() { # NAME LINE EXPECTED...
	unit s.service "$2"
	gives 0 "$1: enable" "$smcctl" service enable s
	sed -n '/^Environment/,$p' "$system/s.service.d/90-smcctl.conf" | grep -v '^Environment=LD_PRELOAD=' >got
	printf '%s' "${3:+$3$'\n'}" | diff - got >out 2>err
	result $? "$1: the drop-in has what it needs"
	cp "$system/s.service.d/90-smcctl.conf" first
	gives 0 "$1: again" "$smcctl" service enable s
	holds "$1: ... writes the same" cmp first "$system/s.service.d/90-smcctl.conf"
	gives 0 "$1: disable" "$smcctl" service disable s
}
line "no restriction" "# nothing" ""
line "an allow-list" "RestrictAddressFamilies=AF_UNIX AF_INET" "RestrictAddressFamilies=AF_INET AF_UNIX AF_SMC"
line "an allow-list with it" "RestrictAddressFamilies=AF_SMC AF_INET" ""
line "a deny-list" "RestrictAddressFamilies=~AF_PACKET" ""
line "a deny-list with it" "RestrictAddressFamilies=~AF_SMC AF_PACKET" $'RestrictAddressFamilies=\nRestrictAddressFamilies=~AF_PACKET'
line "a deny-list of it" "RestrictAddressFamilies=~AF_SMC" "RestrictAddressFamilies="
line "two lines" $'RestrictAddressFamilies=AF_INET\nRestrictAddressFamilies=~AF_UNIX' "RestrictAddressFamilies=AF_INET AF_SMC"
line "a root directory" "RootDirectory=/" ""
line "a root directory with all of it bound" $'RootDirectory=/nowhere\nBindReadOnlyPaths=-'"$lib -/run/smc:/run/smc" ""
line "a root directory with it bound elsewhere" $'RootDirectory=/nowhere\nBindReadOnlyPaths='"${lib%/*}:/opt/x /run/smc" "BindReadOnlyPaths=-$lib"
line "a root directory with another's bound" $'RootDirectory=/nowhere\nBindPaths=/opt/x:'"${lib%/*}:rbind -/run:/run/" ""
line "no exec" "NoExecPaths=/" "ExecPaths=-$lib"
line "no exec, but for it" "NoExecPaths=/"$'\n'"ExecPaths=${lib%/*}" ""
# An update takes the unit's own list away: enabling again takes ours away.
unit s.service "RestrictAddressFamilies=AF_INET AF_UNIX"
gives 0 "enable" "$smcctl" service enable s
unit s.service
gives 0 "enable after an update of the unit" "$smcctl" service enable s
holds "... no list of ours alone is left" sh -c '! grep Restrict "$0"' "$system/s.service.d/90-smcctl.conf"
gives 0 "disable" "$smcctl" service disable s

# A filter of system calls has to allow all that the code calls: what is demanded is compared with the code.
calls() { # FILE...: accept is the program's own call repeated; those of 32-bit machines no drop-in reaches; name is a macro's
	grep -ohE '\bSYS_[a-z0-9_]+|\bCALL\([a-z0-9_]+,' "$@" | sed 's/^SYS_//; s/^CALL(//; s/,$//' |
		grep -vxE 'accept|accept4|fstatfs64|geteuid32|name' | sort -u
}
imports() { # behind the others of these functions of libc is no call, or one of the vDSO
	sed -E '/^(_.*|dlsym|getauxval|memcpy|memset|pthread_setcancelstate|secure_getenv|syscall|time)$/d; s/64$//; s/^sigaction$/rt_&/' "$@"
}
demands() { # WHO COMMAND CALL...
	local call undemanded='' demanded
	printf '[Service]\nSystemCallFilter=socket connect\nExecStart=%s\n' "$2" >"$system/s.service"
	gives 0 "a filter that allows nearly nothing, the $1: explain" "$smcctl" service explain s
	says out "^SystemCallFilter +refused +refuses what the $1 calls, which may end the program; if that is to be, add to the unit: "
	demanded=" socket connect $(sed -n 's/^SystemCallFilter .*SystemCallFilter=//p' out) "
	for call in "${@:3}"; do
		[[ $demanded == *" $call "* ]] || undemanded+=" $call"
	done
	[ -z "$undemanded" ]
	result $? "... names every call of the $1${undemanded:+, not:$undemanded}"
	printf '[Service]\nSystemCallFilter=%s\nExecStart=%s\n' "${demanded/ madvise / }" "$2" >"$system/s.service"
	gives 3 "... one is missing: refused, also with --force" "$smcctl" service enable --force s
	says err "refuses what the $1 calls, .* SystemCallFilter=madvise\$"
}
mapfile -t called < <(calls "$top_srcdir"/preload/*.[ch] && imports "$top_srcdir/preload/imports.allow")
demands library "/bin/sleep 1" "${called[@]}"
# Of the library all but its waiting is in the supervisor; what it only looks for in the program, it does not call.
mapfile -t called < <(calls "$top_srcdir"/preload/*.[ch] | grep -vx rt_sigpending &&
	grep -ohE 'syscall\(SYS_[a-z0-9_]+' "$top_srcdir"/ctl/supervise/*.c | sed 's/.*SYS_//')
demands supervisor "$(command -v busybox) a" "${called[@]}"

# LD_PRELOAD
unit s.service 'Environment=LD_PRELOAD=/a.so:/b.so' 'Environment=X=y'
gives 0 "enable over an LD_PRELOAD" "$smcctl" service enable s
says "$system/s.service.d/90-smcctl.conf" "^Environment=LD_PRELOAD=$lib:/a.so:/b.so$"
gives 0 "again" "$smcctl" service enable s
says out 'enabled already'
unit s.service
gives 0 "enable when the unit's own is gone" "$smcctl" service enable s
says "$system/s.service.d/90-smcctl.conf" "^Environment=LD_PRELOAD=$lib$"
gives 0 "enable with systemd's own environment" env FAKE_SYSTEMCTL_ENVIRONMENT='LD_PRELOAD="/m m.so"' "$smcctl" service enable s
says "$system/s.service.d/90-smcctl.conf" "^Environment=LD_PRELOAD=$lib:/m:m.so$"
"$smcctl" service disable s >out 2>err
echo 'LD_PRELOAD=/c.so' >environment
unit s.service "EnvironmentFile=-$PWD/envir*"
gives 3 "an EnvironmentFile overrules it" "$smcctl" service enable s
says err "EnvironmentFile: '$PWD/environment' sets LD_PRELOAD, which overrules every Environment=; write there LD_PRELOAD=$lib:/c.so"
echo "LD_PRELOAD='$lib:/c.so'" >environment
gives 0 "... unless it has it" "$smcctl" service enable s
"$smcctl" service disable s >out 2>err
unit s.service
mkdir "$system/s.service.d" && printf '[Service]\nEnvironment=LD_PRELOAD=/z.so\n' >"$system/s.service.d/zz.conf"
tree >before_late
gives 5 "a later drop-in overrules it" "$smcctl" service enable s
says err "another drop-in that comes later overrules it; rolled back$"
holds "... rolled back" same_as before_late
rm -r "$system/s.service.d"

# Several: all or nothing
unit bad.service 'UnsetEnvironment=LD_PRELOAD'
tree >before_two
gives 3 "one of two is refused" "$smcctl" service enable plain bad
holds "... and nothing is changed" same_as before_two
gives 0 "--force enables it all the same" "$smcctl" service enable --force plain bad
gives 0 "disable both" "$smcctl" service disable plain bad
holds "... leaves the tree as it was" same_as before_two
echo '{"version":1,"rules":[{"use":"smc","connect":"any"}]}' >two.json
gives 3 "one of two is refused, with a policy" "$smcctl" service enable --policy two.json plain bad
holds "... and nothing is changed" same_as before_two
holds "... nor applied" sh -c '! ls /run/smc/two*'
echo '{' >two.json
gives 65 "a broken policy" "$smcctl" service enable --policy two.json plain
holds "... and nothing is changed" same_as before_two
# What overrules one is seen when all are written: the others stay, and are told about.
unit a.service
unit b.service
mkdir "$system/b.service.d" && printf '[Service]\nEnvironment=LD_PRELOAD=/z.so\n' >"$system/b.service.d/zz.conf"
: >log
gives 5 "one of three is overruled" "$smcctl" service enable --restart a b plain
says err "^smcctl: unit 'b.service': .* rolled back$"
holds "... which is said of it alone" test "$(grep -c "^smcctl: unit" err)" = 1
holds "... rolled back" test ! -e "$system/b.service.d/90-smcctl.conf"
says out '^a.service: enabled, not running$'
says out '^plain.service: enabled, not running$'
lines out 2 "... the others are told about"
holds "... and restarted" test "$(grep -o 'restart.*' log | tr '\n' ' ')" = "restart -- a.service restart -- plain.service "
rm -r "$system/b.service.d"
gives 0 "disable the others" "$smcctl" service disable a plain
rm "$system/a.service" "$system/b.service"
holds "... leaves the tree as it was" same_as before_two
for name in sshd ssh systemd-x dbus getty@tty1 user@0; do
	unit "$name.service"
	gives 3 "$name is refused without --force" "$smcctl" service enable "$name"
	says err '; --force does it all the same$'
	case $name in s*sh*) says err "; 'sshd -t' before the restart, and a connection kept open, show in time what goes wrong; --force" ;; esac
	rm "$system/$name.service"
done
unit ssh.service
gives 0 "sshd: explain" "$smcctl" service explain ssh
says out '^connections +TCP: see policy below$' "... it is not that which keeps it on TCP"
unit ssh.service 'UnsetEnvironment=LD_PRELOAD'
gives 0 "sshd, and something else: explain" "$smcctl" service explain ssh
says out '^connections +TCP: see UnsetEnvironment below$' "... that keeps it on TCP"
says out '^listeners +TCP: see UnsetEnvironment below$'
rm "$system/ssh.service"
ln -s /dev/null "$system/masked.service"
gives 3 "a masked unit is refused, also with --force" "$smcctl" service enable --force masked
says err 'masked: the unit is masked'
rm "$system/masked.service"
unit 't@.service'
gives 0 "a template" "$smcctl" service enable t@
holds "... has the drop-in" test -e "$system/t@.service.d/90-smcctl.conf"
gives 0 "disable a template" "$smcctl" service disable t@
gives 0 "an instance" "$smcctl" service enable t@1
holds "... has the drop-in" test -e "$system/t@1.service.d/90-smcctl.conf"
gives 0 "disable an instance" "$smcctl" service disable t@1
# An instance of an enabled template: its drop-in masks the template's, of the same name, so it has all that is needed itself.
for lines in "ExecStart="$'\n'"ExecStart=$(command -v busybox) sleep %i" \
	"RestrictAddressFamilies=AF_INET"$'\n'"NoExecPaths=/"$'\n'"TemporaryFileSystem=/run:ro"; do
	unit 't@.service' "$lines"
	tree >before_template
	gives 0 "${lines##*$'\n'}: an instance" "$smcctl" service enable t@1
	tail -n +3 "$system/t@1.service.d/90-smcctl.conf" >alone
	gives 0 "... its template" "$smcctl" service enable t@
	tree >with_both
	gives 0 "... disabled" "$smcctl" service disable t@1
	gives 0 "... explain" "$smcctl" service explain --json t@1
	holds "... and enabled again, with the template" "$smcctl" service enable t@1
	holds "... has what it had without it" cmp alone <(tail -n +3 "$system/t@1.service.d/90-smcctl.conf")
	holds "... as explain has said" json "d['units'][0]['drop_in']['text'] == open('alone').read()"
	holds "... and so has its template" same_as with_both
	gives 0 "... disable both" "$smcctl" service disable t@1 t@
	holds "... leaves the tree as it was" same_as before_template
done
ln -s plain.service "$system/alias.service"
gives 0 "an alias" "$smcctl" service enable alias
holds "... leads to the unit" test -e "$drop_in"
gives 0 "disable an alias" "$smcctl" service disable alias
rm "$system/alias.service" "$system/t@.service" "$system/bad.service"

# What starts its program with another environment, or has it started elsewhere
finds() { # NAME WHAT KIND: explain of s has found that, and says so if enable will refuse it
	gives 0 "$1: explain" "$smcctl" service explain --json s
	holds "... finds $2: $3" json "('$2', '$3') in [(f['what'], f['kind']) for f in d['units'][0]['findings']] and
		d['units'][0]['refused'] == ('$3' in ('all_tcp', 'impossible'))"
}
starts() { # NAME WHAT KIND COMMAND
	printf '[Service]\nExecStart=%s\n' "$4" >"$system/s.service"
	finds "$1" "$2" "$3"
}
starts "sudo" environment all_tcp "/usr/bin/sudo -E -u x /bin/sleep 1"
gives 3 "... enable" "$smcctl" service enable s
says err "environment: it starts its program through '/usr/bin/sudo', which takes LD_PRELOAD away; use User= instead; it would stay TCP"
starts "su -" environment all_tcp "/bin/su - x -c 'sleep 1'"
starts "su --login" environment all_tcp "/bin/su --login x"
starts "su -lc" environment all_tcp "/bin/su -lc 'sleep 1' x"
starts "runuser -l" environment all_tcp "/sbin/runuser -s /bin/sh -l x -c 'sleep 1'"
starts "su" wrapper note "/nowhere/su -s /bin/sh x -c 'ls -l -'"
starts "runuser -u" wrapper note "/sbin/runuser -u x -- /bin/sleep 1"
starts "login" environment all_tcp "/bin/login -f x"
starts "login -p" wrapper note "/bin/login -p -f x"
starts "a login shell" wrapper note "/bin/bash -l -c 'sleep 1'"
starts "docker run" environment all_tcp "/bin/docker run x"
starts "systemd-run --scope" wrapper note "/bin/systemd-run --scope /bin/sleep 1"
starts "systemd-run" environment all_tcp "/bin/systemd-run /bin/sleep 1"
gives 3 "... enable" "$smcctl" service enable s
says err "environment: it has its program started by another service, through '/bin/systemd-run': nothing set here reaches it; it would"
unit s.service 'PAMName=x'
gives 0 "a session of PAM: explain" "$smcctl" service explain s
says out "^PAMName +- +opens a session of 'x': pam_env in it, by /etc/environment, may overrule LD_PRELOAD"

unit s.service 'CanReload=yes'
gives 0 "a service that can be reloaded: explain" "$smcctl" service explain s
says out "^reload +- +a reload keeps the process, or its open listeners: only a restart makes them SMC$"

# Confined by AppArmor or SELinux: said, with what it takes
unit s.service 'AppArmorProfile=-a profile'
gives 0 "AppArmorProfile=: explain" "$smcctl" service explain s
says out "^AppArmor +- +the profile '-a profile' must allow reading and mapping '$lib' \(mr\) and, without IPPROTO_SMC, 'network smc'$"
holds "... is not in the way" "$smcctl" service enable s
holds "... of disable" "$smcctl" service disable s
mount -t tmpfs tmpfs /sys/fs && mkdir /sys/fs/selinux
for enforce in 1 0; do
	echo $enforce >/sys/fs/selinux/enforce
	gives 0 "SELinux, enforce $enforce: explain" "$smcctl" service explain s
	matches out "^SELinux +- +is enforcing: a change of domain at the start drops LD_PRELOAD \(AT_SECURE\) unless the policy has noatsecure, and the domain needs smc_socket; ausearch -m avc names what was refused$"
	[ $? = $((1 - enforce)) ]
	result $? "... says what to look at, if it is enforcing"
done
umount /sys/fs
rm "$system/s.service"

# Installed where a sandbox hides it, or where LD_PRELOAD cannot name it
placed() { # DIRECTORY COMMAND...
	place=$1
	mkdir -p "$place" && mount --bind "$top_builddir" "$place"
	"${@:2}"
	umount "$place" && rmdir "$place"
}
hidden() { # NAME LINE WHAT KIND
	unit s.service "$2"
	smcctl=$place/smcctl finds "$1" "$3" "$4"
}
in_home() {
	hidden "ProtectHome=yes" ProtectHome=yes ProtectHome all_tcp
	hidden "ProtectHome=tmpfs" ProtectHome=tmpfs mount-namespace handled
	holds "... and it is bound" json "'BindReadOnlyPaths=-$place/' in d['units'][0]['drop_in']['text']"
	hidden "ProtectHome=read-only" ProtectHome=read-only policy policy_tcp
	printf '[Service]\nProtectHome=yes\nExecStart=%s a\n' "$(command -v busybox)" >"$system/s.service"
	smcctl=$place/smcctl finds "ProtectHome=yes, a command" ProtectHome impossible
}
placed /run/user/1/smcctl in_home
placed "/run/a b" hidden "a blank in the path" "#" LD_PRELOAD impossible

# The library is in the process, and the policy lets nothing be SMC: tests/service has the rest, where there is SMC
mount -t tmpfs tmpfs /sys/fs && mkdir -p /sys/fs/cgroup/s
LD_PRELOAD="${asan:+$asan:}$lib" sleep 1000 &
children=$!
echo $children >/sys/fs/cgroup/s/cgroup.procs
unit s.service "MainPID=$children" "ControlGroup=/s"
within 20 "a process that carries the library" grep -q libsmcshim "/proc/$children/maps"
gives 0 "... enable, with no policy" "$smcctl" service enable s
says out '^s.service: enabled, loaded, but all TCP: policy: no policy is in force '
gives 3 "... status" "$smcctl" service status s
says out '^s.service +loaded, but all TCP +1 of 1 '
says out '^ *policy: no policy is in force '
gives 3 "... enable --restart tells that it did not help" "$smcctl" service enable --restart s
says err "^smcctl: unit 's.service': enabled already and restarted, but not accelerated: policy: no policy is in force "
echo '{"version":1,"rules":[{"use":"smc","listen":"any"}]}' >/etc/smc/policy.json
holds "... a policy" "$smcctl" policy apply
holds "... off" "$smcctl" policy off
gives 3 "... status, with a policy that is off" "$smcctl" service status --json s
holds "... says so" json "(d['units'][0]['state'], d['units'][0]['why']) == ('loaded_tcp', 'policy: its state is off; smcctl policy on')"
gives 0 "... disable" "$smcctl" service disable s
kill_children
umount /sys/fs
rm "$system/s.service" /etc/smc/policy.json /run/smc/policy

# A policy of its own
echo '{"version":1,"rules":[{"use":"smc","connect":"any"}]}' >'own $1%.json'
gives 0 "enable --policy" "$smcctl" service enable --policy 'own $1%.json' plain
says "$drop_in" '^Environment=SMC_POLICY=/run/smc/own__1_.json-[0-9a-f]{16}$'
says "$drop_in" '^ExecStartPre=-\+/.*/smcctl policy apply "/.*/own \$\$1%%.json"$'
holds "... is applied" sh -c 'test -e /run/smc/own*'
echo '{"version":1,"rules":[{"use":"smc","connect":"any"}],"programs":{"only":["x"]}}' >some.json
gives 0 "enable --policy for some programs only" "$smcctl" service enable --policy some.json plain
gives 0 "... explain" "$smcctl" service explain plain
says out '^policy +- +holds for some programs only; smcctl policy test --program NAME tells whether for this one$'
echo '{' >broken.json
gives 65 "a broken policy" "$smcctl" service enable --policy broken.json plain
gives 0 "back to the common policy" "$smcctl" service enable plain
holds "... the drop-in has none" sh -c '! grep SMC_POLICY "$0"' "$drop_in"
gives 0 "disable" "$smcctl" service disable plain

# What no library reaches: its command is replaced by itself behind smcctl run
static=$(command -v busybox)
supervisor=$(realpath "$top_builddir/smcctl-supervise")
self=$(realpath "$smcctl")
exec_unit() { # NAME LINE...
	{ printf '[Service]\n' && printf '%s\n' "${@:2}"; } >"$system/$1"
}
exec_unit go.service "ExecStart=$static httpd -f -p 8080"
tree >before_go
gives 0 "a static program: explain" "$smcctl" service explain go
says out "^program +the drop-in handles it +'$static' is linked statically: .*; the drop-in replaces ExecStart=: smcctl run before the same command supervises its socket calls$"
says out "^  ExecStart=$self run --supervise -- $static httpd -f -p 8080$"
holds "... without the library's line" sh -c '! grep "LD_PRELOAD=" out'
gives 0 "... --dry-run" "$smcctl" service enable --dry-run go
says out "^go.service: would write $system/go.service.d/90-smcctl.conf:$"
says out "^  ExecStart=$self run --supervise -- $static httpd -f -p 8080$"
holds "... changes nothing" same_as before_go
gives 0 "... enable" "$smcctl" service enable go
says out '^go.service: ExecStart= is replaced: smcctl run --supervise stands before the unit.s own command; '
says out '^go.service: enabled, not running$'
go=$system/go.service.d/90-smcctl.conf
says "$go" '^ExecStart=$'
says "$go" "^ExecStart=$self run --supervise -- $static httpd -f -p 8080$"
holds "... and no LD_PRELOAD" sh -c '! grep LD_PRELOAD "$0"' "$go"
gives 0 "... again" "$smcctl" service enable go
lines out 1 "... is said in one line"
says out '^go.service: enabled already'
gives 0 "... dry run of it" "$smcctl" service enable --dry-run go
says out '^go.service: enabled already$'
gives 2 "... status" "$smcctl" service status --json go
holds "... enabled, not running" json "d['units'][0]['state'] == 'not_running'"
gives 0 "... explain" "$smcctl" service explain --json go
holds "... is enabled, supervises, and is not stale" json "d['units'][0]['drop_in'] | {'text': 0, 'path': 0} == {'kind': 'enabled', 'supervises': True, 'stale': False, 'text': 0, 'path': 0}"
# An update of the unit
exec_unit go.service "ExecStart=$static httpd -f -p 8081"
gives 2 "the unit's command has changed: status" "$smcctl" service status go
says out '^go.service +enabled, but stale '
says out "the unit's command has changed, the drop-in starts the old one: enable it again$"
gives 0 "... explain" "$smcctl" service explain go
says out "the unit's command has changed since, and the drop-in starts the old one: smcctl service enable go.service$"
gives 0 "... enabled again" "$smcctl" service enable go
says "$go" "^ExecStart=$self run --supervise -- $static httpd -f -p 8081$"
gives 2 "... is not stale any more" "$smcctl" service status go
says out '^go.service +enabled, not running'
exec_unit go.service "ExecStart=/bin/sleep 1"
gives 0 "it becomes a program for the library" "$smcctl" service enable go
says "$go" "^Environment=LD_PRELOAD=$lib$"
holds "... which is not replaced" sh -c '! grep ExecStart= "$0"' "$go"
exec_unit go.service "ExecStart=$static httpd -f -p 8080"
gives 0 "and one to be supervised again" "$smcctl" service enable go
gives 0 "disable" "$smcctl" service disable go
holds "... leaves the tree as it was" same_as before_go
# Prefixes, quotes, several commands; what systemd makes of each is compared with what it was.
replaced() { # NAME VALUE EXPECTED: EXPECTED stands behind the prefix; RUN is smcctl run --supervise
	exec_unit e.service "Type=oneshot" "$2"
	gives 0 "$1: enable" "$smcctl" service enable e
	sed -n '/^ExecStart=$/,$p' "$system/e.service.d/90-smcctl.conf" | sed 1d >got
	printf '%s\n' "${3//RUN/$self run --supervise}" | diff - got >out 2>err
	result $? "$1: the command is the same behind smcctl run"
	gives 0 "$1: disable" "$smcctl" service disable e
}
replaced "prefixes" "ExecStart=-:!!$static a" "ExecStart=-:!!RUN -- $static a"
replaced "another name" "ExecStart=@$static httpd -f" "ExecStart=RUN --argv0 httpd -- $static -f"
replaced "quotes" "ExecStart=\"-$static\" 'a  b' \"\\\"c\" \$HOME \${X} %n" "ExecStart=-RUN -- \"$static\" 'a  b' \"\\\"c\" \$HOME \${X} %n"
replaced "several" "ExecStart=$static a ; -$static b"$'\n'"ExecStart=$static c" "ExecStart=RUN -- $static a"$'\n'"ExecStart=-RUN -- $static b"$'\n'"ExecStart=RUN -- $static c"
replaced "one for the library among them" "ExecStart=/bin/sleep 1"$'\n'"ExecStart=$static c" "ExecStart=RUN -- /bin/sleep 1"$'\n'"ExecStart=RUN -- $static c"
replaced "one that is run already" "ExecStart=$self run -- /bin/sleep 1"$'\n'"ExecStart=$static c" "ExecStart=$self run -- /bin/sleep 1"$'\n'"ExecStart=RUN -- $static c"
replaced "a list begun anew" "ExecStart=/nowhere"$'\n'"ExecStart="$'\n'"ExecStart=$static \\"$'\n'" c" "ExecStart=RUN -- $static c"
replaced "behind env" "ExecStart=/usr/bin/env A=b $static a" "ExecStart=RUN -- /usr/bin/env A=b $static a"
refuses() { # NAME WHY LINE...: also with --force
	exec_unit e.service "${@:3}"
	gives 3 "$1 is refused" "$smcctl" service enable --force e
	says err "$2"
	holds "... and nothing is written" test ! -e "$system/e.service.d"
}
refuses "no path" 'names its program without a path: smcctl run cannot be put before it' "ExecStart=busybox httpd"
refuses "a variable for a name" 'called by the value of a variable' "ExecStart=@$static \$X a"
refuses "forking without a PID file" "forking: beside the supervisor systemd would not find the main process; add PIDFile=" "Type=forking" "ExecStart=$static a"
refuses "a root directory" 'smcctl is not in there, so the service would not start' "RootDirectory=/./" "ExecStart=$static a"
refuses "a filter without its calls" 'SystemCallFilter=seccomp pidfd_getfd$' "ExecStart=$static a" \
	"SystemCallFilter=pidfd_open process_vm_readv process_vm_writev socket connect bind listen getsockopt setsockopt getsockname getpeername fcntl dup3 ppoll openat fstat fstatfs fgetxattr mmap mremap munmap madvise close close_range geteuid clock_gettime rt_sigprocmask socketpair sendmsg recvmsg prctl prlimit64 ioctl clone wait4 setsid chdir umask execve"
refuses "hidden" "does not see the program '$self', so it would not start" "ExecStart=$static a" "InaccessiblePaths=${self%/*}"
refuses "not to be executed" "forbids to execute the supervisor; .*ExecPaths=$supervisor" "ExecStart=$static a" "NoExecPaths=$supervisor"
# Who may supervise it
mount -t tmpfs tmpfs /proc/sys/kernel && mkdir /proc/sys/kernel/yama
traced() { # SCOPE USER KIND
	echo "$1" >/proc/sys/kernel/yama/ptrace_scope
	exec_unit s.service "ExecStart=$static a" "User=$2" "${@:4}"
	finds "kernel.yama.ptrace_scope $1 for ${2:-root}" kernel.yama.ptrace_scope "$3"
}
traced 3 '' all_tcp
traced 2 nobody all_tcp
traced 2 '' all_tcp CapabilityBoundingSet=cap_chown
traced 1 nobody note
for scope in "2 root" "1 root" "0 nobody"; do
	echo "${scope% *}" >/proc/sys/kernel/yama/ptrace_scope
	exec_unit s.service "ExecStart=$static a" "User=${scope#* }"
	gives 0 "kernel.yama.ptrace_scope ${scope% *} for ${scope#* }: explain" "$smcctl" service explain --json s
	holds "... finds nothing" json "'kernel.yama.ptrace_scope' not in [f['what'] for f in d['units'][0]['findings']]"
done
umount /proc/sys/kernel
# Confined: the profile holds for smcctl, too
mount -t tmpfs tmpfs /sys/fs && mkdir /sys/fs/selinux && echo 1 >/sys/fs/selinux/enforce
exec_unit s.service "ExecStart=$static a" "AppArmorProfile=a"
gives 0 "SELinux and AppArmor: explain" "$smcctl" service explain s
says out "^SELinux +- +is enforcing: the program's domain is entered from that of smcctl, which may be another one; SELinuxContext= sets it"
says out "^AppArmor +- +the profile 'a' holds for smcctl, too: it must allow '$self' and '$supervisor' \(ix\), ptrace among these, and the program \(ix\)$"
umount /sys/fs
rm "$system/s.service"
cp "$static" gains && setcap cap_net_bind_service+ep gains && chmod 755 gains
exec_unit e.service "User=nobody" "ExecStart=$PWD/gains a"
gives 3 "capabilities that it would lose" "$smcctl" service enable e
says err 'is linked statically, and when supervised it would lose the privilege of its file .*AmbientCapabilities='
gives 3 "... also when asked for, with force" "$smcctl" service enable --supervise --force e
says err 'would lose the privilege of its file'
exec_unit e.service "User=nobody" "NoNewPrivileges=yes" "ExecStart=$PWD/gains a"
gives 0 "... but not where it has none to lose" "$smcctl" service enable e
gives 0 "... disable" "$smcctl" service disable e
exec_unit e.service "Type=forking" "PIDFile=/run/e.pid" "ExecStart=$static a"
gives 0 "forking with a PID file" "$smcctl" service enable e
gives 0 "... disable" "$smcctl" service disable e
cp /bin/sleep capable && setcap cap_net_bind_service+ep capable
exec_unit e.service "User=nobody" "ExecStart=$PWD/capable 1"
gives 3 "capabilities of a program for the library" "$smcctl" service enable e
says err "'$PWD/capable' has file capabilities: the dynamic loader ignores LD_PRELOAD for it; take them from the file \\(setcap -r\\) and use AmbientCapabilities= in the unit; it would"
exec_unit e.service "User=nobody" "NoNewPrivileges=yes" "ExecStart=$PWD/capable 1"
gives 3 "... which keep the library out also where they are not gained" "$smcctl" service enable e
says err "has file capabilities"
gives 0 "... --supervise: there is none to lose" "$smcctl" service enable --supervise e
setcap cap_net_bind_service+p capable
gives 0 "... nor are they in the way if they are not effective" "$smcctl" service enable e
says "$system/e.service.d/90-smcctl.conf" "^Environment=LD_PRELOAD=$lib$"
exec_unit e.service "User=nobody" "ExecStart=$PWD/capable 1"
gives 3 "... but if they are gained" "$smcctl" service enable e
setcap cap_net_bind_service+ep capable
exec_unit e.service "NoNewPrivileges=yes" "ExecStart=$PWD/capable 1"
gives 0 "... and root has them anyway" "$smcctl" service enable e
gives 0 "... disable" "$smcctl" service disable e
# The package goes
mkdir packaged && ln -s "$self" packaged/smcctl
exec_unit e.service "ExecStart=$static a"
gives 0 "two units" "$smcctl" service enable e plain
gives 0 "the package is updated" env PATH="$PWD/packaged:$PATH" sh -e "$top_srcdir/packaging/debian/smcshim.prerm" upgrade 1
holds "... they stay" test -e "$system/e.service.d/90-smcctl.conf" -a -e "$drop_in"
gives 0 "the package is removed" env PATH="$PWD/packaged:$PATH" sh -e "$top_srcdir/packaging/debian/smcshim.prerm" remove
says out '^e.service: disabled$'
holds "... what would not start without it is as it was, the other stays" test ! -e "$system/e.service.d" -a -e "$drop_in"
gives 0 "disable the other" "$smcctl" service disable plain
# An instance of a template
exec_unit 's@.service' "ExecStart=$static sleep %i"
gives 0 "a template" "$smcctl" service enable s@
says "$system/s@.service.d/90-smcctl.conf" "^ExecStart=$self run --supervise -- $static sleep %i$"
gives 2 "... status of an instance" "$smcctl" service status s@7
says out '^s@7.service +enabled, not running '
exec_unit 's@.service' "ExecStart=$static sleep 1%i"
gives 2 "... whose template has changed" "$smcctl" service status s@7
says out '^s@7.service +enabled, but stale '
gives 0 "... disable" "$smcctl" service disable s@
rm "$system/s@.service"
# Asked for
exec_unit e.service "ExecStart=/bin/sh -c 'exec $static a'"
gives 0 "--supervise: a wrapper" "$smcctl" service enable --supervise e
says "$system/e.service.d/90-smcctl.conf" "^ExecStart=$self run --supervise -- /bin/sh -c 'exec $static a'$"
gives 0 "... explain tells about it" "$smcctl" service explain e
says out "is linked dynamically; the drop-in replaces ExecStart="
gives 0 "without it, the library" "$smcctl" service enable e
says "$system/e.service.d/90-smcctl.conf" "^Environment=LD_PRELOAD=$lib$"
gives 0 "disable" "$smcctl" service disable e
# A later drop-in, and one that systemd reads otherwise
exec_unit e.service "ExecStart=$static a"
mkdir "$system/e.service.d" && printf '[Service]\nExecStart=\nExecStart=%s z\n' "$static" >"$system/e.service.d/zz.conf"
tree >before_late
gives 5 "a later drop-in overrules it" "$smcctl" service enable e
says err "another drop-in that comes later overrules it, .*; rolled back$"
holds "... rolled back" same_as before_late
rm -r "$system/e.service.d" "$system/e.service" "$system/go.service"

# User units
mkdir -p home/.config
printf '[Service]\nExecStart=/bin/sleep 1\n' >plain.user
gives 1 "a user unit that is not there" "$smcctl" service enable --user plain
mkdir -p home/.config/systemd/user && cp plain.user home/.config/systemd/user/plain.service
tree home >before_home
gives 0 "enable --user" "$smcctl" service enable --user plain
says home/.config/systemd/user/plain.service.d/90-smcctl.conf '^# smcctl drop-in 1, made 1, '
holds "... without an order among the system's units" sh -c '! grep After= home/.config/systemd/user/plain.service.d/90-smcctl.conf'
gives 0 "disable --user" "$smcctl" service disable --user plain
holds "... leaves the tree as it was" same_as before_home home
mkdir -p /etc/systemd/user && cp plain.user /etc/systemd/user/plain.service
export XDG_CONFIG_HOME=$PWD/home/xdg
tree home >before_home
gives 0 "enable --user makes all directories" "$smcctl" service enable --user plain
says home/xdg/systemd/user/plain.service.d/90-smcctl.conf '^# smcctl drop-in 1, made 4, '
gives 0 "disable --user" "$smcctl" service disable --user plain
holds "... removes them all" same_as before_home home
gives 0 "enable --user" "$smcctl" service enable --user plain
touch home/xdg/systemd/mine
gives 0 "disable --user" "$smcctl" service disable --user plain
holds "... but those that hold something else" test "$(cd home/xdg && find . | sort | tr '\n' ' ')" = ". ./systemd ./systemd/mine "
unset XDG_CONFIG_HOME

# Nobody may
chmod 755 . home
gives 77 "without rights" unprivileged env -u FAKE_SYSTEMCTL_LOG "$smcctl" service enable plain
says err "Permission denied; run as root, or for units of your own with --user$"
gives 0 "... explain works" unprivileged env -u FAKE_SYSTEMCTL_LOG "$smcctl" service explain plain
gives 5 "daemon-reload fails" env FAKE_SYSTEMCTL_FAILS=daemon-reload "$smcctl" service enable plain
gives 0 "... and again" "$smcctl" service enable plain
"$smcctl" service disable plain >out 2>err

# At each of its system calls in turn the command is killed, or told that there is no space: the drop-in is there as a whole or as it
# was, and what is left behind systemd does not read and the next command sweeps away. strace counts each call by itself.
calls="openat mkdirat write fchmod fsync renameat unlinkat flock clone3"
sane() { # the state is the one before or the one after, and it can be left by a command
	tree "$around" | grep -v '\.smcctl-\(new\|old\)\|\.90-smcctl.conf.new' >now
	if [ "$1" = edit ]; then
		cmp -s "$made/$rest" "$kept/old.conf" || cmp -s "$made/$rest" "$kept/new.conf"
	else
		{ [ ! -e "$made" ] && cmp -s now "$kept/off"; } || cmp -s "$made/$rest" "$kept/new.conf"
	fi
}
storm() { # NAME INJECTION BEFORE COMMAND...: BEFORE is what there is at the start
	local name=$1 injection=$2 before=$3 call n points=0 bad='' code
	shift 3
	for call in $calls; do
		# What the loader opens at the start is not ours.
		n=0
		[ "$call" != openat ] || n=$opened
		while [ $((++n)) -lt 100 ]; do
			# What a kill has left behind beside it stays, for the command to sweep away.
			rm -rf "$made"
			[ "$before" = off ] || cp -a "$kept/$before" "$made"
			{ strace -o trace -e trace="$call" -e inject="$call:$injection:when=$n" "$@" >out 2>err; } 2>/dev/null
			code=$?
			sane "$before" || bad="$bad $call:$n"
			grep -q 'INJECTED\|killed by' trace || break
			points=$((points + 1))
			[ "$injection" = signal=KILL ] || [ $code != 0 ] || grep -q 'enabled\|disabled' out || bad="$bad silent:$call:$n"
		done
		[ $n -lt 100 ] && [ $code = 0 ] || bad="$bad end:$call:$n"
	done
	[ -z "$bad" ] && [ $points -gt 10 ]
	result $? "$name: at each of $points calls${bad:+, not:$bad}"
	"${disable[@]}" >out 2>err
	tree "$around" | diff "$kept/off" - >out 2>&1
	result $? "... and nothing stays behind"
}
# The drop-in is $made/$rest, where $made and all below it are made for it, around it is what else may change.
storms() { # NAME CHANGE: the unit is to be enabled; CHANGE is a command that makes another drop-in due
	local name=$1 injection
	mkdir "$kept"
	tree "$around" >"$kept/off"
	"${enable[@]}" >out 2>err
	cp "$made/$rest" "$kept/new.conf" && cp -a "$made" "$kept/on"
	systemctl "${of[@]}" show -- plain.service >"$kept/show.on"
	$2 && cp "$made/$rest" "$kept/old.conf" && cp -a "$made" "$kept/edit"
	"${disable[@]}" >out 2>err
	systemctl "${of[@]}" show -- plain.service >"$kept/show.off"
	# The same answers at less cost.
	printf '#!/bin/sh\ncase " $*" in\n*" show "*) if [ -e %s ]; then cat %s/show.on; else cat %s/show.off; fi ;;\nesac\n' \
		"$made/$rest" "$PWD/$kept" "$PWD/$kept" >"$kept/systemctl"
	chmod +x "$kept/systemctl"
	PATH=$PWD/$kept:$PATH
	for injection in signal=KILL error=ENOSPC; do
		storm "$name: enable, $injection" "$injection" off "${enable[@]}"
		storm "$name: disable, $injection" "$injection" on "${disable[@]}"
		storm "$name: another drop-in, $injection" "$injection" edit "${enable[@]}"
	done
	PATH=${PATH#*:}
}
rm -f "$system/s.service"
enable=("$smcctl" service enable plain) disable=("$smcctl" service disable --force plain) of=(--system)
around=$system made=$system/plain.service.d rest=90-smcctl.conf kept=storm.library
own_policy() { "${enable[@]}" --policy 'own $1%.json' >out 2>err; }
# A sanitizer's runtime makes calls of its own, and cannot be traced.
if [ -z "$asan" ]; then
	strace -o trace -e trace=openat "$smcctl" --version >out 2>err
	opened=$(grep -c '^openat' trace)
	storms "the library" own_policy
	exec_unit plain.service "ExecStart=$static a"
	kept=storm.command
	another_command() {
		exec_unit plain.service "ExecStart=$static b" && "${enable[@]}" >out 2>err && exec_unit plain.service "ExecStart=$static a"
	}
	storms "a command" another_command
	unit plain.service
	export XDG_CONFIG_HOME=$PWD/home/storm
	mkdir "$XDG_CONFIG_HOME"
	enable+=(--user) disable+=(--user) of=(--user)
	around=$XDG_CONFIG_HOME made=$XDG_CONFIG_HOME/systemd rest=user/plain.service.d/90-smcctl.conf kept=storm.user
	storms "directories, too" own_policy
	unset XDG_CONFIG_HOME
fi

# systemd has not read it yet, as after a kill between the two
"$smcctl" service enable plain >out 2>err
systemctl show -- plain.service | sed '/^DropInPaths=/s/=.*/=/' >show.unread
mkdir unread && printf '#!/bin/sh\ncat %s/show.unread\n' "$PWD" >unread/systemctl && chmod +x unread/systemctl
gives 2 "a drop-in that systemd has not read: status" env PATH="$PWD/unread:$PATH" "$smcctl" service status plain
says out '^plain.service +enabled, daemon-reload pending '
gives 0 "disable" "$smcctl" service disable plain

# A file system that is really full
mkdir full && mount -t tmpfs -o size=64k tmpfs full && cp -a "$system/." full && mount --bind full "$system"
dd if=/dev/zero of="$system/fill" bs=4k >filled 2>&1
tree >state.full
gives 1 "a full file system" "$smcctl" service enable plain
says err "No space left on device$"
holds "... is as it was" same_as state.full
rm "$system/fill"
gives 0 "... and works when there is space" "$smcctl" service enable plain
umount "$system" full

# Two at once, on units whose directory is the same
for i in 1 2 3 4 5 6; do unit "r$i.service"; done
tree >before_race
for i in 1 2 3 4 5 6; do "$smcctl" service enable "r$i" plain >"race.$i" 2>&1 & children="${children:-} $!"; done
for pid in $children; do wait "$pid" || result 1 "a race: one failed"; done
children=
holds "a race: all are enabled" test "$(find "$system" -name 90-smcctl.conf | wc -l)" = 7
gives 0 "a race: disable all" "$smcctl" service disable r1 r2 r3 r4 r5 r6 plain
holds "a race: nothing stays behind" same_as before_race
finish
