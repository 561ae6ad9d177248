#!/bin/bash
# SPDX-License-Identifier: MIT
# The page of smcctl bench --html, looked at in a browser: it renders, has what it promises, and no script of anybody's runs in it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
unset ASAN_OPTIONS
export HOME=$PWD XDG_CACHE_HOME=$PWD XDG_CONFIG_HOME=$PWD

# look FILE ARGUMENT...: what a browser says, in out; the file's own messages are in err
look() {
	local file=$1
	shift
	timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --user-data-dir="$PWD/profile" \
		--enable-logging=stderr --virtual-time-budget=2000 --window-size=1000,1400 "$@" "file://$PWD/$file" </dev/null
}

# A copy that tells what it looks like once it is laid out.
with_probe() {
	sed 's|</body>|<script>\
var found = [];\
document.querySelectorAll("path.curve, path.bar").forEach(function (p) {\
  var box = p.getBoundingClientRect();\
  found.push(p.closest("svg").id + ":" + p.classList[0] + ":" + Math.round(box.width) + "x" + Math.round(box.height) + ":" +\
    getComputedStyle(p)[p.classList.contains("curve") ? "stroke" : "fill"].replace(/ /g, ""));\
});\
found.push("scripts:" + document.scripts.length, "width:" + (document.documentElement.scrollWidth <= innerWidth));\
document.title = found.join(" ");\
</script></body>|' "$1" >"$2"
}

cat >pixels.py <<'END'
import struct, sys, zlib
data = open(sys.argv[1], "rb").read()
at, packed = 8, b""
while at < len(data):
    size, kind = struct.unpack(">I4s", data[at:at + 8])
    if kind == b"IHDR":
        width, height, depth, colour = struct.unpack(">IIBB", data[at + 8:at + 18])
    if kind == b"IDAT":
        packed += data[at + 8:at + 8 + size]
    at += size + 12
assert depth == 8 and colour in (2, 6)
step = 3 if colour == 2 else 4
raw, before, seen = zlib.decompress(packed), bytes(width * step), {}
for y in range(height):
    kind, line = raw[y * (width * step + 1)], bytearray(raw[y * (width * step + 1) + 1:(y + 1) * (width * step + 1)])
    for i in range(len(line)):
        a = line[i - step] if i >= step else 0
        b, c = before[i], before[i - step] if i >= step else 0
        guess = (0, a, b, (a + b) // 2, min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2])[kind]
        line[i] = (line[i] + guess) & 255
    before = bytes(line)
    for x in range(0, len(line), step):
        seen[before[x:x + 3]] = seen.get(before[x:x + 3], 0) + 1
for colour in sys.argv[2:]:
    assert seen.get(bytes.fromhex(colour), 0) >= 200, (colour, seen.get(bytes.fromhex(colour)))
END

gives 0 "a page of both" "$top_builddir/tests/ctl/bench-page" both both.html
gives 0 "a page of a run that fell back" "$top_builddir/tests/ctl/bench-page" fallen fallen.html
with_probe both.html both-probe.html
with_probe fallen.html fallen-probe.html

gives 0 "a browser shows it" look both-probe.html --dump-dom
cp out dom
grep -E 'CONSOLE|Uncaught' err >out
lines out 0 "... without a word on its console"
sed -n 's|.*<title>\(.*\)</title>.*|\1|p' dom | tr ' ' '\n' >out
for shape in histogram:tcp histogram:smc percentiles:tcp percentiles:smc; do
	says out "^$shape:[0-9]{3}x[0-9]{2,3}:rgb" "... with $shape, large enough to be seen"
done
says out '^percentiles:tcp:.*:rgb\(110,119,129\)$' "... in the colour of TCP"
says out '^percentiles:smc:.*:rgb\(11,98,196\)$' "... and of SMC"
says out '^scripts:1$' "... no script but the test's own"
says out '^width:true$' "... and nothing wider than the window"
cp dom out
says out '&lt;script&gt;throw 1' "names of the command line are text"
says out 'SMC-D'
says out '<td>REQUESTS/S</td><td>20000</td><td>20000</td><td>1\.000</td>'
says out '64 connections, GET'

gives 0 "a picture of it" look both.html --screenshot="$PWD/both.png"
gives 0 "... has both colours" python3 pixels.py both.png 6e7781 0b62c4
[ -z "${SMCSHIM_KEEP_PICTURE:-}" ] || cp both.png "$SMCSHIM_KEEP_PICTURE"

gives 0 "the page of one that fell back" look fallen-probe.html --dump-dom
cp out dom
grep -E 'CONSOLE|Uncaught' err >out
lines out 0 "... without a word on its console"
sed -n 's|.*<title>\(.*\)</title>.*|\1|p' dom | tr ' ' '\n' >out
says out '^percentiles:tcp:'
holds "... has no curve of SMC" test "$(grep -c smc: out)" = 0
cp dom out
says out 'SMC was not measured: fell back to TCP: PEERNOSMC: .*accelerate the program' "... but the reason"
finish
