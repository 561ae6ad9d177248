#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl pod, judged by an independent JSON patch and an independent model of the Kubernetes API.
set -u
modules=$("${top_srcdir:?}/tests/pod/setup" --print 2>/dev/null) || modules=
if [ -z "$modules" ] || ! command -v node >/dev/null; then
	echo "1..0 # SKIP node or its modules are missing: ./dev setup"
	exit 0
fi
export NODE_PATH=$modules/node_modules
exec node "$top_srcdir/tests/pod/judge.js" "${top_builddir:?}/smcctl" "$top_srcdir/tests/pod/golden"
