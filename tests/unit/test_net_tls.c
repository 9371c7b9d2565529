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

/* Certificates, pins, and the CONNECT proxy. */

static void
serve(struct peer *p, void *arg)
{
	while (peer_request(p)) {
		if (strcmp(p->path, "/cut") == 0) {
			peer_printf(p, "HTTP/1.1 200 OK\r\nX-A: b\r\n");
			peer_fin(p);
			return;
		}
		peer_answer(p, 200, "{\"ok\":true}");
		if (strcmp(p->path, "/bye") == 0)
			return;
	}
}

static void
get(struct fixture *f, struct net_endpoint *ep, struct call *c,
    const char *path)
{
	memset(c, 0, sizeof(*c));
	call_start(ep, c, "GET", path, NULL);
	fixture_run(f, &c->done, 1);
}

static void
verdict(int kind, const char *pin, int with_ca, const char *error)
{
	struct fixture f;
	struct net_endpoint_opts o = {.tls_pin = pin};
	struct net_endpoint *ep;
	struct call c;

	fixture_up(&f, serve, NULL, cert_server(kind));
	if (with_ca)
		assert_int_equal(net_set_ca(f.net, cert_ca_fd()), CERT_CAS);
	ep = fixture_endpoint(&f, 1, &o);
	get(&f, ep, &c, "/");
	if (strcmp(c.error, error) != 0)
		print_message("certificate %d\n", kind);
	assert_string_equal(c.error, error);
	assert_string_equal(net_endpoint_error(ep), error);
	if (*error == '\0') {
		assert_int_equal(c.status, 200);
	} else {
		assert_int_equal(c.ending, NET_NOT_SENT);
		assert_false(c.retryable);
	}
	fixture_down(&f);
}

static void
test_verify(void **state)
{
	verdict(CERT_GOOD, NULL, 1, "");
	verdict(CERT_CHAIN, NULL, 1, "");
	verdict(CERT_SELF, NULL, 1, "");
	verdict(CERT_SELF, NULL, 0, "tls: unknown issuer");
	verdict(CERT_GOOD, NULL, 0, "tls: unknown issuer");
	verdict(CERT_UNKNOWN_CA, NULL, 1, "tls: unknown issuer");
	verdict(
	    CERT_OTHER_NAME, NULL, 1, "tls: certificate is for other names");
	verdict(CERT_EXPIRED, NULL, 1, "tls: certificate has expired");
}

static void
test_pin(void **state)
{
	verdict(CERT_GOOD, cert_pin(), 1, "");
	verdict(CERT_GOOD,
	    "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 1,
	    "tls: key does not match tlsPin");
	/* A pin is no replacement for a good certificate. */
	verdict(CERT_UNKNOWN_CA, cert_pin(), 1, "tls: unknown issuer");
}

static int
choose_h2(SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned int inlen, void *arg)
{
	static const unsigned char mine[] = "\x02h2\x08http/1.1";

	if (SSL_select_next_proto((unsigned char **)(uintptr_t)out, outlen,
		mine, sizeof(mine) - 1, in, inlen) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*(int *)arg = memcmp(*out, "h2", 2) == 0 ? 2 : 1;
	return SSL_TLSEXT_ERR_OK;
}

static void
test_h2_server(void **state)
{
	struct fixture f;
	struct call c;
	SSL_CTX *ctx = cert_server(CERT_GOOD);
	int chosen = 0;

	SSL_CTX_set_alpn_select_cb(ctx, choose_h2, &chosen);
	fixture_up(&f, serve, NULL, ctx);
	net_set_ca(f.net, cert_ca_fd());
	get(&f, fixture_endpoint(&f, 1, NULL), &c, "/");
	assert_int_equal(c.status, 200);
	assert_int_equal(chosen, 1);
	fixture_down(&f);
}

static void
test_old_tls(void **state)
{
	struct fixture f;
	struct call c;
	SSL_CTX *ctx = cert_server(CERT_GOOD);

	SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
	fixture_up(&f, serve, NULL, ctx);
	net_set_ca(f.net, cert_ca_fd());
	get(&f, fixture_endpoint(&f, 1, NULL), &c, "/");
	assert_int_equal(c.ending, NET_NOT_SENT);
	assert_memory_equal(c.error, "tls: ", 5);
	fixture_down(&f);
}

/* Kept alive, closed, sessions resumed; a cut header block. */
static void
test_many(void **state)
{
	struct fixture f;
	struct net_endpoint *ep;
	struct call c;
	int i;

	fixture_up(&f, serve, NULL, cert_server(CERT_GOOD));
	net_set_ca(f.net, cert_ca_fd());
	ep = fixture_endpoint(&f, 1, NULL);
	for (i = 0; i < 50; i++) {
		get(&f, ep, &c, "/");
		assert_int_equal(c.status, 200);
		assert_false(c.partial);
	}
	assert_int_equal(f.dials, 1);
	for (i = 0; i < 20; i++) {
		get(&f, ep, &c, "/bye");
		assert_int_equal(c.status, 200);
		fixture_wait(&f, 2);
	}
	assert_int_equal(f.dials, 20);
	get(&f, ep, &c, "/cut");
	assert_true(c.ending == NET_ANSWERED && c.partial);
	fixture_down(&f);
}

static void
serve_mute(struct peer *p, void *arg)
{
	peer_head(p);
}

static void
test_mute(void **state)
{
	struct fixture f;
	struct call c = {0};
	struct net_request_opts o = {.method = "POST",
	    .path = "/",
	    .deadline_ms = 150,
	    .done = call_done,
	    .arg = &c};

	/* It takes the connection and says nothing to our hello. */
	fixture_up(&f, serve_mute, NULL, NULL);
	net_request_start(fixture_endpoint(&f, 1, NULL), &o);
	fixture_run(&f, &c.done, 1);
	assert_int_equal(c.ending, NET_NOT_SENT);
	fixture_down(&f);
}

/* A proxy whose tunnel ends in the proxy itself. */
static void
serve_proxy(struct peer *p, void *arg)
{
	char auth[128] = "";

	if (!peer_head(p) || strcmp(p->method, "CONNECT") != 0)
		return;
	peer_header(p, "Proxy-Authorization", auth, sizeof(auth));
	if (strcmp(arg, "407") == 0) {
		peer_printf(p, "HTTP/1.1 407 Auth\r\n"
			       "Proxy-Authenticate: Basic realm=\"x\"\r\n"
			       "Content-Length: 0\r\n\r\n");
		return;
	}
	if (strcmp(arg, "mute") == 0) {
		peer_head(p);
		return;
	}
	if (strcmp(p->path, "chat.test:443") != 0 &&
	    strcmp(p->path, "[2001:db8::1]:80") != 0)
		peer_printf(p, "HTTP/1.1 502 Path\r\n\r\n");
	else if (strcmp(auth, "Basic dXNlcjpwYXNz") != 0)
		peer_printf(p, "HTTP/1.1 403 No\r\n\r\n");
	else {
		peer_printf(p, "HTTP/1.1 200 OK\r\nX-Proxy: yes\r\n\r\n");
		if (strcmp(arg, "reset") == 0) {
			peer_reset(p);
			return;
		}
		if (strcmp(arg, "tls") == 0)
			peer_start_tls(p, cert_server(CERT_GOOD));
		serve(p, NULL);
	}
}

static struct net_endpoint *
proxied(struct fixture *f, const char *script, int https)
{
	struct secret *auth = secret_new("user:pass", 9);
	struct net_endpoint_opts o = {
	    .host = https ? "chat.test" : "2001:db8::1",
	    .https = https,
	    .port = https ? 443 : 80,
	    .proxy_host = https ? "proxy.test" : "::1",
	    .proxy_auth = auth};
	struct net_endpoint *ep;

	fixture_up(f, serve_proxy, (void *)(uintptr_t)script, NULL);
	net_set_ca(f->net, cert_ca_fd());
	o.proxy_port = f->dial_port;
	ep = net_endpoint_new(f->net, 7, &o);
	assert_non_null(ep);
	secret_free(auth);
	return ep;
}

static void
proxy_fails(const char *script, const char *error)
{
	struct fixture f;
	struct net_endpoint *ep = proxied(&f, script, 1);
	struct call c = {0};
	struct net_request_opts o = {.method = "POST",
	    .path = "/",
	    .deadline_ms = 300,
	    .done = call_done,
	    .arg = &c};

	net_request_start(ep, &o);
	fixture_run(&f, &c.done, 1);
	assert_int_equal(c.ending, NET_NOT_SENT);
	if (error != NULL)
		assert_string_equal(c.error, error);
	fixture_down(&f);
}

static void
test_proxy(void **state)
{
	struct fixture f;
	struct net_endpoint *ep = proxied(&f, "tls", 1);
	struct call c;
	int i;

	for (i = 0; i < 30; i++) {
		get(&f, ep, &c, "/");
		assert_string_equal(c.error, "");
		assert_int_equal(c.status, 200);
	}
	assert_int_equal(f.dials, 1);
	fixture_down(&f);
	ep = proxied(&f, "plain", 0);
	memset(&c, 0, sizeof(c));
	for (i = 1; i < 30; i++) {
		call_start(ep, &c, "POST", "/", "{}");
		fixture_run(&f, &c.done, i);
		assert_int_equal(c.status, 200);
	}
	assert_int_equal(f.dials, 1);
	fixture_down(&f);
	proxy_fails("407", "proxy: status 407");
	proxy_fails("reset", NULL);
	proxy_fails("mute", "deadline: no answer in time");
}

struct ws_end_seen {
	int closed;
	enum ws_end end;
	char why[128];
};

static void
on_closed(struct ws *ws, enum ws_end end, int code, const char *why, void *arg)
{
	struct ws_end_seen *s = arg;

	s->closed++;
	s->end = end;
	snprintf(s->why, sizeof(s->why), "%s", why);
}

static void
test_ws(void **state)
{
	static const struct ws_callbacks cb = {.closed = on_closed};
	struct ws_end_seen s = {0};
	struct ws_opts o = {.path = "/", .cb = &cb, .arg = &s};
	struct fixture f;
	struct net_endpoint *ep;

	fixture_up(&f, serve, NULL, cert_server(CERT_UNKNOWN_CA));
	net_set_ca(f.net, cert_ca_fd());
	ep = fixture_endpoint(&f, 1, NULL);
	ws_connect(ep, &o);
	fixture_run(&f, &s.closed, 1);
	assert_int_equal(s.end, WS_END_TLS);
	assert_string_equal(s.why, "tls: unknown issuer");
	assert_string_equal(net_endpoint_error(ep), "tls: unknown issuer");
	fixture_down(&f);
	/* Not a websocket server at all. */
	fixture_up(&f, serve, NULL, cert_server(CERT_GOOD));
	net_set_ca(f.net, cert_ca_fd());
	ws_connect(fixture_endpoint(&f, 1, NULL), &o);
	fixture_run(&f, &s.closed, 2);
	assert_int_equal(s.end, WS_END_UPGRADE);
	fixture_down(&f);
	ep = proxied(&f, "407", 1);
	ws_connect(ep, &o);
	fixture_run(&f, &s.closed, 3);
	assert_int_equal(s.end, WS_END_DIAL);
	assert_string_equal(s.why, "proxy: status 407");
	fixture_down(&f);
	ep = proxied(&f, "tls", 1);
	ws_connect(ep, &o);
	fixture_run(&f, &s.closed, 4);
	assert_int_equal(s.end, WS_END_UPGRADE);
	fixture_down(&f);
}

static void
test_ca_file(void **state)
{
	struct fixture f;
	FILE *tmp = tmpfile();

	fixture_up(&f, serve, NULL, NULL);
	assert_int_equal(net_set_ca(f.net, dup(fileno(tmp))), -1);
	fputs("-----BEGIN CERTIFICATE-----\nAAAA\n", tmp);
	rewind(tmp);
	assert_int_equal(net_set_ca(f.net, dup(fileno(tmp))), -1);
	fclose(tmp);
	fixture_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_verify),
	    cmocka_unit_test(test_pin),
	    cmocka_unit_test(test_h2_server),
	    cmocka_unit_test(test_old_tls),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_mute),
	    cmocka_unit_test(test_proxy),
	    cmocka_unit_test(test_ws),
	    cmocka_unit_test(test_ca_file),
	};

	return cmocka_run_group_tests_name("net tls", tests, NULL, NULL);
}
