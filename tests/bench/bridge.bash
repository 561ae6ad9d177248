# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154  # guest reads this file, and has the variables
# Two containers of one machine, as Docker and Podman connect them: a network namespace each, a bridge between them, and a firewall
# that tracks the connections. What iperf3 carries between them, as topic bulk has it on one host.

bridge_net=10.88.0
bridge_ends=(server client)

bridge_begin() {
    local i end
    ip link add bridge0 type bridge
    for i in 0 1; do
        end=${bridge_ends[i]}
        ip netns add "$end"
        ip link add "$end" type veth peer name eth0 netns "$end"
        ip link set "$end" master bridge0 up
        ip -n "$end" addr add "$bridge_net.$((i + 1))/24" dev eth0
        ip -n "$end" link set eth0 up
    done
    ip link set bridge0 up
    # Only with br_netfilter do the packets that cross the bridge pass the firewall.
    modprobe -a br_netfilter nft_ct nft_chain_nat nft_masq
    sysctl -q net.bridge.bridge-nf-call-iptables=1
    nft -f - <<END
table ip containers {
    chain forward {
        type filter hook forward priority 0; policy drop;
        oifname bridge0 ct state related,established counter accept
        iifname bridge0 accept
    }
    chain postrouting {
        type nat hook postrouting priority 100;
        ip saddr $bridge_net.0/24 oifname != bridge0 masquerade
    }
}
END
}

bridge_end() {
    nft delete table ip containers
    ip link delete bridge0
    for end in "${bridge_ends[@]}"; do
        ip netns delete "$end"
    done
}

burst_bridge() {
    burst_bulk "$1"
}

topic_bridge() {
    bridge_begin
    bulk_host=$bridge_net.1 bulk_networks=("${bridge_ends[@]}")
    at_server=(nsenter --net=/run/netns/server) in_network=(nsenter --net=/run/netns/client)
    bulk_rounds bridge
    # What TCP carried went through the firewall.
    (($(nft list chain ip containers forward | sed -n 's/.* packets \([0-9]*\) .*/\1/p') > 1000)) || die "bridge: nothing for the firewall"
    at_server=() in_network=()
    bulk_host=$host bulk_networks=('')
    bridge_end
}
