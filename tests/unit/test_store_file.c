/* The file of the database: new, not ours, broken, and who may read it. */
#include "config.h"

#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/test_store_util.h"

static void
test_first_load(void **state)
{
	ts_ok(ts_db, ts_main, "load", "{}");
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM account"), 1);
	assert_true(ts_sql(ts_db, "SELECT first_at FROM account") > 1000000);
}

static void
test_open_refuses(void **state)
{
	enum store_rc rc;
	const char *why;

	ts_sql(ts_db, "PRAGMA user_version = 99");
	db_close(ts_db);
	assert_null(db_open("postern.db", &rc, &why));
	assert_int_equal(rc, STORE_IO);
	assert_string_equal(why, "written by a later release");
	ts_db = db_open("new.db", &rc, &why);
	assert_non_null(ts_db);
}

static void
test_open_corrupt(void **state)
{
	static const char junk[8192] = "This is not a database at all.";
	enum store_rc rc;
	struct stat st;
	const char *why;
	FILE *f;

	f = fopen("bad.db", "w");
	assert_non_null(f);
	assert_int_equal(fwrite(junk, 1, sizeof(junk), f), sizeof(junk));
	fclose(f);
	assert_null(db_open("bad.db", &rc, &why));
	assert_int_equal(rc, STORE_IO);
	/* It is left as it is. */
	assert_int_equal(stat("bad.db", &st), 0);
	assert_int_equal(st.st_size, sizeof(junk));
	assert_null(db_open("no/such/dir.db", &rc, &why));
	assert_int_equal(rc, STORE_IO);
}

static void
test_file_modes(void **state)
{
	struct stat st;
	mode_t old = umask(077);
	enum store_rc rc;
	const char *why;

	db_close(ts_db);
	ts_db = db_open("mode.db", &rc, &why);
	umask(old);
	assert_non_null(ts_db);
	ts_put(ts_db, ts_main, "p");
	assert_int_equal(stat("mode.db", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat("mode.db-wal", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat("mode.db-shm", &st), -1);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, ts_setup, ts_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_first_load),
	    T(test_open_refuses),
	    T(test_open_corrupt),
	    T(test_file_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
