#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the cases of shimtest that need no lab: on most hosts SMC is refused, and all must be as without the shim. Output: TAP.
set -uo pipefail

library=${top_builddir:?}/preload/.libs/libsmcshim.so
shimtest=$top_builddir/tests/shim/shimtest

# A library built with gcc's sanitizer wants that one first.
asan=$(ldd "$library" | awk '/libasan/ { print $3 }')
export SHIMTEST_PRELOAD_FIRST=$asan
export ASAN_OPTIONS=detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
exec "$shimtest" --library "$library" --jobs 6
