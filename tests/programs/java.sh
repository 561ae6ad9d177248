#!/bin/bash
# SPDX-License-Identifier: MIT
# OpenJDK: NIO server and clients, blocking and not, over its AF_INET6 sockets, which reach IPv4 as ::ffff:a.b.c.d.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
needs java
classes=$(readlink -f -- "${SMCSHIM_BUILD:-$here/../../build}/tests/programs")
[[ -f $classes/Nio.class ]] || die "'$classes/Nio.class' is missing: make check TESTS="

# As a machine under emulation wants it: no compiler that optimises what runs for a second.
java=(java -Xshare:auto -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData -Xmx64m)

for stack in false true; do
    start "server-$stack" "${java[@]}" "-Djava.net.preferIPv4Stack=$stack" -cp "$classes" Nio serve "$host" "$PORT"
    listening "$PORT"
    listeners 1 "$PORT"
    mark
    shim "${java[@]}" "-Djava.net.preferIPv4Stack=$stack" -cp "$classes" Nio client "$host" "$PORT"
    kinds "preferIPv4Stack=$stack: 12 connections" 'client == server && client == 12 && client_fallback + server_fallback == 0 && client_error <= 1'
    stop "server-$stack"
    PORT=$((PORT + 1))
done
