# SPDX-License-Identifier: MIT
# The addresses, routes and devices that the cases of shimtest connect to. Sourced, as root, in a guest or a network namespace.
# shellcheck shell=bash
#
#   10.77.0.2   nobody answers, ever (a dummy device swallows all)      ETIMEDOUT
#   10.78.0.2   no neighbour of that address on a live wire             EHOSTUNREACH after 3 s
#   10.79.0.1   an "unreachable" route                                  EHOSTUNREACH at once
#   10.79.1.1   a "prohibit" route                                      EACCES at once
#   192.0.2.1   no route                                                ENETUNREACH at once
#   fd00:5::1   a second local IPv6 address, outside every rule of the configuration "some"
#   fd00:77::2  as 10.77.0.2
ip link set lo up
ip link add swallow type dummy
ip addr add 10.77.0.1/24 dev swallow
ip -6 addr add fd00:77::1/64 dev swallow nodad
ip link set swallow up
ip link add wire type veth peer name wire-end
ip addr add 10.78.0.1/24 dev wire
ip link set wire-end up
ip link set wire up
ip route add unreachable 10.79.0.0/24
ip route add prohibit 10.79.1.0/24
ip -6 addr add fd00:5::1/128 dev lo nodad
