#!/bin/bash
# SPDX-License-Identifier: MIT
# curl: many transfers at once, bound sources and interfaces, both address families, options on the socket, another preload.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
needs curl nginx stdbuf

mkdir www
for i in $(seq 1 20); do
    seq "$i" $((i + 20000)) >"www/$i"
done
cat >nginx.conf <<END
$(nginx_main)
events { }
http {
    $(nginx_http)
    server { listen 0.0.0.0:$PORT; listen [::1]:$((PORT + 1)); root $WORK/www; location /who { return 200 "\$remote_addr\\n"; } }
}
END
start nginx nginx -p "$WORK" -c "$WORK/nginx.conf" -g 'daemon off;'
listening "$PORT" $((PORT + 1))
listeners 2 "$PORT" $((PORT + 1))

get() {
    shim curl -sS --max-time 20 "$@"
}

get --parallel --parallel-immediate --parallel-max 10 "http://$host:$PORT/[1-20]" -o 'copy#1'
cat copy? copy?? | sha256sum
kinds '20 transfers, 10 at once' 'client == server && client >= 10 && client_fallback + server_fallback == 0'

# The source: an address, a device, a range of ports, and an address that is not ours.
get --interface 127.0.0.2 "http://$host:$PORT/who" \
    --next --interface lo "http://$host:$PORT/who" \
    --next --interface 127.0.0.3 --local-port $((PORT + 10))-$((PORT + 15)) "http://$host:$PORT/who"
get --interface 198.51.100.1 "http://$host:$PORT/who" || echo "exit $?"
kinds 'bound sources' 'client == server && client == 3 && client_fallback + server_fallback == 0'

get -6 "http://[::1]:$((PORT + 1))/who"
get --resolve "both:$PORT:[::1],127.0.0.1" "http://both:$PORT/who"
kinds 'IPv6, and IPv4 after IPv6 was refused' \
    'client == server && client == 2 && client_fallback + server_fallback == 0 && client_error <= 1'

# With keep-alive probes; without them and without TCP_NODELAY, slowly.
get --tcp-nodelay --keepalive-time 5 --connect-timeout 5 "http://$host:$PORT/who"
get --no-keepalive --no-tcp-nodelay --limit-rate 1M "http://$host:$PORT/7" | sha256sum
get "http://$host:$((PORT + 9))/" || echo "exit $?"
# Blackholed: 192.0.2.1 has no route in the guest.
get --connect-timeout 1 http://192.0.2.1/ || echo "exit $?"
kinds 'options, and connections that fail' \
    'client == server && client == 2 && client_fallback + server_fallback == 0 && client_error <= 1'

# curl --tcp-fastopen sets TCP_FASTOPEN_CONNECT: SMC has no fast open, so the socket becomes TCP.
get --tcp-fastopen "http://$host:$PORT/who"
kinds 'fast open' 'client + server == 0 && client_fallback == 1 && forced == 1 && server_fallback == 1'

# stdbuf puts its own library into LD_PRELOAD: behind ours, and before it.
shim stdbuf -oL curl -sS --max-time 20 "http://$host:$PORT/who"
stdbuf -oL "${under[@]}" curl -sS --max-time 20 "http://$host:$PORT/who"
kinds 'with another preloaded library' 'client == server && client == 2 && client_fallback + server_fallback == 0'
stop nginx
