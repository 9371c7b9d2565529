# POSTERN_TRY_CFLAG(FLAG, [IF-YES]): keep FLAG when the compiler takes it.
AC_DEFUN([POSTERN_TRY_CFLAG], [
	postern_save="$CFLAGS"
	CFLAGS="$CFLAGS -Werror $1"
	AC_MSG_CHECKING([whether $CC accepts $1])
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [
		AC_MSG_RESULT([yes])
		POSTERN_CFLAGS="$POSTERN_CFLAGS $1"
		$2
	], [AC_MSG_RESULT([no])])
	CFLAGS="$postern_save"
])

# POSTERN_TRY_LDFLAG(FLAG, [IF-YES]): keep FLAG when the linker takes it.
AC_DEFUN([POSTERN_TRY_LDFLAG], [
	postern_save="$LDFLAGS"
	LDFLAGS="$LDFLAGS -Werror $1"
	AC_MSG_CHECKING([whether the linker accepts $1])
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [
		AC_MSG_RESULT([yes])
		POSTERN_LDFLAGS="$POSTERN_LDFLAGS $1"
		$2
	], [AC_MSG_RESULT([no])])
	LDFLAGS="$postern_save"
])

# POSTERN_TRY_FORTIFY(LEVEL, [IF-YES], [IF-NO])
AC_DEFUN([POSTERN_TRY_FORTIFY], [
	postern_save="$CFLAGS"
	CFLAGS="$CFLAGS -O2 -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$1"
	AC_MSG_CHECKING([for _FORTIFY_SOURCE=$1])
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]],
	    [[char b[8]; memset(b, 0, sizeof(b)); return b[0];]])], [
		AC_MSG_RESULT([yes])
		POSTERN_CFLAGS="$POSTERN_CFLAGS -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$1"
		hardening="$hardening FORTIFY=$1"
		CFLAGS="$postern_save"
		$2
	], [
		AC_MSG_RESULT([no])
		CFLAGS="$postern_save"
		$3
	])
])

# POSTERN_TRY_PIE([IF-YES]): compiler and linker both or neither.
AC_DEFUN([POSTERN_TRY_PIE], [
	postern_save_c="$CFLAGS"
	postern_save_l="$LDFLAGS"
	CFLAGS="$CFLAGS -Werror -fPIE"
	LDFLAGS="$LDFLAGS -Werror -pie"
	AC_MSG_CHECKING([for PIE])
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [
		AC_MSG_RESULT([yes])
		POSTERN_CFLAGS="$POSTERN_CFLAGS -fPIE"
		POSTERN_LDFLAGS="$POSTERN_LDFLAGS -pie"
		$1
	], [AC_MSG_RESULT([no])])
	CFLAGS="$postern_save_c"
	LDFLAGS="$postern_save_l"
])
