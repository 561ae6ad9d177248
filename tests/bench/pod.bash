# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154  # guest reads this file, and has the variables
# Two pods of one node, played as processes in namespaces of their own (tests/smc/play-pod.py): a server in one, its client in the
# other. Before injection and after it side by side, so that rounds can alternate; then smcctl bench between the two.

pod_net=10.244.0
player=$here/../smc/play-pod.py

# play POD-SERIES CONTAINER [PROGRAM [ARG...]]: in the network namespace of that pod; becomes the program, as with does.
play() {
    local pod=$1 name=$2
    shift 2
    exec nsenter --net="/run/netns/${pod%-*}" "$player" "$work/$pod.json" "$work/state-$pod" "$stage" "$name" "$@"
}

# pod NAME CONTAINER: its objects before and after, and the policy in the ConfigMap that the latter one names.
pod() {
    cat >"$1-before.json" <<END
{ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "$1" }, "spec": { "volumes": [], "containers": [ { "name": "$2", "image": "redis" } ] } }
END
    "$smcctl" pod inject "$1-before.json" >"$1-after.json" 2>"$1-inject.log" || die "inject: $(<"$1-inject.log")"
    "$player" --publish "$work/state-$1-after/configmaps/smcshim-policy" "$work/pod-policy.json" policy.json
    (play "$1-after" smc-init) >"$1-init.log" 2>&1 || die "smc-init: $(<"$1-init.log")"
}

pod_requests=1000
burst_pod() {
    local line
    line=$(play "web-$1" client redis-benchmark -h "$pod_net.1" -p "${port[$1]}" -c 8 -n "$pod_requests" -t get --csv | tail -n 1)
    IFS=, read -r -a line <<<"${line//\"/}"
    reply="=${line[1]} -p50=${line[4]} -p99=${line[6]}"
    ((pod_requests != 1000 || quick)) || pod_requests=$((${line[1]%.*} * 2 + 1001))
}

topic_pod() {
    local series
    port=([before]=6461 [after]=6462)
    ip netns add cache && ip netns add web
    ip -n cache link add eth0 type veth peer name eth0 netns web
    ip -n cache addr add "$pod_net.1/24" dev eth0 && ip -n web addr add "$pod_net.2/24" dev eth0
    for series in cache web; do
        ip -n "$series" link set lo up && ip -n "$series" link set eth0 up
    done
    printf '{"version": 1, "rules": [{"use": "smc", "connect": "%s.0/24"}, {"use": "smc", "listen": "any"}]}\n' "$pod_net" >pod-policy.json
    pod cache redis
    pod web client
    at_server=(nsenter --net=/run/netns/cache)
    for series in before after; do
        serve "${port[$series]}" play "cache-$series" redis redis-server --port "${port[$series]}" --save '' --protected-mode no
    done
    in_network=(nsenter --net=/run/netns/web)
    rounds pod $((quick ? 1 : 10)) before after
    serve 7411 "${at_server[@]}" "$smcctl" bench server
    # The kernel says what its sockets are, and it gives no number for what it did not measure.
    "${in_network[@]}" "$smcctl" bench "$pod_net.1:7411" -c 8 -t 1 --duration $((quick ? 1 : 20)) --rounds $((quick ? 1 : 10)) --warmup 0.2 \
        --html "$LAB_OUT/pod.html" --json >bench.json || die "smcctl bench: exit $?: $(<bench.json)"
    python3 -IS -c '
import json
for number, s in enumerate(json.load(open("bench.json"))["slices"]):
    for key in ("requests_per_second", "p50_ns", "p99_ns"):
        print("pod", "-".join(("bench", s["transport"], key)), number // 2 + 1, s[key], sep="\t")' >>"$raw"
    at_server=() in_network=()
    stop
    ip netns del web && ip netns del cache
}
