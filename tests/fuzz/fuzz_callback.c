#include "config.h"

#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/signed_context.h"
#include "common/text.h"
#include "workers/callback/form.h"
#include "workers/callback/head.h"
#include "workers/callback/payload.h"
#include "workers/callback/proof.h"
#include "workers/callback/source.h"

int LLVMFuzzerInitialize(int *, char ***);
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	proof_init();
	return 0;
}

/* Valid text without NUL, whatever came. */
static void
check_text(const char *s)
{
	char *again = text_mend(s, strlen(s));

	if (strcmp(again, s) != 0 || !text_valid(s, strlen(s)))
		abort();
	free(again);
}

static void
check_payload(const char *body, size_t len, const char *type)
{
	struct payload p;
	int i;

	if (payload_parse(body, len, type, &p) == 0)
		for (i = 0; i < PAYLOAD_NEEDED; i++)
			if (p.v[i] == NULL || p.v[i][0] == '\0')
				abort();
	for (i = 0; i < PAYLOAD_MAX; i++)
		if (p.v[i] != NULL)
			check_text(p.v[i]);
	payload_free(&p);
}

/* What is signed verifies; what is read back is the same. */
static void
check_action(const char *body, size_t len)
{
	static const char secret[] =
	    "495fab2303295954f15b41374c74806a600657e0d2834e514023aa49ac814081";
	char token[SIGNED_HEX_SIZE];
	struct json_object *o = proof_body(body, len), *context;

	if (o != NULL && json_object_object_get_ex(o, "context", &context) &&
	    json_object_is_type(context, json_type_object) &&
	    signed_context_sign(secret, context, token) == 0) {
		if (!signed_context_verify(secret, context, token))
			abort();
		token[0] ^= 1;
		if (signed_context_verify(secret, context, token))
			abort();
	}
	json_object_put(o);
}

static void
check_head(const struct head *h)
{
	struct nets none = {NULL, 0};
	struct addr a;

	if (h->path[0] != '/' || strchr(h->path, '?') != NULL ||
	    h->length < 0)
		abort();
	(void)source_find(NULL, &none, h->forwarded,
	    h->has_real_ip ? h->real_ip : NULL, 1, &a);
	(void)source_find(NULL, &none, NULL, h->real_ip, 1, &a);
}

/* A request as it comes: its head, and what is behind it. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct head h;
	size_t len;
	char *body;

	len = head_length(text, size < HEAD_MAX ? size : HEAD_MAX);
	if (len > 0 && head_parse(text, len, &h) == 0)
		check_head(&h);
	else
		memset(&h, 0, sizeof(h));
	if ((body = malloc(size - len + 1)) == NULL)
		abort();
	memcpy(body, text + len, size - len);
	body[size - len] = '\0';
	check_payload(body, size - len, h.content_type);
	check_payload(body, size - len, "application/json");
	check_payload(body, size - len, "");
	check_action(body, size - len);
	free(body);
	return 0;
}
