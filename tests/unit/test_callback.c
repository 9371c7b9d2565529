#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "tests/unit/vectors.h"
#include "workers/callback/form.h"
#include "workers/callback/head.h"
#include "workers/callback/inflight.h"
#include "workers/callback/payload.h"
#include "workers/callback/proof.h"
#include "workers/callback/source.h"

static void
source_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	struct addr peer, client, expected;
	struct nets trusted, allowed;
	const char *s = vec_str(in, "peer"), *ip = vec_str(out, "client_ip");
	int known;

	nets_read(&trusted, vec_get(in, "trusted_proxies"));
	nets_read(&allowed, vec_get(in, "allowed_source_ips"));
	known = addr_parse(s, strlen(s), &peer) == 0 &&
	    source_find(&peer, &trusted,
		vec_get(in, "x_forwarded_for") == NULL ? NULL :
		    vec_str(in, "x_forwarded_for"),
		vec_get(in, "x_real_ip") == NULL ? NULL :
		    vec_str(in, "x_real_ip"),
		vec_bool(in, "allow_real_ip"), &client) == 0;
	vec_put_bool(got, "known", known);
	vec_put_bool(want, "known", *ip != '\0');
	if (known && *ip != '\0') {
		assert_int_equal(addr_parse(ip, strlen(ip), &expected), 0);
		assert_memory_equal(&client, &expected, sizeof(client));
	}
	vec_put_bool(got, "allowed", known && nets_allow(&allowed, &client));
	vec_want(want, out, "allowed");
	nets_free(&trusted);
	nets_free(&allowed);
}

static void
test_source_vectors(void **state)
{
	vectors_run("source_ip", source_case, NULL);
}

/* Who is behind a proxy of ours: what is left of rubbish is made up. */
static void
test_forwarded(void **state)
{
	static const struct {
		const char *header, *client;
	} list[] = {
	    {"198.51.100.1, 203.0.113.9", "203.0.113.9"},
	    {"127.0.0.1, unknown", NULL},
	    {"127.0.0.1,", NULL},
	    {"", NULL},
	    {",", NULL},
	    {"::1", NULL},
	    {"127.9.9.9", NULL},
	    {"::ffff:127.0.0.1", NULL},
	    {"::ffff:cb00:7109", "203.0.113.9"},
	    {"[::ffff:203.0.113.9]", "203.0.113.9"},
	    {"203.0.113.9, 10.0.0.7, 10.0.0.8", "203.0.113.9"},
	    {"203.0.113.9\t", "203.0.113.9"},
	    {"203.0.113.9 198.51.100.1", NULL},
	    {"0xcb.0.113.9", NULL},
	    {"203.0.113", NULL},
	    {"[203.0.113.9", NULL},
	};
	struct json_object *a = json_tokener_parse("[\"10.0.0.0/8\"]");
	struct addr peer, got, want;
	struct nets trusted;
	size_t i;
	int rc;

	nets_read(&trusted, a);
	assert_int_equal(addr_parse("10.0.0.2", 8, &peer), 0);
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		rc = source_find(&peer, &trusted, list[i].header, "1.2.3.4",
		    1, &got);
		if (rc != (list[i].client == NULL ? -1 : 0))
			fail_msg("%s: %d", list[i].header, rc);
		if (rc == -1)
			continue;
		addr_parse(list[i].client, strlen(list[i].client), &want);
		assert_memory_equal(&got, &want, sizeof(got));
	}
	/* A UNIX socket is a front end of this host. */
	assert_int_equal(
	    source_find(NULL, &trusted, NULL, NULL, 1, &got), -1);
	assert_int_equal(
	    source_find(NULL, &trusted, "203.0.113.9", NULL, 0, &got), 0);
	nets_free(&trusted);
	json_object_put(a);
}

static void
test_networks(void **state)
{
	static const struct {
		const char *net, *addr;
		int in;
	} list[] = {
	    {"10.0.0.0/8", "10.255.0.1", 1},
	    {"10.0.0.0/8", "11.0.0.1", 0},
	    {"10.0.0.0/8", "::ffff:10.1.1.1", 1},
	    {"10.0.0.0/8", "::10.1.1.1", 0},
	    {"10.0.0.128/25", "10.0.0.127", 0},
	    {"10.0.0.128/25", "10.0.0.129", 1},
	    {"0.0.0.0/0", "8.8.8.8", 1},
	    {"0.0.0.0/0", "2001:db8::1", 0},
	    {"::/0", "8.8.8.8", 1},
	    {"2001:db8:8000::/33", "2001:db8:7fff::1", 0},
	    {"2001:db8:8000::/33", "2001:db8:ffff::1", 1},
	    {"10.0.0.1/ 8", "10.0.0.1", 0},
	    {"10.0.0.1/-1", "10.0.0.1", 0},
	    {"10.0.0.1/+8", "10.0.0.1", 0},
	    {"10.0.0.1/", "10.0.0.1", 0},
	    {"10.1", "10.0.0.1", 0},
	    {"", "10.0.0.1", 0},
	};
	struct json_object *a;
	struct addr addr;
	struct nets n;
	size_t i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		a = json_object_new_array();
		json_object_array_add(a, json_object_new_string(list[i].net));
		nets_read(&n, a);
		assert_int_equal(addr_parse(
		    list[i].addr, strlen(list[i].addr), &addr), 0);
		if (nets_match(&n, &addr) != list[i].in)
			fail_msg("%s %s", list[i].net, list[i].addr);
		nets_free(&n);
		json_object_put(a);
	}
}

/* The vectors keep a NUL in a text; here it is mended. */
static void
expect_payload(struct json_object *want, struct json_object *p)
{
	struct json_object *v;
	char *mended;
	int i;

	for (i = 0; i < PAYLOAD_MAX; i++) {
		if ((v = vec_get(p, payload_name(i))) == NULL)
			continue;
		mended = text_mend(json_object_get_string(v),
		    (size_t)json_object_get_string_len(v));
		vec_put_str(want, payload_name(i), mended);
		free(mended);
	}
}

static void
payload_case(struct json_object *in, struct json_object *out,
    struct json_object *got, struct json_object *want)
{
	struct json_object *body = vec_get(in, "body");
	struct payload p;
	int i, ok;

	ok = payload_parse(json_object_get_string(body),
	    (size_t)json_object_get_string_len(body),
	    vec_str(in, "content_type"), &p) == 0;
	vec_put_bool(got, "ok", ok);
	vec_put_bool(want, "ok", vec_get(out, "payload") != NULL);
	for (i = 0; ok && i < PAYLOAD_MAX; i++)
		if (p.v[i] != NULL)
			vec_put_str(got, payload_name(i), p.v[i]);
	if (vec_get(out, "payload") != NULL)
		expect_payload(want, vec_get(out, "payload"));
	payload_free(&p);
}

static void
test_payload_vectors(void **state)
{
	vectors_run("slash_parse", payload_case, NULL);
}

static void
test_mend(void **state)
{
	static const struct {
		const char *in, *out;
	} list[] = {
	    {"abc", "abc"},
	    {"\xc3\xbc", "\xc3\xbc"},
	    {"\xff", "\xef\xbf\xbd"},
	    {"\xc3", "\xef\xbf\xbd"},
	    {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
	    {"\xed\xa0\x80x", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx"},
	    {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
	    {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
				 "\xef\xbf\xbd"},
	    {"\xe0\x9f\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	    {"\xf0\x9f\x8e\x89", "\xf0\x9f\x8e\x89"},
	    {"\xf0\x9f\x8e", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	};
	size_t i;
	char *s;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		s = text_mend(list[i].in, strlen(list[i].in));
		assert_string_equal(s, list[i].out);
		free(s);
	}
	s = text_mend("a\0b", 3);
	assert_string_equal(s, "a\xef\xbf\xbd" "b");
	free(s);
}

static void
test_form(void **state)
{
	static const char body[] = "a=1&b=%41+%4a&=x&c&a=2&%61b=3&d=%&e=%2";
	static const struct {
		const char *name, *value;
	} list[] = {{"a", "1"}, {"b", "A J"}, {"c", ""}, {"ab", "3"},
	    {"d", "%"}, {"e", "%2"}, {"f", NULL}, {"", "x"}};
	size_t i, len;
	char *s;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		s = form_get(body, sizeof(body) - 1, list[i].name, &len);
		if (list[i].value == NULL) {
			assert_null(s);
			continue;
		}
		assert_string_equal(s, list[i].value);
		assert_int_equal(len, strlen(s));
		free(s);
	}
	assert_null(form_get("", 0, "a", &len));
}

#define REQUEST(lines) "POST /x HTTP/1.1\r\n" lines "\r\n"

static void
test_head(void **state)
{
	static const struct {
		int status;
		const char *text;
	} list[] = {
	    {0, "GET / HTTP/1.0\r\n\r\n"},
	    {0, "GET /a?b=c HTTP/1.1\r\n\r\n"},
	    {0, REQUEST("Content-Length: 5\r\n")},
	    {0, REQUEST("Content-Length:5\r\n")},
	    {0, REQUEST("content-length: \t 5 \t\r\n")},
	    {0, REQUEST("X:\r\n")},
	    {0, REQUEST("Transfer-Encoding: chunked\r\n")},
	    {505, "GET / HTTP/2.0\r\n\r\n"},
	    {505, "GET / HTTP/1.2\r\n\r\n"},
	    {400, "GET / HTTP/1.10\r\n\r\n"},
	    {400, "GET / http/1.1\r\n\r\n"},
	    {400, "GET /\r\n\r\n"},
	    {400, "GET  / HTTP/1.1\r\n\r\n"},
	    {400, "GET / a HTTP/1.1\r\n\r\n"},
	    {400, " GET / HTTP/1.1\r\n\r\n"},
	    {400, "\r\nGET / HTTP/1.1\r\n\r\n"},
	    {400, "GET http://x/ HTTP/1.1\r\n\r\n"},
	    {400, "GET * HTTP/1.1\r\n\r\n"},
	    {400, "GET x HTTP/1.1\r\n\r\n"},
	    {400, "G@T / HTTP/1.1\r\n\r\n"},
	    {400, "GET /\x01 HTTP/1.1\r\n\r\n"},
	    {400, "GET /\xc3\xbc HTTP/1.1\r\n\r\n"},
	    {400, REQUEST("Content-Length: 5\r\nContent-Length: 5\r\n")},
	    {400, REQUEST("Content-Length: 5, 5\r\n")},
	    {400, REQUEST("Content-Length: -5\r\n")},
	    {400, REQUEST("Content-Length: +5\r\n")},
	    {400, REQUEST("Content-Length: 0x5\r\n")},
	    {400, REQUEST("Content-Length:\r\n")},
	    {400, REQUEST("Content-Length: 9999999999999999\r\n")},
	    {400, REQUEST("Content-Length: 5\r\nTransfer-Encoding: x\r\n")},
	    {400, REQUEST("Transfer-Encoding: chunked\r\n"
			  "Content-Length: 5\r\n")},
	    {400, REQUEST("Content-Length : 5\r\n")},
	    {400, REQUEST(" Content-Length: 5\r\n")},
	    {400, REQUEST("A: b\r\n c\r\n")},
	    {400, REQUEST("A: b\r\n\tc\r\n")},
	    {400, REQUEST("A\r\n")},
	    {400, REQUEST(": a\r\n")},
	    {400, REQUEST("A: b\nContent-Length: 5\r\n")},
	    {400, REQUEST("A: b\rContent-Length: 5\r\n")},
	    {400, REQUEST("A: \x01\r\n")},
	    {400, REQUEST("Authorization: a\r\nAuthorization: b\r\n")},
	    {400, REQUEST("Content-Type: a\r\ncontent-type: b\r\n")},
	};
	struct head h;
	size_t i, len;
	int rc;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		len = strlen(list[i].text);
		assert_int_equal(head_length(list[i].text, len), len);
		rc = head_parse(list[i].text, len, &h);
		if (rc != list[i].status)
			fail_msg("%d: %s", rc, list[i].text);
	}
	assert_int_equal(head_length("GET / HTTP/1.1\r\n\r", 17), 0);
	assert_int_equal(head_length("GET / HTTP/1.1\n\n", 16), 0);
	/* A NUL is no text. */
	assert_int_equal(
	    head_parse("GET / HTTP/1.1\r\nA: \0\r\n\r\n", 24, &h), 400);
}

static void
test_head_members(void **state)
{
	static const char text[] =
	    "POST /p/q?token=x HTTP/1.1\r\nHost: a\r\n"
	    "Content-Length: 065536\r\nCONTENT-TYPE: application/json\r\n"
	    "X-Forwarded-For: 1.1.1.1\r\nConnection: keep-alive, Close\r\n"
	    "X-Forwarded-For: 2.2.2.2, 3.3.3.3\r\nX-Real-IP: 4.4.4.4\r\n"
	    "Authorization: Bearer  abc\r\nX-OpenClaw-Token: def\r\n"
	    "Expect: 100-Continue\r\n\r\n";
	struct head h;

	assert_int_equal(head_parse(text, sizeof(text) - 1, &h), 0);
	assert_int_equal(h.method, METHOD_POST);
	assert_string_equal(h.path, "/p/q");
	assert_int_equal(h.length, 65536);
	assert_string_equal(h.content_type, "application/json");
	assert_string_equal(h.forwarded, "1.1.1.1,2.2.2.2, 3.3.3.3");
	assert_string_equal(h.real_ip, "4.4.4.4");
	assert_string_equal(h.authorization, "Bearer  abc");
	assert_string_equal(h.token, "def");
	assert_int_equal(h.keep_alive, 0);
	assert_int_equal(h.expects, 1);
	assert_int_equal(h.encoded, 0);
}

/* Too many lines, too long a line, too large a head. */
static void
test_head_floods(void **state)
{
	char buf[HEAD_MAX + 64];
	struct head h;
	size_t n;
	int i;

	n = (size_t)snprintf(buf, sizeof(buf), "GET / HTTP/1.1\r\n");
	for (i = 0; i < HEAD_FIELDS; i++)
		n += (size_t)snprintf(buf + n, sizeof(buf) - n, "A: b\r\n");
	memcpy(buf + n, "\r\n", 3);
	assert_int_equal(head_parse(buf, n + 2, &h), 0);
	memcpy(buf + n, "A: b\r\n\r\n", 9);
	assert_int_equal(head_parse(buf, n + 8, &h), 431);

	n = (size_t)snprintf(buf, sizeof(buf), "GET /");
	memset(buf + n, 'a', HEAD_PATH - 2);
	n += HEAD_PATH - 2;
	memcpy(buf + n, " HTTP/1.1\r\n\r\n", 14);
	assert_int_equal(head_parse(buf, n + 13, &h), 0);
	memcpy(buf + n, "a HTTP/1.1\r\n\r\n", 15);
	assert_int_equal(head_parse(buf, n + 14, &h), 431);

	n = (size_t)snprintf(
	    buf, sizeof(buf), "GET / HTTP/1.1\r\nAuthorization: ");
	memset(buf + n, 'a', HEAD_VALUE);
	memcpy(buf + n + HEAD_VALUE, "\r\n\r\n", 5);
	assert_int_equal(head_parse(buf, n + HEAD_VALUE + 4, &h), 431);

	memset(buf, 'a', sizeof(buf));
	assert_int_equal(head_parse(buf, HEAD_MAX + 1, &h), 431);
}

static void
test_proof(void **state)
{
	static const char *const others[] = {"", "secre", "secret ", "Secret",
	    "secrets", "terces"};
	struct proof a, b;
	size_t i;

	proof_init();
	proof_make(&a, "secret", 6);
	proof_make(&b, "secret", 6);
	assert_true(proof_equal(&a, &b));
	assert_true(proof_number(&a) != 0);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		proof_make(&b, others[i], strlen(others[i]));
		assert_false(proof_equal(&a, &b));
		assert_false(proof_equal(&b, &a));
	}
	/* Nothing equals nothing. */
	proof_make(&a, "", 0);
	proof_make(&b, "", 0);
	assert_false(proof_equal(&a, &b));
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	assert_false(proof_equal(&a, &b));
}

static void
test_body(void **state)
{
	static const struct {
		const char *text;
		int ok;
	} list[] = {{"{}", 1}, {" {\"a\":1}\r\n", 1}, {"", 0}, {" ", 0},
	    {"[]", 0}, {"null", 0}, {"1", 0}, {"{}{}", 0}, {"{} x", 0},
	    {"{", 0}, {"{\"a\":1,}", 0}, {"{'a':1}", 0}, {"{a:1}", 0},
	    {"{\"a\":01}", 0}, {"{\"a\":NaN}", 0}, {"{\"a\":\"\xff\"}", 0},
	    {"{\"a\":\"\n\"}", 0}, {"\xef\xbb\xbf{}", 0}, {"/**/{}", 0},
	    {"{\"a\":1e400}", 1}, {"{\"a\":\"\\u0000\"}", 1}};
	char deep[2 * 40 + 8];
	struct json_object *o;
	size_t i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		o = proof_body(list[i].text, strlen(list[i].text));
		if ((o != NULL) != list[i].ok)
			fail_msg("%s: %d", list[i].text, o != NULL);
		json_object_put(o);
	}
	assert_null(proof_body("{}\0", 3));
	/* "/" in two bytes, half of a surrogate */
	assert_null(proof_body("{\"a\":\"\xc0\xaf\"}", 10));
	assert_null(proof_body("{\"a\":\"\xed\xa0\x80\"}", 11));
	strlcpy(deep, "{\"a\":", sizeof(deep));
	memset(deep + 5, '[', 40);
	memset(deep + 45, ']', 37);
	deep[82] = '\0';
	assert_null(proof_body(deep, strlen(deep)));
}

static void
test_inflight(void **state)
{
	struct inflight *in = inflight_new();
	uint64_t k;
	int i;

	for (i = 0; i < INFLIGHT_MAX; i++)
		assert_int_equal(inflight_begin(in, 7), 0);
	assert_int_equal(inflight_begin(in, 7), -1);
	assert_int_equal(inflight_begin(in, 8), 0);
	inflight_end(in, 7);
	assert_int_equal(inflight_begin(in, 7), 0);
	inflight_end(in, 99);
	for (k = 100; k < 100 + INFLIGHT_KEYS - 2; k++)
		assert_int_equal(inflight_begin(in, k), 0);
	assert_int_equal(inflight_begin(in, k), -1);
	inflight_end(in, 8);
	assert_int_equal(inflight_begin(in, k), 0);
	inflight_free(in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_source_vectors),
	    cmocka_unit_test(test_forwarded),
	    cmocka_unit_test(test_networks),
	    cmocka_unit_test(test_payload_vectors),
	    cmocka_unit_test(test_mend),
	    cmocka_unit_test(test_form),
	    cmocka_unit_test(test_head),
	    cmocka_unit_test(test_head_members),
	    cmocka_unit_test(test_head_floods),
	    cmocka_unit_test(test_proof),
	    cmocka_unit_test(test_body),
	    cmocka_unit_test(test_inflight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
