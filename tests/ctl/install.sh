#!/bin/bash
# SPDX-License-Identifier: MIT
# make install puts these files in place, filled in, and make uninstall leaves none of them.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
root=$dir/root

gives 0 "make install" make -s -C "$top_builddir" install DESTDIR="$root"
lib32=$(test -e "$top_builddir/preload/32/libsmcshim.la" && echo libsmcshim.so)
cat >expected <<'END'
_smcctl
latency.json
libsmcshim.8
libsmcshim.so
low-memory.json
smc-policy.5
smcctl
smcctl
smcctl-bench.8
smcctl-check.8
smcctl-cloud
smcctl-cloud.8
smcctl-device.8
smcctl-doctor.8
smcctl-eid.8
smcctl-host.8
smcctl-host@.service
smcctl-hs-limit.8
smcctl-linkgroup.8
smcctl-pnet.8
smcctl-pod.8
smcctl-policy.8
smcctl-run.8
smcctl-service.8
smcctl-sockets.8
smcctl-stats.8
smcctl-status.8
smcctl-supervise
smcctl.8
smcctl.fish
smcshim-policy-watch.service
smcshim-policy.service
smcshim.conf
throughput.json
END
find "$root" -not -type d -printf '%f\n' | LC_ALL=C sort >installed
echo "$lib32" | grep . | LC_ALL=C sort -o expected expected -
diff expected installed >out 2>err
result $? "these files and no others"
find "$root" -type d -name smc >out
lines out 1 "... and a directory for the policy"
find "$root" \( -name '*.service' -o -name smcshim.conf \) -exec grep -lE '@[a-z]+@' {} + >out
lines out 0 "nothing is left to fill in"
for unit in smcshim-policy smcshim-policy-watch smcctl-host@; do
	figure=$(grep -oP "(\`|for )$unit\.service(\`[^0-9]*|: )\K[0-9]\.[0-9]" "$top_srcdir/doc/services.md")
	file=$(find "$root" -name "$unit.service")
	program=$(sed -n 's/^ExecStart=\([^ ]*\) .*/\1/p' "$file")
	holds "$unit starts the installed smcctl" test -x "$root$program"
	# Judged with a program that is there: the prefix may be no real one.
	mkdir -p judged && sed 's|^\(Exec[A-Za-z]*=\)[^ ]*|\1/bin/true|' "$file" >"judged/$unit.service"
	gives 0 "systemd-analyze verify $unit" env SYSTEMD_UNIT_PATH="$PWD/judged:" systemd-analyze verify --recursive-errors=no --man=no "judged/$unit.service"
	lines err 0 "... without a word"
	gives 0 "systemd-analyze security $unit" systemd-analyze security --offline=true "judged/$unit.service"
	says out "level for $unit.*: $figure "
done
if find "$root" -perm /6000 | grep . >out; then false; fi
result $? "nothing is set-user-ID"
gives 0 "make uninstall" make -s -C "$top_builddir" uninstall DESTDIR="$root"
find "$root" -not -type d -o -name smc -o -name smcshim >out
lines out 0 "nothing stays behind"
root=$dir/kept
gives 0 "make install again" make -s -C "$top_builddir" install DESTDIR="$root"
policy=$(find "$root" -type d -name smc)/policy.json
echo '{ "version": 1, "rules": [] }' >"$policy"
gives 0 "make uninstall" make -s -C "$top_builddir" uninstall DESTDIR="$root"
find "$root" -not -type d >out
holds "... leaves the operator's policy" diff <(echo "$policy") out
finish
