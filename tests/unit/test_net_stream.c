#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the four above. */
#include <cmocka.h>

#include "tests/unit/net_fixture.h"

/* Answers that come in pieces over time. */

#define EVENTS 5000
#define FLOOD (40u << 20)

static void
chunk(struct peer *p, const char *data, size_t len)
{
	peer_printf(p, "%zx\r\n", len);
	peer_write(p, data, len);
	peer_write(p, "\r\n", 2);
}

static void
events(struct peer *p, int n)
{
	char text[64];
	int i;

	for (i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "data: %d\n\n", i);
		chunk(p, text, strlen(text));
	}
}

static void
flood(struct peer *p)
{
	static char block[65536];
	size_t i;

	memset(block, 'z', sizeof(block));
	for (i = 0; i < FLOOD / sizeof(block) && p->fd != -1; i++)
		chunk(p, block, sizeof(block));
}

static void
serve(struct peer *p, void *arg)
{
	int i;

	while (peer_request(p)) {
		if (strcmp(p->path, "/plain") == 0) {
			peer_answer(p, 200, "{}");
			continue;
		}
		if (strcmp(p->path, "/refused") == 0) {
			peer_answer(p, 401, "{\"error\":\"key\"}");
			continue;
		}
		if (strcmp(p->path, "/late") == 0)
			usleep(400000);
		if (strcmp(p->path, "/never") == 0) {
			peer_head(p); /* until we have gone */
			return;
		}
		peer_printf(p,
		    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n");
		if (strcmp(p->path, "/events") == 0)
			events(p, EVENTS);
		else if (strcmp(p->path, "/flood") == 0)
			flood(p);
		else if (strcmp(p->path, "/quiet") == 0) {
			events(p, 1);
			peer_head(p);
			return;
		} else if (strcmp(p->path, "/slow") == 0) {
			for (i = 0; i < 6; i++) {
				events(p, 1);
				usleep(60000);
			}
		} else if (strcmp(p->path, "/fin") == 0) {
			events(p, 3);
			peer_fin(p);
			return;
		} else if (strcmp(p->path, "/rst") == 0) {
			events(p, 3);
			usleep(20000);
			peer_reset(p);
			return;
		} else if (strcmp(p->path, "/drip") == 0) {
			while (!peer_gone(p)) {
				events(p, 1);
				usleep(2000);
			}
			return;
		}
		peer_write(p, "0\r\n\r\n", 5);
	}
}

struct state {
	struct fixture f;
	struct net_endpoint *ep;
	struct net_request *req;
	struct call c;
	struct event *resume;
	int next; /* event expected */
	char line[64];
	size_t line_len;
	int pause_every, pauses;
	int cancel_at;
	int64_t head_ms;
};

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct state *s = arg;

	net_request_pause(s->req, 0);
}

/* Each event must come once and in order. */
static void
take(struct state *s, char ch)
{
	int n;

	if (ch != '\n') {
		assert_true(s->line_len < sizeof(s->line) - 1);
		s->line[s->line_len++] = ch;
		return;
	}
	s->line[s->line_len] = '\0';
	s->line_len = 0;
	if (*s->line == '\0')
		return;
	assert_int_equal(sscanf(s->line, "data: %d", &n), 1);
	assert_int_equal(n, s->next++);
}

static void
on_chunk(struct net_request *req, const char *data, size_t len, void *arg)
{
	struct state *s = arg;
	struct timeval tv = {0, 1000};
	size_t i;

	s->c.chunks++;
	s->c.chunk_bytes += len;
	if (data[0] != 'z' && s->cancel_at == 0)
		for (i = 0; i < len; i++)
			take(s, data[i]);
	if (s->c.chunks == s->cancel_at) {
		assert_int_equal(net_request_cancel(req), NET_MAYBE);
		s->req = NULL;
		s->c.done = 1;
	} else if (s->pause_every > 0 && s->c.chunks % s->pause_every == 0) {
		s->pauses++;
		net_request_pause(req, 1);
		event_add(s->resume, &tv);
	}
}

static void
on_done(struct net_request *req, const struct net_result *res, void *arg)
{
	struct state *s = arg;

	call_done(req, res, &s->c);
	s->req = NULL;
}

static int
setup(void **state)
{
	struct state *s = calloc(1, sizeof(*s));

	fixture_up(&s->f, serve, NULL, NULL);
	s->ep = fixture_endpoint(&s->f, 0, NULL);
	s->resume = evtimer_new(s->f.base, on_resume, s);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct state *s = *state;

	event_free(s->resume);
	fixture_down(&s->f);
	free(s);
	return 0;
}

static void
start(struct state *s, const char *path, int64_t idle_ms)
{
	struct net_request_opts o = {.method = "POST",
	    .path = path,
	    .deadline_ms = -1,
	    .head_ms = s->head_ms,
	    .idle_ms = idle_ms,
	    .chunk = on_chunk,
	    .done = on_done,
	    .arg = s};

	memset(&s->c, 0, sizeof(s->c));
	s->next = 0;
	s->req = net_request_start(s->ep, &o);
	assert_non_null(s->req);
}

static void
test_events(void **state)
{
	struct state *s = *state;

	start(s, "/events", 5000);
	fixture_run(&s->f, &s->c.done, 1);
	assert_int_equal(s->next, EVENTS);
	assert_false(s->c.partial);
	assert_int_equal(s->c.len, 0);
	/* The connection is good for more. */
	start(s, "/events", 5000);
	fixture_run(&s->f, &s->c.done, 1);
	assert_int_equal(s->f.dials, 1);
}

static void
test_pauses(void **state)
{
	struct state *s = *state;

	s->pause_every = 3;
	start(s, "/events", 5000);
	fixture_run(&s->f, &s->c.done, 1);
	assert_int_equal(s->next, EVENTS);
	assert_true(s->pauses > 0);
}

static void
test_flood(void **state)
{
	struct state *s = *state;
	size_t before;
	int64_t cpu;

	start(s, "/flood", 200);
	fixture_run(&s->f, &s->c.chunks, 1);
	net_request_pause(s->req, 1);
	fixture_wait(&s->f, 50);
	before = s->c.chunk_bytes;
	cpu = fixture_cpu_ms();
	/* Longer than its silence may last: a pause is ours, not theirs. */
	fixture_wait(&s->f, 400);
	assert_int_equal(s->c.chunk_bytes, before);
	assert_true(before < FLOOD / 2);
	assert_true(fixture_cpu_ms() - cpu < 50);
	net_request_pause(s->req, 0);
	fixture_run(&s->f, &s->c.done, 1);
	assert_int_equal(s->c.chunk_bytes, FLOOD);
	assert_false(s->c.partial);
}

static void
test_silence(void **state)
{
	struct state *s = *state;

	start(s, "/quiet", 150);
	fixture_run(&s->f, &s->c.done, 1);
	assert_int_equal(s->c.ending, NET_ANSWERED);
	assert_true(s->c.partial);
	assert_string_equal(
	    s->c.error, "silence: the server sent nothing for too long");
	assert_int_equal(s->next, 1);
	/* Slow is not silent. */
	start(s, "/slow", 150);
	s->next = 0;
	s->cancel_at = -1;
	fixture_run(&s->f, &s->c.done, 1);
	assert_false(s->c.partial);
	assert_int_equal(s->c.chunks, 6);
}

static void
test_cut(void **state)
{
	struct state *s = *state;

	start(s, "/fin", 0);
	fixture_run(&s->f, &s->c.done, 1);
	assert_true(s->c.ending == NET_ANSWERED && s->c.partial);
	assert_int_equal(s->next, 3);
	start(s, "/rst", 0);
	fixture_run(&s->f, &s->c.done, 1);
	assert_true(s->c.ending == NET_ANSWERED && s->c.partial);
	assert_int_equal(s->next, 3);
}

static void
test_refused(void **state)
{
	struct state *s = *state;

	/* The reason comes whole, not in chunks. */
	start(s, "/refused", 0);
	fixture_run(&s->f, &s->c.done, 1);
	assert_int_equal(s->c.status, 401);
	assert_int_equal(s->c.chunks, 0);
	assert_string_equal(s->c.body, "{\"error\":\"key\"}");
}

static void
test_cancel(void **state)
{
	struct state *s = *state;
	struct call c = {0};
	int i;

	for (i = 0; i < 30; i++) {
		s->cancel_at = 1 + i % 4;
		start(s, "/drip", 0);
		if (i % 2 == 0) {
			fixture_run(&s->f, &s->c.done, 1);
			continue;
		}
		/* From outside, half of them while paused. */
		s->cancel_at = -1;
		fixture_run(&s->f, &s->c.chunks, 1);
		if (i % 4 == 1) {
			net_request_pause(s->req, 1);
			fixture_wait(&s->f, 10);
		}
		net_request_cancel(s->req);
		s->req = NULL;
	}
	for (i = 0; i < 50; i++)
		call_start(s->ep, &c, "GET", "/plain", NULL);
	fixture_run(&s->f, &c.done, 50);
	assert_int_equal(c.status, 200);
	/* Every stream's connection was closed, the others are kept. */
	for (i = 0; i < 100 && server_open(s->f.srv) > NET_CAP; i++)
		fixture_wait(&s->f, 20);
	assert_true(server_open(s->f.srv) <= NET_CAP);
}

/* An answer may begin late, and then not pause as long. */
static void
test_head_time(void **state)
{
	struct state *s = *state;

	s->head_ms = 5000;
	start(s, "/late", 150);
	fixture_run(&s->f, &s->c.done, 1);
	assert_int_equal(s->c.status, 200);
	assert_false(s->c.partial);
	start(s, "/quiet", 150);
	fixture_run(&s->f, &s->c.done, 1);
	assert_true(s->c.partial);
	assert_true(s->c.elapsed_ms < 4000);
	s->head_ms = 150;
	start(s, "/never", 5000);
	fixture_run(&s->f, &s->c.done, 1);
	assert_int_equal(s->c.ending, NET_MAYBE);
	assert_true(s->c.elapsed_ms < 4000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_events, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_pauses, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_silence, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_head_time, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
	};

	return cmocka_run_group_tests_name("net stream", tests, NULL, NULL);
}
