#!/bin/bash
# SPDX-License-Identifier: MIT
# redis: server, benchmark, pipelining, a large value, a fork that saves, and a replica.
# Modes: smcd smcr
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
needs redis-server redis-benchmark redis-cli

cli() {
    shim redis-cli -h "$host" -p "$PORT" "$@"
}

start redis redis-server --bind "$host" --port "$PORT" --dir "$WORK" --save '' --enable-debug-command yes \
    --repl-diskless-sync-delay 0
listening "$PORT"
listeners 1 "$PORT"

# 20 clients that are connected nonblocking and stay; 5 tests.
shim redis-benchmark -h "$host" -p "$PORT" -c 20 -n 1000 -q -t set,get,incr,lpush,mset >benchmark.txt
grep -c 'requests per second' benchmark.txt
cli get counter:__rand_int__
cli llen mylist
cli dbsize
kinds 'redis-benchmark -c 20, 5 tests' 'client == server && client >= 100 && client_fallback + server_fallback == 0'

shim redis-benchmark -h "$host" -p "$PORT" -c 10 -n 3000 -P 16 -q incr pipelined >/dev/null
cli get pipelined

# A value that is larger than every buffer on the way.
seq 1 300000 >large.txt
cli -x set large <large.txt
cli get large | sha256sum
seq 1 3000 | sed 's/.*/SET key:& value-of-&/' | cli --pipe | tail -n 1
cli bgsave
until_ok grep -q 'terminated with success' redis.log
cli save

# The replica is a client that uses its own nonblocking connect and never ends.
start replica redis-server --bind "$host" --port $((PORT + 1)) --dir "$WORK" --dbfilename replica.rdb --save '' \
    --enable-debug-command yes --repl-diskless-load disabled --replicaof "$host" "$PORT"
listening $((PORT + 1))
synchronised() {
    [[ $(shim redis-cli -h "$host" -p $((PORT + 1)) info replication) == *master_link_status:up* ]]
}
until_ok synchronised
cli set after-the-sync yes
cli wait 1 5000
active "$PORT" 1
master=$(cli debug digest)
[[ $(shim redis-cli -h "$host" -p $((PORT + 1)) debug digest) == "$master" ]] && echo 'replica is equal'
kinds 'pipelines, a large value, replication' 'client == server && client >= 15 && client_fallback + server_fallback == 0'
stop replica
stop redis
