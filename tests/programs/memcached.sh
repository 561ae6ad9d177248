#!/bin/bash
# SPDX-License-Identifier: MIT
# memcached with 4 threads, among which it moves its descriptors: 24 connections of Python, small and large values.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
needs memcached python3

start memcached memcached -l "$host" -p "$PORT" -U 0 -t 4 -u nobody -m 128
listening "$PORT"
listeners 1 "$PORT"
shim /usr/bin/python3 -IS "$here/memcached.py" "$host" "$PORT"
kinds '24 connections and 100 short ones' 'client == server && client == 124 && client_fallback + server_fallback == 0'
stop memcached
