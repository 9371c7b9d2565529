/* How a channel flows: queues and their marks, readers that are slow or dead.
 */
#include "config.h"

#include <time.h>

#include "tests/unit/chan_help.h"
#include "tests/unit/slow.h"

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

	assert_int_equal(
	    json_object_get_int(json_object_object_get(msg, "n")), r->handled);
	r->handled++;
}

static const struct chan_handler turn_account[] = {{"turn.text", on_text},
    {"turn.tool", on_text}, {"tool.call", on_text}, {"turn.thinking", on_text},
    {"turn.final", on_text}, {"turn.error", on_text}, {NULL, NULL}};
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
	b = chan_new(
	    r.base, r.sv[1], PROTO_TURN, SIDE_B, turn_account, rig_ended, &r);
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

static struct chan *victim;
static int freed;

static void
free_on_drain(struct chan *c, void *arg)
{
	freed++;
	chan_free(victim);
}

/* Freed from its own callback; ASan is the judge. */
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
	while (
	    n < 100 && chan_send(r.c, sized("turn.text", 1000000, n), -1) == 0)
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
	    {"turn.thinking", on_text}, {"turn.final", on_text},
	    {"turn.error", on_text}, {NULL, NULL}};
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
	assert_in_range(
	    (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000,
	    45, 500);
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

/* What the peer would end us for is not sent. */
static void
test_too_deep(void **state)
{
	const struct proto *p = proto_get(PROTO_TURN);
	struct json_object *msg, *v;
	int depth, i, levels = p->depth[SIDE_A];
	struct rig r;

	rig_open(&r, PROTO_TURN, SIDE_A, turn_agent);
	for (depth = levels - 1; depth <= levels; depth++) {
		v = json_object_new_string("]\"}[");
		for (i = 1; i < depth; i++) {
			msg = json_object_new_array();
			json_object_array_add(msg, v);
			v = msg;
		}
		msg = chan_msg("turn.final");
		json_object_object_add(msg, "x", v);
		errno = 0;
		assert_int_equal(chan_send(r.c, msg, -1),
		    depth < levels ? 0 : -1);
		assert_int_equal(errno == EMSGSIZE, depth == levels);
	}
	rig_close(&r);
}

static void
test_throughput(void **state)
{
	struct rig r;
	struct chan *b;
	struct timespec t0, t1;
	double s;
	int i = 0, total = 100000;

	SKIP_WHEN_SLOW();
	rig_open(&r, PROTO_TURN, SIDE_A, turn_agent);
	b = chan_new(
	    r.base, r.sv[1], PROTO_TURN, SIDE_B, turn_account, rig_ended, &r);
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
	    cmocka_unit_test(test_marks_and_order),
	    cmocka_unit_test(test_free_in_drain),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_both_full),
	    cmocka_unit_test(test_pause),
	    cmocka_unit_test(test_flush),
	    cmocka_unit_test(test_over_limit),
	    cmocka_unit_test(test_too_deep),
	    cmocka_unit_test(test_throughput),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
