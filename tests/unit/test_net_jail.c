/*
 * workers/net in the jail of an account, with the real dialer: every way a
 * request can go, and nothing may kill the worker.
 */
#include "config.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the four above. */
#include <cmocka.h>

#include "common/loop.h"
#include "tests/unit/net_fixture.h"
#include "tests/unit/net_proc.h"

static void
serve(struct peer *p, void *arg)
{
	char key[64];
	int op;

	while (peer_head(p)) {
		if (peer_header(p, "Sec-WebSocket-Key", key, sizeof(key))) {
			peer_ws_accept(p, key);
			while ((op = peer_ws_read(p)) != -1)
				peer_ws_frame(
				    p, 0x80 | op, 0, p->body, p->body_len);
			return;
		}
		if (strcmp(p->method, "POST") == 0) {
			peer_read(p, key, 2);
			peer_answer(p, 201, "made");
		} else
			peer_answer(p, 200, "ok");
	}
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	*(int *)arg = 1;
}

static void
run(struct event_base *base, const int *flag, const struct proc *p)
{
	int late = 0;
	struct event *ev = evtimer_new(base, on_late, &late);

	loop_timer(ev, 20000);
	while (*flag == 0 && !late && !p->closed)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(ev);
	if (p->closed)
		fail_msg("it died: %s", p->warning);
	if (late)
		fail_msg("nothing after 20 s");
}

static uint16_t
refused_port(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	getsockname(fd, (struct sockaddr *)&sin, &len);
	close(fd);
	return ntohs(sin.sin_port);
}

static void
test_jail(void **state)
{
	struct event_base *base = loop_new();
	struct server *plain = server_new(serve, NULL, NULL);
	struct server *good = server_new(serve, NULL, cert_server(CERT_GOOD));
	struct server *bad =
	    server_new(serve, NULL, cert_server(CERT_UNKNOWN_CA));
	uint16_t port[5] = {0, server_port(plain), server_port(good),
	    server_port(bad), refused_port()};
	struct proc dialer, account;
	char config[1024];
	int sv[2];

	signal(SIGPIPE, SIG_IGN);
	snprintf(config, sizeof(config),
	    "{\"endpoints\":["
	    "{\"id\":1,\"host\":\"127.0.0.1\",\"port\":%d},"
	    "{\"id\":2,\"host\":\"127.0.0.1\",\"port\":%d},"
	    "{\"id\":3,\"host\":\"127.0.0.1\",\"port\":%d},"
	    "{\"id\":4,\"host\":\"127.0.0.1\",\"port\":%d}]}",
	    port[1], port[2], port[3], port[4]);
	proc_start(&dialer, base, "./postern-dialer", config);
	snprintf(config, sizeof(config),
	    "{\"port1\":%d,\"port2\":%d,\"port3\":%d,\"port4\":%d}", port[1],
	    port[2], port[3], port[4]);
	proc_start(&account, base, "./tests/unit/net_jailed", config);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	proc_link(
	    &dialer, "account", "test", "{\"endpoints\":[1,2,3,4]}", sv[0]);
	proc_link(&account, "dial", "", NULL, sv[1]);
	proc_fd(&account, "ca", cert_ca_fd());
	proc_go(&dialer);
	proc_go(&account);
	run(base, &account.states, &account);
	print_message("private memory: account %ld KiB, dialer %ld KiB\n",
	    proc_private(&account), proc_private(&dialer));
	assert_string_equal(account.reason,
	    "answered 200 ok; answered 201 made; answered 201 made; "
	    "not-sent 0 tls: unknown issuer; ws local 1000; ws local 1000; "
	    "ws tls 0; not-sent 0 connect: Connection refused "
	    "(3 dials failed); ");
	assert_int_equal(proc_end(&account), 0);
	assert_int_equal(proc_end(&dialer), 0);
	server_free(plain);
	server_free(good);
	server_free(bad);
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_jail),
	};

	return cmocka_run_group_tests_name("net jail", tests, NULL, NULL);
}
