/* What the store forgets, by age and by number, and what never. */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/monotime.h"
#include "tests/unit/test_store_util.h"
#include "workers/store/op.h"
#include "workers/store/prune.h"

static void
test_prune(void **state)
{
	char text[128], event[16];
	int64_t seq;
	int i;

	for (i = 0; i < 1200; i++) {
		snprintf(event, sizeof(event), "p%d", i);
		seq = ts_put(ts_db, ts_main, event);
		snprintf(text, sizeof(text),
		    i % 3 == 0 ? "{\"seq\":%d,\"reason\":\"r\",\"status\":0}"
			       : "{\"seq\":%d,\"outcome\":\"silent\"}",
		    (int)seq);
		if (i >= 10)
			ts_ok(ts_db, ts_main,
			    i % 3 == 0 ? "turn.dead" : "turn.commit", text);
		ts_ok(ts_db, ts_main, "drops",
		    "{\"drops\":[{\"at\":1,\"stage\":\"s\","
		    "\"reason\":\"bot-author\",\"post\":\"x\"}]}");
	}
	ts_prune(ts_db, walltime_ms() - 60000);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM inbox"), 1200);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM decision"), 1200);
	/* All that ended is old now; what is open stays whatever its age. */
	ts_prune(ts_db, walltime_ms() + 60000);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM inbox"), 10);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM decision"), 0);
	assert_int_equal(ts_sql(ts_db, "SELECT n FROM drop_count"), 1200);
}

#define DAY (24 * 3600 * 1000LL)

static void
decisions(const char *account, int n)
{
	char sql[320];

	snprintf(sql, sizeof(sql),
	    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c"
	    " LIMIT %d) INSERT INTO decision(account, post, channel, kind,"
	    " stage, reason, rule, at, decided_at) SELECT '%s', '', '', 'post',"
	    " 'gate', 'no-mention', '', x, 4000000000000 FROM c",
	    n, account);
	ts_sql(ts_db, sql);
}

/*
 * A flood does not wait for the hour, the newest of it are kept, and what
 * others have is not touched, though all of it is older.
 */
static void
test_flood(void **state)
{
	struct prune_seen seen;

	decisions("other", 1000);
	prune_see(ts_db, &seen);
	assert_false(prune_is_due(ts_db, &seen));
	decisions("main", STORE_DECISIONS_KEEP * 5);
	assert_true(prune_is_due(ts_db, &seen));
	ts_prune(ts_db, 1);
	prune_see(ts_db, &seen);
	assert_false(prune_is_due(ts_db, &seen));
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM decision"
				       " WHERE account = 'other'"),
	    1000);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM decision"),
	    1000 + STORE_DECISIONS_KEEP);
	assert_int_equal(ts_sql(ts_db, "SELECT max(id) FROM decision"),
	    1000 + 5 * STORE_DECISIONS_KEEP);
}

/* Dead rows go by their size, too: of whom they are too large. */
static void
test_dead_bytes(void **state)
{
	ts_sql(ts_db, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL"
		      " SELECT x + 1 FROM c LIMIT 100)"
		      " INSERT INTO inbox(account, kind, event, lane, channel,"
		      " root, at, put_at, state, done_at, data) SELECT"
		      " iif(x <= 10, 'other', 'main'), 'post', 'e' || x, '',"
		      " '', '', x, x, 2, 4000000000000, zeroblob(1000000)"
		      " FROM c");
	ts_sql(ts_db, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL"
		      " SELECT x + 1 FROM c LIMIT 100)"
		      " INSERT INTO outbox(account, key, seq, lane, op,"
		      " channel, root, post, created, state, done_at, text)"
		      " SELECT iif(x <= 10, 'other', 'main'), 'k' || x, 0, '',"
		      " 'post', '', '', '', x, 2, 4000000000000,"
		      " zeroblob(1000000) FROM c");
	ts_prune(ts_db, 1);
	assert_in_range(
	    ts_sql(ts_db, "SELECT count(*) FROM inbox WHERE account = 'main'"),
	    STORE_DEAD_KEEP / 1100000, STORE_DEAD_KEEP / 1000000);
	assert_in_range(
	    ts_sql(ts_db, "SELECT count(*) FROM outbox WHERE account = 'main'"),
	    STORE_DEAD_KEEP / 1100000, STORE_DEAD_KEEP / 1000000);
	assert_int_equal(
	    ts_sql(ts_db, "SELECT count(*) FROM inbox WHERE account = 'other'"),
	    10);
	assert_int_equal(
	    ts_sql(ts_db, "SELECT count(*) FROM outbox WHERE account = 'other'"),
	    10);
	/* The oldest went. */
	assert_int_equal(ts_sql(ts_db, "SELECT max(event) = 'e99' FROM inbox"
				       " WHERE account = 'main'"),
	    1);
}

static void
test_prune_number(void **state)
{
	ts_sql(ts_db, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL"
		      " SELECT x + 1 FROM c LIMIT 100100)"
		      " INSERT INTO inbox(account, kind, event, lane, channel,"
		      " root, at, put_at, state, done_at, outcome)"
		      " SELECT iif(x % 10000 = 0, 'other', 'main'), 'post',"
		      " 'e' || x, '', '', '', x, x, 1, 4000000000000, 'silent'"
		      " FROM c");
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM inbox"), 100100);
	ts_prune(ts_db, 1);
	assert_int_equal(
	    ts_sql(ts_db, "SELECT count(*) FROM inbox WHERE account = 'main'"),
	    STORE_MARKERS_KEEP);
	assert_int_equal(
	    ts_sql(ts_db, "SELECT count(*) FROM inbox WHERE account = 'other'"),
	    10);
	/* The oldest went. */
	assert_int_equal(ts_sql(ts_db, "SELECT min(seq) FROM inbox"
				       " WHERE account = 'main'"),
	    91);
}
/* The clock is turned, and decisions are told of for 30 days. */
static void
test_retention(void **state)
{
	int64_t now = walltime_ms();
	struct json_object *r;
	struct prune *p;
	int day;

	ts_ok(ts_db, ts_main, "drops",
	    "{\"drops\":[{\"at\":1,\"stage\":\"gate\",\"reason\":"
	    "\"no-mention\",\"post\":\"p1\"}]}");
	ts_ok(ts_db, ts_main, "turn.commit",
	    (ts_put(ts_db, ts_main, "p2"),
		"{\"seq\":1,\"outcome\":\"silent\"}"));
	for (day = 0; day <= 31; day++) {
		p = prune_new(now + day * DAY, 30);
		while (prune_step(p, ts_db) == STORE_OK)
			continue;
		prune_free(p);
		r = ts_ask("explain", "{\"post\":\"p1\"}");
		assert_int_equal(ts_rows(r), day <= 30);
		json_object_put(r);
		r = ts_ask("explain", "{\"post\":\"p2\"}");
		assert_int_equal(ts_rows(r), day <= 30);
		json_object_put(r);
	}
	/* What was counted stays. */
	assert_int_equal(ts_sql(ts_db, "SELECT n FROM drop_count"), 1);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, ts_setup, ts_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_prune),
	    T(test_flood),
	    T(test_dead_bytes),
	    T(test_prune_number),
	    T(test_retention),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
