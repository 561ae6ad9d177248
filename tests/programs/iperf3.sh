#!/bin/bash
# SPDX-License-Identifier: MIT
# iperf3: plain, parallel, reverse and both ways, with sendfile (-Z), another congestion control (-C), window (-w), segment size (-M).
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
needs iperf3 modprobe

modprobe tcp_bbr
start iperf3 iperf3 -s -B "$host" -p "$PORT" --forceflush
listening "$PORT"
listeners 1 "$PORT"

# What the report must say: no error, streams in each direction, and that what was sent has arrived.
summary='
import json, sys
for least, path, options in zip(*[iter(sys.argv[1:])] * 3):
    print("iperf3", options)
    with open(path) as file:
        report = json.load(file)
    if "error" in report:
        sys.exit(report["error"])
    end = report["end"]
    for name in ("sum", "sum_bidir_reverse"):
        sent, received = (end.get(f"sum_{what}{name[3:]}") for what in ("sent", "received"))
        if sent:
            # The receiver stops counting when the sender says on the control connection that it is done: without the shim, too.
            print(name, len(end["streams"]), "streams,", "all" if sent["bytes"] >= int(least) else sent["bytes"], "sent,",
                  "some" if received["bytes"] else "none", "counted in time")
'

# transfer BYTES OPTION...: its report is for the end, when one Python looks at all of them.
reports=()
transfer() {
    local least=$1 report=$WORK/${#reports[@]}.json
    shift
    reports+=("$least" "$report" "$*")
    shim iperf3 -c "$host" -p "$PORT" -J "$@" >"$report" || die "iperf3 $*: $(<"$report")"
}

transfer 8000000 -n 8M
transfer 8000000 -n 8M -P 4
transfer 8000000 -n 8M -R
kinds 'plain, parallel, reverse' 'client == server && client == 9 && client_fallback + server_fallback == 0'
transfer 1000000 -t 1 --bidir
kinds 'both ways' 'client == server && client == 3 && client_fallback + server_fallback == 0'
transfer 8000000 -n 8M -Z
# TCP_CONGESTION with three bytes: SMC answers EINVAL although it took it.
transfer 8000000 -n 8M -C bbr
transfer 8000000 -n 8M -w 128K
transfer 4000000 -n 4M -M 1000 -N
kinds '-Z, -C bbr, -w 128K, -M 1000 -N' 'client == server && client == 8 && client_fallback + server_fallback == 0'
/usr/bin/python3 -IS -c "$summary" "${reports[@]}"
stop iperf3 INT
