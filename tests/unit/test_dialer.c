/*
 * The real postern-dialer in its jail, over links like those of the
 * supervisor.
 */
#include "config.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the four above. */
#include <cmocka.h>

#include "common/chan.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "tests/unit/net_proc.h"

struct answer {
	int done;
	int fd;
	int busy;
	int err;
	int lost;
	char stage[32];
	char text[200];
	int64_t ms;
	struct monotime since;
	int *counter;
};

static struct event_base *base;
static struct proc proc;
static int closed;

static int
listener(int backlog, uint16_t *port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	getsockname(fd, (struct sockaddr *)&sin, &len);
	if (backlog >= 0)
		assert_int_equal(listen(fd, backlog), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	*(int *)arg = 1;
}

static void
run(const int *flag, int n)
{
	int late = 0;
	struct event *ev = evtimer_new(base, on_late, &late);

	loop_timer(ev, 20000);
	while (*flag < n && !late)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(ev);
	if (late)
		fail_msg("%d of %d after 20 s", *flag, n);
}

static void
on_answer(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct answer *a = arg;
	struct json_object *v;

	a->done = 1;
	a->fd = fd;
	a->lost = msg == NULL;
	a->ms = monotime_since(a->since);
	if (a->counter != NULL)
		(*a->counter)++;
	if (msg == NULL || strcmp(type, "dial.err") != 0)
		return;
	json_object_object_get_ex(msg, "stage", &v);
	strlcpy(a->stage, json_object_get_string(v), sizeof(a->stage));
	json_object_object_get_ex(msg, "text", &v);
	strlcpy(a->text, json_object_get_string(v), sizeof(a->text));
	json_object_object_get_ex(msg, "errno", &v);
	a->err = json_object_get_int(v);
	json_object_object_get_ex(msg, "busy", &v);
	a->busy = json_object_get_boolean(v);
}

static const struct chan_handler none[] = {{NULL, NULL}};

static void
on_closed(struct chan *c, const char *why, void *arg)
{
	closed++;
	chan_free(c);
}

static void
dial(struct chan *c, struct answer *a, int ep)
{
	struct json_object *msg = chan_msg("dial");

	memset(a, 0, sizeof(*a));
	a->fd = -1;
	a->since = monotime_now();
	json_object_object_add(msg, "ep", json_object_new_int(ep));
	assert_int_equal(chan_request(c, msg, -1, 15000, on_answer, a), 0);
}

static struct chan *
link_new(const char *peer, const char *opts)
{
	int sv[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	proc_link(&proc, "account", peer, opts, sv[0]);
	return chan_new(base, sv[1], PROTO_DIAL, SIDE_B, none, on_closed, NULL);
}

static int good_fd, refused_fd, full_fd, full_clients[8];
static uint16_t good_port, refused_port, full_port;

/* Connections nobody accepts, until SYNs are dropped. */
static void
fill(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	size_t i;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(full_port);
	for (i = 0; i < 8; i++) {
		full_clients[i] = socket(
		    AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		connect(full_clients[i], (struct sockaddr *)&sin, sizeof(sin));
	}
}

static int
setup(void **state)
{
	char config[2048];

	signal(SIGPIPE, SIG_IGN);
	base = loop_new();
	good_fd = listener(64, &good_port);
	refused_fd = listener(-1, &refused_port);
	full_fd = listener(0, &full_port);
	fill();
	snprintf(config, sizeof(config),
	    "{\"connectTimeoutMs\":800,\"endpoints\":["
	    "{\"id\":1,\"host\":\"127.0.0.1\",\"port\":%d},"
	    "{\"id\":2,\"host\":\"127.0.0.1\",\"port\":%d,\"proxy\":null},"
	    "{\"id\":3,\"host\":\"127.0.0.1\",\"port\":%d},"
	    "{\"id\":4,\"host\":\"no-such-host.invalid\",\"port\":%d},"
	    "{\"id\":5,\"host\":\"localhost\",\"port\":%d},"
	    "{\"id\":6,\"host\":\"no-such-host.invalid\",\"port\":1,"
	    "\"proxy\":{\"host\":\"127.0.0.1\",\"port\":%d}},"
	    "{\"id\":7,\"host\":\"::1\",\"port\":%d}]}",
	    good_port, refused_port, full_port, good_port, good_port, good_port,
	    refused_port);
	proc_start(&proc, base, "./postern-dialer", config);
	proc_go(&proc);
	run(&proc.ready, 1);
	closed = 0;
	return 0;
}

static int
teardown(void **state)
{
	size_t i;
	int rc = proc_end(&proc);

	for (i = 0; i < 8; i++)
		close(full_clients[i]);
	close(good_fd);
	close(refused_fd);
	close(full_fd);
	event_base_free(base);
	if (rc != 0)
		print_message(
		    "the dialer ended with %d: %s\n", rc, proc.warning);
	return rc == 0 ? 0 : -1;
}

static void
check_socket(int fd)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	int on = 0;

	assert_true(fd != -1);
	assert_int_equal(getpeername(fd, (struct sockaddr *)&sin, &len), 0);
	assert_int_equal(ntohs(sin.sin_port), good_port);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	len = sizeof(on);
	getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len);
	assert_true(on);
	close(fd);
}

static void
test_dial(void **state)
{
	struct chan *c = link_new("a", "{\"endpoints\":[1,2,3,4,5,6,7]}");
	struct answer a;

	dial(c, &a, 1);
	run(&a.done, 1);
	check_socket(a.fd);
	assert_true(a.ms < 200);
	/* By name, and by a proxy whose own name alone is resolved. */
	dial(c, &a, 5);
	run(&a.done, 1);
	check_socket(a.fd);
	dial(c, &a, 5);
	run(&a.done, 1);
	check_socket(a.fd);
	dial(c, &a, 6);
	run(&a.done, 1);
	check_socket(a.fd);
	chan_free(c);
}

static void
test_errors(void **state)
{
	struct chan *c = link_new("a", "{\"endpoints\":[1,2,3,4,5,6,7]}");
	struct answer a;

	dial(c, &a, 2);
	run(&a.done, 1);
	assert_string_equal(a.stage, "connect");
	assert_int_equal(a.err, ECONNREFUSED);
	assert_string_equal(a.text, "Connection refused");
	assert_false(a.busy);
	dial(c, &a, 7);
	run(&a.done, 1);
	assert_string_equal(a.stage, "connect");
	assert_true(a.err != 0);
	/* Nobody answers at all. */
	dial(c, &a, 3);
	run(&a.done, 1);
	assert_string_equal(a.stage, "connect");
	assert_int_equal(a.err, ETIMEDOUT);
	assert_true(a.ms >= 790 && a.ms < 2000);
	dial(c, &a, 4);
	run(&a.done, 1);
	assert_string_equal(a.stage, "resolve");
	assert_true(a.ms < 2000);
	chan_free(c);
}

static void
test_forbidden(void **state)
{
	struct chan *c = link_new("a", "{\"endpoints\":[1]}");
	struct chan *other = link_new("b", "{\"endpoints\":[1]}");
	struct answer a, b;

	dial(c, &a, 2);
	run(&closed, 1);
	assert_true(a.done && a.lost && a.fd == -1);
	run(&proc.warnings, 1);
	assert_non_null(strstr(proc.warning, "dialer.violation"));
	assert_non_null(strstr(proc.warning, "peer=a"));
	run(&proc.broken, 1);
	assert_string_equal(proc.broke, "a");
	/* Nobody else notices. */
	dial(other, &b, 1);
	run(&b.done, 1);
	check_socket(b.fd);
	dial(other, &b, 99);
	run(&closed, 2);
}

static void
test_caps(void **state)
{
	struct chan *c[10];
	struct answer *a = calloc(200, sizeof(*a));
	char peer[8];
	int i, n = 0, busy = 0, timeouts = 0;

	/* 20 on one link, then more than all links may have. */
	for (i = 0; i < 10; i++) {
		snprintf(peer, sizeof(peer), "p%d", i);
		c[i] = link_new(peer, "{\"endpoints\":[3]}");
	}
	for (i = 0; i < 20; i++) {
		dial(c[0], &a[i], 3);
		a[i].counter = &n;
	}
	run(&n, 20);
	for (i = 0; i < 20; i++) {
		busy += a[i].busy;
		timeouts += a[i].err == ETIMEDOUT;
	}
	assert_int_equal(busy, 4);
	assert_int_equal(timeouts, 16);
	n = busy = 0;
	for (i = 0; i < 150; i++) {
		dial(c[i / 15], &a[i], 3);
		a[i].counter = &n;
	}
	run(&n, 150);
	for (i = 0; i < 150; i++)
		busy += a[i].busy;
	assert_int_equal(busy, 150 - 128);
	for (i = 0; i < 10; i++)
		chan_free(c[i]);
	free(a);
}

/* A link that goes away takes its dials along; a new one replaces it. */
static void
test_links(void **state)
{
	struct chan *c = link_new("a", "{\"endpoints\":[1,3]}"), *again;
	struct answer a[16], b;
	int i;

	for (i = 0; i < 16; i++)
		dial(c, &a[i], 3);
	again = link_new("a", "{\"endpoints\":[1]}");
	run(&closed, 1);
	for (i = 0; i < 16; i++)
		assert_true(a[i].lost);
	dial(again, &b, 1);
	run(&b.done, 1);
	check_socket(b.fd);
	dial(again, &b, 1);
	proc_unlink(&proc, "account", "a");
	run(&closed, 2);
	if (b.fd != -1)
		close(b.fd);
	/* And one that just hangs up in the middle. */
	c = link_new("b", "{\"endpoints\":[3]}");
	dial(c, &b, 3);
	chan_flush(c, 100);
	chan_free(c);
	c = link_new("c", "{\"endpoints\":[1]}");
	dial(c, &b, 1);
	run(&b.done, 1);
	check_socket(b.fd);
	chan_free(c);
}

/* Descriptors do not pile up, here or there. */
static void
test_many(void **state)
{
	struct chan *c = link_new("a", "{\"endpoints\":[1]}");
	struct answer a;
	int i, fd;

	for (i = 0; i < 2000; i++) {
		dial(c, &a, 1);
		run(&a.done, 1);
		assert_true(a.fd != -1);
		close(a.fd);
		if ((fd = accept(good_fd, NULL, NULL)) != -1)
			close(fd);
	}
	print_message("private memory: %ld KiB\n", proc_private(&proc));
	chan_free(c);
}

/* Whoever reads no answer is not given all descriptors that there are. */
static void
test_unread(void **state)
{
	struct chan *greedy = link_new("a", "{\"endpoints\":[1]}"), *c;
	struct rlimit few = {512, 512};
	struct answer a, b;
	int i, k, fd = -1, before, at_first = closed;

	assert_int_equal(prlimit(proc.pid, RLIMIT_NOFILE, &few, NULL), 0);
	fcntl(good_fd, F_SETFL, O_NONBLOCK);
	chan_pause(greedy, 1);
	for (i = 0; i < 1200; i++) {
		before = closed;
		dial(greedy, &a, 1);
		/* Until it has come, or cannot any more. */
		for (k = 0; k < 100 && closed == before; k++) {
			event_base_loop(base, EVLOOP_NONBLOCK);
			if ((fd = accept(good_fd, NULL, NULL)) != -1)
				break;
			usleep(1000);
		}
		if (fd == -1 || closed > before)
			break;
		close(fd);
	}
	c = link_new("b", "{\"endpoints\":[1]}");
	dial(c, &b, 1);
	run(&b.done, 1);
	check_socket(b.fd);
	assert_int_equal(proc.broken, 1);
	assert_string_equal(proc.broke, "a");
	chan_free(c);
	if (closed == at_first)
		chan_free(greedy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_dial, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_forbidden, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_caps, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_links, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_many, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_unread, setup, teardown),
	};

	return cmocka_run_group_tests_name("dialer", tests, NULL, NULL);
}
