#!/bin/sh
# Every file of ours with musl's headers: what only glibc has is noticed.
# configure looks at musl itself, so config.h is right; the headers of the
# libraries are those of the system, one by one, for the rest of their
# folder is glibc's. Objects are made and not linked: the libraries are
# glibc's.
set -eu
if ! command -v musl-gcc >/dev/null; then
	echo "no musl-gcc here: left out"
	exit 77
fi
src=$(cd "${srcdir:-.}" && pwd)
out=$PWD/musl-out
inc=$out/include
mkdir -p "$inc/openssl"
# Debian keeps a part of them in a folder of the architecture.
arch=/usr/include/$(${CC:-cc} -print-multiarch 2>/dev/null || true)
for name in asm asm-generic bsd cmocka.h cmocka_pbc.h cmocka_version.h curl \
    event2 json-c linux seccomp.h seccomp-syscalls.h sqlite3.h wslay; do
	for from in /usr/include "$arch"; do
		[ ! -e "$from/$name" ] || ln -sfn "$from/$name" "$inc/$name"
	done
done
for from in /usr/include "$arch"; do
	for f in "$from"/openssl/*; do
		[ ! -e "$f" ] || ln -sf "$f" "$inc/openssl/"
	done
done
cd "$out"
# The checks that would link a library are answered: it is another libc's.
[ -f Makefile ] && [ ! "$src/configure" -nt Makefile ] ||
	"$src/configure" CC=musl-gcc CPPFLAGS="-isystem $inc" \
	    CURL_CFLAGS=" " CURL_LIBS=-lcurl --enable-werror \
	    ac_cv_lib_wslay_wslay_event_context_client_init=yes \
	    >configure.log 2>&1 || { tail -5 configure.log; exit 1; }
grep -q '^host = .*musl' Makefile
# All that "make all" and the tests would compile, and nothing that links.
tests=$(printf 'include Makefile\ntell:\n\t@echo $(check_PROGRAMS)\n' |
    make -s -f - tell)
# shellcheck disable=SC2086
objs=$(make -n -k all $tests 2>/dev/null | grep -oE -- '-o [^ ]+\.o ' |
    cut -d' ' -f2 | sort -u)
n=$(echo "$objs" | wc -l)
# shellcheck disable=SC2086
make -k -j2 $objs >make.log 2>&1 ||
	{ grep -E 'error:|warning:' make.log; exit 1; }
echo "$n files compile"
[ "$n" -gt 300 ]
