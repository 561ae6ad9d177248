#!/bin/bash
# SPDX-License-Identifier: MIT
# Looks at libsmcshim.so from outside: what it exports, imports and needs, how it is hardened, and that musl loads it; and at that for
# 32-bit programs, where the build has made one. Output: TAP.
set -uo pipefail
export LC_ALL=C

library=${top_builddir:?}/preload/.libs/libsmcshim.so
objects=$top_builddir/preload/.libs/preload_libsmcshim_la
temp=$(mktemp -d)
trap 'rm -rf -- "$temp"' EXIT
number=0
: "${top_srcdir:?}"

# check TEXT COMMAND...: passes if the command prints nothing and succeeds.
check() {
    local text=$1 said
    shift
    number=$((number + 1))
    if said=$("$@" 2>&1) && [[ ! $said ]]; then
        printf 'ok %d - %s\n' "$number" "$text"
    else
        printf 'not ok %d - %s\n' "$number" "$text"
        printf '%s\n' "$said" | sed 's/^/# /'
    fi
}

# shellcheck disable=SC2317 # called through check
{
exports() {
    diff <(sed -n '/^global:/,/^local:/s/^[[:space:]]*\([a-z_0-9]*\);$/\1/p' "$top_srcdir/preload/libsmcshim.map" | sort) \
        <(nm -D --defined-only "$library" | awk '{ print $3 }' | sort)
}
undefined() { nm -D --undefined-only "$1" | awk '{ sub(/@.*/, "", $2); print $2 }' | sort -u; }
imports() { undefined "$library" | comm -23 - "$top_srcdir/preload/imports.allow"; }
allowed_in_order() { sort -uc "$top_srcdir/preload/imports.allow"; }
no_chk() { undefined "$library" | grep '_chk$'; [[ $? == 1 ]]; }
# imported_by SYMBOL FILE...: no other file of the library uses it.
imported_by() {
    local symbol=$1 object name
    shift
    for object in "$objects"-*.o; do
        [[ -e $object ]] || echo "$object: missing"
        name=${object##*-}
        name=${name%.o}
        [[ " $* " == *" $name "* ]] || ! nm -u "$object" | grep -w "$symbol" >/dev/null || printf '%s uses %s\n' "$name.c" "$symbol"
    done
}
needed() { readelf -dW "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vx 'libc\.so\.6'; [[ $? == 1 ]]; }
relro() { readelf -lW "$library" | grep GNU_RELRO >/dev/null || echo missing; }
bind_now() { readelf -dW "$library" | grep -E 'BIND_NOW|FLAGS_1.*NOW' >/dev/null || echo missing; }
no_textrel() { readelf -dW "$library" | grep TEXTREL; [[ $? == 1 ]]; }
no_exec_stack() { readelf -lW "$library" | awk '/GNU_STACK/ && /E/ && $7 ~ /E/'; }
no_rwx() { readelf -lW "$library" | grep -E 'LOAD.*RWE'; [[ $? == 1 ]]; }
no_runpath() { readelf -dW "$library" | grep -E 'RPATH|RUNPATH|SYMBOLIC'; [[ $? == 1 ]]; }
counters_alone_on_pages() {
    readelf -sW --dyn-syms "$library" | awk '$8 ~ /^smcshim_counters/ { if (substr($2, length($2) - 2) != "000" || $3 != 8192) print; found = 1 }
        END { if (!found) print "missing" }'
}
# run_tiny WANTED PROGRAM...
run_tiny() {
    local wanted=$1 said
    shift
    said=$(LD_PRELOAD=$library SMC_POLICY=$temp/none "$@" 2>&1) || printf 'exit %d\n' "$?"
    [[ $said == "$wanted" ]] || printf 'said %s, not %s\n' "$said" "$wanted"
}
compiled() { "$@"; }
# stacked PROGRAM WHEN LIBRARIES: with a second library in front of the same calls, whose constructor runs as WHEN says
stacked() {
    local said wanted
    wanted="shim yes, TCP
constructor $2 the shim's: fine; passed: socket 2, connect 1, setsockopt 1"
    said=$(LD_PRELOAD=$3 SMC_POLICY=$temp/policy "$1" 2>&1) || printf 'exit %d\n' "$?"
    [[ $said == "$wanted" ]] || printf 'said %s\nnot  %s\n' "$said" "$wanted"
}
# A name with a * stands for all cases that it matches.
cases_named_in() {
    # shellcheck disable=SC2016 # not an expansion
    local names='`(argument|buffer|carry|connect|epoll|failure|flip|identity|listen|option|process|refusal|signal|cancel|wake)-[a-z*-]+`'
    local name case found cases
    mapfile -t cases < <("$top_builddir/tests/shim/shimtest" --list)
    while read -r name; do
        found=no
        for case in "${cases[@]}"; do
            # shellcheck disable=SC2053 # a pattern
            [[ $case != $name ]] || found=yes
        done
        [[ $found == yes ]] || printf '%s: no case of shimtest\n' "$name"
    done < <(grep -oE "$names" "$1" | tr -d '\140' | sort -u)
}
}

# outside NAME: what any library of ours has to be
outside() {
    check "$1exports exactly the names of libsmcshim.map" exports
    check "$1imports nothing that is not in imports.allow" imports
    check "$1imports no fortified functions, which musl lacks" no_chk
    check "$1needs libc and nothing else" needed
    check "$1its relocations are read-only afterwards" relro
    check "$1its symbols are bound at load" bind_now
    check "$1it has no text relocations" no_textrel
    check "$1its stack is not executable" no_exec_stack
    check "$1no segment is writable and executable" no_rwx
    check "$1no run path, not symbolic" no_runpath
    check "$1the counters have two pages of their own" counters_alone_on_pages
}

library32=$top_builddir/preload/32/.libs/libsmcshim.so
[[ -e $library32 ]] && echo 1..43 || echo 1..27
outside ''
check 'imports.allow is sorted, without doubles' allowed_in_order
check 'dlsym is called by next.c alone' imported_by dlsym next
check 'the environment is read by table.c alone' imported_by secure_getenv table
check 'getauxval is called by table.c alone' imported_by getauxval table
check 'memory is mapped by table.c alone' imported_by mmap table
check 'a glibc program is compiled' compiled gcc -D_GNU_SOURCE -o "$temp/glibc" "$top_srcdir/tests/shim/tiny.c"
check 'a musl program is compiled' compiled musl-gcc -D_GNU_SOURCE -o "$temp/musl" "$top_srcdir/tests/shim/tiny.c"
check 'a static musl program is compiled' compiled musl-gcc -D_GNU_SOURCE -static -o "$temp/static" "$top_srcdir/tests/shim/tiny.c"
check 'the glibc program runs with it' run_tiny 'shim yes, TCP' "$temp/glibc"
check 'the musl program runs with it' run_tiny 'shim yes, TCP' "$temp/musl"
check 'the static program runs without it' run_tiny 'shim no, TCP' "$temp/static"
early=(-shared -fPIC -D_GNU_SOURCE "$top_srcdir/tests/shim/early.c")
check 'a second library is compiled' compiled gcc "${early[@]}" -o "$temp/early.so"
check 'a policy for it is published' "$top_builddir/tests/shim/shimtest" --publish "$temp/policy" '{"version": 1, "rules": [{"use": "tcp", "connect": "any"}]}'
check 'the second library behind ours, in use before our constructor' stacked "$temp/glibc" before "$library:$temp/early.so"
check 'the second library in front of ours' stacked "$temp/glibc" after "$temp/early.so:$library"
check 'the cases named in doc/compatibility.md are there' cases_named_in "$top_srcdir/doc/compatibility.md"
if [[ -e $library32 ]]; then
    library=$library32
    outside '32 bits: '
    check '32 bits: a glibc program is compiled' compiled gcc -m32 -D_GNU_SOURCE -o "$temp/glibc32" "$top_srcdir/tests/shim/tiny.c"
    check '32 bits: the glibc program runs with it' run_tiny 'shim yes, TCP' "$temp/glibc32"
    check '32 bits: a second library is compiled' compiled gcc -m32 "${early[@]}" -o "$temp/early32.so"
    check '32 bits: it is behind ours, in use before our constructor' stacked "$temp/glibc32" before "$library:$temp/early32.so"
    check '32 bits: it is in front of ours' stacked "$temp/glibc32" after "$temp/early32.so:$library"
fi
