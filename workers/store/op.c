#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "workers/store/op.h"

#define OPS_MAX 64

static const struct op *
op_table(enum peer_kind kind)
{
	switch (kind) {
	case PEER_ACCOUNT:
		return op_account;
	case PEER_AGENT:
		return op_agent;
	case PEER_CONTROL:
		return op_control;
	}
	return NULL;
}

const struct op *
op_find(enum peer_kind kind, const char *type)
{
	const struct op *op;

	for (op = op_table(kind); op->type != NULL; op++)
		if (strcmp(op->type, type) == 0)
			return op;
	return NULL;
}

const struct chan_handler *
op_handlers(enum peer_kind kind,
    void (*fn)(struct chan *, struct json_object *, int, void *))
{
	static struct chan_handler handlers[PEER_CONTROL + 1][OPS_MAX + 1];
	const struct op *op;
	size_t n = 0;

	for (op = op_table(kind); op->type != NULL; op++, n++) {
		if (n == OPS_MAX)
			fatalx("op_handlers: too many");
		handlers[kind][n].type = op->type;
		handlers[kind][n].fn = fn;
	}
	return handlers[kind];
}

struct json_object *
op_raw(const char *text, size_t len)
{
	struct json_object *v = json_object_new_int(0);
	char *copy = strndup(text, len);

	if (v == NULL || copy == NULL)
		fatalx("out of memory");
	json_object_set_serializer(v, json_object_userdata_to_json_string, copy,
	    json_object_free_userdata);
	return v;
}

const char *
op_text(struct json_object *obj, size_t *len)
{
	const char *s;

	s = json_object_to_json_string_length(
	    obj, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, len);
	if (s == NULL)
		fatalx("out of memory");
	return s;
}

const char *
op_opt_str(struct fields *f, const char *key, size_t max)
{
	const char *s = fields_opt_str(f, key, max);

	return s == NULL ? "" : s;
}

void
op_cut(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (len >= size) {
		len = size - 1;
		while (len > 0 && ((unsigned char)src[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(dst, src, len);
	dst[len] = '\0';
}

enum store_rc
op_bad(struct op_call *c, const char *why)
{
	c->why = why;
	return STORE_BAD;
}

enum store_rc
op_rows(struct op_call *c, enum store_rc rc, sqlite3_stmt *s, op_row_fn fill,
    struct json_object *list)
{
	struct json_object *o;

	for (; rc == STORE_OK; rc = db_next(c->db, s)) {
		o = json_object_new_object();
		fill(o, s);
		json_object_array_add(list, o);
	}
	return rc == STORE_NONE ? STORE_OK : rc;
}

/* What one peer has filled with long texts is still to be seen by another. */
static void
rows_fit(struct json_object *list)
{
	size_t i, len, total = 0, n = json_object_array_length(list);

	for (i = 0; i < n; i++) {
		op_text(json_object_array_get_idx(list, i), &len);
		total += len + 1;
		if (total > STORE_DATA) {
			json_object_array_del_idx(list, i, n - i);
			return;
		}
	}
}

enum store_rc
op_reply_list(struct op_call *c, const char *type, const char *key,
    struct json_object *list, enum store_rc rc)
{
	if (rc != STORE_OK) {
		json_object_put(list);
		return rc;
	}
	rows_fit(list);
	c->reply = chan_reply_msg(type, c->msg);
	json_object_object_add(c->reply, key, list);
	return STORE_OK;
}

enum store_rc
op_reply_no(struct op_call *c, const char *key, const char *why)
{
	c->reply = chan_reply_msg("data", c->msg);
	add_bool(c->reply, key, 0);
	add_str(c->reply, "why", why);
	return STORE_OK;
}

void
op_reply_drop(struct op_call *c)
{
	json_object_put(c->reply);
	c->reply = NULL;
}
