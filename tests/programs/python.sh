#!/bin/bash
# SPDX-License-Identifier: MIT
# Python: asyncio streams, socketserver with threads and with forks, http.server, multiprocessing's listener.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
needs python3

python=(/usr/bin/python3 -I -S "$here/python.py")
ports=()
for kind in asyncio threading forking http; do
    start "$kind" "${python[@]}" serve "$kind" "$host" $((PORT + ${#ports[@]}))
    ports+=($((PORT + ${#ports[@]})))
done
listening "${ports[@]}"
listeners 4 "${ports[@]}"
shim "${python[@]}" clients "$host" "${ports[@]}"
kinds '3 servers with 20 clients each, one with 10' 'client == server && client == 70 && client_fallback + server_fallback == 0'
for kind in asyncio threading forking http; do
    stop "$kind"
done

# Server and client in one process; a connected socket is sent to another one (spawn: vfork, close_range).
shim "${python[@]}" alone "$host" $((PORT + 10))
kinds 'multiprocessing, passed sockets, what a socket says of itself' \
    'client == server && client == 4 && client_fallback + server_fallback == 0'
