#!/bin/bash
# SPDX-License-Identifier: MIT
# linkgroup list: the link groups and links of a connection that is held.
# Modes: smcd smcr
# shellcheck source-path=SCRIPTDIR source=../ctl/lib.sh
. "$(dirname "$0")/../ctl/lib.sh" || exit 99
here=$(dirname "$0")
"$here/configure.py" ueid SMCSHIM-LAB || exit 99

mkfifo hold
"$here/connections.py" hold <hold >held &
holder=$!
exec 3>hold
within 20 "a connection is held" grep -q ready held

gives 0 "list" "$smcctl" linkgroup list
case $LAB_MODE in
smcd) says out '^[0-9a-f]{8}  smcd        2  -     -               [12]  -      loopback-ism  -       .*  SMCSHIM-LAB$' ;;
smcr)
	says out '^[0-9a-f]{8}  smcr        2  (server|client)  single            1  this   -       (-   |NETA)    .*  SMCSHIM-LAB$'
	holds "... without links" bash -c '! grep -q "link 1:" out'
	;;
esac
gives 0 "list --json" "$smcctl" linkgroup list --json
holds "... without links" json "all('links' not in g for g in d['linkgroups'])"
gives 0 "list --links" "$smcctl" linkgroup list --links
[ "$LAB_MODE" = smcd ] ||
	says out '^    link 1: rxel port 1, active, 1 connection, ([0-9a-f]{4}:){5}ffff:7f00:0001 to ([0-9a-f]{4}:){5}ffff:7f00:0001$'
gives 0 "list --links --json" "$smcctl" linkgroup list --links --json
# The kernel's own socket list: so many connections, at their two ends.
sockets=$("$top_builddir/tests/programs/smcstat" sockets | grep -c "^ACTIVE SMC[DR] ")
holds "as many connections as active sockets" json "sum(g['connections'] for g in d['linkgroups']) == $sockets"
holds "a link carries the connections of its group" json "all(sum(l['connections'] for l in g['links']) == g['connections'] for g in d['linkgroups'] if g['kind'] == 'smcr')"
# Groups of connections before stay for ten minutes, and are used again; a test before may have given them an identifier.
python3 -c 'import json
for group in sorted((g for g in json.load(open("out"))["linkgroups"] if g["connections"]), key=lambda g: str(g["role"])):
    for item in [group, *group.get("links", [])]:
        for key in ("id", "uid", "peer_uid", "netns_cookie", "peer_host", "pnetid",
                    "send_buffer_bytes", "receive_buffer_bytes", "connections"):
            if key in item:
                item[key] = "*"
    for key in ("gid", "peer_gid"):
        if key in group:
            group[key] = "*"
    print(json.dumps(group))' | uniq >masked
cp masked out
holds "the JSON is the golden one" diff masked "$here/golden/linkgroup-$LAB_MODE.json"

gives 0 "needs no rights" unprivileged "$smcctl" linkgroup list --links
ip netns add far
gives 0 "another network namespace" "$smcctl" linkgroup list --netns far --json
[ "$LAB_MODE" = smcd ] || holds "... is told from ours" json "d['linkgroups'] and not any(g['in_network_namespace'] for g in d['linkgroups'])"
ip netns delete far

exec 3>&-
wait "$holder"
within 10 "nothing is connected any more" bash -c '"$1" linkgroup list --json >out && python3 -c "import json
assert not sum(g[\"connections\"] for g in json.load(open(\"out\"))[\"linkgroups\"])"' - "$smcctl"
finish
