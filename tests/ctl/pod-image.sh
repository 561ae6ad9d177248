#!/bin/bash
# SPDX-License-Identifier: MIT
# The image without a daemon: a sound OCI layout, the same bytes each time, and what is in it works with nothing else around.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
make_layout=$top_srcdir/packaging/image/oci-layout
mkdir -p stage/usr/bin stage/usr/lib/smcshim
cp "$top_builddir/smcctl" stage/usr/bin/ && cp "$top_builddir/preload/.libs/libsmcshim.so" stage/usr/lib/smcshim/

gives 0 "a layout" "$make_layout" stage image
gives 0 "a layout for the webhook" "$make_layout" --webhook stage hook
gives 0 "once more" "$make_layout" stage again
holds "... the same bytes" diff -r image again
gives 1 "over one that is there" "$make_layout" stage image
cat >check.py <<'END'
import gzip, hashlib, json, sys, tarfile
def blob(d):
    data = open(f"{sys.argv[1]}/blobs/{d['digest'].replace(':', '/')}", "rb").read()
    assert hashlib.sha256(data).hexdigest() == d["digest"][7:] and len(data) == d["size"], d
    return data
assert json.load(open(sys.argv[1] + "/oci-layout")) == {"imageLayoutVersion": "1.0.0"}
index = json.load(open(sys.argv[1] + "/index.json"))
manifest = json.loads(blob(index["manifests"][0]))
config = json.loads(blob(manifest["config"]))
assert config["config"]["User"] == "65532:65532"
layer = gzip.decompress(blob(manifest["layers"][0]))
assert "sha256:" + hashlib.sha256(layer).hexdigest() == config["rootfs"]["diff_ids"][0]
open("layer.tar", "wb").write(layer)
for member in tarfile.open("layer.tar"):
    assert member.uid == member.gid == 0 and (member.issym() or not member.mode & 0o6022) and member.mtime == 0, member
END
for layout in image hook; do
	gives 0 "$layout: every digest and size is right, nothing is set-user-ID" python3 check.py $layout
	rm -rf "$layout-root" && mkdir "$layout-root" && tar -C "$layout-root" -xf layer.tar
done
chmod 755 . "$dir"
inside() { # ROOT PROGRAM ARGUMENT...: as the image's user, in the image and nothing else
	local root=$1
	shift
	mkdir -p "$root/proc" "$root/dev" && mount --bind /proc "$root/proc" && mount --bind /dev "$root/dev"
	chroot --userspec=65532:65532 "$root" "$@"
	local code=$?
	umount "$root/proc" "$root/dev"
	return $code
}
[ "$(awk '{print $3; exit}' /proc/self/uid_map)" -gt 65534 ] || inside() { local root=$1; shift; mkdir -p "$root/proc" && chroot "$root" "$@"; }
gives 0 "smcctl runs in it" inside image-root /usr/bin/smcctl --version
chmod 777 image-root/opt/smcshim
gives 0 "place runs in it" inside image-root /usr/bin/smcctl pod place /opt/smcshim
holds "... and puts the library there" cmp image-root/opt/smcshim/libsmcshim.so stage/usr/lib/smcshim/libsmcshim.so
holds "the library lies where an image volume has it" cmp image-root/libsmcshim.so stage/usr/lib/smcshim/libsmcshim.so
gives 0 "stunnel runs in the webhook's" inside hook-root /usr/bin/stunnel -version
gives 0 "review runs in the webhook's" inside hook-root /usr/bin/smcctl pod review --help
finish
