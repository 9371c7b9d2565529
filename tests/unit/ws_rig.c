#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/secret.h"
#include "tests/unit/ws_rig.h"
#include "workers/net/ws_upgrade.h"

#define TEXT 0x81
#define PING 0x89
#define PONG 0x8a
#define CLOSE 0x88

char ws_long_text[200001];

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
		peer_ws_frame(p, TEXT, 0, ws_long_text, 200000);
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

static void
on_open(struct ws *ws, void *arg)
{
	struct ws_rig *s = arg;

	s->opened++;
}

static void
on_text(struct ws *ws, const char *msg, size_t len, void *arg)
{
	struct ws_rig *s = arg;

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
on_drained(struct ws *ws, void *arg)
{
	((struct ws_rig *)arg)->drained++;
}

static void
on_closed(struct ws *ws, enum ws_end end, int code, const char *why, void *arg)
{
	struct ws_rig *s = arg;

	s->closed++;
	s->end = end;
	s->code = code;
	s->retry_after = ws_retry_after_ms(ws);
	snprintf(s->why, sizeof(s->why), "%s", why);
	s->ws = NULL;
}

static const struct ws_callbacks callbacks = {
    on_open, on_text, on_drained, on_closed};

static int use_tls;

struct ws_rig *
ws_rig_up(const char *script, const char *path, size_t max, int64_t connect_ms)
{
	struct ws_rig *s = calloc(1, sizeof(*s));
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

void
ws_rig_down(struct ws_rig *s)
{
	fixture_down(&s->f);
	free(s);
}

int
ws_rig_plain(void **state)
{
	use_tls = 0;
	memset(ws_long_text, 'y', 200000);
	return 0;
}

int
ws_rig_tls(void **state)
{
	use_tls = 1;
	memset(ws_long_text, 'y', 200000);
	return 0;
}
