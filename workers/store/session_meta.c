#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "workers/store/op.h"
#include "workers/store/session_meta.h"

struct inherited {
	struct json_object *v[INHERIT_MESSAGES]; /* newest first */
	size_t n;
};

static void
inherit_one(const char *body, size_t len, void *arg)
{
	struct inherited *i = arg;

	if (i->n < INHERIT_MESSAGES)
		i->v[i->n++] = op_raw(body, len);
}

enum store_rc
session_inherit(
    struct db *db, const char *parent, size_t max, struct json_object **list)
{
	struct inherited i = {.n = 0};
	enum store_rc rc;

	if (max > INHERIT_BYTES)
		max = INHERIT_BYTES;
	rc = session_each(db, parent, max, inherit_one, &i);
	*list = json_object_new_array();
	while (i.n > 0)
		json_object_array_add(*list, i.v[--i.n]);
	if (rc != STORE_OK)
		json_object_put(*list);
	return rc;
}

enum store_rc
session_begin(struct db *db, const char *key, const char *account,
    const char *parent, int64_t now, struct session *ss)
{
	struct json_object *list;
	enum store_rc rc;
	const char *text;
	size_t i, len;

	rc = session_open(db, key, account, now, ss);
	if (rc != STORE_OK || !ss->fresh || *parent == '\0')
		return rc;
	rc = session_inherit(db, parent, INHERIT_BYTES, &list);
	if (rc != STORE_OK)
		return rc;
	for (i = 0; i < json_object_array_length(list) && rc == STORE_OK; i++) {
		text = op_text(json_object_array_get_idx(list, i), &len);
		rc = session_add(db, ss, now, text, len);
	}
	json_object_put(list);
	return rc;
}

static enum store_rc
meta_update(struct db *db, enum query q, int64_t num, const char *value)
{
	return value == NULL ? STORE_OK : db_run(db, q, "is", num, value);
}

enum store_rc
session_meta_reset(struct db *db, int64_t num)
{
	enum store_rc rc;

	if ((rc = db_run(db, Q_META_ADD, "i", num)) != STORE_OK)
		return rc;
	return db_run(db, Q_META_GEN, "i", num);
}

enum store_rc
session_meta_set(
    struct db *db, int64_t num, const char *model, const char *thinking)
{
	enum store_rc rc;

	if ((rc = db_run(db, Q_META_ADD, "i", num)) != STORE_OK ||
	    (rc = meta_update(db, Q_META_MODEL, num, model)) != STORE_OK)
		return rc;
	return meta_update(db, Q_META_THINKING, num, thinking);
}

enum store_rc
session_meta_usage(struct db *db, int64_t num, int64_t prompt,
    int64_t completion, const char *model)
{
	return db_run(
	    db, Q_META_USAGE, "iiis", num, prompt, completion, model);
}
