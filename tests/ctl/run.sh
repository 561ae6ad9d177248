#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl run: what is said of programs that cannot be accelerated, LD_PRELOAD, exit codes.
# shellcheck disable=SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
none="until a policy is applied"
# With a sanitizer the library needs the runtime before it; the programs that are run here leak, and may.
sanitized() {
	if [ -n "$asan" ]; then
		env ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD="$asan${1:+:$1}" "${@:2}"
	else
		env ${1:+LD_PRELOAD="$1"} "${@:2}"
	fi
}
run() { sanitized "" "$smcctl" run "$@"; }
lib=$(realpath "$top_builddir"/preload/.libs/libsmcshim.so 2>/dev/null || realpath "$top_builddir"/.libs/libsmcshim.so)
first=${asan:+$asan:}

gives 0 "runs a program" run sh -c 'echo "$LD_PRELOAD"; echo "$0 $*"' a b
says out "^$first$lib\$" "LD_PRELOAD has the absolute path of the library from the build tree"
says out "^a b$" "arguments arrive"
says err "$none" "says that no policy is in force"
gives 7 "exits as the program does" run -- sh -c 'exit 7'
gives 0 "-- ends the options" run -- sh -c 'exit 0'
gives 0 "options behind the program are its own" run echo --require --help
says out '^--require --help$'
gives 127 "not found" run no-such-program
says err "^smcctl: run 'no-such-program': No such file or directory$"
gives 127 "not found by path" run ./no-such-program
echo 'echo ran' >text
gives 126 "not executable" run ./text
gives 126 "a directory" run /etc
chmod +x text
gives 0 "a script without #! is /bin/sh's, as with execvp" run ./text
says out '^ran$'
head -c 100 /bin/true >damaged && chmod +x damaged
gives 3 "--require refuses a damaged program" run --require ./damaged
says err "'./damaged' is a damaged ELF file"
mkdir bin1 bin2
cp text bin1/tool && chmod -x bin1/tool
printf '#!/bin/sh\necho second\n' >bin2/tool && chmod +x bin2/tool
gives 0 "the search goes past what cannot be executed" env PATH="$PWD/bin1:$PWD/bin2:$PATH" bash -c "$(declare -f run sanitized); asan=$asan smcctl=$smcctl; run tool"
says out '^second$'
gives 126 "and remembers it" env PATH="$PWD/bin1:/nowhere" "$smcctl" run tool

# LD_PRELOAD
true_so=$(ldd /bin/true | awk '/libc.so/ {print $3}')
gives 0 "keeps an LD_PRELOAD" sanitized "$true_so::/no:$lib" "$smcctl" run sh -c 'echo "$LD_PRELOAD"'
says out "^$first$lib:$true_so:/no$" "ours in front, no empty element, no duplicate"
gives 0 "run in run" run "$smcctl" run sh -c 'echo "$LD_PRELOAD"'
says out "^$first$lib\$" "has it once"

# Installed, in a staging directory, through a symbolic link
make -s -C "$top_builddir" install-exec DESTDIR="$dir/stage" >make.log 2>&1 || sed 's/^/# /' make.log
staged=$(find "$dir/stage" -name smcctl -type f) stagedlib=$(find "$dir/stage" -name libsmcshim.so -not -path '*/32/*')
gives 0 "print-env of an installed smcctl" "$staged" run --print-env
says out "^LD_PRELOAD=$stagedlib\$"
ln -s "$staged" link
gives 0 "... through a symbolic link" ./link run --print-env
says out "^LD_PRELOAD=$stagedlib\$"
lines out 1 "nothing else is printed"
mv "$stagedlib" gone.so
gives 125 "the library is missing" "$staged" run true
says err "^smcctl: library 'libsmcshim.so': not found"
mv gone.so "$stagedlib"
mkdir -p "$dir/a b" && cp -a "$dir/stage/." "$dir/a b"
gives 125 "a path that LD_PRELOAD cannot hold" "${staged/stage/a b}" run true
says err 'blank or a colon'

# Programs that stay on TCP. --require refuses them.
refused() { # NAME PATTERN PROGRAM...
	local name=$1 pattern=$2
	shift 2
	gives 3 "--require refuses $name" "$smcctl" run --require --no-supervise "$@"
	says err "$pattern"
	says err "^smcctl: run '.*': refused, as --require asks$"
	lines out 0 "... and it did not run"
}
refused "a static program" "busybox' is linked statically" busybox echo ran
printf '#!%s sh\necho ran\n' "$(command -v busybox)" >staticscript && chmod +x staticscript
refused "a script for a static program" "'./staticscript' will not be accelerated: '.*busybox' is linked statically" ./staticscript
printf '#!/usr/bin/env -S busybox sh\necho ran\n' >envscript && chmod +x envscript
refused "an env script for a static program" "'./envscript' will not be accelerated: '.*busybox' is linked statically" ./envscript
printf '#!/usr/bin/env -iS sh\necho ran\n' >emptyscript && chmod +x emptyscript
refused "a script that empties the environment" "empty environment" ./emptyscript
mkfifo fifo && chmod +x fifo && printf '#!%s/fifo\n' "$PWD" >fifoscript && chmod +x fifoscript
gives 3 "a FIFO as interpreter does not hang" timeout 10 "$smcctl" run --require ./fifoscript
printf 'int main(void){return 0;}\n' >t.c
cc -o plain t.c && cc -static-pie -o staticpie t.c
refused "a static-pie program" "'./staticpie' is linked statically" ./staticpie
objcopy --add-section .note.go.buildid=t.c plain gosection
refused "a Go program, told by its section" "'./gosection' is a Go program" ./gosection
cat >note.s <<'END'
	.section .note.go.buildid,"a",@note
	.balign 4
	.long 4, 4, 4
	.ascii "Go\0\0"
	.ascii "test"
	.section .note.GNU-stack,"",@progbits
END
cc -o gonote t.c note.s && objcopy --rename-section .note.go.buildid=.note.other gonote
refused "a Go program, told by its note" "'./gonote' is a Go program" ./gonote
printf '\177ELF\1\1\1' >thirtytwo && head -c 45 /dev/zero >>thirtytwo
printf '\003' | dd of=thirtytwo bs=1 seek=18 conv=notrunc status=none && chmod +x thirtytwo
mkdir -p alone/bin/.libs && cp "$smcctl" alone/bin && cp "$lib" alone/bin/.libs
smcctl=alone/bin/smcctl refused "a program of another word size" "'./thirtytwo' is a 32-bit program" ./thirtytwo
holds "a 32-bit program" gcc -m32 -w -D_GNU_SOURCE -o thirtytwo "$top_srcdir/tests/shim/tiny.c"
holds "... linked statically" gcc -m32 -w -D_GNU_SOURCE -static -o static32 "$top_srcdir/tests/shim/tiny.c"
# Without a library for it its loader complains of ours in one line, and it runs as ever.
gives 0 "... runs" alone/bin/smcctl run -- ./thirtytwo
says out '^shim no, TCP$'
says err "'./thirtytwo' is a 32-bit program"
smcctl=alone/bin/smcctl refused "... --require" "'./thirtytwo' is a 32-bit program" ./thirtytwo
lib32=$(realpath "$top_builddir/preload/32/.libs/libsmcshim.so" 2>/dev/null)
if [ "$lib32" ]; then
	gives 0 "with a library for it" "$smcctl" run -v -- ./thirtytwo
	says out '^shim yes, TCP$'
	says err "^smcctl: library: '$lib32'$"
	refused "... but not a static one" "'./static32' is linked statically" ./static32
	gives 0 "... --print-env names it" "$smcctl" run --print-env ./thirtytwo
	says out "^LD_PRELOAD=$lib32$"
	gives 0 "a 64-bit program has the other one" "$smcctl" run --print-env true
	says out "^LD_PRELOAD=$lib$"
fi
if [ "$(awk '{print $3; exit}' /proc/self/uid_map)" -gt 65534 ]; then
	cp /usr/bin/env setuid && chown 65534 setuid && chmod 4755 setuid
	cp /usr/bin/env setgid && chgrp 65534 setgid && chmod 2755 setgid
	refused "a set-user-ID program" "'./setuid' is set-user-ID" ./setuid true
	refused "a set-group-ID program" "'./setgid' is set-user-ID or set-group-ID" ./setgid true
	# shellcheck disable=SC2016
	chmod 4755 setuid && gives 0 "... which has no LD_PRELOAD indeed" "$smcctl" run --no-supervise ./setuid sh -c 'echo "<$LD_PRELOAD>"'
	says out '^<>$'
fi
cp plain capable && setcap cap_net_bind_service+ep capable
gives 3 "--require refuses file capabilities" unprivileged "$smcctl" run --require ./capable
says err "'./capable' has file capabilities"
cp plain suid && chmod 4755 suid
gives 0 "print-env looks at a set-user-ID program for any user" "$smcctl" run --print-env ./suid
says err "'./suid' is set-user-ID"
gives 0 "a static program runs all the same" run --no-supervise busybox echo ran
says out '^ran$'
says err "'.*busybox' is linked statically"

# Supervised. What of it needs the kernel's SMC is in tests/smc/supervise.sh.
gives 0 "a static program is supervised" run -v busybox echo ran
says out '^ran$'
says err "'.*busybox' is linked statically.*; its socket calls are supervised$"
gives 0 "... by another name" run --argv0 sh -- busybox -c 'echo "$0"'
says out '^sh$'
gives 0 "another name for a program with the library" run --argv0 other -- bash -c 'tr "\\0" " " </proc/$$/cmdline'
says out '^other -c '
gives 127 "a program that is not there, by another name" run --argv0 sh -- /nowhere/busybox
says err "^smcctl: run '/nowhere/busybox': No such file"
gives 0 "... in silence" run busybox sh -c 'echo "<$LD_PRELOAD>" "$GODEBUG"'
says out "^<${asan}> multipathtcp=0\$" "without the library, with Go's setting"
lines err 1 "... but for the policy that is missing"
gives 0 "... where run has preloaded it already" run "$smcctl" run busybox sh -c 'echo "<$LD_PRELOAD>"'
says out "^<${asan}>$" "not both"
gives 0 "... beside others" sanitized "$lib:$true_so" "$smcctl" run --supervise sh -c 'echo "<$LD_PRELOAD>"'
says out "^<$first$true_so>$" "which stay"
gives 0 "GODEBUG is kept" env GODEBUG=a=1 "$smcctl" run busybox sh -c 'echo "$GODEBUG"'
says out '^a=1,multipathtcp=0$'
gives 0 "... and what it says" env GODEBUG=multipathtcp=1 "$smcctl" run busybox sh -c 'echo "$GODEBUG"'
says out '^multipathtcp=1$'
lines err 1 "... in silence"
gives 0 "what was set is said" env GODEBUG=a=1 "$smcctl" run -v busybox true
says err "^smcctl: environment: GODEBUG='a=1,multipathtcp=0' is set, .*MPTCP"
gives 0 "... and what was kept" env GODEBUG=multipathtcp=1,multipathtcp=0,b=2 "$smcctl" run -v busybox true
says err "^smcctl: environment: GODEBUG='multipathtcp=1,multipathtcp=0,b=2' is kept: Go's listeners are TCP"
gives 0 "... although it keeps listeners off SMC" env GODEBUG=multipathtcp=0,multipathtcp=1 "$smcctl" run -v busybox true
says err "^smcctl: environment: .* is kept: what Go opens as MPTCP for it, as listeners, cannot be SMC$"
gives 0 "... and a setting of another name is none" env GODEBUG=xmultipathtcp=1 "$smcctl" run busybox sh -c 'echo "$GODEBUG"'
says out '^xmultipathtcp=1,multipathtcp=0$'
gives 0 "any program" run --supervise sh -c 'ls -l /proc/self/fd | grep -c socket:; :'
says out '^0$' "no descriptor of ours is open in it"
# What it cannot supervise it counts.
if [ -x static32 ]; then
	gives 0 "a 32-bit program under supervision" run --supervise sh -c './static32 && "$0" status --json $$' "$smcctl"
	says out '^shim no, TCP$'
	says out '"supervised_32bit":2,'
fi
gives 0 "io_uring" run --supervise sh -c 'python3 -c "import ctypes; ctypes.CDLL(None).syscall(425, 1, ctypes.create_string_buffer(120))" && "$0" status $$' "$smcctl"
says out 'supervised_io_uring 1'
gives 64 "--supervise and --no-supervise" "$smcctl" run --supervise --no-supervise true
gives 64 "--supervise and --print-env" "$smcctl" run --supervise --print-env true
gives 7 "the exit status is the program's" run --supervise sh -c 'exit 7'
gives 127 "not found, supervised" run --supervise no-such-program
gives 0 "the program keeps process, parent and session" sh -c 'echo "$$ $PPID $(ps -o sid= $$)"; exec "$0" run --supervise sh -c '\''echo "$$ $PPID $(ps -o sid= $$)"'\' "$smcctl"
holds "... indeed" test "$(sort -u out | wc -l)" = 1
cat >facts <<'END'
umask
cat /proc/self/limits /proc/self/cgroup
grep -E '^(Groups|Uid|Gid|Cap|Sig(Pnd|Blk|Ign|Cgt)|Shd|Cpus_allowed|Mems)' /proc/self/status
awk '{ print $4, $5, $6, $7, $8, $18, $19 }' "/proc/$$/stat" # parent, group, session, terminal, its group, priority, nice
ls -l /proc/self/fd | grep -c -e socket: -e anon_inode:
END
same_facts() { # PREFIX: as a shell has them that has set what can be set, on a terminal of its own
	cat >asked <<-END
		$(declare -f unprivileged)
		umask 027; ulimit -n 333 -c 0 -t 1000; trap '' USR1 PIPE; renice -n 5 \$\$ >/dev/null
		$1 sh facts >facts.plain
		$1 "$smcctl" run --supervise -- sh facts >facts.supervised
	END
	script -qec "bash asked" /dev/null </dev/null >/dev/null 2>&1
	# With a terminal, or it would say nothing of that.
	[ "$(tail -n 2 facts.plain | awk 'NR == 1 { print NF, ($4 > 0) }')" = "7 1" ] && diff facts.plain facts.supervised
}
gives 0 "umask, limits, signals, cgroup, priority, parent and terminal are the same" same_facts ""
gives 0 "... an ordinary user's too" same_facts unprivileged
gives 0 "has no child" run --supervise python3 -c 'import os
try: os.waitpid(-1, 0)
except ChildProcessError: print("none")'
says out '^none$'
gives 0 "one in the other" run --supervise "$smcctl" run --supervise echo ran
says out '^ran$'
says err 'cannot be supervised: another supervisor listens'
gives 3 "... --require refuses" run --supervise "$smcctl" run --require --supervise echo ran
lines out 0 "... and it did not run"
gives 0 "an ordinary user" unprivileged "$smcctl" run --supervise busybox echo ran
says out '^ran$'
says err 'no_new_privs'
gives 0 "... who had no privilege to lose" unprivileged setpriv --no-new-privs "$smcctl" run -v --supervise busybox true
holds "... is told of none" sh -c '! grep no_new_privs err'

# A filter around it that answers a call with an errno, or ends who makes it, as a container's profile does, or an old kernel.
cat >sandbox.py <<'END'
import ctypes, os, struct, sys
number, error, request = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])  # request: only with this second argument
def code(op, k, t=0, f=0): return struct.pack("HBBI", op, t, f, k)
program = code(0x20, 0) + code(0x15, number, 0, 3 if request else 1)
if request: program += code(0x20, 24) + code(0x15, request, 0, 1)
action = 0x00050000 | error if error else 0x80000000  # SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS
program += code(0x06, action) + code(0x06, 0x7fff0000)
libc, buffer = ctypes.CDLL(None, use_errno=True), ctypes.create_string_buffer(program)
libc.prctl(38, 1, 0, 0, 0)
if libc.prctl(22, 2, struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer)), 0, 0): raise OSError(ctypes.get_errno(), "seccomp")
os.execvp(sys.argv[4], sys.argv[4:])
END
sandboxed() { # CALL ERRNO REQUEST ARGUMENT...
	python3 sandbox.py "$1" "$2" "$3" "$smcctl" run "${@:4}" --supervise echo ran
}
gives 0 "a sandbox without pidfd_getfd" sandboxed 438 1 0
says out '^ran$'
says err 'cannot be supervised: pidfd_getfd.*CAP_SYS_PTRACE'
gives 3 "... --require refuses" sandboxed 438 1 0 --require
lines out 0 "... and it did not run"
for call in "310 process_vm_readv" "311 process_vm_writev"; do
	gives 0 "a sandbox without ${call#* }" sandboxed "${call% *}" 1 0
	says out '^ran$'
	says err "cannot be supervised: ${call#* }.*CAP_SYS_PTRACE"
done
for call in "310 process_vm_readv" "311 process_vm_writev" "434 pidfd_open" "438 pidfd_getfd" "317 seccomp"; do
	gives 0 "a sandbox that ends who calls ${call#* }" sandboxed "${call% *}" 0 0
	says out '^ran$'
	says err "cannot be supervised: .*signal 31.* has to allow .*${call#* }"
done
gives 0 "a kernel without pidfd_getfd" sandboxed 438 38 0
says err 'has no pidfd_getfd.*5\.6'
gives 0 "a kernel without SECCOMP_ADDFD_FLAG_SEND" sandboxed 16 22 1075323139
says out '^ran$'
says err 'SECCOMP_ADDFD_FLAG_SEND .Linux 5\.14'
gives 0 "a kernel without SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" sandboxed 317 22 40
says out '^ran$'
holds "... will do" sh -c '! grep "cannot be supervised" err'
gives 0 "a kernel without notification" sandboxed 317 22 0
says out '^ran$'
says err 'NEW_LISTENER .Linux 5\.0'

# musl: the library has no symbol that musl lacks, so it works there.
cat >sock.c <<'END'
#include <stdio.h>
#include <sys/socket.h>
int main(void) { int fd = socket(AF_INET, SOCK_STREAM, 0); puts(fd >= 0 ? "made" : "failed"); getchar(); return 0; }
END
musl-gcc -o musl sock.c
# With a sanitizer the library needs its runtime, which needs glibc.
if [ -z "$asan" ]; then
	gives 0 "a musl program runs" "$smcctl" run ./musl
	says out '^made$'
fi
gives 0 "musl is no obstacle" "$smcctl" run -v --print-env ./musl
says err "program: './musl': './musl' is linked dynamically, with musl"

# --print-env for systemd
gives 0 "print-env" "$smcctl" run --print-env
says out "^LD_PRELOAD=$lib\$"
gives 0 "print-env passes SMC_POLICY on" env SMC_POLICY="/a b%c" "$smcctl" run --print-env
says out '^"SMC_POLICY=/a b%%c"$' "quoted as systemd wants it"

# --policy
echo '{"version":1,"rules":[{"use":"smc","connect":"10.0.0.0/8"}]}' >mine.json
gives 0 "run --policy" run --policy mine.json sh -c 'echo "$SMC_POLICY"'
says out '^/run/smc/mine\.json-[0-9a-f]{16}$' "SMC_POLICY is the file's own table"
table=$(cat out)
holds "the table is there" test -s "$table"
gives 0 "print-env --policy" "$smcctl" run --policy mine.json --print-env
says out "^SMC_POLICY=$table\$"
before=$(md5sum <"$top_srcdir/VERSION"; "$smcctl" policy show --json mine.json)
gives 0 "again, with nothing to do" run --policy mine.json true
holds "... publishes nothing" test "$before" = "$(md5sum <"$top_srcdir/VERSION"; "$smcctl" policy show --json mine.json)"
cp mine.json quick.json && mkdir -m 755 rt && chmod 755 . "$dir" && chown 65534 rt 2>/dev/null
gives 0 "a policy of one's own" unprivileged env XDG_RUNTIME_DIR="$PWD/rt" "$smcctl" policy apply quick.json
chmod 444 rt/smc/* && chmod 555 rt/smc
gives 0 "run --policy of what is in force writes nothing" unprivileged env XDG_RUNTIME_DIR="$PWD/rt" "$smcctl" run --policy quick.json --print-env
echo '{"version":1,"rules":[{"use":"smc","connect":"10.0.0.0/8"},{"use":"tcp","connect":"10.1.0.0/16"}]}' >mine.json
gives 0 "a changed file" run --policy mine.json true
gives 0 "... is applied" "$smcctl" policy show --json --policy mine.json
holds "... with its new rules" json 'd["rule_count"] == 2'
echo '{' >bad.json
gives 125 "a bad policy is our own failure" run --policy bad.json echo ran
lines out 0 "... and the program does not run"
says err '/bad.json:[0-9]+:[0-9]+: '
gives 125 "a missing policy too" run --policy nothing.json echo ran
"$smcctl" policy off mine.json >/dev/null
refused "a policy that is off" 'the state is off|no SMC' --policy mine.json true

# The time it adds: the best of many, for the machine is shared. A sanitizer's time is not ours.
cat >best.py <<'END'
import os, subprocess, sys, time
def best(argv):
    times = []
    for _ in range(60):
        t = time.perf_counter(); subprocess.run(argv, stderr=subprocess.DEVNULL, check=True); times.append(time.perf_counter() - t)
    return min(times)
smcctl, lib = sys.argv[1:]
plain = best(["/usr/bin/env", "LD_PRELOAD=" + lib, "/bin/true"])
ours = best([smcctl, "run", "/bin/true"])
print("run takes %.3f ms more than env" % ((ours - plain) * 1e3))
sys.exit(ours - plain > 0.003)
END
if [ -z "$asan" ]; then
	gives 0 "adds at most 3 ms" python3 best.py "$smcctl" "$lib"
	sed 's/^/# /' out
	# What else it needed, every program that it wraps would wait for.
	gives 0 "needs the C library (with its libm), cJSON and libnl and nothing else" sh -c \
		"ldd '$smcctl' | grep -Ev 'linux-vdso|libc\.so|libm\.so|ld-linux|libcjson|libnl-3|libnl-genl-3'; :"
	lines out 0 "... indeed"
fi
finish
