#include "config.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/log.h"
#include "common/signed_collate.h"
#include "common/signed_context.h"

#define SECRET_KEY "openclaw-mattermost-interactions"
#define TOKEN_MEMBER "_token"
#define HEX_LEN (SIGNED_HEX_SIZE - 1)

struct out {
	char *s;
	size_t len, cap;
	unsigned flags;
};

static void
put(struct out *o, const char *s, size_t n)
{
	if (o->len + n + 1 > o->cap) {
		o->cap = (o->len + n + 1) * 2;
		if ((o->s = realloc(o->s, o->cap)) == NULL)
			fatal("realloc");
	}
	memcpy(o->s + o->len, s, n);
	o->len += n;
	o->s[o->len] = '\0';
}

static void
put_str(struct out *o, const char *s)
{
	put(o, s, strlen(s));
}

/* Numbers as JavaScript writes them: the shortest that reads the same. */
static void
put_number(struct out *o, double d)
{
	char text[40], digits[24];
	int n, exp, prec;

	if (!isfinite(d)) {
		put_str(o, "null");
		return;
	}
	if (d == 0) {
		put_str(o, "0");
		return;
	}
	for (prec = 0; prec < 17; prec++) {
		(void)snprintf(text, sizeof(text), "%.*e", prec, fabs(d));
		if (strtod(text, NULL) == fabs(d))
			break;
	}
	exp = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
	for (n = 0, prec = 0; text[prec] != 'e'; prec++)
		if (isdigit((unsigned char)text[prec]))
			digits[n++] = text[prec];
	while (n > 1 && digits[n - 1] == '0')
		n--;
	if (d < 0)
		put(o, "-", 1);
	if (exp > 21 || exp < -5) {
		put(o, digits, 1);
		if (n > 1)
			put(o, ".", 1);
		put(o, digits + 1, (size_t)n - 1);
		(void)snprintf(text, sizeof(text), "e%+d", exp - 1);
		put_str(o, text);
	} else if (exp <= 0) {
		put(o, "0.00000", (size_t)(2 - exp));
		put(o, digits, (size_t)n);
	} else if (n <= exp) {
		put(o, digits, (size_t)n);
		put(o, "000000000000000000000", (size_t)(exp - n));
	} else {
		put(o, digits, (size_t)exp);
		put(o, ".", 1);
		put(o, digits + exp, (size_t)(n - exp));
	}
}

static void
put_unit(struct out *o, unsigned unit)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "\\u%04x", unit & 0xffff);
	put_str(o, text);
}

/* A sequence beyond ASCII, escaped; how many bytes it had. */
static size_t
put_escaped(struct out *o, const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2, i;
	uint32_t cp = *p & (0x7fu >> n);

	for (i = 1; i < n && i < len; i++)
		cp = cp << 6 | (p[i] & 0x3fu);
	if (cp >= 0x10000) {
		cp -= 0x10000;
		put_unit(o, 0xd800 + (cp >> 10));
		put_unit(o, 0xdc00 + (cp & 0x3ff));
	} else
		put_unit(o, cp);
	return n < len ? n : len;
}

static void
put_string(struct out *o, const char *s, size_t len)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *found;
	char esc[2] = {'\\'};
	size_t i;

	put(o, "\"", 1);
	for (i = 0; i < len;) {
		unsigned char c = (unsigned char)s[i];

		if (c != '\0' && (found = strchr(from, c)) != NULL) {
			esc[1] = to[found - from];
			put(o, esc, 2);
			i++;
		} else if (c < 0x20 ||
		    (c == 0x7f && (o->flags & SIGNED_ASCII))) {
			put_unit(o, c);
			i++;
		} else if (c >= 0x80 && (o->flags & SIGNED_ASCII))
			i += put_escaped(o, s + i, len - i);
		else
			put(o, s + i++, 1);
	}
	put(o, "\"", 1);
}

struct member {
	const char *key;
	struct json_object *value;
	size_t at; /* in the source: equal keys keep their order */
};

static int
by_bytes(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static int
by_collation(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int rc = signed_collate(x->key, y->key);

	return rc != 0 ? rc : x->at < y->at ? -1 : 1;
}

static int put_value(struct out *, struct json_object *, int depth);

static int
put_object(struct out *o, struct json_object *obj, int depth)
{
	size_t n = 0, i;
	struct member *m;
	int rc = 0;

	m = calloc((size_t)json_object_object_length(obj) + 1, sizeof(*m));
	if (m == NULL)
		fatal("calloc");
	json_object_object_foreach(obj, key, value) {
		if (depth == 0 && strcmp(key, TOKEN_MEMBER) == 0)
			continue;
		m[n] = (struct member){key, value, n};
		n++;
	}
	qsort(m, n, sizeof(*m),
	    o->flags & SIGNED_COLLATED ? by_collation : by_bytes);
	put(o, "{", 1);
	for (i = 0; i < n && rc == 0; i++) {
		if (i > 0)
			put(o, ",", 1);
		put_string(o, m[i].key, strlen(m[i].key));
		put(o, ":", 1);
		rc = put_value(o, m[i].value, depth + 1);
	}
	put(o, "}", 1);
	free(m);
	return rc;
}

static int
put_array(struct out *o, struct json_object *a, int depth)
{
	size_t i, n = json_object_array_length(a);
	int rc = 0;

	put(o, "[", 1);
	for (i = 0; i < n && rc == 0; i++) {
		if (i > 0)
			put(o, ",", 1);
		rc = put_value(o, json_object_array_get_idx(a, i), depth + 1);
	}
	put(o, "]", 1);
	return rc;
}

static int
put_value(struct out *o, struct json_object *v, int depth)
{
	if (depth > SIGNED_DEPTH)
		return -1;
	switch (json_object_get_type(v)) {
	case json_type_object:
		return put_object(o, v, depth);
	case json_type_array:
		return put_array(o, v, depth);
	case json_type_string:
		put_string(o, json_object_get_string(v),
		    (size_t)json_object_get_string_len(v));
		break;
	case json_type_boolean:
		put_str(o, json_object_get_boolean(v) ? "true" : "false");
		break;
	case json_type_int:
	case json_type_double:
		put_number(o, json_object_get_double(v));
		break;
	default:
		put_str(o, "null");
	}
	return 0;
}

char *
signed_context_text(struct json_object *context, unsigned flags, size_t *len)
{
	struct out o = {.flags = flags};

	if (put_value(&o, context, 0) == -1) {
		free(o.s);
		return NULL;
	}
	*len = o.len;
	return o.s;
}

static void
hmac_hex(const char *key, size_t klen, const char *data, size_t dlen,
    char hex[SIGNED_HEX_SIZE])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned i, n = 0;

	if (HMAC(EVP_sha256(), key, (int)klen, (const unsigned char *)data,
		dlen, md, &n) == NULL || n != HEX_LEN / 2)
		fatalx("HMAC");
	for (i = 0; i < n; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", md[i]);
	OPENSSL_cleanse(md, sizeof(md));
}

void
signed_context_secret(
    const char *token, size_t len, char secret[SIGNED_HEX_SIZE])
{
	hmac_hex(SECRET_KEY, strlen(SECRET_KEY), token, len, secret);
}

static int
sign_as(const char *secret, struct json_object *context, unsigned flags,
    char token[SIGNED_HEX_SIZE])
{
	size_t len;
	char *text = signed_context_text(context, flags, &len);

	if (text == NULL)
		return -1;
	hmac_hex(secret, strlen(secret), text, len, token);
	free(text);
	return 0;
}

int
signed_context_sign(const char *secret, struct json_object *context,
    char token[SIGNED_HEX_SIZE])
{
	return sign_as(secret, context, 0, token);
}

int
signed_context_verify(
    const char *secret, struct json_object *context, const char *token)
{
	char given[SIGNED_HEX_SIZE] = "", want[SIGNED_HEX_SIZE];
	unsigned flags;
	int ok = 0;

	/* A secret that is not there signs nothing. */
	if (strlen(secret) != HEX_LEN ||
	    !json_object_is_type(context, json_type_object))
		return 0;
	if (strlen(token) == HEX_LEN)
		memcpy(given, token, HEX_LEN);
	for (flags = 0; flags <= (SIGNED_COLLATED | SIGNED_ASCII); flags++) {
		if (sign_as(secret, context, flags, want) == -1)
			return 0;
		ok |= CRYPTO_memcmp(given, want, HEX_LEN) == 0;
	}
	OPENSSL_cleanse(want, sizeof(want));
	return ok;
}

/* A whole number of that many digits may not fit 64 bits. */
#define LONG_DIGITS 18

struct json_object *
signed_context_parse(const char *text, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(SIGNED_DEPTH + 2);
	struct json_object *v;
	struct out o = {0};
	size_t i, n;
	int quoted = 0;

	if (tok == NULL)
		fatalx("json_tokener_new_ex");
	json_tokener_set_flags(tok, JSON_TOKENER_VALIDATE_UTF8);
	for (i = 0; i < len; i += n) {
		n = 1;
		if (quoted && text[i] == '\\' && i + 1 < len)
			n = 2;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted)
			while (isdigit((unsigned char)text[i]) && i + n < len &&
			    isdigit((unsigned char)text[i + n]))
				n++;
		put(&o, text + i, n);
		/* As a double it keeps its size. */
		if (n > LONG_DIGITS && (i + n == len ||
			strchr(",}] \t\r\n", text[i + n]) != NULL))
			put(&o, "e0", 2);
	}
	put(&o, "", 0);
	v = json_tokener_parse_ex(tok, o.s, (int)o.len + 1);
	if (json_tokener_get_error(tok) != json_tokener_success) {
		json_object_put(v);
		v = NULL;
	}
	json_tokener_free(tok);
	free(o.s);
	return v;
}
