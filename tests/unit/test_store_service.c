/*
 * The store behind its links: grouped commits, loading, peers that die or
 * misbehave, a full disk, a database that cannot be opened.
 */
#include "config.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <event2/event.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/monotime.h"
#include "tests/unit/test_store_rig.h"
#include "tests/unit/test_store_util.h"

static void
limit_file(rlim_t bytes)
{
	struct rlimit rl;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &rl), 0);
	rl.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
}

static int
teardown(void **state)
{
	limit_file(RLIM_INFINITY);
	return rig_teardown(state);
}

static int64_t
stat_of(struct client *control, const char *key)
{
	assert_string_equal(call(control, "stats", "{}"), "data");
	return ts_int(control->reply, key);
}

static void
test_group_shares_commits(void **state)
{
	struct client a, b, ctl;
	char event[32];
	int64_t commits;
	int i;

	service_start(rig_sv);
	rig_open(&a, "account", "a", NULL);
	rig_open(&b, "account", "b", NULL);
	rig_open(&ctl, "control", "", NULL);
	commits = stat_of(&ctl, "commits");
	for (i = 0; i < 40; i++) {
		snprintf(event, sizeof(event), "e%d", i);
		put(&a, event, 10);
		put(&b, event, 10);
	}
	wait_replies(&a, 40);
	wait_replies(&b, 40);
	assert_int_equal(a.errs + b.errs, 0);
	commits = stat_of(&ctl, "commits") - commits;
	assert_in_range(commits, 1, 8);
	assert_int_equal(stat_of(&ctl, "ops") >= 80, 1);
	client_close(&a);
	client_close(&b);
	client_close(&ctl);
}

static void
test_quiet_are_committed_in_time(void **state)
{
	struct client a, ctl;
	int64_t commits;

	service_start(rig_sv);
	rig_open(&a, "account", "a", NULL);
	rig_open(&ctl, "control", "", NULL);
	commits = stat_of(&ctl, "commits");
	tell(&a, "mark", "{\"channel\":\"c\",\"post\":\"p\",\"at\":1}");
	tell(&a, "drops",
	    "{\"drops\":[{\"at\":1,\"stage\":\"s\","
	    "\"reason\":\"no-mention\"}]}");
	rig_run_ms(30);
	/* A crash now: nothing was promised. */
	rig_run_ms(120);
	assert_int_equal(stat_of(&ctl, "commits") - commits, 1);
	client_close(&a);
	rig_restart();
	rig_open(&a, "account", "a", NULL);
	assert_string_equal(call(&a, "load", "{}"), "load.end");
	assert_int_equal(a.n_rows, 1);
	client_close(&a);
	client_close(&ctl);
}

static void
test_load(void **state)
{
	struct client a;
	int64_t first;

	service_start(rig_sv);
	rig_open(&a, "account", "a", "{\"agents\":[\"g\"]}");
	assert_string_equal(call(&a, "load", "{}"), "load.end");
	assert_int_equal(ts_int(a.reply, "first_at"), 0);
	assert_int_equal(a.n_rows, 0);
	put(&a, "e1", 3);
	put(&a, "e2", 3);
	put(&a, "e3", 3);
	tell(&a, "mark", "{\"channel\":\"c0\",\"post\":\"p\",\"at\":1}");
	wait_replies(&a, 4);
	assert_string_equal(
	    call(&a, "turn.commit",
		"{\"seq\":2,\"outcome\":\"answered\",\"outbox\":["
		"{\"key\":\"k2\",\"op\":\"post\",\"channel\":\"c1\","
		"\"text\":\"t\",\"props\":{\"q\":[1,2]}},"
		"{\"key\":\"k1\",\"op\":\"delete\",\"channel\":\"c1\","
		"\"post\":\"pp\"}]}"),
	    "ok");
	client_close(&a);
	rig_restart();
	rig_open(&a, "account", "a", NULL);
	assert_string_equal(call(&a, "load", "{}"), "load.end");
	first = ts_int(a.reply, "first_at");
	assert_true(first > 1000000);
	assert_int_equal(a.n_rows, 6);
	rig_check_row(&a, 0, "mark.row", "channel", "c0");
	rig_check_row(&a, 1, "mark.row", "channel", "c1");
	rig_check_row(&a, 2, "inbox.row", "event", "e1");
	rig_check_row(&a, 3, "inbox.row", "event", "e3");
	rig_check_row(&a, 3, "inbox.row", "data", "{ \"x\": \"xxx\" }");
	rig_check_row(&a, 4, "outbox.row", "key", "k2");
	rig_check_row(&a, 4, "outbox.row", "props", "{ \"q\": [ 1, 2 ] }");
	rig_check_row(&a, 5, "outbox.row", "key", "k1");
	rig_check_row(&a, 5, "outbox.row", "post", "pp");
	client_close(&a);
	rig_open(&a, "account", "b", NULL);
	assert_string_equal(call(&a, "load", "{}"), "load.end");
	assert_int_equal(a.n_rows, 0);
	client_close(&a);
}

/* More than a channel holds; and what is put meanwhile is not part of it. */
static void
test_load_large(void **state)
{
	struct client a;
	char event[32];
	int i;

	service_start(rig_sv);
	rig_open(&a, "account", "a", NULL);
	for (i = 0; i < 30; i++) {
		snprintf(event, sizeof(event), "big%02d", i);
		put(&a, event, 300000);
		wait_replies(&a, i + 1);
	}
	for (i = 0; i < 2000; i++) {
		snprintf(event, sizeof(event), "small%04d", i);
		put(&a, event, 20);
	}
	wait_replies(&a, 2030);
	assert_int_equal(a.errs, 0);
	client_close(&a);
	rig_open(&a, "account", "a", NULL);
	ask(&a, "load", "{}");
	/* The load has begun, and waits for us. */
	while (a.n_rows < 2)
		event_base_loop(rig_base, EVLOOP_ONCE);
	put(&a, "later", 20);
	wait_replies(&a, 2);
	assert_int_equal(a.n_rows, 2031);
	for (i = 0; i < 30; i++) {
		snprintf(event, sizeof(event), "big%02d", i);
		rig_check_row(&a, 1 + i, "inbox.row", "event", event);
	}
	for (i = 0; i < 2000; i++) {
		snprintf(event, sizeof(event), "small%04d", i);
		rig_check_row(&a, 31 + i, "inbox.row", "event", event);
	}
	client_close(&a);
}

static void
check_attempts(int64_t want1, int64_t want2)
{
	struct json_object *o;
	struct client a;

	rig_open(&a, "account", "a", NULL);
	assert_string_equal(call(&a, "load", "{}"), "load.end");
	assert_int_equal(a.n_rows, 3);
	o = row(&a, 1);
	assert_int_equal(ts_int(o, "attempts"), want1);
	json_object_put(o);
	o = row(&a, 2);
	assert_int_equal(ts_int(o, "attempts"), want2);
	json_object_put(o);
	client_close(&a);
	rig_run_ms(1);
}

static void
test_claims(void **state)
{
	struct client a, b, ctl;
	struct json_object *rows;

	service_start(rig_sv);
	rig_open(&a, "account", "a", NULL);
	rig_open(&ctl, "control", "", NULL);
	put(&a, "e1", 3);
	put(&a, "e2", 3);
	put(&a, "e3", 3);
	wait_replies(&a, 3);
	tell(&a, "turn.begin", "{\"seq\":1}");
	tell(&a, "turn.begin", "{\"seq\":3}");
	assert_string_equal(
	    call(&a, "turn.commit", "{\"seq\":3,\"outcome\":\"silent\"}"),
	    "ok");
	assert_string_equal(call(&ctl, "explain", "{\"post\":\"e1\"}"), "data");
	rows = json_object_object_get(ctl.reply, "rows");
	assert_string_equal(
	    ts_str(json_object_array_get_idx(rows, 0), "state"), "running");
	call(&ctl, "explain", "{\"post\":\"e2\"}");
	rows = json_object_object_get(ctl.reply, "rows");
	assert_string_equal(
	    ts_str(json_object_array_get_idx(rows, 0), "state"), "pending");
	/* The worker dies: the row that it had begun counts an attempt. */
	client_close(&a);
	rig_run_ms(150);
	check_attempts(1, 0);
	/* One that is replaced has died, too. */
	rig_open(&a, "account", "a", NULL);
	tell(&a, "turn.begin", "{\"seq\":2}");
	rig_run_ms(5);
	rig_open(&b, "account", "a", NULL);
	rig_run_ms(5);
	assert_int_equal(a.closed, 1);
	client_close(&a);
	client_close(&b);
	check_attempts(1, 1);
	/* An orderly retry is one attempt, and ends the claim. */
	rig_open(&a, "account", "a", NULL);
	tell(&a, "turn.begin", "{\"seq\":2}");
	assert_string_equal(call(&a, "turn.retry",
				"{\"seq\":2,\"not_before\":1,"
				"\"reason\":\"x\"}"),
	    "ok");
	client_close(&a);
	rig_run_ms(5);
	rig_restart();
	check_attempts(1, 2);
	client_close(&ctl);
}

static void
test_violation(void **state)
{
	struct client a, b;

	service_start(rig_sv);
	rig_open(&a, "account", "a", NULL);
	rig_open(&b, "account", "b", NULL);
	put(&b, "e1", 3);
	tell(&a, "mark", "{\"channel\":5,\"post\":\"p\",\"at\":1}");
	put(&b, "e2", 3);
	wait_replies(&b, 2);
	rig_run_ms(5);
	assert_int_equal(a.closed, 1);
	assert_int_equal(b.closed, 0);
	assert_int_equal(b.errs, 0);
	client_close(&a);
	client_close(&b);
}

/* Committed work counts even when nobody is left to hear of it. */
static void
test_peer_dies_in_group(void **state)
{
	struct client a;

	service_start(rig_sv);
	rig_open(&a, "account", "a", NULL);
	put(&a, "e1", 3);
	chan_flush(a.chan, 100);
	client_close(&a);
	rig_run_ms(20);
	rig_open(&a, "account", "a", NULL);
	assert_string_equal(call(&a, "load", "{}"), "load.end");
	assert_int_equal(a.n_rows, 2);
	client_close(&a);
}

static void
test_full(void **state)
{
	struct client a, b;
	char event[32];
	int i;

	signal(SIGXFSZ, SIG_IGN);
	service_start(rig_sv);
	rig_open(&a, "account", "a", NULL);
	rig_open(&b, "account", "b", NULL);
	assert_string_equal(call(&a, "outbox.put",
				"{\"outbox\":[{\"key\":\"k\",\"op\":\"post\","
				"\"channel\":\"c\",\"text\":\"t\"}]}"),
	    "ok");
	put(&a, "e0", 10);
	wait_replies(&a, 2);
	/* No byte past the first 8 KB of any file can be written now. */
	limit_file(8192);
	for (i = 1; i < 10; i++) {
		snprintf(event, sizeof(event), "e%d", i);
		put(&a, event, 4000);
		put(&b, event, 4000);
	}
	tell(&a, "outbox.done", "{\"key\":\"k\",\"post\":\"p\"}");
	wait_replies(&a, 11);
	wait_replies(&b, 9);
	assert_int_equal(a.errs, 9);
	assert_int_equal(b.errs, 9);
	assert_string_equal(a.type, "err");
	assert_string_equal(ts_str(a.reply, "code"), "full");
	assert_string_equal(rig_state, "full");
	/* It goes on failing, and answering. */
	put(&b, "e1", 40000);
	wait_replies(&b, 10);
	assert_string_equal(b.type, "err");
	limit_file(RLIM_INFINITY);
	put(&b, "e1", 4000);
	wait_replies(&b, 11);
	assert_string_equal(b.type, "inbox.ok");
	assert_string_equal(rig_state, "open");
	/* What needed no answer is made up for: the row is not sent again. */
	rig_run_ms(1300);
	client_close(&a);
	client_close(&b);
	rig_restart();
	rig_open(&a, "account", "a", NULL);
	assert_string_equal(call(&a, "load", "{}"), "load.end");
	for (i = 0; i < (int)a.n_rows; i++)
		assert_null(strstr(a.rows[i], "outbox.row"));
	assert_non_null(strstr(a.rows[1], "\"e0\""));
	client_close(&a);
}

static void
test_cannot_open(void **state)
{
	struct client a;

	assert_int_equal(mkdir(STORE_FILE, 0700), 0);
	service_start(rig_sv);
	assert_string_equal(rig_state, "backoff");
	rig_open(&a, "account", "a", NULL);
	put(&a, "e1", 3);
	wait_replies(&a, 1);
	assert_string_equal(a.type, "err");
	assert_string_equal(ts_str(a.reply, "code"), "io");
	tell(&a, "mark", "{\"channel\":\"c\",\"post\":\"p\",\"at\":1}");
	rig_run_ms(5);
	assert_int_equal(rmdir(STORE_FILE), 0);
	rig_run_ms(1200);
	assert_string_equal(rig_state, "open");
	put(&a, "e1", 3);
	wait_replies(&a, 2);
	assert_string_equal(a.type, "inbox.ok");
	rig_run_ms(1100);
	/* The mark that came too early was kept. */
	assert_string_equal(call(&a, "load", "{}"), "load.end");
	rig_check_row(&a, 0, "mark.row", "channel", "c");
	client_close(&a);
}

static void
test_links_before_start(void **state)
{
	struct client a;
	int sp[2];

	rig_open(&a, "account", "a", NULL);
	put(&a, "e1", 3);
	rig_run_ms(5);
	assert_int_equal(a.replies, 0);
	service_start(rig_sv);
	wait_replies(&a, 1);
	assert_string_equal(a.type, "inbox.ok");
	service_unlink(rig_sv, "account", "a");
	rig_run_ms(5);
	assert_int_equal(a.closed, 1);
	client_close(&a);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sp), 0);
	assert_int_equal(service_link(rig_sv, "turn", "a", NULL, sp[0]), -1);
	close(sp[1]);
}

/* A peer that asks and does not read gets no more than its queue. */
static void
test_slow_reader(void **state)
{
	struct client a, g;
	char *text = malloc(700000), event[16];
	int i;

	service_start(rig_sv);
	rig_open(&a, "account", "a", "{\"agents\":[\"g\"]}");
	for (i = 0; i < 2; i++) {
		snprintf(event, sizeof(event), "e%d", i);
		put(&a, event, 3);
		wait_replies(&a, 2 * i + 1);
		snprintf(text, 700000,
		    "{\"seq\":%d,\"session\":\"agent:g:main\",\"agent\":\"g\","
		    "\"outcome\":\"answered\",\"transcript\":[{\"role\":"
		    "\"user\",\"content\":\"%0400000d\"}]}",
		    i + 1, i);
		ask(&a, "turn.commit", text);
		wait_replies(&a, 2 * i + 2);
		assert_string_equal(a.type, "ok");
	}
	rig_open(&g, "agent", "g", NULL);
	chan_pause(g.chan, 1);
	for (i = 0; i < 40; i++)
		ask(&g, "session.load",
		    "{\"session\":\"agent:g:main\",\"max_bytes\":1000000}");
	rig_run_ms(100);
	/* Others are served meanwhile. */
	put(&a, "x", 3);
	wait_replies(&a, 5);
	chan_pause(g.chan, 0);
	wait_replies(&g, 40);
	assert_int_equal(g.errs, 0);
	assert_int_equal(json_object_array_length(
			     json_object_object_get(g.reply, "messages")),
	    2);
	free(text);
	client_close(&a);
	client_close(&g);
}

/* Asks as fast as it can, and reads no answer, until it is killed. */
static pid_t
flood(const char *id, const char *json)
{
	uint32_t n = (uint32_t)strlen(json);
	uint16_t head[2] = {0, PROTO_VERSION};
	char frames[65536];
	size_t len;
	int sp[2];
	pid_t pid;

	for (len = 0; len + n + 8 <= sizeof(frames); len += n + 8) {
		memcpy(frames + len, &n, 4);
		memcpy(frames + len + 4, head, 4);
		memcpy(frames + len + 8, json, n);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sp), 0);
	assert_int_equal(
	    service_link(rig_sv, "account", id, NULL, sp[0]), 0);
	if ((pid = fork()) == 0) {
		while (write(sp[1], frames, len) == (ssize_t)len)
			continue;
		_exit(0);
	}
	close(sp[1]);
	return pid;
}

/* It is the next commit that the others wait for, not the last question. */
static void
test_reads_do_not_put_off_others(void **state)
{
	struct client a;
	pid_t pid;
	int i;

	service_start(rig_sv);
	rig_open(&a, "account", "a", NULL);
	pid = flood("b", "{\"t\":\"posts.find\",\"id\":1,\"posts\":[]}");
	assert_int_not_equal(pid, -1);
	for (i = 0; i < 20; i++)
		event_base_loop(rig_base, EVLOOP_ONCE);
	put(&a, "e", 3);
	for (i = 0; i < 200 && a.replies == 0; i++)
		event_base_loop(rig_base, EVLOOP_ONCE);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(a.replies, 1);
	assert_string_equal(a.type, "inbox.ok");
	client_close(&a);
}

/* One that has its share is refused, alone. */
static void
test_share(void **state)
{
	struct client a, b;
	struct db *db = ts_open();

	ts_sql(db, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1"
		   " FROM c LIMIT 140000) INSERT INTO tool(account, key, seq)"
		   " SELECT 'a', x, 1 FROM c");
	db_close(db);
	service_start(rig_sv);
	rig_open(&a, "account", "a", NULL);
	rig_open(&b, "account", "b", NULL);
	put(&a, "e1", 3);
	put(&b, "e1", 3);
	wait_replies(&a, 1);
	wait_replies(&b, 1);
	assert_string_equal(a.type, "err");
	assert_string_equal(ts_str(a.reply, "code"), "quota");
	assert_string_equal(b.type, "inbox.ok");
	assert_string_equal(rig_state, "open");
	client_close(&a);
	client_close(&b);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, rig_setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_group_shares_commits),
	    T(test_quiet_are_committed_in_time),
	    T(test_load),
	    T(test_load_large),
	    T(test_claims),
	    T(test_violation),
	    T(test_peer_dies_in_group),
	    T(test_full),
	    T(test_share),
	    T(test_cannot_open),
	    T(test_links_before_start),
	    T(test_slow_reader),
	    T(test_reads_do_not_put_off_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
