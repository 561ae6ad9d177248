#!/bin/bash
# SPDX-License-Identifier: MIT
# nginx: files with sendfile, reuseport, a proxy with and without keep-alive to its upstream, reload under load; wrk, curl.
# Modes: smcd smcr
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
needs nginx wrk curl

# What is enough, without saying how fast: a new connection over soft-RoCE takes long.
many=30 several=5

files=$PORT reload=$((PORT + 1)) upstream=$((PORT + 2))
mkdir www
head -c 1000 /dev/zero | tr '\0' x >www/small
seq 1 320000 >www/large
cat >nginx.conf <<END
worker_processes 2;
$(nginx_main)
events { worker_connections 512; }
http {
    $(nginx_http)
    sendfile on;
    tcp_nopush on;
    root $WORK/www;
    upstream kept {
        server $host:$upstream;
        keepalive 8;
    }
    server {
        listen $host:$files reuseport;
        location /kept/ {
            proxy_pass http://kept/;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }
        location /closed/ {
            proxy_pass http://$host:$upstream/;
        }
        location / { }
    }
    server { listen $host:$reload backlog=1024; }
    server { listen $host:$upstream; }
}
END
start nginx nginx -p "$WORK" -c "$WORK/nginx.conf" -g 'daemon off;'
listening "$files" "$reload" "$upstream"
# Two on the first port, by reuseport.
listeners 4 "$files" "$reload" "$upstream"

get() {
    shim curl -sS --max-time 20 "$@"
}

# wrk counts what is not 2xx or 3xx, and what broke; both are absent when there was none. It knows only times: so it runs a
# second more until there were enough requests. After each it closes its sockets, and then so does a proxy behind it, also
# in the middle of a handshake: see both_ends().
load() {
    local made=0 runs=0
    while ((made < many)); do
        ((++runs <= 20)) || die "only $made requests in $runs seconds: $(<wrk.txt)"
        shim wrk -t 2 -c 16 -d 1s "$@" >wrk.txt
        if grep -E 'Non-2xx|Socket errors' wrk.txt; then return; fi
        made=$((made + $(awk '/requests in/ { print $1 }' wrk.txt)))
    done
    echo 'wrk: no errors'
    both_ends "$((32 * runs))"
}

# --- files
for name in small large; do
    get "http://$host:$files/$name" | sha256sum
done
get -w '%{http_code} %{num_connects}\n' -o none "http://$host:$files/none" -o small "http://$host:$files/small"
get -r 1000000-1999999 -w '%{http_code}\n' -o range "http://$host:$files/large"
sha256sum <range
kinds 'files' 'client == server && client >= 4 && client_fallback + server_fallback == 0'
load -H 'Connection: close' "http://$host:$files/small"
kinds 'files, a connection each' "client >= many && client_fallback + server_fallback == 0 && $in_both_ends"

# --- proxy: nginx registers the socket for its upstream with epoll, edge-triggered, before it calls connect()
for way in kept closed; do
    get "http://$host:$files/$way/large" | sha256sum
    get -o /dev/null -w '%{http_code}\n' "http://$host:$files/$way/none"
    load "http://$host:$files/$way/small"
    # closed: twice as many, for each request has its own connection behind the proxy
    case $way in kept) least=17 ;; closed) least=$((16 + many)) ;; esac
    kinds "proxy, upstream $way" "client >= $least && client_fallback + server_fallback == 0 && $in_both_ends"
done

# --- reload twice, while connections come in all the time
shim "$here/httpload.py" "$host" "$reload" /small 4 4 count >load.txt &
loader=$!
for turn in 1 2; do
    sleep 0.5
    pgrep -P "${servers[nginx]}" >"old$turn"
    kill -HUP "${servers[nginx]}"
done
sleep 0.5
touch count.stop
wait "$loader"
cat load.txt
(($(<count) >= several)) || die "too few requests: $(<count)"
# shellcheck disable=SC2046 # ids
gone $(cat old1 old2)
listeners 4 "$files" "$reload" "$upstream"
kinds 'connections during two reloads' 'client == server && client >= several && client_fallback + server_fallback == 0'

stop nginx QUIT
