/*
 * The operations of the store on a real database: once each, in order, all
 * or nothing, and only what is the peer's.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/monotime.h"
#include "tests/unit/test_store_util.h"
#include "workers/store/inbox.h"
#include "workers/store/op.h"
#include "workers/store/prune.h"
#include "workers/store/session.h"

static struct db *db;
static struct peer *main_acct, *other;

static int
setup(void **state)
{
	ts_enter();
	db = ts_open();
	main_acct = ts_account("main", "{\"agents\":[\"helper\"]}");
	other = ts_account("other", "{\"agents\":[\"spy\"]}");
	return 0;
}

static int
teardown(void **state)
{
	peer_free(main_acct);
	peer_free(other);
	db_close(db);
	ts_leave();
	return 0;
}

static void
reopen(void)
{
	db_close(db);
	db = ts_open();
}

static void
test_put_is_once(void **state)
{
	struct json_object *r;
	enum store_rc rc;
	int64_t a, b;

	a = ts_put(db, main_acct, "p1");
	b = ts_put(db, main_acct, "p2");
	assert_true(b > a);
	assert_int_equal(ts_put(db, main_acct, "p1"), a);
	r = ts_run(db, main_acct, "inbox.put",
	    "{\"kind\":\"post\",\"event\":\"p2\",\"lane\":\"x\","
	    "\"channel\":\"c1\",\"at\":1,\"data\":{}}",
	    &rc);
	assert_int_equal(ts_int(r, "dup"), 1);
	assert_int_equal(ts_int(r, "seq"), b);
	assert_int_equal(ts_int(r, "id"), 7);
	json_object_put(r);
	/* Another kind and another account are other events. */
	r = ts_run(db, main_acct, "inbox.put",
	    "{\"kind\":\"edit\",\"event\":\"p1\",\"lane\":\"x\","
	    "\"channel\":\"c1\",\"at\":1,\"data\":{}}",
	    &rc);
	assert_int_equal(ts_int(r, "dup"), 0);
	json_object_put(r);
	assert_true(ts_put(db, other, "p1") > b);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM inbox"), 4);
	reopen();
	assert_int_equal(ts_put(db, main_acct, "p1"), a);
}

static void
test_put_done_is_still_known(void **state)
{
	int64_t seq = ts_put(db, main_acct, "p1");
	struct json_object *r;
	enum store_rc rc;
	char text[64];

	snprintf(text, sizeof(text), "{\"seq\":%d,\"outcome\":\"silent\"}",
	    (int)seq);
	ts_ok(db, main_acct, "turn.commit", text);
	assert_int_equal(ts_put(db, main_acct, "p1"), seq);
	assert_int_equal(
	    ts_sql(db, "SELECT state FROM inbox WHERE event = 'p1'"), 1);
	/* The content of what is done is not kept. */
	assert_int_equal(ts_sql(db, "SELECT data IS NULL FROM inbox"), 1);
	r = ts_run(db, main_acct, "turn.commit", text, &rc);
	assert_int_equal(rc, STORE_OK);
	assert_int_equal(ts_int(r, "dup"), 1);
	json_object_put(r);
}

static void
test_marks(void **state)
{
#define MARK "SELECT at FROM mark WHERE account = 'main' AND channel = 'c9'"
	ts_ok(db, main_acct, "mark",
	    "{\"channel\":\"c9\",\"post\":\"a\",\"at\":500}");
	assert_int_equal(ts_sql(db, MARK), 500);
	ts_ok(db, main_acct, "mark",
	    "{\"channel\":\"c9\",\"post\":\"b\",\"at\":400}");
	assert_int_equal(ts_sql(db, MARK), 500);
	ts_ok(db, main_acct, "inbox.put",
	    "{\"kind\":\"post\",\"event\":\"e\",\"lane\":\"l\","
	    "\"channel\":\"c9\",\"at\":450,\"data\":{},\"mark\":true}");
	assert_int_equal(ts_sql(db, MARK), 500);
	ts_ok(db, main_acct, "drops",
	    "{\"drops\":[{\"post\":\"d1\",\"channel\":\"c9\",\"at\":700,"
	    "\"stage\":\"gate\",\"reason\":\"no-mention\",\"mark\":true},"
	    "{\"post\":\"d0\",\"channel\":\"c9\",\"at\":600,"
	    "\"stage\":\"gate\",\"reason\":\"no-mention\",\"mark\":true}]}");
	assert_int_equal(ts_sql(db, MARK), 700);
	assert_int_equal(
	    ts_sql(db, "SELECT post = 'd1' FROM mark WHERE channel = 'c9'"), 1);
	/* Without "mark" it stays; another account has its own. */
	ts_ok(db, main_acct, "inbox.put",
	    "{\"kind\":\"post\",\"event\":\"f\",\"lane\":\"l\","
	    "\"channel\":\"c9\",\"at\":900,\"data\":{}}");
	ts_ok(db, other, "mark",
	    "{\"channel\":\"c9\",\"post\":\"z\",\"at\":9000}");
	assert_int_equal(ts_sql(db, MARK), 700);
	/* post names the post when the event is something else. */
	ts_ok(db, main_acct, "inbox.put",
	    "{\"kind\":\"edit\",\"event\":\"g\",\"lane\":\"l\","
	    "\"channel\":\"c9\",\"at\":901,\"data\":{},\"mark\":true,"
	    "\"post\":\"gp\"}");
	assert_int_equal(ts_sql(db, "SELECT post = 'gp' FROM mark"
				    " WHERE account = 'main'"),
	    1);
}

#define COMMIT_FMT                                                             \
	"{\"seq\":%d,\"session\":\"%s\",\"agent\":\"helper\","                 \
	"\"outcome\":\"answered\",\"transcript\":["                            \
	"{\"role\":\"user\",\"content\":\"hi/there\"},"                        \
	"{\"role\":\"assistant\",\"content\":\"hello\"}],"                     \
	"\"outbox\":[{\"key\":\"k1\",\"op\":\"post\",\"channel\":\"c1\","      \
	"\"text\":\"hello\",\"props\":{\"a\":1}},"                             \
	"{\"key\":\"%s\",\"op\":\"%s\",\"channel\":\"c1\",\"root\":\"r\"}]}"
#define SESSION "agent:helper:main"

static void
test_commit(void **state)
{
	int64_t seq = ts_put(db, main_acct, "p1");
	char text[1024];

	snprintf(
	    text, sizeof(text), COMMIT_FMT, (int)seq, SESSION, "k2", "delete");
	ts_ok(db, main_acct, "turn.commit", text);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM message"), 2);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM outbox"
				    " WHERE lane = 'c1/' AND seq > 0"),
	    2);
	assert_int_equal(ts_sql(db, "SELECT n FROM outbox"
				    " WHERE key = 'k1'"),
	    1);
	/* Again: no second effect. */
	ts_ok(db, main_acct, "turn.commit", text);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM message"), 2);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM outbox"), 2);
}

static void
test_commit_is_all_or_nothing(void **state)
{
	int64_t seq = ts_put(db, main_acct, "p1");
	char text[1024];

	/* The last outbox row is malformed: nothing of it may stay. */
	snprintf(
	    text, sizeof(text), COMMIT_FMT, (int)seq, SESSION, "k2", "shout");
	ts_fail(db, main_acct, "turn.commit", text, STORE_BAD);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM message"), 0);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM session"), 0);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM outbox"), 0);
	assert_int_equal(ts_sql(db, "SELECT state FROM inbox"), 0);
	snprintf(
	    text, sizeof(text), COMMIT_FMT, (int)seq, SESSION, "k2", "edit");
	ts_ok(db, main_acct, "turn.commit", text);
}

static void
test_denied(void **state)
{
	int64_t seq = ts_put(db, main_acct, "p1");
	char text[1024];

	/* Another account's row; a row that is not there. */
	snprintf(text, sizeof(text), "{\"seq\":%d,\"outcome\":\"silent\"}",
	    (int)seq);
	ts_fail(db, other, "turn.commit", text, STORE_DENIED);
	ts_fail(db, main_acct, "turn.commit",
	    "{\"seq\":999,\"outcome\":\"silent\"}", STORE_DENIED);
	snprintf(text, sizeof(text),
	    "{\"seq\":%d,\"not_before\":1,\"reason\":\"r\"}", (int)seq);
	ts_fail(db, other, "turn.retry", text, STORE_DENIED);
	snprintf(text, sizeof(text),
	    "{\"seq\":%d,\"status\":0,\"reason\":\"r\"}", (int)seq);
	ts_fail(db, other, "turn.dead", text, STORE_DENIED);
	/* Sessions of an agent that is not bound, or hidden in the key. */
	snprintf(text, sizeof(text), COMMIT_FMT, (int)seq, "agent:spy:main",
	    "k2", "edit");
	ts_fail(db, main_acct, "turn.commit", text, STORE_DENIED);
	snprintf(text, sizeof(text), COMMIT_FMT, (int)seq, "agent:helper2:main",
	    "k2", "edit");
	ts_fail(db, main_acct, "turn.commit", text, STORE_DENIED);
	snprintf(text, sizeof(text), COMMIT_FMT, (int)seq, "", "k2", "edit");
	ts_fail(db, main_acct, "turn.commit", text, STORE_DENIED);
	assert_int_equal(ts_sql(db, "SELECT state FROM inbox"), 0);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM session"), 0);
}

static void
test_session_prefix(void **state)
{
	assert_true(session_is_of("agent:a:main", "a"));
	assert_true(session_is_of("agent:a:mattermost:group:x", "a"));
	assert_false(session_is_of("agent:a:", "a"));
	assert_false(session_is_of("agent:a", "a"));
	assert_false(session_is_of("agent:ab:main", "a"));
	assert_false(session_is_of("agent::main", ""));
	assert_false(session_is_of("Agent:a:main", "a"));
	assert_false(session_is_of("", "a"));
}

static void
test_bad_shapes(void **state)
{
	static const struct {
		const char *type, *text;
	} bad[] = {
	    {"load", "{\"x\":1}"},
	    {"inbox.put", "{}"},
	    {"inbox.put", "{\"kind\":\"\",\"event\":\"e\",\"lane\":\"\","
			  "\"channel\":\"\",\"at\":1,\"data\":{}}"},
	    {"inbox.put", "{\"kind\":\"k\",\"event\":\"e\",\"lane\":\"\","
			  "\"channel\":\"\",\"at\":-1,\"data\":{}}"},
	    {"inbox.put", "{\"kind\":\"k\",\"event\":\"e\",\"lane\":\"\","
			  "\"channel\":\"\",\"at\":1,\"data\":[]}"},
	    {"inbox.put", "{\"kind\":\"k\",\"event\":\"e\",\"lane\":\"\","
			  "\"channel\":\"\",\"at\":1,\"data\":{},"
			  "\"extra\":1}"},
	    {"drops", "{\"drops\":[{\"at\":1,\"stage\":\"s\"}]}"},
	    {"drops", "{\"drops\":[1]}"},
	    {"drops", "{\"drops\":[{\"at\":1,\"stage\":\"s\","
		      "\"reason\":\"r\",\"mark\":true}]}"},
	    {"turn.begin", "{\"seq\":0}"},
	    {"turn.commit", "{\"seq\":1,\"outcome\":\"maybe\"}"},
	    {"turn.commit", "{\"seq\":\"1\",\"outcome\":\"silent\"}"},
	    {"turn.dead", "{\"seq\":1,\"reason\":\"r\",\"status\":1000}"},
	    {"outbox.put", "{\"outbox\":[{\"key\":\"\",\"op\":\"post\","
			   "\"channel\":\"c\"}]}"},
	    {"outbox.put", "{\"outbox\":{}}"},
	    {"outbox.done", "{\"post\":\"x\"}"},
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ts_fail(db, main_acct, bad[i].type, bad[i].text, STORE_BAD);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM inbox"), 0);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM decision"), 0);
}

static void
test_retry_dead(void **state)
{
	int64_t seq = ts_put(db, main_acct, "p1");
	char text[512], reason[700];

	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	snprintf(text, sizeof(text),
	    "{\"seq\":%d,\"not_before\":77,\"reason\":\"%.300s\"}", (int)seq,
	    reason);
	ts_ok(db, main_acct, "turn.retry", text);
	ts_ok(db, main_acct, "turn.retry", text);
	assert_int_equal(
	    ts_sql(db, "SELECT attempts * 1000 + not_before FROM inbox"), 2077);
	snprintf(text, sizeof(text),
	    "{\"seq\":%d,\"reason\":\"auth\",\"status\":401,\"outbox\":"
	    "[{\"key\":\"n\",\"op\":\"post\",\"channel\":\"c1\","
	    "\"text\":\"sorry\"}]}",
	    (int)seq);
	ts_ok(db, main_acct, "turn.dead", text);
	assert_int_equal(
	    ts_sql(db, "SELECT state * 1000 + status FROM inbox"), 2401);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM outbox"), 1);
	/* A dead row keeps its data, and its event is still known. */
	assert_int_equal(ts_sql(db, "SELECT data IS NOT NULL FROM inbox"), 1);
	assert_int_equal(ts_put(db, main_acct, "p1"), seq);
	ts_ok(db, main_acct, "turn.dead", text);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM outbox"), 1);
}

static void
test_outbox(void **state)
{
	int64_t seq = ts_put(db, main_acct, "p1");
	char text[1024];

	snprintf(
	    text, sizeof(text), COMMIT_FMT, (int)seq, SESSION, "k2", "delete");
	ts_ok(db, main_acct, "turn.commit", text);
	/* Another account cannot end our rows. */
	ts_ok(db, other, "outbox.done", "{\"key\":\"k1\",\"post\":\"x\"}");
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM outbox"), 2);
	ts_ok(db, main_acct, "outbox.done",
	    "{\"key\":\"k1\",\"post\":\"post1\"}");
	ts_ok(db, main_acct, "outbox.done",
	    "{\"key\":\"k1\",\"post\":\"post1\"}");
	ts_ok(
	    db, main_acct, "outbox.done", "{\"key\":\"k2\",\"post\":\"gone\"}");
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM outbox"), 0);
	assert_int_equal(ts_sql(db, "SELECT answers = 'post1' FROM inbox"), 1);
	ts_ok(db, main_acct, "outbox.put",
	    "{\"outbox\":[{\"key\":\"k3\",\"op\":\"post\","
	    "\"channel\":\"c\",\"text\":\"t\"}]}");
	ts_ok(db, main_acct, "outbox.dead",
	    "{\"key\":\"k3\",\"reason\":\"rejected\",\"status\":403,"
	    "\"text\":\"no permission\"}");
	assert_int_equal(ts_sql(db, "SELECT state FROM outbox"), 2);
}

/* An inbox.put whose data is a JSON text of len bytes. */
static char *
put_of_size(size_t len)
{
	static const char head[] =
	    "{\"kind\":\"k\",\"event\":\"e\",\"lane\":\"l\","
	    "\"channel\":\"c\",\"at\":1,\"data\":{\"x\":\"";
	size_t fill = len - strlen("{\"x\":\"\"}");
	char *text = malloc(sizeof(head) + len + 16);

	assert_non_null(text);
	memcpy(text, head, sizeof(head) - 1);
	memset(text + sizeof(head) - 1, 'y', fill);
	strlcpy(text + sizeof(head) - 1 + fill, "\"}}", 16);
	return text;
}

static void
test_too_large(void **state)
{
	char *text = put_of_size(STORE_DATA + 1);

	ts_fail(db, main_acct, "inbox.put", text, STORE_SIZE);
	free(text);
	text = put_of_size(STORE_DATA);
	ts_ok(db, main_acct, "inbox.put", text);
	free(text);
	assert_int_equal(
	    ts_sql(db, "SELECT length(data) FROM inbox"), STORE_DATA);
}

static struct json_object *
session_load(const char *agent, const char *key, int max, enum store_rc *rc)
{
	struct peer *p = peer_new(PEER_AGENT, agent, NULL);
	struct json_object *r, *copy;
	char text[256];

	snprintf(text, sizeof(text), "{\"session\":\"%s\",\"max_bytes\":%d}",
	    key, max);
	r = ts_run(db, p, "session.load", text, rc);
	peer_free(p);
	/* As it goes over the wire: raw parts become real ones. */
	copy = r == NULL ? NULL
			 : json_tokener_parse(json_object_to_json_string(r));
	json_object_put(r);
	return copy;
}

static void
turn(int n, const char *extra)
{
	char event[32], text[512];
	int64_t seq;

	snprintf(event, sizeof(event), "ev%d", n);
	seq = ts_put(db, main_acct, event);
	snprintf(text, sizeof(text),
	    "{\"seq\":%d,\"session\":\"" SESSION "\",\"agent\":\"helper\","
	    "\"outcome\":\"answered\",\"transcript\":["
	    "{\"role\":\"user\",\"content\":\"%04d\"},"
	    "{\"role\":\"assistant\",\"content\":\"%04d\"}]%s}",
	    (int)seq, 2 * n, 2 * n + 1, extra);
	ts_ok(db, main_acct, "turn.commit", text);
}

static void
test_session(void **state)
{
	struct json_object *r, *list;
	enum store_rc rc;
	int i;

	r = session_load("helper", SESSION, 1000, &rc);
	assert_int_equal(rc, STORE_OK);
	assert_int_equal(
	    json_object_array_length(json_object_object_get(r, "messages")), 0);
	json_object_put(r);
	assert_null(session_load("spy", SESSION, 1000, &rc));
	assert_int_equal(rc, STORE_DENIED);
	for (i = 0; i < 5; i++)
		turn(i, "");
	reopen();
	r = session_load("helper", SESSION, 1 << 20, &rc);
	list = json_object_object_get(r, "messages");
	assert_int_equal(json_object_array_length(list), 10);
	for (i = 0; i < 10; i++)
		assert_int_equal(
		    atoi(ts_str(json_object_array_get_idx(list, i), "content")),
		    i);
	json_object_put(r);
	/* {"role":"user","content":"0000"} is 32 bytes, the other 37. */
	r = session_load("helper", SESSION, 32 + 37 + 37 + 31, &rc);
	list = json_object_object_get(r, "messages");
	assert_int_equal(json_object_array_length(list), 3);
	assert_string_equal(
	    ts_str(json_object_array_get_idx(list, 0), "content"), "0007");
	json_object_put(r);
}

static void
test_session_trim_reset(void **state)
{
	struct json_object *r, *list;
	enum store_rc rc;
	int i;

	for (i = 0; i < STORE_SESSION_KEEP / 2 + 20; i++)
		turn(i, "");
	assert_int_equal(
	    ts_sql(db, "SELECT count(*) FROM message"), STORE_SESSION_KEEP);
	r = session_load("helper", SESSION, 1 << 20, &rc);
	list = json_object_object_get(r, "messages");
	assert_int_equal(json_object_array_length(list), STORE_SESSION_KEEP);
	assert_string_equal(
	    ts_str(json_object_array_get_idx(list, 0), "content"), "0040");
	json_object_put(r);
	turn(4000, ",\"reset\":true");
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM message"), 2);
	r = session_load("helper", SESSION, 1 << 20, &rc);
	list = json_object_object_get(r, "messages");
	assert_int_equal(json_object_array_length(list), 2);
	assert_string_equal(
	    ts_str(json_object_array_get_idx(list, 0), "content"), "8000");
	json_object_put(r);
}

static struct json_object *
control(const char *type, const char *text)
{
	struct peer *p = peer_new(PEER_CONTROL, "", NULL);
	struct json_object *r;
	enum store_rc rc;

	r = ts_run(db, p, type, text, &rc);
	assert_int_equal(rc, STORE_OK);
	peer_free(p);
	return r;
}

static struct json_object *
row(struct json_object *r, size_t i)
{
	struct json_object *rows = json_object_object_get(r, "rows");

	assert_true(i < json_object_array_length(rows));
	return json_object_array_get_idx(rows, i);
}

static void
test_explain(void **state)
{
	struct json_object *r, *list;
	char text[1024];
	int64_t seq;

	ts_ok(db, other, "drops",
	    "{\"drops\":[{\"post\":\"p1\",\"channel\":\"c1\",\"at\":1000,"
	    "\"stage\":\"mention\",\"reason\":\"no-mention\","
	    "\"rule\":\"requireMention\",\"kind\":\"post\"}]}");
	seq = ts_put(db, main_acct, "p1");
	snprintf(
	    text, sizeof(text), COMMIT_FMT, (int)seq, SESSION, "k2", "post");
	ts_ok(db, main_acct, "turn.commit", text);
	ts_ok(db, main_acct, "outbox.done", "{\"key\":\"k1\",\"post\":\"a1\"}");
	ts_ok(db, main_acct, "outbox.done", "{\"key\":\"k2\",\"post\":\"a2\"}");

	r = control("explain", "{\"post\":\"p1\"}");
	assert_string_equal(ts_str(row(r, 0), "account"), "other");
	assert_string_equal(ts_str(row(r, 0), "state"), "ignored");
	assert_string_equal(ts_str(row(r, 0), "reason"), "no-mention");
	assert_string_equal(ts_str(row(r, 0), "rule"), "requireMention");
	assert_string_equal(ts_str(row(r, 1), "account"), "main");
	assert_string_equal(ts_str(row(r, 1), "state"), "done");
	assert_string_equal(ts_str(row(r, 1), "outcome"), "answered");
	list = json_object_object_get(row(r, 1), "answer_posts");
	assert_int_equal(json_object_array_length(list), 2);
	assert_string_equal(
	    json_object_get_string(json_object_array_get_idx(list, 1)), "a2");
	json_object_put(r);

	r = control("explain", "{\"post\":\"p1\",\"account\":\"other\"}");
	assert_int_equal(
	    json_object_array_length(json_object_object_get(r, "rows")), 1);
	json_object_put(r);
	r = control("explain", "{\"post\":\"unknown\"}");
	assert_int_equal(
	    json_object_array_length(json_object_object_get(r, "rows")), 0);
	json_object_put(r);
}

static void
test_explain_more(void **state)
{
#define OWN "a1b2c3d4e5f6g7h8i9j0k1l2m3"
	struct json_object *r, *o;
	char text[512];
	int64_t seq;

	/* A reaction that was taken is told of, and is no drop. */
	ts_ok(db, main_acct, "drops",
	    "{\"drops\":[{\"post\":\"p1\",\"at\":1,\"stage\":\"turn\","
	    "\"reason\":\"ok\",\"rule\":\"r\",\"kind\":\"reaction\"}]}");
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM drop_count"), 0);
	r = control("explain", "{\"post\":\"p1\"}");
	assert_string_equal(ts_str(row(r, 0), "state"), "noted");
	assert_string_equal(ts_str(row(r, 0), "rule"), "r");
	json_object_put(r);
	/* A click is found by the post that has the button. */
	ts_ok(db, main_acct, "inbox.put",
	    "{\"kind\":\"button\",\"event\":\"nonce\",\"lane\":\"l\","
	    "\"channel\":\"c\",\"at\":1,\"data\":{},\"post\":\"p2\","
	    "\"rule\":\"groupPolicy\"}");
	r = control("explain", "{\"post\":\"p2\"}");
	o = row(r, 0);
	assert_string_equal(ts_str(o, "kind"), "button");
	assert_string_equal(ts_str(o, "rule"), "groupPolicy");
	assert_string_equal(ts_str(o, "event"), "nonce");
	json_object_put(r);
	/* A post of the bot is found by what it answers. */
	seq = ts_put(db, main_acct, "p3");
	snprintf(
	    text, sizeof(text), COMMIT_FMT, (int)seq, SESSION, "k2", "post");
	ts_ok(db, main_acct, "turn.commit", text);
	ts_ok(db, main_acct, "outbox.done",
	    "{\"key\":\"k1\",\"post\":\"z1b2c3d4e5f6g7h8i9j0k1l2m3\"}");
	ts_ok(db, main_acct, "outbox.done",
	    "{\"key\":\"k2\",\"post\":\"" OWN "\"}");
	r = control("explain", "{\"post\":\"" OWN "\"}");
	o = row(r, 0);
	assert_string_equal(ts_str(o, "event"), "p3");
	assert_true(json_object_get_boolean(json_object_object_get(o, "own")));
	json_object_put(r);
	r = control("explain", "{\"post\":\"" OWN "\",\"account\":\"other\"}");
	assert_int_equal(
	    json_object_array_length(json_object_object_get(r, "rows")), 0);
	json_object_put(r);
	/* A piece of an id is none. */
	r = control("explain", "{\"post\":\"a1b2\"}");
	assert_int_equal(
	    json_object_array_length(json_object_object_get(r, "rows")), 0);
	json_object_put(r);
}

static void
test_dead_list_stats(void **state)
{
	struct json_object *r, *a;
	char text[256];
	int64_t seq = ts_put(db, main_acct, "p1");

	ts_ok(db, main_acct, "load", "{}");
	ts_ok(db, other, "load", "{}");
	ts_put(db, main_acct, "p2");
	ts_put(db, main_acct, "p3");
	snprintf(text, sizeof(text),
	    "{\"seq\":%d,\"reason\":\"auth\",\"status\":401}", (int)seq);
	ts_ok(db, main_acct, "turn.dead", text);
	ts_ok(db, other, "outbox.put",
	    "{\"outbox\":[{\"key\":\"k3\",\"op\":\"post\",\"channel\":\"c\","
	    "\"text\":\"t\"},{\"key\":\"k4\",\"op\":\"post\","
	    "\"channel\":\"c\",\"text\":\"t\"}]}");
	ts_ok(db, other, "outbox.dead",
	    "{\"key\":\"k3\",\"reason\":\"rejected\",\"status\":403,"
	    "\"text\":\"no permission\"}");
	ts_ok(db, other, "drops",
	    "{\"drops\":[{\"at\":1,\"stage\":\"s\",\"reason\":\"bot\"},"
	    "{\"at\":1,\"stage\":\"s\",\"reason\":\"bot\"}]}");

	r = control("dead.list", "{\"limit\":10}");
	assert_int_equal(
	    json_object_array_length(json_object_object_get(r, "rows")), 2);
	json_object_put(r);
	r = control("dead.list", "{\"limit\":10,\"account\":\"other\"}");
	assert_string_equal(ts_str(row(r, 0), "what"), "outbox");
	assert_string_equal(ts_str(row(r, 0), "error"), "no permission");
	assert_int_equal(ts_int(row(r, 0), "status"), 403);
	json_object_put(r);

	r = control("stats", "{}");
	assert_true(ts_int(r, "db_bytes") > 4096);
	a = json_object_object_get(
	    json_object_object_get(r, "accounts"), "main");
	assert_int_equal(ts_int(a, "inbox_pending"), 2);
	assert_int_equal(ts_int(a, "dead"), 1);
	assert_true(ts_int(a, "oldest_pending_at") > 0);
	a = json_object_object_get(
	    json_object_object_get(r, "accounts"), "other");
	assert_int_equal(ts_int(a, "outbox_pending"), 1);
	assert_int_equal(ts_int(a, "dead"), 1);
	assert_int_equal(ts_int(json_object_object_get(a, "drops"), "bot"), 2);
	json_object_put(r);
}

static void
prune_all(int64_t cutoff)
{
	struct prune *p = prune_new(cutoff, 0);
	enum store_rc rc;

	while ((rc = prune_step(p, db)) == STORE_OK)
		continue;
	assert_int_equal(rc, STORE_NONE);
	prune_free(p);
}

static void
test_prune(void **state)
{
	char text[128], event[16];
	int64_t seq;
	int i;

	for (i = 0; i < 1200; i++) {
		snprintf(event, sizeof(event), "p%d", i);
		seq = ts_put(db, main_acct, event);
		snprintf(text, sizeof(text),
		    i % 3 == 0 ? "{\"seq\":%d,\"reason\":\"r\",\"status\":0}"
			       : "{\"seq\":%d,\"outcome\":\"silent\"}",
		    (int)seq);
		if (i >= 10)
			ts_ok(db, main_acct,
			    i % 3 == 0 ? "turn.dead" : "turn.commit", text);
		ts_ok(db, main_acct, "drops",
		    "{\"drops\":[{\"at\":1,\"stage\":\"s\","
		    "\"reason\":\"bot\",\"post\":\"x\"}]}");
	}
	prune_all(walltime_ms() - 60000);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM inbox"), 1200);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM decision"), 1200);
	/* All that ended is old now; what is open stays whatever its age. */
	prune_all(walltime_ms() + 60000);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM inbox"), 10);
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM decision"), 0);
	assert_int_equal(ts_sql(db, "SELECT n FROM drop_count"), 1200);
}

#define DAY (24 * 3600 * 1000LL)

/* The clock is turned, and decisions are told of for 30 days. */
static void
test_retention(void **state)
{
	int64_t now = walltime_ms();
	struct json_object *r;
	struct prune *p;
	int day;

	ts_ok(db, main_acct, "drops",
	    "{\"drops\":[{\"at\":1,\"stage\":\"gate\",\"reason\":"
	    "\"no-mention\",\"post\":\"p1\"}]}");
	ts_ok(db, main_acct, "turn.commit",
	    (ts_put(db, main_acct, "p2"), "{\"seq\":1,\"outcome\":\"silent\"}"));
	for (day = 0; day <= 31; day++) {
		p = prune_new(now + day * DAY, 30);
		while (prune_step(p, db) == STORE_OK)
			continue;
		prune_free(p);
		r = control("explain", "{\"post\":\"p1\"}");
		assert_int_equal(json_object_array_length(
		    json_object_object_get(r, "rows")), day <= 30);
		json_object_put(r);
		r = control("explain", "{\"post\":\"p2\"}");
		assert_int_equal(json_object_array_length(
		    json_object_object_get(r, "rows")), day <= 30);
		json_object_put(r);
	}
	/* What was counted stays. */
	assert_int_equal(ts_sql(db, "SELECT n FROM drop_count"), 1);
}

/* A flood does not wait for the hour, and the newest of it are kept. */
static void
test_flood(void **state)
{
	char sql[256];

	assert_false(prune_is_due(db));
	snprintf(sql, sizeof(sql),
	    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c"
	    " LIMIT 2000) INSERT INTO decision SELECT x * %d, 'main', 'e' || x,"
	    " '', 'post', 'gate', 'no-mention', '', x, 4000000000000 FROM c",
	    STORE_DECISIONS_KEEP / 1000);
	ts_sql(db, sql);
	assert_true(prune_is_due(db));
	prune_all(1);
	assert_false(prune_is_due(db));
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM decision"), 1000);
	assert_int_equal(ts_sql(db, "SELECT max(id) FROM decision"),
	    2 * STORE_DECISIONS_KEEP);
}

static void
test_prune_number(void **state)
{
	ts_sql(db, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL"
		   " SELECT x + 1 FROM c LIMIT 20100)"
		   " INSERT INTO inbox(account, kind, event, lane, channel,"
		   " root, at, put_at, state, done_at, outcome)"
		   " SELECT iif(x % 2000 = 0, 'other', 'main'), 'post',"
		   " 'e' || x, '', '', '', x, x, 1, 4000000000000, 'silent'"
		   " FROM c");
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM inbox"), 20100);
	prune_all(1);
	assert_int_equal(
	    ts_sql(db, "SELECT count(*) FROM inbox WHERE account = 'main'"),
	    STORE_MARKERS_KEEP);
	assert_int_equal(
	    ts_sql(db, "SELECT count(*) FROM inbox WHERE account = 'other'"),
	    10);
	/* The oldest went. */
	assert_int_equal(ts_sql(db, "SELECT min(seq) FROM inbox"
				    " WHERE account = 'main'"),
	    91);
}

static void
test_first_load(void **state)
{
	ts_ok(db, main_acct, "load", "{}");
	assert_int_equal(ts_sql(db, "SELECT count(*) FROM account"), 1);
	assert_true(ts_sql(db, "SELECT first_at FROM account") > 1000000);
}

static void
test_open_refuses(void **state)
{
	enum store_rc rc;
	const char *why;

	ts_sql(db, "PRAGMA user_version = 99");
	db_close(db);
	assert_null(db_open("postern.db", &rc, &why));
	assert_int_equal(rc, STORE_IO);
	assert_string_equal(why, "written by a later release");
	db = db_open("new.db", &rc, &why);
	assert_non_null(db);
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

	db_close(db);
	db = db_open("mode.db", &rc, &why);
	umask(old);
	assert_non_null(db);
	ts_put(db, main_acct, "p");
	assert_int_equal(stat("mode.db", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat("mode.db-wal", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat("mode.db-shm", &st), -1);
}

static void
test_cut(void **state)
{
	char buf[6];

	op_cut(buf, "abc", sizeof(buf));
	assert_string_equal(buf, "abc");
	op_cut(buf, "abcdefgh", sizeof(buf));
	assert_string_equal(buf, "abcde");
	op_cut(buf, "abcd\xc3\xa9z", sizeof(buf));
	assert_string_equal(buf, "abcd");
	op_cut(buf, "ab\xf0\x9f\x98\x80", sizeof(buf));
	assert_string_equal(buf, "ab");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_put_is_once),
	    T(test_put_done_is_still_known),
	    T(test_marks),
	    T(test_commit),
	    T(test_commit_is_all_or_nothing),
	    T(test_denied),
	    T(test_session_prefix),
	    T(test_bad_shapes),
	    T(test_retry_dead),
	    T(test_outbox),
	    T(test_too_large),
	    T(test_session),
	    T(test_session_trim_reset),
	    T(test_explain),
	    T(test_explain_more),
	    T(test_retention),
	    T(test_flood),
	    T(test_dead_list_stats),
	    T(test_prune),
	    T(test_prune_number),
	    T(test_first_load),
	    T(test_open_refuses),
	    T(test_open_corrupt),
	    T(test_file_modes),
	    T(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
