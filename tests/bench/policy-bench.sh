#!/bin/bash
# SPDX-License-Identifier: MIT
# Measures the policy by itself: a decision among many CIDRs, and smcctl policy apply. Prints Markdown for doc/performance.md.
set -euo pipefail
cd -- "$(dirname -- "$(readlink -f -- "$0")")/../.."

make -s -C build tests/bench/policy-bench >&2
bench=$PWD/build/tests/bench/policy-bench
smcctl=$PWD/build/stage/usr/bin/smcctl
work=$(mktemp -d -p /dev/shm smcshim-policy.XXXXXX)
trap 'rm -rf -- "$work"' EXIT
chmod 700 "$work"

# met VALUE LIMIT: yes if the value is under the limit.
met() { awk -v value="$1" -v limit="$2" 'BEGIN { print value < limit ? "yes" : "**no**" }'; }

instructions() { # TABLE FAMILY: user instructions of one decision, the mean of 20,000 at random addresses
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=policy_map_decide \
        "$bench" decide "$1" "$2" 20000 2>&1 >/dev/null | awk '/Collected/ { printf "%.0f", $NF / 20000 }'
}

cat <<'END'
A decision is `policy_map_decide()` at random addresses; the CIDRs are single addresses at random, so that the table is
as large as it can be. Times are medians of batches of 1,000 (in brackets the tenth percentile, which a busy machine
disturbs less) and hold the making of the address; instructions are callgrind's, the mean of 20,000 decisions. Beside
them what this machine needs for a single read from a random place in as much memory as the table has, and the place of
the next one known from it: a decision in a table that no cache holds has to wait for one such read, and for more than
one where the index (a hundredth of the table) is not in the cache either. Decisions that follow one another may overlap.

| CIDRs | family | table | ns a decision | required | met | ns a random read | instructions | required | met |
|---|---|---|---|---|---|---|---|---|---|
END
for count in 10 1000 100000 1000000; do
    for family in 4 6; do
        "$bench" generate "$family" "$count" >"$work/policy.json"
        read -r _ _ _ _ size < <("$bench" publish "$work/policy.json" "$work/table")
        read -r median low < <("$bench" decide "$work/table" "$family" 2000000)
        chased=$("$bench" chase "$size")
        counted=$(instructions "$work/table" "$family")
        printf '| %d | IPv%s | %s MiB | %s (%s) | under 100 | %s | %s | %s | under 300 | %s |\n' "$count" "$family" "$size" \
            "$median" "$low" "$(met "$median" 100)" "$chased" "$counted" "$(met "$counted" 300)"
        rm -f "$work/table"
    done
done

cat <<'END'

`smcctl policy apply` of 1,000,000 CIDRs in one list, the whole command with its probe of the kernel:

| family | seconds | required | met | peak memory | required | met |
|---|---|---|---|---|---|---|
END
for family in 4 6; do
    "$bench" generate "$family" 1000000 >"$work/policy.json"
    rm -rf "$work/run"
    mkdir -m 700 "$work/run"
    read -r seconds mebibytes < <(XDG_RUNTIME_DIR=$work/run /usr/bin/python3 - "$smcctl" "$work/policy.json" <<'END'
import resource, subprocess, sys, time
began = time.monotonic()
subprocess.run([sys.argv[1], "policy", "apply", sys.argv[2]], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
took = time.monotonic() - began
print(f"{took:.2f} {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024}")
END
    )
    printf '| IPv%s | %s | under 3 | %s | %s MiB | under 512 MiB | %s |\n' "$family" "$seconds" "$(met "$seconds" 3)" \
        "$mebibytes" "$(met "$mebibytes" 512)"
done
