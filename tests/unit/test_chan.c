#include "config.h"

#include <sys/resource.h>

#include "tests/unit/chan_help.h"
#include "tests/unit/slow.h"
#include "common/chan_int.h"

/* Reading: frames, descriptors, everything that must end the link. */

static void
on_plain(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct rig *r = arg;
	struct json_object *n;

	r->handled++;
	assert_int_equal(fd, -1);
	rig_see(r, json_object_object_get_ex(msg, "name", &n) ?
	    json_object_get_string(n) : "plain");
}

/* The name of the message says which file the descriptor must be. */
static void
on_fd(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct rig *r = arg;
	struct json_object *n;
	struct stat st;

	r->handled++;
	assert_true(json_object_object_get_ex(msg, "name", &n));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, json_object_get_string_len(n));
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	rig_see(r, json_object_get_string(n));
	close(fd);
}

static const struct chan_handler worker_side[] = {
    {"init", on_plain}, {"secret", on_plain}, {"fd", on_fd},
    {"link", on_fd}, {"unlink", on_plain}, {"start", on_plain},
    {"ping", on_plain}, {"verbose", on_plain}, {"stop", on_plain},
    {NULL, NULL}};
static const struct chan_handler supervisor_side[] = {
    {"hello", on_plain}, {"ready", on_plain}, {"log", on_plain},
    {"state", on_plain}, {"ctl", on_plain}, {"check", on_plain},
    {"check.end", on_plain}, {"broken", on_plain}, {NULL, NULL}};

/* A file of so many bytes, to be known again by its size. */
static int
file_of(size_t size)
{
	FILE *fp = tmpfile();
	int fd;

	assert_non_null(fp);
	assert_int_equal(ftruncate(fileno(fp), (off_t)size), 0);
	fd = dup(fileno(fp));
	fclose(fp);
	return fd;
}

/*
 * Two frames with a descriptor and two without, sent in pieces of step
 * bytes; a piece ends where a descriptor's frame begins, as a sender does.
 */
static void
burst(struct rig *r, size_t step, int turn_each)
{
	static const char *const json[] = {"{\"t\":\"fd\",\"name\":\"aaa\"}",
	    "{\"t\":\"unlink\",\"name\":\"p1\"}",
	    "{\"t\":\"link\",\"name\":\"bbbbb\"}",
	    "{\"t\":\"unlink\",\"name\":\"p2\"}"};
	int fds[] = {file_of(3), -1, file_of(5), -1};
	char buf[2][512];
	size_t len[2], off, n;
	int i;

	for (i = 0; i < 2; i++) {
		len[i] = frame_put(buf[i], json[2 * i], FRAME_FD);
		len[i] += frame_put(buf[i] + len[i], json[2 * i + 1], 0);
		for (off = 0; off < len[i]; off += n) {
			n = len[i] - off < step ? len[i] - off : step;
			assert_int_equal(raw_send(r->sv[1], buf[i] + off, n,
			    &fds[2 * i], off == 0), n);
			if (turn_each)
				rig_turns(r, 1);
		}
		close(fds[2 * i]);
	}
	rig_turns(r, 4);
}

static void
test_right_descriptor(void **state)
{
	static const size_t steps[] = {1, 2, 3, 7, 8, 9, 30, 64, 1000, 65536};
	int before = fds_open(), each;
	struct rig r;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		for (each = 0; each < 2; each++) {
			rig_open(&r, PROTO_SUPERVISOR, SIDE_B, worker_side);
			chan_set_state(r.c, PROTO_INIT);
			burst(&r, steps[i], each);
			assert_string_equal(r.seen, "aaa p1 bbbbb p2 ");
			assert_int_equal(r.ended, 0);
			rig_close(&r);
		}
	assert_int_equal(fds_open(), before);
}

/* The same between two real ends, all queued before anything is read. */
static void
test_right_descriptor_both_ends(void **state)
{
	struct json_object *m;
	struct rig r;
	struct chan *a;
	char name[32] = "";
	int i, before = fds_open();

	rig_open(&r, PROTO_SUPERVISOR, SIDE_B, worker_side);
	chan_set_state(r.c, PROTO_INIT);
	a = chan_new(r.base, r.sv[1], PROTO_SUPERVISOR, SIDE_A,
	    supervisor_side, rig_ended, &r);
	for (i = 0; i < 20; i++) {
		strlcat(name, "x", sizeof(name));
		m = chan_msg(i % 3 ? "fd" : "unlink");
		json_object_object_add(m, "name",
		    json_object_new_string(name));
		assert_int_equal(chan_send(a, m,
		    i % 3 ? file_of(strlen(name)) : -1), 0);
	}
	rig_turns(&r, 50);
	assert_int_equal(r.handled, 20);
	assert_int_equal(r.ended, 0);
	chan_free(a);
	r.sv[1] = -1;
	rig_close(&r);
	assert_int_equal(fds_open(), before);
}

/* Descriptors that no frame claims, one or many: closed, and the end. */
static void
test_surplus(void **state)
{
	static const int amounts[] = {1, 2, 4, 20, 64};
	int before = fds_open(), fds[64], i, n;
	size_t k;
	struct rig r;
	char buf[64];

	for (k = 0; k < sizeof(amounts) / sizeof(amounts[0]); k++) {
		n = amounts[k];
		rig_open(&r, PROTO_SUPERVISOR, SIDE_A, supervisor_side);
		for (i = 0; i < n; i++)
			fds[i] = file_of(1);
		raw_send(r.sv[1], buf, frame_put(buf, "{\"t\":\"ready\"}", 0),
		    fds, n);
		rig_turns(&r, 5);
		assert_int_equal(r.ended, 1);
		assert_string_equal(r.why, "surplus descriptor");
		for (i = 0; i < n; i++)
			close(fds[i]);
		rig_close(&r);
	}
	assert_int_equal(fds_open(), before);
}

/* Nothing may pile up while frames wait or the channel is paused. */
static void
test_surplus_paused(void **state)
{
	int before = fds_open(), i, fd = file_of(1);
	struct rig r;

	rig_open(&r, PROTO_SUPERVISOR, SIDE_A, supervisor_side);
	chan_pause(r.c, 1);
	for (i = 0; i < 30; i++)
		raw_frame(r.sv[1], "{\"t\":\"ready\"}", 0, fd);
	rig_turns(&r, 40);
	assert_int_equal(r.handled, 0);
	chan_pause(r.c, 0);
	rig_turns(&r, 40);
	assert_int_equal(r.ended, 1);
	close(fd);
	rig_close(&r);
	assert_int_equal(fds_open(), before);
}

/* No room for a descriptor: it is lost, the link ends, nothing spins. */
static void
test_emfile(void **state)
{
	struct rlimit old, low;
	struct rig r;
	int fd, top, i;

	SKIP_WHEN_SLOW(); /* valgrind keeps descriptors of its own */
	fd = file_of(3);
	rig_open(&r, PROTO_SUPERVISOR, SIDE_B, worker_side);
	chan_set_state(r.c, PROTO_INIT);
	raw_frame(r.sv[1], "{\"t\":\"fd\",\"name\":\"aaa\"}", FRAME_FD, fd);
	top = dup(fd);
	for (i = 0; i < top; i++)
		if (fcntl(i, F_GETFD) == -1)
			assert_int_not_equal(dup2(fd, i), -1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = (rlim_t)top + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	rig_turns(&r, 20);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(r.handled, 0);
	assert_int_equal(r.ended, 1);
	assert_string_equal(r.why, "descriptor is missing");
	assert_int_equal(event_base_get_num_events(
	    r.base, EVENT_BASE_COUNT_ACTIVE), 0);
	rig_close(&r);
	close(fd);
	close(top);
}

struct bad {
	const char *json;
	const char *why;
	uint32_t len; /* 0: the right one */
	uint16_t flags, version;
	enum proto_side ours;
	unsigned state;
};

#define DEEP "{\"t\":\"state\",\"state\":{\"a\":{\"b\":{\"c\":{\"d\":1}}}}}"
#define TABLE "frame out of table"
#define OBJECT "frame is not one JSON object"

static const struct bad bad[] = {
    {"{\"t\":\"nope\"}", TABLE, 0, 0, 1, SIDE_A, PROTO_RUN},
    {"{\"t\":\"hello\"}", TABLE, 0, 0, 1, SIDE_A, PROTO_RUN},
    {"{\"t\":\"init\"}", TABLE, 0, 0, 1, SIDE_A, PROTO_INIT},
    {"{\"t\":\"ctl\",\"id\":1}", TABLE, 0, 0, 1, SIDE_A, PROTO_INIT},
    {"{\"t\":\"fd\",\"name\":\"x\"}", TABLE, 0, 0, 1, SIDE_B, PROTO_INIT},
    {"{\"t\":\"ready\"}", TABLE, 0, 1, 1, SIDE_A, PROTO_RUN},
    {"{\"t\":\"ready\\u0000\"}", TABLE, 0, 0, 1, SIDE_A, PROTO_RUN},
    {"{\"t\":\"ready\",\"t\":\"x\"}", TABLE, 0, 0, 1, SIDE_A, PROTO_RUN},
    {"{\"t\":[\"ready\"]}", TABLE, 0, 0, 1, SIDE_A, PROTO_RUN},
    {"{\"t\":null}", TABLE, 0, 0, 1, SIDE_A, PROTO_RUN},
    {"{}", TABLE, 0, 0, 1, SIDE_A, PROTO_RUN},
    {"[]", OBJECT, 0, 0, 1, SIDE_A, PROTO_RUN},
    {"42", OBJECT, 0, 0, 1, SIDE_A, PROTO_RUN},
    {"null", OBJECT, 0, 0, 1, SIDE_A, PROTO_RUN},
    {"{\"t\":\"ready\"", OBJECT, 0, 0, 1, SIDE_A, PROTO_RUN},
    {"{\"t\":\"ready\"} x", OBJECT, 0, 0, 1, SIDE_A, PROTO_RUN},
    {"{\"t\":\"ready\"}{}", OBJECT, 0, 0, 1, SIDE_A, PROTO_RUN},
    {"{'t':'ready'}", OBJECT, 0, 0, 1, SIDE_A, PROTO_RUN},
    {"{\"t\":\"log\",\"line\":\"\xff\"}", OBJECT, 0, 0, 1, SIDE_A, PROTO_RUN},
    /* "/" in two bytes, half of a surrogate, beyond Unicode */
    {"{\"t\":\"log\",\"line\":\"\xc0\xaf\"}", OBJECT, 0, 0, 1, SIDE_A,
	PROTO_RUN},
    {"{\"t\":\"log\",\"line\":\"\xed\xa0\x80\"}", OBJECT, 0, 0, 1, SIDE_A,
	PROTO_RUN},
    {"{\"t\":\"log\",\"line\":\"\xf4\x90\x80\x80\"}", OBJECT, 0, 0, 1,
	SIDE_A, PROTO_RUN},
    {DEEP, OBJECT, 0, 0, 1, SIDE_A, PROTO_RUN},
    {"{\"t\":\"fd\"}", "descriptor is missing", 0, 1, 1, SIDE_B, PROTO_INIT},
    {"{\"t\":\"pong\"}", "reply without id", 0, 0, 1, SIDE_A, PROTO_RUN},
    {"{\"t\":\"pong\",\"id\":\"1\"}", "reply without id", 0, 0, 1, SIDE_A,
	PROTO_RUN},
    {"{\"t\":\"ready\"}", "frame of another version", 0, 0, 2, SIDE_A,
	PROTO_RUN},
    {"{\"t\":\"ready\"}", "unknown frame flags", 0, 2, 1, SIDE_A, PROTO_RUN},
    {"{\"t\":\"ready\"}", "frame length", 4097, 0, 1, SIDE_A, PROTO_RUN},
    {"{\"t\":\"ready\"}", "frame length", UINT32_MAX, 0, 1, SIDE_A,
	PROTO_RUN},
    {"{\"t\":\"ready\"}", "frame length", 1, 0, 1, SIDE_A, PROTO_RUN},
};

static void
test_bad_frames(void **state)
{
	const struct bad *b;
	char buf[512];
	struct rig r;
	size_t i, n;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		b = &bad[i];
		rig_open(&r, PROTO_SUPERVISOR, b->ours,
		    b->ours == SIDE_A ? supervisor_side : worker_side);
		chan_set_state(r.c, b->state);
		n = frame_put(buf, b->json, b->flags);
		if (b->len != 0)
			memcpy(buf, &b->len, 4);
		memcpy(buf + 6, &b->version, 2);
		/* Twice, and a good one: the end comes once all the same. */
		raw_send(r.sv[1], buf, n, NULL, 0);
		raw_send(r.sv[1], buf, n, NULL, 0);
		raw_frame(r.sv[1], "{\"t\":\"ready\"}", 0, -1);
		rig_turns(&r, 5);
		close(r.sv[1]);
		r.sv[1] = -1;
		rig_turns(&r, 5);
		if (r.ended != 1 || strcmp(r.why, b->why) != 0)
			fail_msg("%s: ended %d times, %s", b->json, r.ended,
			    r.why);
		assert_int_equal(r.handled, 0);
		rig_close(&r);
	}
}

/* A text that was cut in the middle of a character does not end a link. */
static void
test_cut_text_is_mended(void **state)
{
	static const char *const cut[][2] = {
	    {"caf\xc3", "caf\xef\xbf\xbd"},
	    {"\xe4\xb8\xad\xe6\x96", "\xe4\xb8\xad\xef\xbf\xbd\xef\xbf\xbd"},
	    {"\xed\xa0\x80 x", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd x"},
	    {"0123456789\xf0\x9f\x98\x80", "0123456789\xf0\x9f\x98\x80"},
	};
	struct json_object *msg;
	struct chan *to;
	struct rig r;
	size_t i;

	for (i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
		rig_open(&r, PROTO_SUPERVISOR, SIDE_A, supervisor_side);
		to = chan_new(r.base, dup(r.sv[1]), PROTO_SUPERVISOR, SIDE_B,
		    worker_side, rig_ended, &r);
		msg = chan_msg("unlink");
		json_object_object_add(
		    msg, "name", json_object_new_string(cut[i][0]));
		assert_int_equal(chan_send(r.c, msg, -1), 0);
		rig_turns(&r, 5);
		assert_int_equal(r.ended, 0);
		assert_int_equal(r.handled, 1);
		r.seen[r.seen_len - 1] = '\0';
		assert_string_equal(r.seen, cut[i][1]);
		chan_free(to);
		rig_close(&r);
	}
}

/* A line as long as the table allows, and one byte more. */
static void
test_size_limit(void **state)
{
	static const char head[] = "{\"t\":\"log\",\"line\":\"";
	char json[PROTO_SMALL + 2];
	struct rig r;
	int over;

	for (over = 0; over < 2; over++) {
		rig_open(&r, PROTO_SUPERVISOR, SIDE_A, supervisor_side);
		memset(json, 'x', sizeof(json));
		memcpy(json, head, sizeof(head) - 1);
		strlcpy(json + PROTO_SMALL + over - 2, "\"}", 3);
		assert_int_equal(strlen(json), PROTO_SMALL + over);
		raw_frame(r.sv[1], json, 0, -1);
		rig_turns(&r, 3);
		assert_int_equal(r.handled, !over);
		assert_int_equal(r.ended, over);
		rig_close(&r);
	}
}

/* Tiny frames as fast as they go: what waits stays within one read. */
static void
test_flood_is_bounded(void **state)
{
	char one[64], many[64 * 1000];
	size_t n = frame_put(one, "{\"t\":\"log\"}", 0), len = 0;
	struct rig r;
	ssize_t sent;
	size_t total = 0, off = 0;
	int i;

	rig_open(&r, PROTO_SUPERVISOR, SIDE_A, supervisor_side);
	while (len + n < sizeof(many)) {
		memcpy(many + len, one, n);
		len += n;
	}
	for (i = 0; i < 300; i++) {
		sent = raw_send(r.sv[1], many + off, len - off, NULL, 0);
		if (sent > 0) {
			total += (size_t)sent;
			off = (off + (size_t)sent) % len;
		}
		rig_turns(&r, 1);
		assert_true(r.c->in_cap <= 3 * 16384 + PROTO_SMALL);
	}
	/* Let the rest come. */
	rig_turns(&r, 1000);
	assert_int_equal(r.handled, total / n);
	assert_int_equal(r.ended, 0);
	rig_close(&r);
}

/* All that was said before the peer went away is heard, then one end. */
static void
test_last_words(void **state)
{
	char all[500 * 32];
	struct rig r;
	size_t n;
	int i, write_first;

	for (write_first = 0; write_first < 2; write_first++) {
		rig_open(&r, PROTO_SUPERVISOR, SIDE_A, supervisor_side);
		for (i = 0, n = 0; i < 500; i++)
			n += frame_put(all + n, "{\"t\":\"log\"}", 0);
		assert_int_equal(raw_send(r.sv[1], all, n, NULL, 0), n);
		close(r.sv[1]);
		r.sv[1] = -1;
		if (write_first) {
			chan_send(r.c, chan_msg("stop"), -1);
			chan_on_flush(-1, 0, r.c);
		}
		rig_turns(&r, 50);
		assert_int_equal(r.handled, 500);
		assert_int_equal(r.ended, 1);
		assert_string_equal(r.why, "hangup");
		assert_int_equal(chan_send(r.c, chan_msg("stop"), -1), -1);
		rig_close(&r);
	}
}

/* A peer that shuts its reading side only must not stay half alive. */
static void
test_half_closed(void **state)
{
	struct rig r;

	rig_open(&r, PROTO_SUPERVISOR, SIDE_A, supervisor_side);
	raw_frame(r.sv[1], "{\"t\":\"log\"}", 0, -1);
	shutdown(r.sv[1], SHUT_RD);
	chan_send(r.c, chan_msg("stop"), -1);
	rig_turns(&r, 10);
	assert_int_equal(r.handled, 1);
	assert_int_equal(r.ended, 1);
	rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_right_descriptor),
	    cmocka_unit_test(test_right_descriptor_both_ends),
	    cmocka_unit_test(test_surplus),
	    cmocka_unit_test(test_surplus_paused),
	    cmocka_unit_test(test_emfile),
	    cmocka_unit_test(test_bad_frames),
	    cmocka_unit_test(test_cut_text_is_mended),
	    cmocka_unit_test(test_size_limit),
	    cmocka_unit_test(test_flood_is_bounded),
	    cmocka_unit_test(test_last_words),
	    cmocka_unit_test(test_half_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
