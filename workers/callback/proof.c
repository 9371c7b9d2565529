#include "config.h"

#include <json-c/json.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/signed_context.h"
#include "common/text.h"
#include "workers/callback/proof.h"

#define BODY_DEPTH 16 /* as deep as a frame may be */

static unsigned char boot_key[32];

void
proof_init(void)
{
	arc4random_buf(boot_key, sizeof(boot_key));
}

void
proof_make(struct proof *p, const char *text, size_t len)
{
	unsigned n = 0;

	if (HMAC(EVP_sha256(), boot_key, sizeof(boot_key),
		(const unsigned char *)text, len, p->b, &n) == NULL ||
	    n != sizeof(p->b))
		fatalx("HMAC");
	p->set = len > 0;
}

int
proof_equal(const struct proof *a, const struct proof *b)
{
	return (CRYPTO_memcmp(a->b, b->b, sizeof(a->b)) == 0) & a->set &
	    b->set;
}

uint64_t
proof_number(const struct proof *p)
{
	uint64_t n;

	memcpy(&n, p->b, sizeof(n));
	return n == 0 ? 1 : n;
}

/*
 * json-c takes 'names', NaN, Infinity and control characters in strings even
 * when it is strict.
 */
static int
has_extras(const char *text, size_t len)
{
	int quoted = 0;
	size_t i;

	for (i = 0; i < len; i++)
		if (quoted && (unsigned char)text[i] < 0x20)
			return 1;
		else if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && text[i] != '\0' &&
		    strchr("'NI", text[i]) != NULL)
			return 1;
	return 0;
}

static int
is_strict(const char *text, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(BODY_DEPTH);
	struct json_object *v;
	size_t end;
	int ok;

	if (tok == NULL)
		fatalx("json_tokener_new_ex");
	json_tokener_set_flags(
	    tok, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	v = json_tokener_parse_ex(tok, text, (int)len);
	ok = json_tokener_get_error(tok) == json_tokener_success &&
	    json_object_is_type(v, json_type_object);
	for (end = json_tokener_get_parse_end(tok); ok && end < len; end++)
		ok = strchr(" \t\r\n", text[end]) != NULL &&
		    text[end] != '\0';
	json_object_put(v);
	json_tokener_free(tok);
	return ok;
}

struct json_object *
proof_body(const char *text, size_t len)
{
	size_t i;

	/* A NUL ends the text for some of those who read it, not for all. */
	if (len == 0 || len > INT32_MAX || !text_valid(text, len))
		return NULL;
	i = strspn(text, " \t\r\n"); /* a NUL is behind the text */
	if (i >= len || text[i] != '{' || has_extras(text, len) ||
	    !is_strict(text, len))
		return NULL;
	return signed_context_parse(text, len);
}
