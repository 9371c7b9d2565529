#include "config.h"

#include <sys/socket.h>
#include <sys/resource.h>

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
#include "tests/unit/slow.h"
#include "workers/net/ws_upgrade.h"

#define TEXT 0x81
#define PING 0x89
#define PONG 0x8a
#define CLOSE 0x88

static char long_text[200001];

/* The server's part in each test, by path. */
static void
echo(struct peer *p)
{
	int op;

	while ((op = peer_ws_read(p)) != -1) {
		if (op == 8) {
			peer_ws_frame(p, CLOSE, 0, p->body, p->body_len);
			return;
		}
		if (op == 9)
			op = 10;
		peer_ws_frame(p, 0x80 | op, 0, p->body, p->body_len);
	}
}

static void
fragments(struct peer *p)
{
	int pong = 0;

	peer_ws_frame(p, 0x01, 0, "one ", 4);
	peer_ws_frame(p, 0x00, 0, "two ", 4);
	peer_ws_frame(p, PING, 0, "inside", 6);
	peer_ws_frame(p, 0x80, 0, "three", 5);
	while (peer_ws_read(p) == 10)
		if (p->body_len == 6 && memcmp(p->body, "inside", 6) == 0) {
			pong = 1;
			break;
		}
	peer_ws_frame(
	    p, TEXT, 0, pong ? "pong seen" : "no pong", 9 - !pong * 2);
	peer_ws_read(p);
}

static void
glued(struct peer *p)
{
	char key[64], accept[WS_ACCEPT_LEN + 1], buf[512];
	int n;

	peer_head(p);
	peer_header(p, "Sec-WebSocket-Key", key, sizeof(key));
	ws_upgrade_accept(key, accept);
	n = snprintf(buf, sizeof(buf),
	    "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\n"
	    "Connection: keep-alive, Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n\r\n"
	    "\x81\x05hello\x81\x05world",
	    accept);
	peer_write(p, buf, n);
	peer_ws_read(p);
}

static void
bad_upgrade(struct peer *p)
{
	peer_head(p);
	if (strcmp(p->path, "/limit") == 0)
		peer_printf(p, "HTTP/1.1 429 X\r\nRetry-After: 2\r\n"
			       "Content-Length: 0\r\n\r\n");
	else if (strcmp(p->path, "/accept") == 0)
		peer_printf(p,
		    "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n"
		    "Connection: Upgrade\r\n"
		    "Sec-WebSocket-Accept: %028d\r\n\r\n",
		    0);
	else if (strcmp(p->path, "/noise") == 0)
		peer_printf(p, "SSH-2.0-x\r\n\r\n");
	else if (strcmp(p->path, "/mute") == 0)
		peer_head(p);
	else if (strcmp(p->path, "/endless") == 0)
		for (int i = 0; i < 1000; i++)
			peer_printf(p, "%s%d: %0200d\r\n",
			    i == 0 ? "HTTP/1.1 101 X\r\nX-" : "X-", i, i);
	peer_head(p);
}

static void
flood(struct peer *p)
{
	int i;

	for (i = 0; i < 200000 && p->fd != -1; i++)
		peer_ws_frame(p, PING, 0, "0123456789", 10);
}

static void
crumbs(struct peer *p)
{
	int i;

	peer_ws_frame(p, 0x01, 0, "x", 1);
	for (i = 0; i < 20000; i++)
		peer_ws_frame(p, 0x00, 0, "", 0);
	peer_ws_read(p);
}

static void
serve(struct peer *p, void *arg)
{
	static const char huge[] = "\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff!";
	char auth[128];
	int i;

	if (strcmp(arg, "glued") == 0) {
		glued(p);
		return;
	}
	if (strcmp(arg, "upgrade") == 0) {
		bad_upgrade(p);
		return;
	}
	if (!peer_ws_upgrade(p))
		return;
	if (strcmp(arg, "echo") == 0)
		echo(p);
	else if (strcmp(arg, "auth") == 0) {
		if (peer_header(p, "Authorization", auth, sizeof(auth)))
			peer_ws_frame(p, TEXT, 0, auth, strlen(auth));
		peer_ws_read(p);
	} else if (strcmp(arg, "fragments") == 0)
		fragments(p);
	else if (strcmp(arg, "close") == 0) {
		peer_ws_frame(p, CLOSE, 0, "\x0f\xa0gone\x01", 7);
		/* Our answer must have the same code. */
		if (peer_ws_read(p) != 8 || memcmp(p->body, "\x0f\xa0", 2))
			peer_ws_frame(p, TEXT, 0, "wrong", 5);
	} else if (strcmp(arg, "close-empty") == 0) {
		peer_ws_frame(p, CLOSE, 0, "", 0);
		peer_ws_read(p);
	} else if (strcmp(arg, "fin") == 0)
		peer_ws_frame(p, TEXT, 0, "last", 4);
	else if (strcmp(arg, "rst") == 0) {
		peer_ws_frame(p, TEXT, 0, "last", 4);
		usleep(20000);
		peer_reset(p);
	} else if (strcmp(arg, "masked") == 0) {
		peer_ws_frame(p, TEXT, 1, "masked", 6);
		echo(p);
	} else if (strcmp(arg, "utf8") == 0) {
		peer_ws_frame(p, TEXT, 0, "\xc3\x28", 2);
		echo(p);
	} else if (strcmp(arg, "huge") == 0) {
		peer_write(p, huge, sizeof(huge) - 1);
		echo(p);
	} else if (strcmp(arg, "big") == 0) {
		peer_ws_frame(p, TEXT, 0, long_text, 200000);
		echo(p);
	} else if (strcmp(arg, "rsv") == 0) {
		peer_ws_frame(p, 0xc1, 0, "x", 1);
		echo(p);
	} else if (strcmp(arg, "binary") == 0) {
		peer_ws_frame(p, 0x82, 0, "x", 1);
		echo(p);
	} else if (strcmp(arg, "flood") == 0)
		flood(p);
	else if (strcmp(arg, "crumbs") == 0)
		crumbs(p);
	else if (strcmp(arg, "deaf") == 0) {
		while (peer_read(p, auth, 1) == 1)
			continue;
	} else if (strcmp(arg, "slow") == 0) {
		usleep(300000);
		echo(p);
	} else if (strcmp(arg, "many") == 0) {
		for (i = 0; i < 20000; i++)
			peer_ws_frame(p, TEXT, 0, "0123456789", 10);
		peer_ws_read(p);
	}
}

struct state {
	struct fixture f;
	struct net_endpoint *ep;
	struct ws *ws;
	int opened, texts, pongs, drained, closed;
	char last[256];
	size_t last_len, bytes;
	enum ws_end end;
	int code;
	int64_t retry_after;
	char why[256];
	/* What the text callback does. */
	int echo_left;
	int abort_at;
	int pause_at;
};

static void
on_open(struct ws *ws, void *arg)
{
	struct state *s = arg;

	s->opened++;
}

static void
on_text(struct ws *ws, const char *msg, size_t len, void *arg)
{
	struct state *s = arg;

	s->texts++;
	s->bytes += len;
	s->last_len = len;
	snprintf(s->last, sizeof(s->last), "%.*s", (int)len, msg);
	if (s->echo_left > 0) {
		s->echo_left--;
		assert_int_equal(ws_send_text(ws, msg, len), 0);
	}
	if (s->texts == s->pause_at)
		ws_pause(ws, 1);
	if (s->texts == s->abort_at) {
		ws_abort(ws);
		s->ws = NULL;
	}
}

static void
on_pong(struct ws *ws, void *arg)
{
	((struct state *)arg)->pongs++;
}

static void
on_drained(struct ws *ws, void *arg)
{
	((struct state *)arg)->drained++;
}

static void
on_closed(struct ws *ws, enum ws_end end, int code, const char *why, void *arg)
{
	struct state *s = arg;

	s->closed++;
	s->end = end;
	s->code = code;
	s->retry_after = ws_retry_after_ms(ws);
	snprintf(s->why, sizeof(s->why), "%s", why);
	s->ws = NULL;
}

static const struct ws_callbacks callbacks = {
    on_open, on_text, on_pong, on_drained, on_closed};

static int use_tls;

static struct state *
up(const char *script, const char *path, size_t max, int64_t connect_ms)
{
	struct state *s = calloc(1, sizeof(*s));
	struct ws_opts o = {.path = path,
	    .cb = &callbacks,
	    .arg = s,
	    .max = max,
	    .connect_ms = connect_ms};
	struct secret *token = secret_new("tok", 3);

	assert_non_null(s);
	fixture_up(&s->f, serve, (void *)(uintptr_t)script,
	    use_tls ? cert_server(CERT_GOOD) : NULL);
	if (use_tls)
		assert_int_equal(net_set_ca(s->f.net, cert_ca_fd()), CERT_CAS);
	s->ep = fixture_endpoint(&s->f, use_tls, NULL);
	assert_int_equal(net_endpoint_set_bearer(s->ep, token), 0);
	secret_free(token);
	s->ws = ws_connect(s->ep, &o);
	assert_non_null(s->ws);
	assert_int_equal(s->opened, 0);
	return s;
}

static void
down(struct state *s)
{
	fixture_down(&s->f);
	free(s);
}

static void
ends(const char *script, const char *path, enum ws_end end, int code)
{
	struct state *s = up(script, path, 0, slow_times(300));

	fixture_run(&s->f, &s->closed, 1);
	if (s->end != end || s->code != code)
		fail_msg("%s %s: %s %d %s", script, path, ws_end_name(s->end),
		    s->code, s->why);
	down(s);
}

static void
test_echo(void **state)
{
	struct state *s = up("echo", "/", 0, 0);
	int i;

	assert_int_equal(ws_send_text(s->ws, "early", 5), -1);
	fixture_run(&s->f, &s->opened, 1);
	assert_int_equal(ws_send_text(s->ws, "hello", 5), 0);
	fixture_run(&s->f, &s->texts, 1);
	assert_string_equal(s->last, "hello");
	fixture_run(&s->f, &s->drained, 1);
	assert_int_equal(ws_queued(s->ws), 0);
	/* Sent from the callback, again and again. */
	s->echo_left = 500;
	ws_send_text(s->ws, "x", 1);
	fixture_run(&s->f, &s->texts, 502);
	/* More than all buffers, both ways. */
	for (i = 0; i < 5; i++)
		assert_int_equal(ws_send_text(s->ws, long_text, 200000), 0);
	assert_int_equal(ws_send_text(s->ws, long_text, 200000), -1);
	fixture_run(&s->f, &s->texts, 507);
	assert_int_equal(s->last_len, 200000);
	ws_ping(s->ws, 1000);
	ws_ping(s->ws, 1000);
	fixture_run(&s->f, &s->pongs, 1);
	ws_close(s->ws, 1000);
	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_LOCAL);
	assert_int_equal(s->code, 1000);
	assert_int_equal(s->pongs, 1);
	down(s);
}

static void
test_auth(void **state)
{
	struct state *s = up("auth", "/", 0, 0);

	fixture_run(&s->f, &s->texts, 1);
	assert_string_equal(s->last, "Bearer tok");
	down(s);
}

static void
test_fragments(void **state)
{
	struct state *s = up("fragments", "/", 0, 0);

	fixture_run(&s->f, &s->texts, 2);
	assert_string_equal(s->last, "pong seen");
	assert_int_equal(s->bytes, 13 + 9);
	down(s);
}

static void
test_glued(void **state)
{
	struct state *s = up("glued", "/", 0, 0);

	fixture_run(&s->f, &s->texts, 2);
	assert_string_equal(s->last, "world");
	down(s);
}

static void
test_ends(void **state)
{
	struct state *s = up("close", "/", 0, 0);

	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_CLOSE);
	assert_int_equal(s->code, 4000);
	assert_string_equal(s->why, "close frame of the server: gone?");
	assert_int_equal(s->texts, 0);
	down(s);
	ends("close-empty", "/", WS_END_CLOSE, 1005);
	ends("fin", "/", WS_END_FIN, 0);
	ends("rst", "/", WS_END_RST, 0);
	assert_true(ws_end_noticed(WS_END_FIN) && ws_end_noticed(WS_END_RST) &&
		    ws_end_noticed(WS_END_CLOSE));
	assert_false(ws_end_noticed(WS_END_DEADLINE) ||
		     ws_end_noticed(WS_END_NETWORK) ||
		     ws_end_noticed(WS_END_LOCAL));
}

static void
test_protocol(void **state)
{
	ends("masked", "/", WS_END_PROTOCOL, 1002);
	ends("rsv", "/", WS_END_PROTOCOL, 1002);
	ends("utf8", "/", WS_END_PROTOCOL, 1007);
	ends("huge", "/", WS_END_PROTOCOL, 1009);
	ends("binary", "/", WS_END_PROTOCOL, 1003);
	ends("crumbs", "/", WS_END_PROTOCOL, 1008);
}

static void
test_too_big(void **state)
{
	struct state *s = up("big", "/", 100000, 0);

	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_PROTOCOL);
	assert_int_equal(s->code, 1009);
	assert_int_equal(s->texts, 0);
	down(s);
	s = up("big", "/", 200000, 0);
	fixture_run(&s->f, &s->texts, 1);
	assert_int_equal(s->bytes, 200000);
	down(s);
}

static void
test_upgrade(void **state)
{
	struct state *s = up("upgrade", "/limit", 0, 0);

	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_UPGRADE);
	assert_int_equal(s->code, 429);
	assert_int_equal(s->retry_after, 2000);
	down(s);
	ends("upgrade", "/accept", WS_END_UPGRADE, 101);
	ends("upgrade", "/noise", WS_END_UPGRADE, 0);
	ends("upgrade", "/endless", WS_END_UPGRADE, 101);
	ends("upgrade", "/mute", WS_END_DEADLINE, 0);
}

static int64_t
cpu_ms(void)
{
	struct rusage ru;

	getrusage(RUSAGE_THREAD, &ru);
	return ru.ru_utime.tv_sec * 1000 + ru.ru_utime.tv_usec / 1000 +
	       ru.ru_stime.tv_sec * 1000 + ru.ru_stime.tv_usec / 1000;
}

static void
test_deaf(void **state)
{
	struct state *s = up("deaf", "/", 0, 0);
	int64_t cpu;

	fixture_run(&s->f, &s->opened, 1);
	ws_ping(s->ws, 100);
	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_DEADLINE);
	down(s);
	/* A close that nobody answers. */
	s = up("deaf", "/", 0, 0);
	fixture_run(&s->f, &s->opened, 1);
	cpu = cpu_ms();
	ws_close(s->ws, 1000);
	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_LOCAL);
	assert_true(cpu_ms() - cpu < 100);
	down(s);
}

static void
test_flood(void **state)
{
	/* It reads no pong: ours pile up, and that ends it. */
	struct state *s = up("flood", "/", 0, 0);

	fixture_run(&s->f, &s->closed, 1);
	assert_true(s->end == WS_END_PROTOCOL || s->end == WS_END_FIN ||
		    s->end == WS_END_RST);
	down(s);
}

static void
test_slow(void **state)
{
	/* Back-pressure: the peer does not read for a while. */
	struct state *s = up("slow", "/", 0, 0);
	int i;

	fixture_run(&s->f, &s->opened, 1);
	for (i = 0; i < 40; i++) {
		while (ws_send_text(s->ws, long_text, 200000) == -1)
			fixture_wait(&s->f, 5);
	}
	fixture_run(&s->f, &s->texts, 40);
	assert_int_equal(s->bytes, 40 * 200000);
	down(s);
}

static void
test_pause(void **state)
{
	struct state *s = up("many", "/", 0, 0);
	int64_t cpu;
	int n;

	s->pause_at = 100;
	fixture_run(&s->f, &s->texts, 100);
	fixture_wait(&s->f, 20);
	n = s->texts;
	assert_true(n < 1000);
	cpu = cpu_ms();
	fixture_wait(&s->f, 200);
	assert_int_equal(s->texts, n);
	assert_true(cpu_ms() - cpu < 50);
	ws_pause(s->ws, 0);
	fixture_run(&s->f, &s->texts, 20000);
	down(s);
}

static void
test_abort(void **state)
{
	struct state *s = up("many", "/", 0, 0);
	int i;

	s->abort_at = 50;
	fixture_run(&s->f, &s->texts, 50);
	fixture_wait(&s->f, 30);
	assert_int_equal(s->texts, 50);
	assert_int_equal(s->closed, 0);
	for (i = 0; i < 100 && server_open(s->f.srv) > 0; i++)
		fixture_wait(&s->f, 20);
	assert_int_equal(server_open(s->f.srv), 0);
	down(s);
	/* At every stage before. */
	s = up("echo", "/", 0, 0);
	ws_abort(s->ws);
	down(s);
	s = up("echo", "/", 0, 0);
	s->f.dial_delay_ms = 30;
	fixture_wait(&s->f, 10);
	ws_abort(s->ws);
	fixture_wait(&s->f, 50);
	assert_int_equal(s->opened, 0);
	down(s);
	s = up("upgrade", "/mute", 0, 0);
	fixture_wait(&s->f, 50);
	ws_abort(s->ws);
	fixture_wait(&s->f, 10);
	down(s);
}

static void
test_dial(void **state)
{
	struct state *s = up("echo", "/", 0, 0);

	s->f.dial_fail = 1;
	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_DIAL);
	assert_string_equal(s->why, "connect: Connection refused");
	down(s);
	s = up("echo", "/", 0, 100);
	s->f.dial_hole = 1;
	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_DEADLINE);
	down(s);
	s = up("echo", "/", 0, 0);
	ws_close(s->ws, 1000);
	fixture_run(&s->f, &s->closed, 1);
	assert_int_equal(s->end, WS_END_LOCAL);
	down(s);
}

/* HTTP goes on beside a websocket that carries much. */
static void
test_beside(void **state)
{
	struct state *s = up("many", "/", 0, 0);
	struct call c = {0};
	int i;

	for (i = 0; i < 10; i++)
		call_start(s->ep, &c, "GET", "/x", NULL);
	fixture_run(&s->f, &c.done, 10);
	fixture_run(&s->f, &s->texts, 20000);
	down(s);
}

static int
plain(void **state)
{
	use_tls = 0;
	memset(long_text, 'y', 200000);
	return 0;
}

static int
tls(void **state)
{
	use_tls = 1;
	memset(long_text, 'y', 200000);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_echo),
	    cmocka_unit_test(test_auth),
	    cmocka_unit_test(test_fragments),
	    cmocka_unit_test(test_glued),
	    cmocka_unit_test(test_ends),
	    cmocka_unit_test(test_protocol),
	    cmocka_unit_test(test_too_big),
	    cmocka_unit_test(test_upgrade),
	    cmocka_unit_test(test_deaf),
	    cmocka_unit_test(test_flood),
	    cmocka_unit_test(test_slow),
	    cmocka_unit_test(test_pause),
	    cmocka_unit_test(test_abort),
	    cmocka_unit_test(test_dial),
	    cmocka_unit_test(test_beside),
	};

	return cmocka_run_group_tests_name("ws", tests, plain, NULL) +
	       cmocka_run_group_tests_name("ws over TLS", tests, tls, NULL);
}
