#!/bin/bash
# SPDX-License-Identifier: MIT
# stress-ng --sock: pairs of processes that connect, send in every way and close, over IPv4 and IPv6.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
needs stress-ng

# stress DOMAIN OPTIONS PORT
stress() {
    shim stress-ng --temp-path "$WORK" --sock 2 --sock-ops 24 --timeout 20 --verify --metrics-brief \
        --sock-domain "$1" --sock-opts "$2" --sock-port "$3" >stress.txt 2>&1 ||
        { cat stress.txt >&2; die "$*"; }
    fails grep -iE ' fail|error|warn' stress.txt
    # A pair of stressors has bogo operations, one for each connection.
    awk -v what="$1 $2" '$4 == "sock" { print what ": " ($5 >= 24 ? "at least 24" : $5) " operations" }' stress.txt
}

# At its end a pair's server kills its client, perhaps in the middle of a handshake.
for way in send sendmsg; do
    stress ipv4 "$way" $((PORT += 2))
done
both_ends 4
kinds 'IPv4' "client >= 6 && client_fallback + server_fallback == 0 && $in_both_ends"
stress ipv6 random $((PORT + 2))
both_ends 2
kinds 'IPv6' "client >= 2 && client_fallback + server_fallback == 0 && $in_both_ends"
