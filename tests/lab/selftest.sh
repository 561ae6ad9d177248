#!/bin/bash
# SPDX-License-Identifier: MIT
# Proves each mode of the lab with the kernel's own answers, and that statuses, files, limits and panics come back. Output: TAP.
# Measured on 2 cores without KVM: 79 s alone, 89 s on a busy machine.
set -euo pipefail

here=$(dirname -- "$(readlink -f -- "$0")")
lab=$here/lab
probe=$here/probe.py
temp=$(mktemp -d)
trap 'rm -rf -- "$temp"' EXIT
cd -- "$here"

number=0 failed=0 status=0

# run ARG...: the lab's output in $temp/out (stdout) and $temp/err, its exit status in $status.
run() {
    status=0
    # "single": no host thread for each emulated processor, see lab.
    "$lab" "$1" --threads single "${@:2}" >"$temp/out" 2>"$temp/err" </dev/null || status=$?
}

# check DESCRIPTION COMMAND...: one TAP line; on failure, what the lab said.
check() {
    local description=$1 result=ok
    shift
    number=$((number + 1))
    "$@" || { result='not ok'; failed=$((failed + 1)); }
    printf '%s %d - %s\n' "$result" "$number" "$description"
    [[ $result == ok ]] || sed 's/^/# /' "$temp/out" "$temp/err"
}

# shellcheck disable=SC2317 # called through check
{
out_has() { grep -Eq -- "$1" "$temp/out"; }
err_has() { grep -Eq -- "$1" "$temp/err"; }
status_is() { [[ $status == "$1" ]]; }
same() { cmp -s -- "$1" "$2"; }
}

echo 1..52

run smcd -- bash -c "$probe errnos; $probe pair 127.0.0.1; $probe pair ::1; exit 37"
check 'smcd: exit status 37 comes back' status_is 37
check 'smcd: AF_SMC works' out_has '^AF_SMC works$'
check 'smcd: IPPROTO_SMC works' out_has '^IPPROTO_SMC works$'
check 'smcd: 127.0.0.1 is SMC-D at the client' out_has '^client domain=2 protocol=256 mode=SMCD$'
check 'smcd: 127.0.0.1 is SMC-D at the accepted socket' out_has '^accepted domain=43 protocol=256 mode=SMCD$'
check 'smcd: ::1 is SMC-D at the client' out_has '^client domain=10 protocol=256 mode=SMCD$'

run smcr -- bash -c "$probe pair 127.0.0.1; $probe pair ::1"
check 'smcr: exit status 0 comes back' status_is 0
check 'smcr: 127.0.0.1 is SMC-R at the client' out_has '^client domain=2 protocol=256 mode=SMCR$'
check 'smcr: 127.0.0.1 is SMC-R at the accepted socket' out_has '^accepted domain=43 protocol=256 mode=SMCR$'
# SMC-Rv2 is IPv4 only.
check 'smcr: ::1 falls back for want of a device' out_has '^client domain=10 protocol=6 mode=TCP reason 03030000'

# shellcheck disable=SC2016 # expanded in the guest
run smcr2 -- bash -c 'if [[ $LAB_HOST == a ]]
    then '"$probe"' server $LAB_SELF 4000 & until ss -Hltn sport = 4000 | grep -q .; do sleep 0.1; done
         touch $LAB_OUT/listening; wait
    else until [[ -e $LAB_OUT/listening ]]; do sleep 0.1; done; '"$probe"' client $LAB_PEER 4000; exit 5
    fi'
check 'smcr2: the status of b counts when a has 0' status_is 5
check 'smcr2: SMC-R at the accepted socket in a' out_has '^a\| accepted domain=43 protocol=256 mode=SMCR$'
check 'smcr2: SMC-R at the client in b' out_has '^b\| client domain=2 protocol=256 mode=SMCR$'
# shellcheck disable=SC2016 # expanded in the guest
run smcr2 -- bash -c 'echo $LAB_HOST $LAB_SELF $LAB_PEER; [[ $LAB_HOST == b ]] || exit 6; exit 5'
check 'smcr2: the status of a counts first' status_is 6
check 'smcr2: guest a knows itself' out_has '^a\| a 10\.99\.0\.1 10\.99\.0\.2$'
check 'smcr2: guest b knows itself' out_has '^b\| b 10\.99\.0\.2 10\.99\.0\.1$'

run nosmc -- bash -c "$probe errnos; modprobe smc"
check 'nosmc: AF_SMC is EAFNOSUPPORT' out_has '^AF_SMC EAFNOSUPPORT$'
check 'nosmc: IPPROTO_SMC is EPROTONOSUPPORT' out_has '^IPPROTO_SMC EPROTONOSUPPORT$'
check 'nosmc: modprobe cannot load smc' status_is 1

mkdir "$temp/out dir"
head -c 300000 /dev/urandom >"$temp/out dir/in"
# shellcheck disable=SC2016 # expanded in the guest
run smcd --out "$temp/out dir" -- bash -c 'pwd; printf "[%s]" "$@"; echo; ulimit -n
    mkdir $LAB_OUT/sub; cp $LAB_OUT/in $LAB_OUT/sub/copy
    cat /proc/net/if_inet6
    echo to stderr >&2; echo to /dev/stdout >/dev/stdout; echo "WARNING: made up" >/dev/kmsg
    touch /written /usr/written; unshare -Ur id -u; sleep 1000 & exit 0' name 'two words' '' 'quo"te'
check 'a background process does not hold the guest' status_is 0
check 'the working directory is the same' out_has "^$PWD\$"
check 'arguments arrive as they are' out_has '^\[two words\]\[\]\[quo"te\]$'
check 'the descriptor limit is 65536' out_has '^65536$'
check 'IPv6 loopback is up' out_has '^0{31}1 .* lo$'
check 'stderr comes with stdout' out_has '^to stderr$'
check '/dev/stdout can be opened' out_has '^to /dev/stdout$'
check 'files come back in LAB_OUT' same "$temp/out dir/in" "$temp/out dir/sub/copy"
check 'nothing else is written on the host' test ! -e /written -a ! -e /usr/written
check 'a WARNING of the kernel is shown' err_has 'WARNING: made up'

# shellcheck disable=SC2016 # expanded in the guest
run nosmc --out "$temp" -- bash -c 'head -c 5000000 /dev/urandom | tee $LAB_OUT/sent; seq 1 20000 | tee -a $LAB_OUT/sent'
check 'output is complete and 8-bit clean' same "$temp/out" "$temp/sent"

run smcd --timeout 40 -- bash -c 'echo before; sleep 1000'
check 'the time limit gives 124' status_is 124
check '... and says so' err_has '^lab: guest: stopped after 40 seconds, while the command ran'
check 'output before the time limit is there' out_has '^before$'

run smcd -- bash -c 'echo c >/proc/sysrq-trigger; sleep 1000'
check 'a panic gives 125' status_is 125
check '... and is reported' err_has 'Kernel panic - not syncing: sysrq triggered crash'

echo 'touch /run/lab/prepared' >"$temp/prepare"
# shellcheck disable=SC2016 # expanded in the guest
run smcd --systemd --prepare "$temp/prepare" -- bash -c 'cat /proc/1/comm; ls /run/lab/prepared; systemctl is-system-running; exit 38'
check '--systemd: exit status 38 comes back' status_is 38
check '--systemd: it is PID 1, and has booted without a failed unit' out_has '^systemd$'
check '--prepare: the script has run before it' out_has '^/run/lab/prepared$'

status=0
# shellcheck disable=SC2016 # expanded in the guest
"$lab" smcd <<<'echo shell $LAB_MODE; exit 9' >"$temp/out" 2>"$temp/err" || status=$?
check 'a shell reads commands from a pipe' out_has '^shell smcd$'

# --- what is kept: with programs that only say that they were called, and a cache of our own

fake=$temp/fake
mkdir "$fake"
cat >"$fake/apt-cache" <<'END'
#!/bin/bash
case ${!#} in
linux-headers-*) echo 'Depends: linux-headers-9-common (= 1), linux-kbuild-9' ;;
*) printf 'Depends: linux-image-9-amd64 (= %s)\n' "$FAKE_VERSION" ;;
esac
END
cat >"$fake/apt-get" <<'END'
#!/bin/bash
printf '%s\n' "$*" >>"$FAKE_LOG"
exit 1
END
# Only an accelerator that works gives the exit status of a command.
cat >"$fake/qemu-system-x86_64" <<'END'
#!/bin/bash
[[ $1 != --version ]] || { echo 'a processor of paper'; exit; }
printf '%s\n' "$*" >>"$FAKE_LOG"
[[ $* != *'-accel kvm'* || $FAKE_KVM == works ]] || exit 1
for word; do [[ $word != *id=status,path=* ]] || printf 'up\nexit 42\n' >"${word##*path=}"; done
END
chmod +x "$fake"/*
guest=$(./build)
guest=${guest##*/}
version=${guest#guest-}
version=${version%-*}

# faked CACHE COMMAND...: as run, with the programs above and a /dev/kvm; what they were called with goes to $temp/log.
faked() {
    local root=()
    ((EUID == 0)) || root=(--map-root-user)
    mkdir -p "$temp/$1/$guest"
    touch "$temp/$1/$guest/"{complete,vmlinuz,nosmc.cpio,smcd.cpio}
    : >"$temp/log"
    status=0
    # shellcheck disable=SC2016 # expanded there
    PATH=$fake:$PATH FAKE_LOG=$temp/log FAKE_VERSION=${FAKE_VERSION-$version} FAKE_KVM=${FAKE_KVM-} SMCSHIM_LAB_CACHE=$temp/$1 \
        unshare --mount "${root[@]}" bash -c 'set -e
            mkdir -p "$0"
            mount -t tmpfs tmpfs "$0"
            for node in null zero urandom; do touch "$0/$node"; mount --bind "/dev/$node" "$0/$node"; done
            ln -s /proc/self/fd "$0/fd"
            touch "$0/kvm"
            mount --rbind "$0" /dev
            exec "$@"' "$temp/dev" "${@:2}" >"$temp/out" 2>"$temp/err" </dev/null || status=$?
}
# shellcheck disable=SC2317 # called through check
{
log_has() { grep -Eq -- "$1" "$temp/log"; }
log_lines() { [[ $(wc -l <"$temp/log") == "$1" ]]; }
out_is() { [[ $(<"$temp/out") == "$1" ]]; }
}

faked cache ./build
check 'what was built for this kernel package is taken' out_is "$temp/cache/$guest"
check '... without a download' log_lines 0
FAKE_VERSION=$version+1 faked cache ./build
check 'for another version of it' status_is 1
check '... it is not' out_is ''
check '... but that version is fetched' log_has "download linux-image-9-amd64=${version//[+.]/.}.1 "

FAKE_KVM=works faked works ./lab smcd --timeout 20 -- true
check 'KVM that works is used' status_is 42
check '... after a trial' err_has '^lab: trying KVM'
check '... for the command too' log_lines 2
FAKE_KVM=works faked works ./lab smcd --timeout 20 -- true
check '... and the next time' log_has '-accel kvm '
check '... without one' log_lines 1
faked dies ./lab smcd --timeout 20 -- true
check 'KVM in which nothing boots is not used' log_has '-accel tcg'
check '... after a trial of that too' err_has '^lab: trying KVM'
faked dies ./lab smcd --timeout 20 -- true
check '... nor is it tried the next time' log_lines 1

exit $((failed > 0))
