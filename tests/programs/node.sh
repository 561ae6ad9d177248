#!/bin/bash
# SPDX-License-Identifier: MIT
# Node.js: net and http, keep-alive and not, and a cluster, whose listener is passed between processes.
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
needs node

for kind in net http cluster; do
    start "$kind" node "$here/node.js" serve "$kind" "$host" "$PORT"
    listening "$PORT"
    listeners "$PORT" 1
    mark
    shim node "$here/node.js" client "$kind" "$host" "$PORT"
    case $kind in net) count=20 ;; http) count=16 ;; cluster) count=10 ;; esac
    kinds "$kind: $count connections" "client == server && client == $count && client_fallback + server_fallback == 0"
    stop "$kind"
    PORT=$((PORT + 1))
done
