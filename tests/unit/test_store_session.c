/*
 * What the store keeps of a session beside its transcript, the notes for its
 * next turn, the gates that people set, and how all of it is committed with
 * the end of a turn.
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
#include "workers/store/session_meta.h"

#define S "agent:helper:mattermost:channel:c1"
#define T S ":thread:r1"

static struct peer *helper, *spy;

static int
setup(void **state)
{
	ts_setup(state);
	helper = peer_new(PEER_AGENT, "helper", NULL);
	spy = peer_new(PEER_AGENT, "spy", NULL);
	return 0;
}

static int
teardown(void **state)
{
	peer_free(helper);
	peer_free(spy);
	return ts_teardown(state);
}

/* turn.commit of a new event with these members. */
static void
commit(const char *event, const char *members, enum store_rc want)
{
	char text[2048];
	enum store_rc rc;

	snprintf(text, sizeof(text),
	    "{\"seq\":%lld,\"outcome\":\"command\",\"agent\":\"helper\",%s}",
	    (long long)ts_put(ts_db, ts_main, event), members);
	json_object_put(ts_run(ts_db, ts_main, "turn.commit", text, &rc));
	assert_int_equal(rc, want);
}

static struct json_object *
session_open_as(struct peer *p, const char *text, enum store_rc want)
{
	struct json_object *r;
	enum store_rc rc;

	r = ts_run(ts_db, p, "session.open", text, &rc);
	assert_int_equal(rc, want);
	return r;
}

static struct json_object *
info(const char *session)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"session\":\"%s\",\"agent\":\"helper\",\"notes\":\"%s\"}",
	    session, session);
	return session_open_as(ts_main, text, STORE_OK);
}

static int
known(struct json_object *r)
{
	return json_object_get_boolean(json_object_object_get(r, "known"));
}

static void
test_unknown_session(void **state)
{
	struct json_object *r = info(S);

	assert_false(known(r));
	assert_int_equal(ts_int(r, "gen"), 0);
	assert_int_equal(ts_int(r, "messages"), 0);
	assert_string_equal(ts_str(r, "model"), "");
	json_object_put(r);
	/* Asking makes nothing. */
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM session"), 0);
}

/* The answer's "session", a new reference, or NULL. */
static struct json_object *
told(struct peer *p, const char *type, const char *text)
{
	struct json_object *r, *o = NULL;
	enum store_rc rc;

	r = ts_run(ts_db, p, type, text, &rc);
	assert_int_equal(rc, STORE_OK);
	if (json_object_object_get_ex(r, "session", &o))
		json_object_get(o);
	json_object_put(r);
	return o;
}

static void
same_as_asked(struct json_object *o, const char *session)
{
	struct json_object *r = info(session);

	assert_non_null(o);
	json_object_object_del(r, "t");
	json_object_object_del(r, "id");
	assert_true(json_object_equal(o, r));
	json_object_put(r);
	json_object_put(o);
}

#define PUT(event, more, data)                                                 \
	"{\"kind\":\"post\",\"event\":\"" event "\",\"lane\":\"l\","         \
	"\"channel\":\"c1\",\"at\":1," more "\"data\":{" data "}}"
#define MINE                                                                   \
	"\"session\":\"" S "\",\"agent\":\"helper\",\"notes\":\"" S "\""

/* What a turn asks is told with the row, or with the end of the one before. */
static void
test_told_unasked(void **state)
{
	char text[512];
	int64_t seq;

	ts_ok(ts_db, ts_main, "note.put",
	    "{\"session\":\"" S "\",\"agent\":\"helper\",\"key\":\"k\","
	    "\"at\":1,\"text\":\"a note\"}");
	same_as_asked(told(ts_main, "inbox.put",
	    PUT("e1", "\"tell\":true,", MINE)), S);
	/* Nothing is told that nobody wants, or that session.open refuses. */
	assert_null(told(ts_main, "inbox.put", PUT("e2", "", MINE)));
	assert_null(told(ts_main, "inbox.put", PUT("e3", "\"tell\":true,",
	    "\"session\":\"agent:spy:main\",\"agent\":\"spy\"")));
	assert_null(told(ts_main, "inbox.put", PUT("e4", "\"tell\":true,",
	    "\"session\":[\"" S "\"],\"agent\":\"helper\"")));
	assert_null(told(ts_main, "inbox.put",
	    PUT("e5", "\"tell\":true,", "")));
	/* Of the session as the commit leaves it. */
	seq = ts_put(ts_db, ts_main, "e6");
	snprintf(text, sizeof(text), "{\"seq\":%lld,\"outcome\":\"answered\","
	    "\"session\":\"" S "\",\"agent\":\"helper\",\"next\":\"" S "\","
	    "\"transcript\":[{\"role\":\"user\",\"content\":\"x\"}]}",
	    (long long)seq);
	same_as_asked(told(ts_main, "turn.commit", text), S);
	/* The second time it is over, and says no more. */
	assert_null(told(ts_main, "turn.commit", text));
	/* A row that has ended begins nothing. */
	snprintf(text, sizeof(text), "{\"seq\":%lld,\"outcome\":\"silent\"}",
	    (long long)ts_put(ts_db, ts_main, "e1"));
	ts_ok(ts_db, ts_main, "turn.commit", text);
	assert_null(told(ts_main, "inbox.put",
	    PUT("e1", "\"tell\":true,", MINE)));
}

static void
test_only_own_agents(void **state)
{
	session_open_as(ts_main,
	    "{\"session\":\"agent:spy:main\","
	    "\"agent\":\"helper\"}",
	    STORE_DENIED);
	session_open_as(ts_main,
	    "{\"session\":\"agent:spy:main\","
	    "\"agent\":\"spy\"}",
	    STORE_DENIED);
	session_open_as(ts_main,
	    "{\"session\":\"" S "\",\"agent\":\"helper\","
	    "\"notes\":\"agent:spy:main\"}",
	    STORE_DENIED);
	session_open_as(ts_other, "{\"session\":\"" S "\",\"agent\":\"spy\"}",
	    STORE_DENIED);
	ts_fail(ts_db, ts_other, "note.put",
	    "{\"session\":\"" S "\",\"agent\":"
	    "\"helper\",\"key\":\"k\",\"at\":1,\"text\":\"t\"}",
	    STORE_DENIED);
	commit("e1", "\"session\":\"agent:spy:main\",\"meta\":{\"model\":"
	    "\"x\"}", STORE_DENIED);
	commit("e2", "\"session\":\"" S "\",\"notes\":{\"session\":"
	    "\"agent:spy:main\",\"upto\":9}", STORE_DENIED);
	commit("e3", "\"session\":\"" T "\",\"parent\":\"agent:spy:main\","
	    "\"transcript\":[{\"role\":\"user\",\"content\":\"x\"}]",
	    STORE_DENIED);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM session"), 0);
}

static void
test_meta_and_usage(void **state)
{
	struct json_object *r;

	commit("e1", "\"session\":\"" S "\",\"meta\":{\"model\":\"big\"}",
	    STORE_OK);
	commit("e2", "\"session\":\"" S "\",\"meta\":{\"thinking\":\"high\"}",
	    STORE_OK);
	commit("e3", "\"session\":\"" S "\",\"usage\":{\"prompt\":7,"
	    "\"completion\":3,\"model\":\"big-1\"}", STORE_OK);
	commit("e4", "\"session\":\"" S "\",\"usage\":{\"prompt\":10,"
	    "\"completion\":2}", STORE_OK);
	db_close(ts_db);
	ts_db = ts_open();
	r = info(S);
	assert_true(known(r));
	assert_string_equal(ts_str(r, "model"), "big");
	assert_string_equal(ts_str(r, "thinking"), "high");
	assert_string_equal(ts_str(r, "used"), "big-1");
	assert_int_equal(ts_int(r, "turns"), 2);
	assert_int_equal(ts_int(r, "prompt"), 17);
	assert_int_equal(ts_int(r, "completion"), 5);
	json_object_put(r);
	commit("e5", "\"session\":\"" S "\",\"meta\":{\"model\":\"\"}",
	    STORE_OK);
	r = info(S);
	assert_string_equal(ts_str(r, "model"), "");
	assert_string_equal(ts_str(r, "thinking"), "high");
	json_object_put(r);
	commit("e6", "\"session\":\"" S "\",\"meta\":{\"colour\":\"red\"}",
	    STORE_BAD);
}

static void
test_reset_keeps_what_was_set(void **state)
{
	struct json_object *r;

	commit("e1", "\"session\":\"" S "\",\"meta\":{\"model\":\"big\"},"
	    "\"usage\":{\"prompt\":7,\"completion\":3},"
	    "\"transcript\":[{\"role\":\"user\",\"content\":\"hi\"}]",
	    STORE_OK);
	commit("e2", "\"session\":\"" S "\",\"reset\":true", STORE_OK);
	r = info(S);
	assert_int_equal(ts_int(r, "gen"), 1);
	assert_int_equal(ts_int(r, "messages"), 0);
	assert_int_equal(ts_int(r, "turns"), 0);
	assert_int_equal(ts_int(r, "prompt"), 0);
	assert_string_equal(ts_str(r, "model"), "big");
	json_object_put(r);
	/* The operator's reset is seen as well. */
	json_object_put(ts_run(ts_db, ts_ctl, "session.reset",
	    "{\"session\":\"" S "\"}", &(enum store_rc){0}));
	r = info(S);
	assert_int_equal(ts_int(r, "gen"), 2);
	json_object_put(r);
}

/* The contents of a session's messages, one letter each. */
static const char *
load(struct peer *p, const char *session, const char *parent,
    enum store_rc want)
{
	static char out[128];
	struct json_object *r, *list;
	char text[512];
	enum store_rc rc;
	size_t i;

	snprintf(text, sizeof(text),
	    "{\"session\":\"%s\",\"max_bytes\":100000%s%s%s}", session,
	    *parent == '\0' ? "" : ",\"parent\":\"", parent,
	    *parent == '\0' ? "" : "\"");
	r = ts_run(ts_db, p, "session.load", text, &rc);
	assert_int_equal(rc, want);
	out[0] = '\0';
	if (r == NULL)
		return out;
	/* As it goes over the link: the messages are raw text here. */
	list = json_tokener_parse(json_object_to_json_string(
	    json_object_object_get(r, "messages")));
	for (i = 0; i < json_object_array_length(list); i++)
		strlcat(out, ts_str(json_object_array_get_idx(list, i),
			    "content"), sizeof(out));
	json_object_put(list);
	json_object_put(r);
	return out;
}

#define SAY(event, session, more, c)                                           \
	commit(event, "\"session\":\"" session "\"," more                      \
	    "\"transcript\":[{\"role\":\"user\",\"content\":\"" c "\"}]",      \
	    STORE_OK)

/* Of a channel that is private now. */
#define G "agent:helper:mattermost:group:c1"

static void
test_channel_that_was_made_private(void **state)
{
	struct json_object *r;
	char twin[STORE_SESSION + 1];

	SAY("e1", S, "\"meta\":{\"model\":\"big\"},", "a");
	SAY("e2", T, "\"parent\":\"" S "\",", "b");
	ts_ok(ts_db, ts_main, "note.put", "{\"session\":\"" S "\",\"agent\":"
	    "\"helper\",\"key\":\"k\",\"at\":1,\"text\":\"noted\"}");
	/* It is found before anything is written, */
	r = info(G);
	assert_true(known(r));
	assert_string_equal(ts_str(r, "model"), "big");
	assert_int_equal(json_object_array_length(
	    json_object_object_get(r, "notes")), 1);
	json_object_put(r);
	assert_string_equal(load(helper, G, "", STORE_OK), "a");
	assert_string_equal(load(helper, G ":thread:r1", G, STORE_OK), "ab");
	assert_string_equal(load(helper, G ":thread:r2", G, STORE_OK), "a");
	/* and goes on under its new key, each part as it is used. */
	SAY("e3", G ":thread:r1",
	    "\"notes\":{\"session\":\"" G "\",\"upto\":9},", "c");
	SAY("e4", G, "", "d");
	assert_string_equal(load(helper, G, "", STORE_OK), "ad");
	assert_string_equal(load(helper, G ":thread:r1", "", STORE_OK), "abc");
	r = info(G);
	assert_int_equal(json_object_array_length(
	    json_object_object_get(r, "notes")), 0);
	json_object_put(r);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM session"), 2);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM session"
	    " WHERE key LIKE '%group%'"), 2);
	/* A turn that began before ends in the same conversation. */
	SAY("e5", S, "", "e");
	assert_string_equal(load(helper, G, "", STORE_OK), "ade");
	/* Nobody else's, and no other key, has a twin. */
	load(spy, G, "", STORE_DENIED);
	assert_int_equal(session_twin("agent:helper:main", twin), 0);
	assert_int_equal(
	    session_twin("agent:helper:x:mattermost:group:c1", twin), 0);
	assert_int_equal(session_twin("mattermost:group:c1", twin), 0);
	assert_string_equal(twin, "");
}

static void
test_thread_begins_with_its_parent(void **state)
{
	char event[16];
	int i;

	SAY("e1", S, "", "a");
	SAY("e2", S, "", "b");
	assert_string_equal(load(helper, T, S, STORE_OK), "ab");
	assert_string_equal(load(helper, T, "", STORE_OK), "");
	load(spy, T, S, STORE_DENIED);
	load(helper, T, "agent:spy:main", STORE_DENIED);
	/* From its first turn on it has words of its own. */
	SAY("e3", T, "\"parent\":\"" S "\",", "c");
	SAY("e4", S, "", "d");
	assert_string_equal(load(helper, T, S, STORE_OK), "abc");
	SAY("e5", T, "\"parent\":\"" S "\",", "e");
	assert_string_equal(load(helper, T, S, STORE_OK), "abce");
	assert_string_equal(load(helper, S, "", STORE_OK), "abd");
	/* A thread that was reset is empty, not new. */
	commit("e6", "\"session\":\"" T "2\",\"reset\":true,\"parent\":\""
	    S "\"", STORE_OK);
	assert_string_equal(load(helper, T "2", S, STORE_OK), "");
	/* Not more than so many. */
	for (i = 0; i < INHERIT_MESSAGES + 5; i++) {
		snprintf(event, sizeof(event), "m%d", i);
		SAY(event, S, "", "x");
	}
	assert_int_equal(
	    strlen(load(helper, T "3", S, STORE_OK)), INHERIT_MESSAGES);
	SAY("e7", T "3", "\"parent\":\"" S "\",", "y");
	assert_int_equal(strlen(load(helper, T "3", "", STORE_OK)),
	    INHERIT_MESSAGES + 1);
}

static void
note(const char *key, int at)
{
	char text[512];

	snprintf(text, sizeof(text), "{\"session\":\"" S "\",\"agent\":"
	    "\"helper\",\"key\":\"%s\",\"at\":%d,\"text\":\"t-%s\"}", key, at,
	    key);
	ts_ok(ts_db, ts_main, "note.put", text);
}

static void
test_notes(void **state)
{
	struct json_object *r, *list;
	char key[16], upto[128];
	int64_t last;
	int i;

	for (i = 0; i < 25; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		note(key, i);
		note(key, i); /* the same again takes its place */
	}
	r = info(S);
	list = json_object_object_get(r, "notes");
	assert_int_equal(json_object_array_length(list), 20);
	assert_string_equal(
	    ts_str(json_object_array_get_idx(list, 0), "text"), "t-k5");
	assert_int_equal(ts_int(json_object_array_get_idx(list, 0), "at"), 5);
	last = ts_int(json_object_array_get_idx(list, 19), "n");
	json_object_put(r);
	/* One that comes while they are shown is for the turn after. */
	note("late", 9);
	snprintf(upto, sizeof(upto), "\"session\":\"" S "\",\"notes\":{"
	    "\"session\":\"" S "\",\"upto\":%lld}", (long long)last);
	commit("e1", upto, STORE_OK);
	note("later", 9);
	r = info(S);
	list = json_object_object_get(r, "notes");
	assert_int_equal(json_object_array_length(list), 2);
	assert_string_equal(
	    ts_str(json_object_array_get_idx(list, 0), "text"), "t-late");
	json_object_put(r);
	/* Shown once, the same does not come again; another time does. */
	note("k20", 20);
	assert_int_equal(
	    ts_sql(ts_db, "SELECT count(*) FROM note WHERE text <> ''"), 2);
	note("k20", 21);
	r = info(S);
	list = json_object_object_get(r, "notes");
	assert_int_equal(json_object_array_length(list), 3);
	assert_string_equal(
	    ts_str(json_object_array_get_idx(list, 2), "text"), "t-k20");
	/* Numbers do not come back. */
	assert_true(ts_int(json_object_array_get_idx(list, 0), "n") > last);
	json_object_put(r);
	assert_int_equal(ts_sql(ts_db, "SELECT count(*) FROM note"), 20);
}

static void
test_gates(void **state)
{
	struct json_object *r, *list;
	enum store_rc rc;

	commit("e1", "\"gate\":{\"channel\":\"c1\",\"mode\":\"always\"}",
	    STORE_OK);
	commit("e2", "\"gate\":{\"channel\":\"c2\",\"mode\":\"always\"}",
	    STORE_OK);
	commit("e3", "\"gate\":{\"channel\":\"c1\",\"mode\":\"mention\"}",
	    STORE_OK);
	commit("e4", "\"gate\":{\"channel\":\"c2\",\"mode\":\"\"}", STORE_OK);
	commit("e5", "\"gate\":{\"channel\":\"c2\",\"mode\":\"maybe\"}",
	    STORE_BAD);
	r = ts_run(ts_db, ts_main, "access.load", "{}", &rc);
	list = json_object_object_get(r, "gates");
	assert_int_equal(json_object_array_length(list), 1);
	assert_string_equal(
	    ts_str(json_object_array_get_idx(list, 0), "channel"), "c1");
	assert_string_equal(
	    ts_str(json_object_array_get_idx(list, 0), "mode"), "mention");
	json_object_put(r);
	r = ts_run(ts_db, ts_other, "access.load", "{}", &rc);
	assert_int_equal(json_object_array_length(
	    json_object_object_get(r, "gates")), 0);
	json_object_put(r);
}

static void
test_rows_that_end_together(void **state)
{
	int64_t p = ts_put(ts_db, ts_main, "p"),
		q = ts_put(ts_db, ts_main, "q");
	int64_t foreign = ts_put(ts_db, ts_other, "f");
	char text[512];

	snprintf(text, sizeof(text), "\"ends\":{\"outcome\":\"merged\","
	    "\"seqs\":[%lld,%lld]}", (long long)p, (long long)foreign);
	commit("e1", text, STORE_DENIED);
	assert_int_equal(
	    ts_sql(ts_db, "SELECT count(*) FROM inbox WHERE state = 0"), 4);
	snprintf(text, sizeof(text), "\"ends\":{\"outcome\":\"merged\","
	    "\"seqs\":[%lld,%lld]}", (long long)p, (long long)q);
	commit("e1", text, STORE_OK);
	assert_int_equal(
	    ts_sql(ts_db, "SELECT count(*) FROM inbox"
			  " WHERE state = 1 AND outcome = 'merged'"),
	    2);
	commit("e2", "\"ends\":{\"outcome\":7,\"seqs\":[]}", STORE_BAD);
	commit("e3", "\"ends\":{\"seqs\":[]}", STORE_BAD);
}

int
main(void)
{
#define X(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    X(test_unknown_session),
	    X(test_told_unasked),
	    X(test_only_own_agents),
	    X(test_meta_and_usage),
	    X(test_reset_keeps_what_was_set),
	    X(test_channel_that_was_made_private),
	    X(test_thread_begins_with_its_parent),
	    X(test_notes),
	    X(test_gates),
	    X(test_rows_that_end_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
