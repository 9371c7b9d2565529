#!/bin/sh
# Run every fuzz target that was built over its corpus.
set -eu
ran=0
for prog in tests/fuzz/fuzz_*; do
	[ -f "$prog" ] && [ -x "$prog" ] || continue
	case $prog in *.*) continue ;; esac
	corpus=$srcdir/tests/fuzz/corpus/${prog##*/fuzz_}
	if [ -z "$(ls "$corpus" 2>/dev/null)" ]; then
		echo "$prog: no inputs in $corpus"
		exit 1
	fi
	if ! find "$corpus" -type f -exec "./$prog" {} + >fuzz.log 2>&1; then
		cat fuzz.log
		echo "$prog: failed on its corpus"
		exit 1
	fi
	echo "$prog: $(find "$corpus" -type f | wc -l) inputs"
	ran=$((ran + 1))
done
rm -f fuzz.log
[ "$ran" -gt 0 ] || { echo "no fuzz target was built"; exit 1; }
