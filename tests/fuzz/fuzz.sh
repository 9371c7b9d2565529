#!/bin/sh
# fuzz.sh SECONDS TARGET...: run libFuzzer on each target for that long. What
# it finds stays in fuzz-out/ of the build directory.
set -eu
secs=$1
shift
for prog; do
	name=${prog##*/fuzz_}
	if ! "./$prog" -help=1 2>&1 | grep -q max_total_time; then
		echo "make fuzz needs CC=clang and --enable-fuzzers" >&2
		exit 1
	fi
	out=fuzz-out/$name
	mkdir -p "$out/new"
	echo "== $name, $secs s"
	"./$prog" -max_total_time="$secs" -max_len=65536 -timeout=10 \
	    -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 \
	    -artifact_prefix="$out/" "$out/new" \
	    "$srcdir/tests/fuzz/corpus/$name"
done
