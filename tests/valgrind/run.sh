#!/bin/sh
# run.sh PROGRAM...: the unit tests under valgrind's memcheck. Every access
# of memory that is not ours, every decision by memory that was never
# written, and every block that nobody knows of any more, is a failure.
set -eu
command -v valgrind >/dev/null || { echo "valgrind is needed" >&2; exit 1; }
if grep -q '^#define WITH_SANITIZERS' config.h; then
	echo "check-valgrind wants a build without --enable-sanitizers" >&2
	exit 1
fi

# Programs that cannot be run so, or not whole, and why.
options() {
	case $1 in
	test_chan_life)
		# They look for secrets in memory that was freed, and so at
		# bytes that nobody has written.
		echo --undef-value-errors=no ;;
	test_net_once)
		echo "skip: a storm of 600 requests against 20 seconds" ;;
	esac
}

mkdir -p valgrind-out
failed=0 ran=0
for prog; do
	name=${prog##*/}
	case $prog in
	tests/unit/test_*) ;;
	*) continue ;;
	esac
	more=$(options "$name")
	case $more in
	skip:*)
		echo "$name: left out${more#skip}"
		continue ;;
	esac
	log=valgrind-out/$name.log
	# What a test executes (the workers) has its jail, and is not followed.
	# shellcheck disable=SC2086
	if POSTERN_SLOW=1 srcdir=$srcdir valgrind -q --error-exitcode=99 \
	    --leak-check=full --show-leak-kinds=definite \
	    --errors-for-leak-kinds=definite --num-callers=20 \
	    --child-silent-after-fork=no --vgdb=no \
	    --suppressions="$srcdir/tests/valgrind/libraries.supp" $more \
	    "$prog" >"$log" 2>&1; then
		ran=$((ran + 1))
	else
		echo "$name: failed ($?), see $log"
		failed=$((failed + 1))
	fi
done
echo "$ran programs without a finding, $failed failed"
[ "$failed" -eq 0 ] && [ "$ran" -gt 0 ]
