#!/bin/bash
# SPDX-License-Identifier: MIT
# Python: asyncio streams, socketserver with threads and with forks, multiprocessing's listener, http.server.
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
needs python3

python() {
    shim /usr/bin/python3 -I "$here/python.py" "$@"
}

for kind in asyncio threading forking http; do
    start "$kind" /usr/bin/python3 -I "$here/python.py" serve "$kind" "$host" "$PORT"
    listening "$PORT"
    listeners "$PORT" 1
    mark
    case $kind in
    http) python fetch "$host" "$PORT" 10 ;;
    *) python echo "$host" "$PORT" 20 ;;
    esac
    case $kind in http) count=10 ;; *) count=20 ;; esac
    kinds "$kind: $count connections" "client == server && client == $count && client_fallback + server_fallback == 0"
    stop "$kind"
    PORT=$((PORT + 1))
done

# Server and client in one process, over sockets that are passed through multiprocessing (spawn: close_range, vfork).
python multiprocessing "$host" "$PORT"
kinds 'multiprocessing: a listener, and a socket sent to another process' \
    'client == server && client == 2 && client_fallback + server_fallback == 0'
python facts "$host" $((PORT + 1))
kinds 'what a socket says of itself' 'client == server && client == 2 && client_fallback + server_fallback == 0'
