/* Requests, freeing from every callback, and secrets in the heap. */
#include "config.h"

#include <malloc.h>

#include "tests/unit/chan_help.h"
#include "common/chan_int.h"
#include <json-c/printbuf.h>

/* Two real ends on one loop: a is the dialer, b the account. */
struct two {
	struct rig r; /* r.c is b */
	struct chan *a;
	int replies, timeouts, no_answer;
	struct json_object *held; /* a request not answered yet */
	struct json_object *held2;
};

static void
on_dial(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct two *t = arg;

	t->r.handled++;
	if (t->no_answer)
		return;
	if (t->held == NULL)
		t->held = json_object_get(msg);
	else if (t->held2 == NULL)
		t->held2 = json_object_get(msg);
	else
		chan_send(c, chan_reply_msg("dial.err", msg), -1);
}

static void
on_reply(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct two *t = arg;

	if (fd != -1)
		close(fd);
	if (msg == NULL) {
		t->timeouts++;
		rig_see(&t->r, "none");
	} else {
		t->replies++;
		rig_see(&t->r, type);
	}
}

static const struct chan_handler dialer_side[] = {
    {"dial", on_dial}, {NULL, NULL}};
static const struct chan_handler account_side[] = {{NULL, NULL}};

static void
two_open(struct two *t)
{
	memset(t, 0, sizeof(*t));
	rig_open(&t->r, PROTO_DIAL, SIDE_B, account_side);
	t->a = chan_new(t->r.base, t->r.sv[1], PROTO_DIAL, SIDE_A,
	    dialer_side, rig_ended, t);
	t->r.sv[1] = -1;
}

static void
two_close(struct two *t)
{
	json_object_put(t->held);
	json_object_put(t->held2);
	chan_free(t->a);
	rig_close(&t->r);
}

static void
run_ms(struct two *t, int ms)
{
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	event_base_loopexit(t->r.base, &tv);
	event_base_dispatch(t->r.base);
}

static int
ask(struct two *t, int ms)
{
	return chan_request(
	    t->r.c, chan_msg("dial"), -1, ms, on_reply, t);
}

static void
test_reply_order(void **state)
{
	struct two t;

	two_open(&t);
	ask(&t, 5000);
	ask(&t, 5000);
	ask(&t, 5000);
	rig_turns(&t.r, 5);
	assert_string_equal(t.r.seen, "dial.err ");
	chan_send(t.a, chan_reply_msg("dial.ok", t.held2),
	    open("/dev/null", O_RDONLY));
	chan_send(t.a, chan_reply_msg("dial.err", t.held), -1);
	/* A second answer to the same request is late: nobody hears it. */
	chan_send(t.a, chan_reply_msg("dial.ok", t.held),
	    open("/dev/null", O_RDONLY));
	rig_turns(&t.r, 5);
	assert_string_equal(t.r.seen, "dial.err dial.ok dial.err ");
	assert_int_equal(t.r.ended, 0);
	two_close(&t);
}

/* The later request has the earlier deadline; late answers are dropped. */
static void
test_timeouts(void **state)
{
	struct two t;
	int fds;

	two_open(&t);
	ask(&t, 60000);
	ask(&t, 30);
	run_ms(&t, 100);
	assert_int_equal(t.timeouts, 1);
	assert_non_null(t.held2);
	fds = fds_open();
	chan_send(t.a, chan_reply_msg("dial.ok", t.held2),
	    open("/dev/null", O_RDONLY));
	rig_turns(&t.r, 5);
	assert_int_equal(fds_open(), fds);
	assert_int_equal(t.replies, 0);
	chan_forget(t.r.c, on_reply, &t);
	chan_send(t.a, chan_reply_msg("dial.err", t.held), -1);
	rig_turns(&t.r, 5);
	assert_int_equal(t.replies, 0);
	assert_int_equal(t.timeouts, 1);
	two_close(&t);
	assert_int_equal(t.timeouts, 1);
}

static void
test_free_answers_all(void **state)
{
	struct two t;

	two_open(&t);
	ask(&t, 5000);
	ask(&t, 5000);
	two_close(&t);
	assert_int_equal(t.timeouts, 2);
}

/* Freeing from every kind of callback; ASan is the judge. */
static struct chan *victim;
static int freed;

static void
free_now(void)
{
	freed++;
	chan_free(victim);
}

static void
free_on_reply(void *arg, const char *type, struct json_object *msg, int fd)
{
	/* Also when it comes from chan_free() itself. */
	free_now();
}

static void
free_on_handle(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	assert_non_null(json_object_object_get(msg, "t"));
	free_now();
	/* The message is borrowed for the whole call, and sending fails. */
	assert_non_null(json_object_object_get(msg, "t"));
	assert_int_equal(
	    chan_send(c, chan_reply_msg("dial.err", msg), -1), -1);
}

static void
free_on_close(struct chan *c, const char *why, void *arg)
{
	free_now();
}

static void
test_free_in_handler(void **state)
{
	static const struct chan_handler h[] = {
	    {"dial", free_on_handle}, {NULL, NULL}};
	struct rig r;
	int i;

	rig_open(&r, PROTO_DIAL, SIDE_A, h);
	victim = r.c;
	r.c = NULL;
	freed = 0;
	for (i = 0; i < 100; i++)
		raw_frame(r.sv[1], "{\"t\":\"dial\",\"id\":1}", 0, -1);
	rig_turns(&r, 5);
	assert_int_equal(freed, 1);
	rig_close(&r);
}

static void
test_free_in_reply(void **state)
{
	struct two t;

	two_open(&t);
	t.no_answer = 1;
	victim = t.r.c;
	freed = 0;
	chan_request(victim, chan_msg("dial"), -1, 5000, free_on_reply, NULL);
	chan_request(victim, chan_msg("dial"), -1, 5000, free_on_reply, NULL);
	raw_frame(chan_fd(t.a), "{\"t\":\"dial.err\",\"id\":1}", 0, -1);
	rig_turns(&t.r, 5);
	assert_int_equal(freed, 2);
	t.r.c = NULL;
	two_close(&t);
}

static void
test_free_in_timeout(void **state)
{
	struct two t;

	two_open(&t);
	t.no_answer = 1;
	victim = t.r.c;
	freed = 0;
	chan_request(victim, chan_msg("dial"), -1, 10, free_on_reply, NULL);
	chan_request(victim, chan_msg("dial"), -1, 10, free_on_reply, NULL);
	run_ms(&t, 60);
	assert_int_equal(freed, 2);
	t.r.c = NULL;
	two_close(&t);
}

static void
test_free_in_close(void **state)
{
	static const char *const why[] = {"hangup", "frame", "violation",
	    "reply"};
	struct rig r;
	size_t i;

	for (i = 0; i < sizeof(why) / sizeof(why[0]); i++) {
		rig_open(&r, PROTO_DIAL, SIDE_B, account_side);
		chan_free(r.c);
		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_STREAM, 0, r.sv), 0);
		victim = chan_new(r.base, r.sv[0], PROTO_DIAL, SIDE_B,
		    account_side, free_on_close, NULL);
		r.c = NULL;
		freed = 0;
		if (i == 0)
			shutdown(r.sv[1], SHUT_RDWR);
		else if (i == 1)
			raw_frame(r.sv[1], "[]", 0, -1);
		else if (i == 2)
			chan_violation(victim, "test");
		else
			raw_frame(r.sv[1], "{\"t\":\"dial.err\"}", 0, -1);
		rig_turns(&r, 5);
		assert_int_equal(freed, 1);
		rig_close(&r);
	}
}

/* Watches what common/ gives back to the heap (-Wl,--wrap=free). */
#define CANARY "s3cr3t-c4n4ry-\"quoted\\"
static int leaked, heard;
void __real_free(void *);
void __wrap_free(void *);

void
__wrap_free(void *p)
{
	if (p != NULL && memmem(p, malloc_usable_size(p), "s3cr3t-c4n4ry",
		13) != NULL)
		leaked++;
	__real_free(p);
}

static void
ignore(struct chan *c, struct json_object *msg, int fd, void *arg)
{
}

static void
on_secret(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	const char *v = json_object_get_string(
	    json_object_object_get(msg, "value"));

	heard = strcmp(v, CANARY) == 0;
	explicit_bzero((char *)(uintptr_t)v, strlen(v));
}

static void
test_secret(void **state)
{
	static const struct chan_handler worker_side[] = {{"init", ignore},
	    {"secret", on_secret}, {"fd", ignore}, {"link", ignore},
	    {"unlink", ignore}, {"start", ignore}, {"ping", ignore},
	    {"verbose", ignore}, {"stop", ignore}, {NULL, NULL}};
	static const struct chan_handler supervisor_side[] = {{"hello", ignore},
	    {"ready", ignore}, {"log", ignore}, {"state", ignore},
	    {"ctl", ignore}, {"check", ignore}, {"check.end", ignore},
	    {"broken", ignore}, {NULL, NULL}};
	struct rig r;
	struct chan *a;

	rig_open(&r, PROTO_SUPERVISOR, SIDE_B, worker_side);
	a = chan_new(r.base, r.sv[1], PROTO_SUPERVISOR, SIDE_A,
	    supervisor_side, rig_ended, &r);
	r.sv[1] = -1;
	chan_set_secret(r.c);
	leaked = heard = 0;
	assert_int_equal(chan_send_secret(a, "botToken", CANARY), 0);
	rig_turns(&r, 5);
	assert_int_equal(heard, 1);
	assert_null(memmem(r.c->in, r.c->in_cap, "s3cr3t", 6));
	assert_null(memmem(
	    r.c->tok->pb->buf, r.c->tok->pb->size, "s3cr3t", 6));
	/* And one that is dropped with the queue. */
	chan_send_secret(a, "botToken", CANARY);
	chan_free(a);
	rig_close(&r);
	assert_int_equal(leaked, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reply_order),
	    cmocka_unit_test(test_timeouts),
	    cmocka_unit_test(test_free_answers_all),
	    cmocka_unit_test(test_free_in_handler),
	    cmocka_unit_test(test_free_in_reply),
	    cmocka_unit_test(test_free_in_timeout),
	    cmocka_unit_test(test_free_in_close),
	    cmocka_unit_test(test_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
