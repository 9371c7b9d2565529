/*
 * Pairing, threads and loops in the store, operation by operation.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/test_store_util.h"
#include "workers/store/access.h"

#define U1 "u10123456789abcdefghijklmn"
#define U2 "u20123456789abcdefghijklmn"
#define U3 "u30123456789abcdefghijklmn"
#define U4 "u40123456789abcdefghijklmn"
#define DM "d10123456789abcdefghijklmn"

static struct peer *a, *b;

static int
setup(void **state)
{
	ts_setup(state);
	a = ts_account("a", "{}");
	b = ts_account("b", "{}");
	return 0;
}

static int
teardown(void **state)
{
	peer_free(a);
	peer_free(b);
	return ts_teardown(state);
}

/* pairing.ask; the state that comes out. Static buffer. */
static const char *
ask(struct peer *p, const char *user, const char *code, const char *event)
{
	static char state[16], text[1024];
	struct json_object *r;
	enum store_rc rc;

	snprintf(text, sizeof(text),
	    "{\"user\":\"%s\",\"code\":\"%s\",\"name\":\"n\",\"channel\":\""
	    DM "\",\"kind\":\"post\",\"event\":\"%s\",\"at\":5,\"outbox\":[{"
	    "\"key\":\"k-%s-%s\",\"op\":\"post\",\"channel\":\"" DM "\","
	    "\"text\":\"t\"}]}", user, code, event, user, code);
	r = ts_run(ts_db, p, "pairing.ask", text, &rc);
	assert_int_equal(rc, STORE_OK);
	strlcpy(state, ts_str(r, "state"), sizeof(state));
	json_object_put(r);
	return state;
}

static int64_t
outbox(void)
{
	return ts_sql(ts_db, "SELECT count(*) FROM outbox");
}

static void
test_ask(void **state)
{
	assert_string_equal(ask(a, U1, "AAAA2222", "e1"), "new");
	assert_int_equal(outbox(), 1);
	/* The same frame once more: its answer was lost. */
	assert_string_equal(ask(a, U1, "AAAA2222", "e1"), "new");
	assert_int_equal(outbox(), 1);
	/* The same event, of an account that has lost its memory. */
	assert_string_equal(ask(a, U1, "BBBB2222", "e1"), "known");
	/* Another one of the same user. */
	assert_string_equal(ask(a, U1, "CCCC2222", "e2"), "known");
	assert_int_equal(outbox(), 1);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM pairing"), 1);
	/* Codes are unique over all accounts. */
	assert_string_equal(ask(b, U1, "AAAA2222", "e1"), "taken");
	assert_string_equal(ask(b, U1, "DDDD2222", "e1"), "new");
	assert_string_equal(ask(a, U2, "EEEE2222", "e3"), "new");
	assert_string_equal(ask(a, U3, "FFFF2222", "e4"), "new");
	assert_string_equal(ask(a, U4, "GGGG2222", "e5"), "full");
	assert_int_equal(outbox(), 4);
	ts_reopen();
	assert_string_equal(ask(a, U4, "GGGG2222", "e6"), "full");
	/* An event that was done with is never a turn. */
	assert_int_equal(
	    ts_sql(ts_db, "SELECT count(*) FROM inbox WHERE account = 'a'"
			  " AND state = 1 AND outcome = 'pairing'"),
	    4);
	assert_int_equal(
	    ts_sql(ts_db, "SELECT count(*) FROM inbox WHERE account = 'a'"
			  " AND state = 1 AND outcome = 'pairing-full'"),
	    2);
}

static void
test_ask_expires(void **state)
{
	assert_string_equal(ask(a, U1, "AAAA2222", "e1"), "new");
	assert_string_equal(ask(a, U2, "BBBB2222", "e2"), "new");
	assert_string_equal(ask(a, U3, "CCCC2222", "e3"), "new");
	assert_int_equal(ts_sql(ts_db, "UPDATE pairing SET created = created -"
				       " 3599000 RETURNING 1"),
	    1);
	assert_string_equal(ask(a, U4, "DDDD2222", "e4"), "full");
	assert_int_equal(ts_sql(ts_db, "UPDATE pairing SET created = created -"
				       " 2000 RETURNING 1"),
	    1);
	assert_string_equal(ask(a, U4, "DDDD2222", "e5"), "new");
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM pairing"), 1);
	/* The event of an expired request asks for nothing any more. */
	assert_string_equal(ask(a, U1, "EEEE2222", "e1"), "known");
	assert_string_equal(ask(a, U1, "EEEE2222", "e6"), "new");
}

static void
test_ask_malformed(void **state)
{
	ts_fail(ts_db, a, "pairing.ask", "{}", STORE_BAD);
	ts_fail(ts_db, a, "pairing.ask",
	    "{\"user\":\"short\",\"code\":\"AAAA2222\",\"name\":\"\","
	    "\"channel\":\"\",\"kind\":\"post\",\"event\":\"e\",\"at\":1}",
	    STORE_BAD);
	/* 0, O, 1, I are no symbols, nor is lower case. */
	ts_fail(ts_db, a, "pairing.ask",
	    "{\"user\":\"" U1 "\",\"code\":\"AAAA2220\",\"name\":\"\","
	    "\"channel\":\"\",\"kind\":\"post\",\"event\":\"e\",\"at\":1}",
	    STORE_BAD);
	ts_fail(ts_db, a, "pairing.ask",
	    "{\"user\":\"" U1 "\",\"code\":\"aaaa2222\",\"name\":\"\","
	    "\"channel\":\"\",\"kind\":\"post\",\"event\":\"e\",\"at\":1}",
	    STORE_BAD);
}

/* approve; what came of it as text. Static buffer. */
static const char *
approve(const char *members)
{
	static char out[512];
	struct json_object *r;
	enum store_rc rc;

	r = ts_run(ts_db, ts_ctl, "pairing.approve", members, &rc);
	assert_int_equal(rc, STORE_OK);
	json_object_object_del(r, "t");
	json_object_object_del(r, "id");
	strlcpy(out,
	    json_object_to_json_string_ext(r, JSON_C_TO_STRING_PLAIN),
	    sizeof(out));
	json_object_put(r);
	return out;
}

static void
test_approve(void **state)
{
	ask(a, U1, "AAAA2222", "e1");
	ask(b, U1, "BBBB2222", "e1");
	assert_string_equal(
	    approve("{\"code\":\"ZZZZ2222\",\"notify\":true}"),
	    "{\"approved\":false,\"why\":\"none\"}");
	assert_string_equal(ts_push(), "");
	assert_string_equal(approve("{\"code\":\"AAAA2222\",\"account\":\"b\","
				    "\"notify\":true}"),
	    "{\"approved\":false,\"why\":\"none\"}");
	assert_string_equal(
	    approve("{\"code\":\"aaaa2222\",\"notify\":true}"),
	    "{\"approved\":true,\"account\":\"a\",\"user\":\"" U1
	    "\",\"name\":\"n\",\"notify\":true}");
	assert_string_equal(ts_push(), "[{\"t\":\"grant.row\",\"user\":\"" U1
	    "\",\"on\":true,\"notify\":\"" DM "\"}]");
	/* Once only, and not for the other account. */
	assert_string_equal(
	    approve("{\"code\":\"AAAA2222\",\"notify\":true}"),
	    "{\"approved\":false,\"why\":\"none\"}");
	assert_string_equal(ask(a, U1, "CCCC2222", "e2"), "granted");
	assert_string_equal(ask(b, U1, "CCCC2222", "e2"), "known");
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM inbox WHERE"
				       " event = 'e2' AND account = 'a'"),
	    0);
	/* An old request is no request. */
	assert_int_equal(ts_sql(ts_db, "UPDATE pairing SET created = created -"
				       " 3600001 RETURNING 1"),
	    1);
	assert_string_equal(
	    approve("{\"code\":\"BBBB2222\",\"notify\":false}"),
	    "{\"approved\":false,\"why\":\"none\"}");
}

static int
notified(const char *key)
{
	struct json_object *r;
	enum store_rc rc;
	char text[256];
	int dup;

	snprintf(text, sizeof(text), "{\"user\":\"" U1 "\",\"outbox\":[{"
	    "\"key\":\"%s\",\"op\":\"post\",\"channel\":\"" DM "\","
	    "\"text\":\"t\"}]}", key);
	r = ts_run(ts_db, a, "pairing.notified", text, &rc);
	assert_int_equal(rc, STORE_OK);
	dup = json_object_object_get(r, "dup") != NULL;
	json_object_put(r);
	return !dup;
}

static void
test_notify_once(void **state)
{
	assert_false(notified("k0")); /* nobody there */
	ask(a, U1, "AAAA2222", "e1");
	approve("{\"code\":\"AAAA2222\",\"notify\":true}");
	assert_true(notified("k1"));
	assert_int_equal(outbox(), 2);
	assert_true(notified("k1")); /* the answer was lost */
	assert_false(notified("k2"));
	assert_int_equal(outbox(), 2);
	ts_ok(ts_db, a, "outbox.done", "{\"key\":\"k1\",\"post\":\"p\"}");
	assert_false(notified("k1"));
	assert_int_equal(outbox(), 1);
}

/* What an account loads. Static buffer. */
static const char *
loaded(struct peer *p)
{
	static char out[2048];
	struct json_object *r;
	enum store_rc rc;

	r = ts_run(ts_db, p, "access.load", "{}", &rc);
	assert_int_equal(rc, STORE_OK);
	json_object_object_del(r, "t");
	json_object_object_del(r, "id");
	strlcpy(out,
	    json_object_to_json_string_ext(r, JSON_C_TO_STRING_PLAIN),
	    sizeof(out));
	json_object_put(r);
	return out;
}

static const char *
revoke(const char *members)
{
	static char out[512];
	struct json_object *r;
	enum store_rc rc;

	r = ts_run(ts_db, ts_ctl, "pairing.revoke", members, &rc);
	assert_int_equal(rc, STORE_OK);
	strlcpy(out,
	    json_object_to_json_string_ext(
		json_object_object_get(r, "revoked"), JSON_C_TO_STRING_PLAIN),
	    sizeof(out));
	json_object_put(r);
	return out;
}

static void
test_revoke(void **state)
{
	ts_ok(ts_db, ts_ctl, "pairing.import",
	    "{\"account\":\"a\",\"grants\":[\"" U1 "\",\"" U2 "\"]}");
	ts_ok(ts_db, ts_ctl, "pairing.import",
	    "{\"account\":\"b\",\"grants\":[\"" U1 "\"]}");
	ask(a, U3, "AAAA2222", "e1");
	assert_string_equal(loaded(a),
	    "{\"grants\":[{\"user\":\"" U1 "\",\"notify\":\"\"},"
	    "{\"user\":\"" U2 "\",\"notify\":\"\"}],\"threads\":[],"
	    "\"loops\":[],\"gates\":[]}");
	assert_string_equal(revoke("{\"who\":\"aaaa2222\"}"),
	    "[{\"account\":\"a\",\"user\":\"" U3 "\",\"what\":\"request\"}]");
	assert_string_equal(ts_push(), "");
	assert_string_equal(revoke("{\"who\":\"" U1 "\"}"),
	    "[{\"account\":\"a\",\"user\":\"" U1 "\",\"what\":\"grant\"}]");
	assert_string_equal(ts_push(), "[{\"t\":\"grant.row\",\"user\":\"" U1
	    "\",\"on\":false,\"notify\":\"\"}]");
	assert_string_equal(revoke("{\"who\":\"" U1 "\"}"),
	    "[{\"account\":\"b\",\"user\":\"" U1 "\",\"what\":\"grant\"}]");
	assert_string_equal(revoke("{\"who\":\"" U1 "\"}"), "[]");
	assert_string_equal(
	    revoke("{\"who\":\"" U2 "\",\"account\":\"b\"}"), "[]");
	ts_reopen();
	assert_string_equal(loaded(a), "{\"grants\":[{\"user\":\"" U2
	    "\",\"notify\":\"\"}],\"threads\":[],\"loops\":[],\"gates\":[]}");
}

static void
test_import(void **state)
{
	struct json_object *r;
	enum store_rc rc;

	ask(a, U1, "AAAA2222", "e1");
	r = ts_run(ts_db, ts_ctl, "pairing.import",
	    "{\"account\":\"a\",\"grants\":[\"" U2 "\",\"*\",7,\"" U2 "\"],"
	    "\"requests\":[{\"user\":\"" U3 "\",\"code\":\"AAAA2222\","
	    "\"name\":\"\",\"created\":1,\"seen\":1},[],{}]}",
	    &rc);
	assert_int_equal(rc, STORE_OK);
	assert_int_equal(ts_int(r, "grants"), 1);
	assert_int_equal(ts_int(r, "requests"), 0);
	assert_int_equal(ts_int(r, "skipped"), 5);
	json_object_put(r);
	ts_fail(
	    ts_db, ts_ctl, "pairing.import", "{\"account\":\"\"}", STORE_BAD);
}

static int64_t
threads(void)
{
	return ts_sql(ts_db, "SELECT count(*) FROM thread WHERE account = 'a'");
}

static void
answer(struct peer *p, int64_t seq, const char *root, int thread)
{
	char text[512], done[128];

	snprintf(text, sizeof(text), "{\"seq\":%lld,\"outcome\":\"answered\","
	    "\"outbox\":[{\"key\":\"o%lld\",\"op\":\"post\",\"channel\":"
	    "\"c\",\"root\":\"%s\",\"text\":\"t\"}]}", (long long)seq,
	    (long long)seq, root);
	ts_ok(ts_db, p, "turn.commit", text);
	snprintf(done, sizeof(done), "{\"key\":\"o%lld\",\"post\":\"p\"%s}",
	    (long long)seq, thread ? ",\"thread\":true" : "");
	ts_ok(ts_db, p, "outbox.done", done);
	ts_ok(ts_db, p, "outbox.done", done); /* told twice */
}

static void
test_threads(void **state)
{
	answer(a, ts_put(ts_db, a, "e1"), "r1", 1);
	answer(a, ts_put(ts_db, a, "e2"), "r1", 1);
	assert_int_equal(threads(), 1);
	answer(a, ts_put(ts_db, a, "e3"), "", 1);
	answer(a, ts_put(ts_db, a, "e4"), "r2", 0);
	assert_int_equal(threads(), 1);
	/* What no turn has said, takes no part. */
	ts_ok(ts_db, a, "outbox.put",
	    "{\"outbox\":[{\"key\":\"x\",\"op\":"
	    "\"post\",\"channel\":\"c\",\"root\":\"r3\",\"text\":\"t\"}]}");
	ts_ok(ts_db, a, "outbox.done",
	    "{\"key\":\"x\",\"post\":\"p\",\"thread\":true}");
	assert_int_equal(threads(), 1);
	ts_reopen();
	assert_non_null(strstr(loaded(a), "\"root\":\"r1\""));
	assert_null(strstr(loaded(b), "\"root\":\"r1\""));
	assert_int_equal(ts_sql(ts_db, "UPDATE thread SET at = at -"
				       " 7 * 86400000 - 1 RETURNING 1"),
	    1);
	assert_null(strstr(loaded(a), "\"root\":\"r1\""));
}

static void
test_threads_bound(void **state)
{
	char root[32];
	int64_t i;

	for (i = 1; i <= THREADS_KEEP + 10; i++) {
		snprintf(root, sizeof(root), "r%lld", (long long)i);
		assert_int_equal(
		    thread_note(ts_db, "a", "c", root, 1000000000000 + i),
		    STORE_OK);
	}
	assert_int_equal(threads(), THREADS_KEEP);
	assert_int_equal(
	    ts_sql(ts_db, "SELECT min(at) FROM thread"), 1000000000000 + 11);
	/* One that is used again is not the oldest any more. */
	assert_int_equal(
	    thread_note(ts_db, "a", "c", "r11", 1000000002000), STORE_OK);
	assert_int_equal(
	    thread_note(ts_db, "a", "c", "new", 1000000002001), STORE_OK);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM thread"
				       " WHERE root = 'r11'"),
	    1);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM thread"
				       " WHERE root = 'r12'"),
	    0);
}

static void
put_bot(const char *event)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"kind\":\"post\",\"event\":\"%s\",\"lane\":\"c1/\","
	    "\"channel\":\"c1\",\"root\":\"r\",\"at\":1000,\"data\":{},"
	    "\"bots\":true}", event);
	ts_ok(ts_db, a, "inbox.put", text);
}

static void
test_loops(void **state)
{
	put_bot("e1");
	put_bot("e2");
	put_bot("e2"); /* no other turn */
	assert_non_null(strstr(loaded(a),
	    "\"loops\":[{\"channel\":\"c1\",\"root\":\"r\",\"n\":2,\"at\":"));
	ts_reopen();
	put_bot("e3");
	assert_non_null(strstr(loaded(a), "\"n\":3"));
	ts_put(ts_db, a, "e4");
	assert_non_null(strstr(loaded(a), "\"n\":3"));
	ts_ok(ts_db, b, "loop.reset", "{\"channel\":\"c1\",\"root\":\"r\"}");
	ts_ok(ts_db, a, "loop.reset", "{\"channel\":\"c1\",\"root\":\"\"}");
	assert_non_null(strstr(loaded(a), "\"n\":3"));
	ts_ok(ts_db, a, "loop.reset", "{\"channel\":\"c1\",\"root\":\"r\"}");
	assert_non_null(strstr(loaded(a), "\"loops\":[]"));
	/* An hour without a turn, and it begins anew. */
	put_bot("e5");
	put_bot("e6");
	assert_int_equal(
	    ts_sql(ts_db, "UPDATE bot_turn SET at = at - 3600001 RETURNING 1"),
	    1);
	put_bot("e7");
	assert_non_null(strstr(loaded(a), "\"n\":1,"));
}

/* The slash commands that an account has made. */
static const char *
commands(struct peer *p)
{
	static char text[1024];
	struct json_object *reply;
	enum store_rc rc;

	reply = ts_run(ts_db, p, "command.list", "{}", &rc);
	assert_int_equal(rc, STORE_OK);

	strlcpy(text, json_object_to_json_string_ext(
	    reply, JSON_C_TO_STRING_PLAIN), sizeof(text));
	json_object_put(reply);
	return text;
}

static void
test_commands(void **state)
{
	assert_non_null(strstr(commands(a), "\"commands\":[]"));
	ts_ok(ts_db, a, "command.set",
	    "{\"team\":\"t1\",\"trigger\":\"oc_new\",\"command\":\"i1\"}");
	ts_ok(ts_db, a, "command.set",
	    "{\"team\":\"t1\",\"trigger\":\"oc_new\",\"command\":\"i2\"}");
	ts_ok(ts_db, b, "command.set",
	    "{\"team\":\"t1\",\"trigger\":\"oc_new\",\"command\":\"i3\"}");
	ts_reopen();
	assert_non_null(strstr(commands(a),
	    "[{\"team\":\"t1\",\"trigger\":\"oc_new\",\"id\":\"i2\"}]"));
	ts_ok(ts_db, a, "command.set",
	    "{\"team\":\"t1\",\"trigger\":\"oc_new\",\"command\":\"\"}");
	ts_ok(ts_db, a, "command.set",
	    "{\"team\":\"t1\",\"trigger\":\"none\",\"command\":\"\"}");
	assert_non_null(strstr(commands(a), "\"commands\":[]"));
	assert_non_null(strstr(commands(b), "i3"));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_ask),
	    T(test_commands),
	    T(test_ask_expires),
	    T(test_ask_malformed),
	    T(test_approve),
	    T(test_notify_once),
	    T(test_revoke),
	    T(test_import),
	    T(test_threads),
	    T(test_threads_bound),
	    T(test_loops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
