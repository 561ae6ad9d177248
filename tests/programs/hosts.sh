#!/bin/bash
# SPDX-License-Identifier: MIT
# Two hosts: redis and nginx in guest a, redis-benchmark, redis-cli, wrk and curl in guest b.
# Modes: smcr2
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
needs redis-server redis-benchmark redis-cli nginx wrk curl

web=$((PORT + 1))

# The guests meet at files in the directory that they share.
meet() {
    local tries=0
    touch "$LAB_OUT/$1-$CONFIG-$LAB_HOST"
    until [[ -e $LAB_OUT/$1-$CONFIG-a && -e $LAB_OUT/$1-$CONFIG-b ]]; do
        ((++tries < 900)) || die "the other guest does not come to $1"
        sleep 0.1
    done
}

serve() {
    mkdir www
    head -c 1000 /dev/zero | tr '\0' x >www/small
    seq 1 400000 >www/large
    cat >nginx.conf <<END
worker_processes 2;
$(nginx_main)
events { }
http {
    $(nginx_http)
    sendfile on;
    server { listen $LAB_SELF:$web; root $WORK/www; }
}
END
    start redis redis-server --bind "$LAB_SELF" --port "$PORT" --dir "$WORK" --save '' --protected-mode no
    start nginx nginx -p "$WORK" -c "$WORK/nginx.conf" -g 'daemon off;'
    listening "$PORT" "$web"
    listeners 2 "$PORT" "$web"
    meet served
    meet used
    kinds "accepted from $LAB_PEER" 'server + server_error >= 60 && client == 0 && client_fallback + server_fallback == 0 && server_error <= 16'
    stop redis
    stop nginx
    echo 'served'
}

# When its second is over, wrk closes its 16 connections, also those whose handshake is not done.
use() {
    meet served
    shim redis-benchmark -h "$LAB_PEER" -p "$PORT" -c 10 -n 500 -q -t set,incr,lpush >/dev/null
    shim redis-cli -h "$LAB_PEER" -p "$PORT" get counter:__rand_int__
    shim redis-cli -h "$LAB_PEER" -p "$PORT" llen mylist
    seq 1 300000 >numbers
    shim redis-cli -h "$LAB_PEER" -p "$PORT" -x set large <numbers
    shim redis-cli -h "$LAB_PEER" -p "$PORT" get large | sha256sum
    kinds "redis at $LAB_PEER" 'client >= 34 && server == 0 && client_fallback + server_fallback == 0'
    shim curl -sS --max-time 30 "http://$LAB_PEER:$web/large" | sha256sum
    shim wrk -t 2 -c 16 -d 1s "http://$LAB_PEER:$web/small" >wrk.txt
    grep -E 'Non-2xx|Socket errors' wrk.txt || echo 'wrk: no errors'
    shim curl -sS --max-time 30 --parallel --parallel-max 8 "http://$LAB_PEER:$web/large?[1-8]" -o 'copy#1'
    cat copy[1-8] | sha256sum
    kinds "nginx at $LAB_PEER" 'client >= 20 && server == 0 && client_fallback + server_fallback == 0 && client_error <= 16'
    meet used
}

case $LAB_HOST in
a) serve ;;
b) use ;;
esac
