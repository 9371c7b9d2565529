#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/fields.h"
#include "workers/agent/attach.h"

#define NAME_MAX_LEN 512
#define TYPE_MAX 128

int
attach_take(struct attach *a, struct json_object *o)
{
	struct fields f;

	fields_open(&f, o);
	a->media = fields_str(&f, "media", 64);
	a->name = fields_str(&f, "name", NAME_MAX_LEN);
	a->type = fields_str(&f, "type", TYPE_MAX);
	a->claimed = fields_opt_str(&f, "claimed", TYPE_MAX);
	a->size = fields_int(&f, "size", 0, INT64_MAX);
	return fields_end(&f);
}

int
attach_check(struct json_object *list)
{
	size_t i, n = list == NULL ? 0 : json_object_array_length(list);
	struct attach a;

	for (i = 0; i < n; i++)
		if (attach_take(&a, json_object_array_get_idx(list, i)) == -1)
			return -1;
	return 0;
}

enum attach_kind
attach_kind(const struct attach *a, int images)
{
	static const char *const shown[] = {
	    "image/png", "image/jpeg", "image/gif", "image/webp"};
	size_t i;

	if (strcmp(a->type, "text/plain") == 0)
		return ATTACH_TEXT;
	for (i = 0; images && i < sizeof(shown) / sizeof(shown[0]); i++)
		if (strcmp(a->type, shown[i]) == 0 &&
		    a->size <= (int64_t)ATTACH_IMAGE_MAX)
			return ATTACH_IMAGE;
	return ATTACH_OTHER;
}

/* One line, and no end of the quotes. */
static void
add_word(struct strbuf *b, const char *s)
{
	for (; *s != '\0'; s++)
		strbuf_add(
		    b, (unsigned char)*s < 0x20 || *s == '"' ? " " : s, 1);
}

void
attach_line(struct strbuf *b, const struct attach *a)
{
	char size[48];

	strbuf_puts(b, "\"");
	add_word(b, a->name);
	strbuf_puts(b, "\" (");
	add_word(b, a->type);
	snprintf(size, sizeof(size), ", %lld bytes", (long long)a->size);
	strbuf_puts(b, size);
	if (a->claimed != NULL) {
		strbuf_puts(b, ", although it was sent as ");
		add_word(b, a->claimed);
	}
	strbuf_puts(b, ")");
}

char *
attach_note(struct json_object *list)
{
	size_t i, n = list == NULL ? 0 : json_object_array_length(list);
	struct strbuf b = {0};
	struct attach a;

	strbuf_reserve(&b, 0);
	for (i = 0; i < n; i++) {
		if (attach_take(&a, json_object_array_get_idx(list, i)) == -1)
			continue;
		strbuf_puts(&b, b.len == 0 ? "[attached: " : ", ");
		attach_line(&b, &a);
	}
	if (b.len > 0)
		strbuf_puts(&b, "]");
	return b.s;
}

/* Bytes of the character at p, 0 when it is none, -1 when it is cut. */
static int
utf8_len(const unsigned char *p, size_t len)
{
	unsigned char c = p[0], low = 0x80, high = 0xbf;
	int n, i;

	if (c < 0x80)
		return c != 0;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (c == 0xe0)
		low = 0xa0;
	else if (c == 0xed)
		high = 0x9f;
	else if (c == 0xf0)
		low = 0x90;
	else if (c == 0xf4)
		high = 0x8f;
	for (i = 1; i < n; i++, low = 0x80, high = 0xbf) {
		if ((size_t)i == len)
			return -1;
		if (p[i] < low || p[i] > high)
			return 0;
	}
	return n;
}

int
attach_utf8(const char *p, size_t *len, int goes_on)
{
	size_t off = 0;
	int n;

	while (off < *len) {
		n = utf8_len((const unsigned char *)p + off, *len - off);
		if (n == -1 && goes_on) {
			*len = off;
			return 1;
		}
		if (n <= 0)
			return 0;
		off += (size_t)n;
	}
	return 1;
}
