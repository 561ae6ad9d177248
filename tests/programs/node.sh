#!/bin/bash
# SPDX-License-Identifier: MIT
# Node.js: net and http, keep-alive and not, and a cluster, whose connections are passed between processes.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
needs node

ports=("$PORT" $((PORT + 1)) $((PORT + 2)))
start net node "$here/node.js" serve net "$host" "${ports[0]}"
start http node "$here/node.js" serve http "$host" "${ports[1]}"
start cluster node "$here/node.js" serve cluster "$host" "${ports[2]}"
listening "${ports[@]}"
listeners 3 "${ports[@]}"
shim node "$here/node.js" clients "$host" "${ports[@]}"
# net 20; http 6 that are kept and 10; cluster 10.
kinds 'net, http, cluster' 'client == server && client == 46 && client_fallback + server_fallback == 0 && client_error <= 1'
stop net
stop http
stop cluster
