#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the four above. */
#include <cmocka.h>

#include "common/secret.h"
#include "tests/unit/net_fixture.h"

/* Answers by path; "/echo" gives the request back. */
static void
serve(struct peer *p, void *arg)
{
	char value[256];

	while (peer_request(p)) {
		if (strcmp(p->path, "/echo") == 0)
			peer_answer(p, 200, p->body != NULL ? p->body : "{}");
		else if (strcmp(p->path, "/auth") == 0)
			peer_answer(p, 200,
			    peer_header(p, "Authorization", value,
				sizeof(value)) != NULL
				? value
				: "none");
		else if (strcmp(p->path, "/limit") == 0)
			peer_printf(p,
			    "HTTP/1.1 429 Too Many\r\nRetry-After: 3\r\n"
			    "X-Ratelimit-Reset: 7\r\nX-Twice: a\r\n"
			    "X-Twice: b\r\nContent-Length: 15\r\n\r\n"
			    "limit exceeded\n");
		else if (strcmp(p->path, "/days") == 0)
			peer_printf(p,
			    "HTTP/1.1 503 Later\r\nRetry-After: Fri, "
			    "31 Dec 9999 23:59:59 GMT\r\n"
			    "X-Ratelimit-Reset: 86400\r\n"
			    "Content-Length: 2\r\n\r\n{}");
		else if (strcmp(p->path, "/big") == 0) {
			char *big = malloc(100001);

			memset(big, 'x', 100000);
			big[100000] = '\0';
			peer_answer(p, 200, big);
			free(big);
		} else if (strcmp(p->path, "/cut-head") == 0) {
			peer_printf(p, "HTTP/1.1 200 OK\r\nX-A: b\r\n");
			peer_fin(p);
			return;
		} else if (strcmp(p->path, "/cut-body") == 0) {
			peer_printf(
			    p, "HTTP/1.1 201 C\r\nContent-Length: 9\r\n\r\n1");
			peer_fin(p);
			return;
		} else if (strcmp(p->path, "/no-length") == 0) {
			peer_printf(p, "HTTP/1.1 200 OK\r\n\r\nhello");
			peer_fin(p);
			return;
		} else if (strcmp(p->path, "/empty") == 0)
			peer_answer(p, 200, "");
		else if (strcmp(p->path, "/none") == 0)
			peer_printf(p, "HTTP/1.1 204 None\r\n\r\n");
		else if (strcmp(p->path, "/silent") == 0)
			peer_request(p);
		else if (strcmp(p->path, "/heads") == 0) {
			peer_printf(p, "HTTP/1.1 200 OK\r\n");
			for (int i = 0; i < 2000; i++)
				peer_printf(p, "X-%d: %0100d\r\n", i, i);
		} else
			peer_answer(p, 404, "{\"id\":\"404\"}");
	}
}

struct state {
	struct fixture f;
	struct net_endpoint *ep;
};

static int
setup(void **state)
{
	struct state *s = calloc(1, sizeof(*s));

	fixture_up(&s->f, serve, NULL, NULL);
	s->ep = fixture_endpoint(&s->f, 0, NULL);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct state *s = *state;

	fixture_down(&s->f);
	free(s);
	return 0;
}

static void
get(struct state *s, struct call *c, const char *path)
{
	memset(c, 0, sizeof(*c));
	assert_non_null(call_start(s->ep, c, "GET", path, NULL));
	fixture_run(&s->f, &c->done, 1);
}

static void
test_get_post(void **state)
{
	struct state *s = *state;
	struct call c = {0};

	get(s, &c, "/echo");
	assert_int_equal(c.ending, NET_ANSWERED);
	assert_int_equal(c.status, 200);
	assert_string_equal(c.body, "{}");
	assert_string_equal(c.type, "application/json");
	assert_string_equal(c.error, "");
	assert_false(c.partial);
	memset(&c, 0, sizeof(c));
	call_start(s->ep, &c, "POST", "/echo", "{\"a\":1}");
	fixture_run(&s->f, &c.done, 1);
	assert_string_equal(c.body, "{\"a\":1}");
	memset(&c, 0, sizeof(c));
	call_start(s->ep, &c, "DELETE", "/echo", NULL);
	fixture_run(&s->f, &c.done, 1);
	assert_int_equal(c.status, 200);
	memset(&c, 0, sizeof(c));
	call_start(s->ep, &c, "POST", "/echo", NULL);
	fixture_run(&s->f, &c.done, 1);
	assert_int_equal(c.status, 200);
	get(s, &c, "/nowhere");
	assert_int_equal(c.status, 404);
	assert_false(c.retryable);
	/* All on one connection. */
	assert_int_equal(server_accepted(s->f.srv), 1);
	assert_int_equal(s->f.dials, 1);
	assert_int_equal(net_stats(s->f.net)->reused, 4);
}

static void
test_bearer(void **state)
{
	struct state *s = *state;
	struct secret *token = secret_new("s3cret-token", 12);
	struct secret *bad = secret_new("a\nb", 3);
	struct call c;
	struct net_request_opts o = {.method = "GET",
	    .path = "/auth",
	    .no_auth = 1,
	    .done = call_done,
	    .arg = &c};

	get(s, &c, "/auth");
	assert_string_equal(c.body, "none");
	assert_int_equal(net_endpoint_set_bearer(s->ep, token), 0);
	assert_int_equal(net_endpoint_set_bearer(s->ep, bad), -1);
	get(s, &c, "/auth");
	assert_string_equal(c.body, "Bearer s3cret-token");
	c.done = 0;
	net_request_start(s->ep, &o);
	fixture_run(&s->f, &c.done, 1);
	assert_string_equal(c.body, "none");
	secret_free(token);
	secret_free(bad);
}

static void
twice_done(struct net_request *req, const struct net_result *res, void *arg)
{
	assert_string_equal(net_result_header(res, "x-twice"), "b");
	assert_null(net_result_header(res, "X-Absent"));
	assert_int_equal(res->ratelimit_reset_ms, 7000);
	call_done(req, res, arg);
}

static void
days_done(struct net_request *req, const struct net_result *res, void *arg)
{
	assert_int_equal(res->ratelimit_reset_ms, NET_RETRY_MAX);
	call_done(req, res, arg);
}

static void
test_days(void **state)
{
	struct state *s = *state;
	struct call c = {0};
	struct net_request_opts o = {
	    .method = "GET", .path = "/days", .done = days_done, .arg = &c};

	net_request_start(s->ep, &o);
	fixture_run(&s->f, &c.done, 1);
	assert_int_equal(c.status, 503);
	assert_int_equal(c.retry_after_ms, NET_RETRY_MAX);
}

static void
test_headers(void **state)
{
	struct state *s = *state;
	struct call c = {0};
	struct net_request_opts o = {
	    .method = "GET", .path = "/limit", .done = twice_done, .arg = &c};

	net_request_start(s->ep, &o);
	fixture_run(&s->f, &c.done, 1);
	assert_int_equal(c.status, 429);
	assert_int_equal(c.retry_after_ms, 3000);
	assert_true(c.retryable);
	get(s, &c, "/heads");
	assert_true(c.ending == NET_ANSWERED && c.partial);
	assert_string_equal(c.error, "answer: headers too large");
}

static void
test_unusable(void **state)
{
	struct state *s = *state;
	struct call c = {0};
	const char *bad[] = {"X-A: b\r\nX-C: d", NULL};
	struct net_request_opts o = {.method = "GET",
	    .path = "/x",
	    .headers = bad,
	    .done = call_done,
	    .arg = &c};
	struct net_endpoint_opts e = {.host = "a b", .port = 1};

	assert_null(net_request_start(s->ep, &o));
	assert_null(call_start(s->ep, &c, "BREW", "/x", NULL));
	assert_null(call_start(s->ep, &c, "GET", "x", NULL));
	assert_null(call_start(s->ep, &c, "GET", "/x y", NULL));
	assert_null(call_start(s->ep, &c, "GET", "/x\r\nA: b", NULL));
	assert_null(net_endpoint_new(s->f.net, 1, &e));
	e.host = "a";
	e.tls_pin = "/etc/passwd";
	assert_null(net_endpoint_new(s->f.net, 1, &e));
	e.tls_pin = NULL;
	e.base = "chat";
	assert_null(net_endpoint_new(s->f.net, 1, &e));
	fixture_wait(&s->f, 20);
	assert_int_equal(c.done, 0);
}

static void
test_partial(void **state)
{
	struct state *s = *state;
	struct call c;

	get(s, &c, "/cut-head");
	assert_true(c.ending == NET_ANSWERED && c.partial);
	get(s, &c, "/cut-body");
	assert_true(c.ending == NET_ANSWERED && c.partial);
	assert_int_equal(c.status, 201);
	assert_string_equal(c.error, "server: answer cut short");
	get(s, &c, "/no-length");
	assert_true(c.ending == NET_ANSWERED && c.partial);
	assert_string_equal(c.body, "hello");
	get(s, &c, "/empty");
	assert_true(c.partial);
	get(s, &c, "/none");
	assert_true(c.ending == NET_ANSWERED && !c.partial);
	assert_int_equal(c.status, 204);
}

static void
test_too_large(void **state)
{
	struct state *s = *state;
	struct call c = {0};
	struct net_request_opts o = {.method = "GET",
	    .path = "/big",
	    .max_body = 50000,
	    .done = call_done,
	    .arg = &c};

	net_request_start(s->ep, &o);
	fixture_run(&s->f, &c.done, 1);
	assert_true(c.ending == NET_ANSWERED && c.partial);
	assert_string_equal(c.error, "answer: larger than 50000 bytes");
	get(s, &c, "/big");
	assert_int_equal(c.len, 100000);
	assert_false(c.partial);
}

static void
test_deadline(void **state)
{
	struct state *s = *state;
	struct call c = {0};
	struct net_request_opts o = {.method = "POST",
	    .path = "/silent",
	    .deadline_ms = 100,
	    .done = call_done,
	    .arg = &c};

	net_request_start(s->ep, &o);
	fixture_run(&s->f, &c.done, 1);
	assert_int_equal(c.ending, NET_MAYBE);
	assert_true(c.elapsed_ms >= 99 && c.elapsed_ms < 1000);
	assert_string_equal(c.error, "deadline: no answer in time");
	/* The endpoint is as good as before. */
	get(s, &c, "/echo");
	assert_int_equal(c.status, 200);
}

static void
test_cap(void **state)
{
	struct state *s = *state;
	struct call *c = calloc(200, sizeof(*c));
	int i, n = 0;

	for (i = 0; i < 200; i++) {
		c[i].counter = &n;
		call_start(s->ep, &c[i], "GET", "/echo", NULL);
	}
	fixture_run(&s->f, &n, 200);
	for (i = 0; i < 200; i++)
		assert_int_equal(c[i].status, 200);
	assert_int_equal(server_accepted(s->f.srv), NET_CAP);
	assert_int_equal(s->f.dials, NET_CAP);
	free(c);
}

static void
test_warm(void **state)
{
	struct state *s = *state;
	struct call c;

	net_endpoint_warm(s->ep, 3, "/echo");
	fixture_wait(&s->f, 50);
	assert_int_equal(server_accepted(s->f.srv), 3);
	get(s, &c, "/echo");
	assert_int_equal(server_accepted(s->f.srv), 3);
}

static void
test_same_origin(void **state)
{
	struct state *s = *state;
	struct net_endpoint_opts o = {
	    .host = "chat.test", .port = s->f.dial_port};
	struct net_endpoint *two, *three;
	struct call c = {0};

	two = net_endpoint_new(s->f.net, 7, &o);
	three = net_endpoint_new(s->f.net, 7, &o);
	assert_non_null(two);
	assert_non_null(three);
	assert_null(net_endpoint_new(s->f.net, 7, &o));
	get(s, &c, "/echo");
	call_start(two, &c, "GET", "/echo", NULL);
	call_start(three, &c, "GET", "/echo", NULL);
	fixture_run(&s->f, &c.done, 3);
	assert_int_equal(server_accepted(s->f.srv), 3);
}

/* Whatever the host is called, nothing is resolved here. */
static void
test_hosts(void **state)
{
	static const char *const hosts[] = {"localhost", "a.localhost",
	    "127.0.0.1", "::1", "2001:db8::1", "EXAMPLE.test"};
	struct state *s = *state;
	struct net_endpoint_opts o = {0};
	struct net_endpoint *ep;
	struct call c;
	size_t i;

	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		o.host = hosts[i];
		ep = fixture_endpoint(&s->f, 0, &o);
		memset(&c, 0, sizeof(c));
		call_start(ep, &c, "GET", "/echo", NULL);
		fixture_run(&s->f, &c.done, 1);
		assert_string_equal(c.error, "");
		assert_int_equal(c.status, 200);
		call_start(ep, &c, "GET", "/echo", NULL);
		fixture_run(&s->f, &c.done, 2);
	}
	assert_int_equal(s->f.dials, i);
}

static void
test_body_fd(void **state)
{
	struct state *s = *state;
	struct call c = {0};
	FILE *f = tmpfile();
	struct net_request_opts o = {.method = "POST",
	    .path = "/echo",
	    .body_len = 1000,
	    .done = call_done,
	    .arg = &c};

	for (int i = 0; i < 1000; i++)
		fputc('a' + i % 26, f);
	fflush(f);
	rewind(f);
	o.body_fd = dup(fileno(f));
	fclose(f);
	net_request_start(s->ep, &o);
	fixture_run(&s->f, &c.done, 1);
	assert_int_equal(c.status, 200);
	assert_int_equal(c.len, 1000);
	assert_memory_equal(c.body + 26, "abcdefghijklmnopqrstuvwxyz", 26);
}

static size_t told;

static void
on_sent(struct net_request *req, size_t sent, void *arg)
{
	assert_true(sent >= told);
	told = sent;
}

/* What goes around a file, and a file that has become shorter. */
static void
test_body_around(void **state)
{
	struct state *s = *state;
	struct call c = {0};
	FILE *f = tmpfile();
	struct net_request_opts o = {.method = "POST",
	    .path = "/echo",
	    .head = "<head>",
	    .head_len = 6,
	    .tail = "<tail>",
	    .tail_len = 6,
	    .body_len = 3000,
	    .sent = on_sent,
	    .done = call_done,
	    .arg = &c};

	told = 0;
	for (int i = 0; i < 200000; i++)
		fputc('a' + i % 26, f);
	fflush(f);
	o.body_fd = dup(fileno(f));
	net_request_start(s->ep, &o);
	fixture_run(&s->f, &c.done, 1);
	assert_int_equal(c.status, 200);
	assert_int_equal(c.len, 3012);
	assert_memory_equal(c.body, "<head>abcdef", 12);
	assert_memory_equal(c.body + 3006, "<tail>", 6);
	assert_int_equal(told, 3000);

	told = 0;
	o.body_len = 200000;
	assert_int_equal(ftruncate(fileno(f), 100000), 0);
	memset(&c, 0, sizeof(c));
	o.body_fd = dup(fileno(f));
	net_request_start(s->ep, &o);
	fixture_run(&s->f, &c.done, 1);
	assert_int_equal(c.ending, NET_MAYBE);
	assert_non_null(strstr(c.error, "shorter"));
	fclose(f);
}

static struct net_request *victim;

static void
cancel_other(struct net_request *req, const struct net_result *res, void *arg)
{
	/* Of itself: nothing happens. */
	net_request_cancel(req);
	if (victim != NULL)
		net_request_cancel(victim);
	victim = NULL;
	call_done(req, res, arg);
}

static void
test_cancel(void **state)
{
	struct state *s = *state;
	struct call c = {0}, gone = {0};
	struct net_request_opts o = {
	    .method = "GET", .path = "/echo", .done = cancel_other, .arg = &c};
	struct net_request_opts own = {.method = "GET", .path = "/silent",
	    .done = cancel_other, .arg_free = 1};
	struct net_request *req;
	int i;

	/* Parked. */
	req = call_start(s->ep, &gone, "POST", "/echo", "x");
	assert_int_equal(net_request_cancel(req), NET_NOT_SENT);
	/* Sent. */
	req = call_start(s->ep, &gone, "POST", "/silent", "x");
	fixture_wait(&s->f, 50);
	assert_int_equal(net_request_cancel(req), NET_MAYBE);
	/* With an argument that goes with it, parked and sent. */
	for (i = 0; i < 2; i++) {
		own.arg = malloc(32);
		req = net_request_start(s->ep, &own);
		if (i == 1)
			fixture_wait(&s->f, 50);
		net_request_cancel(req);
	}
	/* From a callback. */
	victim = call_start(s->ep, &gone, "GET", "/silent", NULL);
	net_request_start(s->ep, &o);
	fixture_run(&s->f, &c.done, 1);
	/* More than the cap, each in flight. */
	for (i = 0; i < 20; i++) {
		req = call_start(s->ep, &gone, "GET", "/silent", NULL);
		fixture_wait(&s->f, 5);
		net_request_cancel(req);
	}
	get(s, &c, "/echo");
	assert_int_equal(c.status, 200);
	assert_int_equal(gone.done, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_get_post, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_bearer, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_headers, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_days, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_unusable, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_partial, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_too_large, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_deadline, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_cap, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_warm, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_same_origin, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_hosts, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_body_fd, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_body_around, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
	};

	return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
