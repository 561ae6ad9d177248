#!/bin/bash
# SPDX-License-Identifier: MIT
# haproxy before nginx: TCP with splice, HTTP with health checks, fast open, and a reload that hands the listeners over.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
needs haproxy nginx curl

splice=$PORT http=$((PORT + 1)) tfo=$((PORT + 2)) web=$((PORT + 3))
mkdir www
echo hello >www/small
seq 1 250000 >www/large
seq 1 50000 >www/middle
cat >nginx.conf <<END
user root;
$(nginx_main)
events { }
http {
    $(nginx_http)
    client_max_body_size 10m;
    server { listen $host:$web; root $WORK/www; dav_methods PUT; }
}
END
cat >haproxy.cfg <<END
global
    maxconn 500
    stats socket $WORK/socket expose-fd listeners level admin
defaults
    timeout connect 5s
    timeout client 20s
    timeout server 20s
    timeout check 10s
    retries 0
listen splice
    bind $host:$splice
    mode tcp
    option splice-auto
    option splice-request
    option splice-response
    server web $host:$web
listen http
    bind $host:$http
    mode http
    http-reuse always
    option httpchk GET /small
    server web $host:$web check inter 200ms
listen fast
    bind $host:$tfo tfo
    mode tcp
    server web $host:$web source $host
END
# Fast open for servers too, or the option is an empty word.
fastopen=$(sysctl -n net.ipv4.tcp_fastopen)
sysctl -q net.ipv4.tcp_fastopen=3
trap 'sysctl -q "net.ipv4.tcp_fastopen=$fastopen"' EXIT

get() {
    shim curl -sS --max-time 20 "$@"
}

# Connections accepted with data in their SYN, since boot.
fast_opened() {
    awk '$1 == "TcpExt:" { for (i = 2; i <= NF; i++) if (names[i] == "TCPFastOpenPassive") print $i; else names[i] = $i }' \
        /proc/net/netstat
}

start nginx nginx -p "$WORK" -c "$WORK/nginx.conf" -g 'daemon off;'
listening "$web"
mark
start first haproxy -db -f haproxy.cfg
listening "$splice" "$http" "$tfo"
listeners 2 "$splice" "$http"
# A TCP socket under the shim by design: an SMC listener with fast open would hang what it accepts.
plain_listeners 1 "$tfo"
up() {
    get "http://$host:$http/small" 2>/dev/null | grep -qx hello
}
until_ok up

get "http://$host:$splice/large" | sha256sum
get -r 0-999999 "http://$host:$splice/large" | sha256sum
get -T www/large -o /dev/null -w '%{http_code}\n' "http://$host:$splice/put"
sha256sum <www/put
get --parallel --parallel-max 8 "http://$host:$http/middle?[1-8]" -o 'copy#1'
cat copy[1-8] | sha256sum
# The one fallback is the listener for fast open, before it was replaced.
kinds 'splice, HTTP and checks' 'client == server && client >= 20 && server_fallback == 0 && client_fallback == 1 && forced == 1'

# Data long after the connection: what an accepted socket that is never woken would not see.
exec 3<>"/dev/tcp/$host/$tfo"
sleep 0.5
printf 'GET /small HTTP/1.0\r\n\r\n' >&3
timeout 10 tail -n 1 <&3
exec 3<&-
get "http://$host:$tfo/large" | sha256sum
before=$(fast_opened)
# The first one may have to fetch a cookie.
get --tcp-fastopen "http://$host:$tfo/small"
get --tcp-fastopen "http://$host:$tfo/small"
(($(fast_opened) > before)) || die 'no connection was opened fast'
# The clients: bash, which is not under the shim; one curl that falls back at the TCP listener; two that ask for fast open
# and are downgraded. Behind haproxy four connections to nginx are SMC, and the checks go on.
kinds 'fast open' 'client == server && client >= 4 && server_fallback == 0 && client_fallback == 3 && forced == 2'

# --- the second haproxy gets the listeners from the first
shim "$here/httpload.py" "$host" "$splice" /small 4 4 count >load.txt &
loader=$!
sleep 0.5
start second haproxy -db -f haproxy.cfg -x "$WORK/socket" -sf "${servers[first]}"
gone "${servers[first]}"
sleep 0.5
touch count.stop
wait "$loader"
cat load.txt
(($(<count) >= 20)) || die "too few requests: $(<count)"
listeners 2 "$splice" "$http"
plain_listeners 1 "$tfo"
kinds 'a seamless reload' 'client == server && client >= 40 && client_fallback + server_fallback == 0'
until_ok up
stop second
stop nginx
