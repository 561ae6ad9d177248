#!/bin/bash
# SPDX-License-Identifier: MIT
# socat: half-close, a fork per connection, options of every kind on the socket, both address families.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
needs socat modprobe

modprobe tcp_bbr
seq 1 300000 >input
# -t: how long the answer may take after the end of the question; half a second is the default.
start echo socat -t 30 "TCP4-LISTEN:$PORT,bind=$host,reuseaddr,fork,backlog=20" EXEC:cat
start digest socat -t 30 "TCP6-LISTEN:$((PORT + 1)),bind=[::1],reuseaddr,fork" SYSTEM:'sha256sum'
start sink socat -u "TCP4-LISTEN:$((PORT + 2)),bind=$host,reuseaddr,rcvbuf=100000,so-keepalive,keepidle=10,keepintvl=5,linger=5" CREATE:received
listening "$PORT" $((PORT + 1)) $((PORT + 2))
listeners 3 "$PORT" $((PORT + 1)) $((PORT + 2))

# The answer ends after our end: half-close.
shim socat -t 30 STDIO "TCP4:$host:$PORT" <input | sha256sum
shim socat -t 30 STDIO "TCP6:[::1]:$((PORT + 1))" <input
shim socat -u OPEN:input "TCP4:$host:$((PORT + 2)),sndbuf=100000,nodelay,linger=5"
gone "${servers[sink]}"
unset 'servers[sink]'
sha256sum <received
kinds 'half-close, buffers, linger' 'client == server && client == 3 && client_fallback + server_fallback == 0'

# shellcheck disable=SC2054 # the commas are socat's
options=(
    "bind=127.0.0.2:$PORT,reuseaddr"
    so-bindtodevice=lo
    connect-timeout=5
    mss=800,nodelay,cork=0
    ip-tos=16,ttl=33
    priority=3
    nonblock
    setsockopt=1:36:i7      # SOL_SOCKET, SO_MARK
    setsockopt=6:18:i5000   # IPPROTO_TCP, TCP_USER_TIMEOUT
    setsockopt=6:13:x626272 # IPPROTO_TCP, TCP_CONGESTION, "bbr": three bytes
    setsockopt=0:1:x10      # IPPROTO_IP, IP_TOS: one byte
)
for option in "${options[@]}"; do
    echo "${option//$PORT/PORT}: $(echo hello | shim socat -t 30 STDIO "TCP4:$host:$PORT,$option" 2>&1)"
done
kinds 'socket options' "client == server && client == ${#options[@]} && client_fallback + server_fallback == 0"

# Eight at once; and nobody listens.
for i in 1 2 3 4 5 6 7 8; do
    seq "$i" 20000 | shim socat -t 30 STDIO "TCP4:$host:$PORT" >"out$i" &
    ids[i]=$!
done
wait "${ids[@]}"
cat out[1-8] | sha256sum
fails shim socat -u OPEN:input "TCP4:$host:$((PORT + 9))" 2>&1 | grep -o 'Connection refused'
kinds 'eight at once, and one that is refused' 'client == server && client == 8 && client_fallback + server_fallback == 0 && client_error <= 1'
stop echo
stop digest
