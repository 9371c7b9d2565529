#include "config.h"

#include <malloc.h>
#include <time.h>

#include "tests/unit/chan_help.h"
#include "common/chan_int.h"
#include <json-c/printbuf.h>

/* Requests, freeing from every callback, queues, pausing, secrets. */

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
free_on_drain(struct chan *c, void *arg)
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

static struct json_object *
sized(const char *type, size_t n, int number)
{
	struct json_object *m = chan_msg(type);
	char *text = malloc(n + 1);

	memset(text, 'x', n);
	text[n] = '\0';
	json_object_object_add(m, "text", json_object_new_string(text));
	json_object_object_add(m, "n", json_object_new_int(number));
	free(text);
	return m;
}

static void
on_drained(struct chan *c, void *arg)
{
	struct rig *r = arg;

	assert_false(chan_full(c));
	assert_true(chan_queued(c) <= CHAN_LOW);
	rig_see(r, "drained");
}

/* An agent that streams text to an account that reads or not. */
static void
on_text(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct rig *r = arg;

	assert_int_equal(json_object_get_int(
	    json_object_object_get(msg, "n")), r->handled);
	r->handled++;
}

static const struct chan_handler turn_account[] = {
    {"turn.text", on_text}, {"turn.tool", on_text},
    {"tool.call", on_text},
    {"turn.thinking", on_text}, {"turn.final", on_text},
    {"turn.error", on_text}, {NULL, NULL}};
static const struct chan_handler turn_agent[] = {
    {"turn.start", on_text}, {"turn.cancel", on_text}, {NULL, NULL}};

static void
test_marks_and_order(void **state)
{
	struct rig r;
	struct chan *b;
	int n = 0;

	rig_open(&r, PROTO_TURN, SIDE_A, turn_agent);
	chan_set_drain(r.c, on_drained);
	b = chan_new(r.base, r.sv[1], PROTO_TURN, SIDE_B, turn_account,
	    rig_ended, &r);
	chan_pause(b, 1);
	while (!chan_full(r.c)) {
		chan_send(r.c, sized("turn.text", 3000, n++), -1);
		assert_true(n < 1000);
	}
	assert_in_range(chan_queued(r.c), CHAN_HIGH, CHAN_HIGH + 4000);
	while (chan_queued(r.c) < 2 * CHAN_HIGH)
		chan_send(r.c, sized("turn.text", 3000, n++), -1);
	rig_turns(&r, 20);
	assert_true(chan_full(r.c)); /* the socket took some, not enough */
	assert_int_equal(r.handled, 0);
	chan_pause(b, 0);
	rig_turns(&r, 100);
	assert_int_equal(r.handled, n);
	assert_string_equal(r.seen, "drained ");
	assert_int_equal(chan_queued(r.c), 0);
	chan_free(b);
	r.sv[1] = -1;
	rig_close(&r);
}

static void
test_free_in_drain(void **state)
{
	struct rig r;
	char buf[65536];
	int n = 0;

	rig_open(&r, PROTO_TURN, SIDE_A, turn_agent);
	chan_set_drain(r.c, free_on_drain);
	while (!chan_full(r.c))
		chan_send(r.c, sized("turn.text", 3000, n++), -1);
	victim = r.c;
	r.c = NULL;
	freed = 0;
	for (n = 0; n < 100 && !freed; n++) {
		rig_turns(&r, 2);
		while (read(r.sv[1], buf, sizeof(buf)) > 0)
			continue;
	}
	assert_int_equal(freed, 1);
	rig_close(&r);
}

/* A reader that never reads costs CHAN_LIMIT and then the link. */
static void
test_limit(void **state)
{
	struct rig r;
	int n = 0;

	rig_open(&r, PROTO_TURN, SIDE_A, turn_agent);
	while (n < 100 &&
	    chan_send(r.c, sized("turn.text", 1000000, n), -1) == 0)
		n++;
	assert_in_range(n, 16, 18);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(r.ended, 0); /* never from inside chan_send() */
	rig_turns(&r, 3);
	assert_int_equal(r.ended, 1);
	assert_string_equal(r.why, "peer does not read");
	rig_close(&r);
}

/* Both sides have much to say and neither waits for the other. */
static void
test_both_full(void **state)
{
	struct rig r, other;
	struct chan *b;
	int i;

	rig_open(&r, PROTO_TURN, SIDE_A, turn_agent);
	memset(&other, 0, sizeof(other));
	b = chan_new(r.base, r.sv[1], PROTO_TURN, SIDE_B, turn_account,
	    rig_ended, &other);
	for (i = 0; i < 2000; i++) {
		chan_send(r.c, sized("turn.text", 4000, i), -1);
		chan_send(b, sized("turn.start", 4000, i), -1);
	}
	rig_turns(&r, 2000);
	assert_int_equal(r.handled, 2000);
	assert_int_equal(other.handled, 2000);
	chan_free(b);
	r.sv[1] = -1;
	rig_close(&r);
}

static void
on_text_pause(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	on_text(c, msg, fd, arg);
	chan_pause(c, 1);
}

/* Paused in a handler: the frames behind it stay, and stay in order. */
static void
test_pause(void **state)
{
	static const struct chan_handler h[] = {{"turn.text", on_text_pause},
	    {"turn.tool", on_text}, {"tool.call", on_text},
	    {"turn.thinking", on_text},
	    {"turn.final", on_text}, {"turn.error", on_text}, {NULL, NULL}};
	char json[64];
	struct rig r;
	int i;

	rig_open(&r, PROTO_TURN, SIDE_B, h);
	for (i = 0; i < 6; i++) {
		snprintf(json, sizeof(json), "{\"t\":\"turn.%s\",\"n\":%d}",
		    i % 2 ? "final" : "text", i);
		raw_frame(r.sv[1], json, 0, -1);
	}
	close(r.sv[1]);
	r.sv[1] = -1;
	for (i = 1; i < 6; i += 2) {
		rig_turns(&r, 5);
		assert_int_equal(r.handled, i);
		assert_int_equal(r.ended, 0);
		chan_pause(r.c, 0);
	}
	rig_turns(&r, 5);
	assert_int_equal(r.handled, 6);
	assert_int_equal(r.ended, 1);
	rig_close(&r);
}

static void
test_flush(void **state)
{
	char buf[65536];
	struct rig r;
	struct timespec a, b;
	size_t want, got = 0;
	ssize_t n;

	rig_open(&r, PROTO_TURN, SIDE_A, turn_agent);
	chan_send(r.c, sized("turn.text", 20000, 0), -1);
	want = chan_queued(r.c);
	chan_flush(r.c, 1000);
	while ((n = read(r.sv[1], buf, sizeof(buf))) > 0)
		got += (size_t)n;
	assert_int_equal(got, want);
	/* And it gives up when nobody reads. */
	chan_send(r.c, sized("turn.text", 1000000, 0), -1);
	clock_gettime(CLOCK_MONOTONIC, &a);
	chan_flush(r.c, 50);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_in_range((b.tv_sec - a.tv_sec) * 1000 +
	    (b.tv_nsec - a.tv_nsec) / 1000000, 45, 500);
	assert_true(chan_queued(r.c) > 0);
	rig_close(&r);
}

static void
test_over_limit(void **state)
{
	struct rig r;
	int fds = fds_open();

	rig_open(&r, PROTO_TURN, SIDE_A, turn_agent);
	assert_int_equal(
	    chan_send(r.c, sized("turn.thinking", 5000, 0), -1), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(chan_queued(r.c), 0);
	rig_close(&r);
	assert_int_equal(fds_open(), fds);
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
	static const struct chan_handler worker_side[] = {{"init", on_text},
	    {"secret", on_secret}, {"fd", on_text}, {"link", on_text},
	    {"unlink", on_text}, {"start", on_text}, {"ping", on_text},
	    {"verbose", on_text}, {"stop", on_text}, {NULL, NULL}};
	static const struct chan_handler supervisor_side[] = {
	    {"hello", on_text}, {"ready", on_text}, {"log", on_text},
	    {"state", on_text}, {"ctl", on_text}, {"check", on_text},
	    {"check.end", on_text}, {"broken", on_text}, {NULL, NULL}};
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

static void
test_throughput(void **state)
{
	struct rig r;
	struct chan *b;
	struct timespec t0, t1;
	double s;
	int i = 0, total = 100000;

	rig_open(&r, PROTO_TURN, SIDE_A, turn_agent);
	b = chan_new(r.base, r.sv[1], PROTO_TURN, SIDE_B, turn_account,
	    rig_ended, &r);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	while (r.handled < total) {
		while (i < total && !chan_full(r.c))
			chan_send(r.c, sized("turn.text", 150, i++), -1);
		rig_turns(&r, 1);
	}
	clock_gettime(CLOCK_MONOTONIC, &t1);
	s = (double)(t1.tv_sec - t0.tv_sec) +
	    (double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
	printf("%d frames of 200 bytes in %.2f s: %.0f frames a second\n",
	    total, s, total / s);
	assert_int_equal(r.ended, 0);
	chan_free(b);
	r.sv[1] = -1;
	rig_close(&r);
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
	    cmocka_unit_test(test_free_in_drain),
	    cmocka_unit_test(test_marks_and_order),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_both_full),
	    cmocka_unit_test(test_pause),
	    cmocka_unit_test(test_flush),
	    cmocka_unit_test(test_over_limit),
	    cmocka_unit_test(test_secret),
	    cmocka_unit_test(test_throughput),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
