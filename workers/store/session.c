#include "config.h"

#include <stdio.h>
#include <string.h>

#include "workers/store/session.h"
#include "workers/store/session_meta.h"

#define MESSAGE_ID(num, n) (((num) << 32) | (n))

int
session_is_of(const char *key, const char *agent)
{
	static const char prefix[] = "agent:";
	size_t len = strlen(agent);

	if (len == 0 || strncmp(key, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	key += sizeof(prefix) - 1;
	return strncmp(key, agent, len) == 0 && key[len] == ':' &&
	       key[len + 1] != '\0';
}

int
session_twin(const char *key, char out[STORE_SESSION + 1])
{
	static const char *const kinds[] = {
	    ":mattermost:group:", ":mattermost:channel:"};
	const char *p = strncmp(key, "agent:", 6) == 0
		? strchr(key + 6, ':') : NULL;
	size_t i, len;

	out[0] = '\0';
	for (i = 0; p != NULL && i < 2; i++) {
		len = strlen(kinds[i]);
		if (strncmp(p, kinds[i], len) != 0)
			continue;
		if (snprintf(out, STORE_SESSION + 1, "%.*s%s%s",
			(int)(p - key), key, kinds[1 - i], p + len) >
		    STORE_SESSION)
			out[0] = '\0';
		break;
	}
	return out[0] != '\0';
}

static enum store_rc
find_one(struct db *db, const char *key, struct session *ss)
{
	sqlite3_stmt *s;
	enum store_rc rc;

	rc = db_rows(db, Q_SESSION_GET, &s, "s", key);
	if (rc != STORE_OK)
		return rc;
	ss->num = sqlite3_column_int64(s, 0);
	ss->first = sqlite3_column_int64(s, 1);
	ss->next = sqlite3_column_int64(s, 2);
	ss->bytes = sqlite3_column_int64(s, 3);
	ss->fresh = ss->twin = 0;
	db_end(s);
	return STORE_OK;
}

enum store_rc
session_find(struct db *db, const char *key, struct session *ss)
{
	char twin[STORE_SESSION + 1];
	enum store_rc rc = find_one(db, key, ss);

	if (rc != STORE_NONE || !session_twin(key, twin))
		return rc;
	if ((rc = find_one(db, twin, ss)) == STORE_OK)
		ss->twin = 1;
	return rc;
}

enum store_rc
session_open(struct db *db, const char *key, const char *account, int64_t now,
    struct session *ss)
{
	enum store_rc rc;

	rc = session_find(db, key, ss);
	if (rc == STORE_OK && ss->twin)
		return db_run(db, Q_SESSION_KEY, "is", ss->num, key);
	if (rc != STORE_NONE)
		return rc;
	rc = db_run(db, Q_SESSION_ADD, "sis", key, now, account);
	ss->num = db_last_id(db);
	ss->first = ss->next = ss->bytes = 0;
	ss->twin = 0;
	ss->fresh = 1;
	return rc;
}

enum store_rc
session_add(struct db *db, struct session *ss, int64_t now, const char *body,
    size_t len)
{
	ss->bytes += (int64_t)len;
	return db_run(db, Q_MESSAGE_ADD, "iib", MESSAGE_ID(ss->num, ss->next++),
	    now, body, len);
}

/* The messages before that one. */
static enum store_rc
session_cut(struct db *db, struct session *ss, int64_t first)
{
	enum store_rc rc;

	rc = db_run(db, Q_MESSAGE_TRIM, "ii", MESSAGE_ID(ss->num, ss->first),
	    MESSAGE_ID(ss->num, first));
	ss->first = first;
	return rc;
}

/* Not with each turn, which would take two with each turn. */
static enum store_rc
session_trim(struct db *db, struct session *ss)
{
	int64_t first = ss->first;
	sqlite3_stmt *s;
	enum store_rc rc;

	if (ss->next - first <= STORE_SESSION_KEEP + STORE_SESSION_SLACK &&
	    ss->bytes <= STORE_SESSION_BYTES)
		return STORE_OK;
	rc = db_rows(db, Q_MESSAGE_SIZES, &s, "ii", MESSAGE_ID(ss->num, first),
	    MESSAGE_ID(ss->num, ss->next));
	while (rc == STORE_OK && (ss->next - first > STORE_SESSION_KEEP ||
				     ss->bytes > STORE_SESSION_BYTES)) {
		ss->bytes -= sqlite3_column_int64(s, 0);
		first++;
		rc = db_next(db, s);
	}
	if (rc == STORE_OK)
		db_end(s);
	else if (rc != STORE_NONE)
		return rc;
	/* What was there before bytes were counted is not in them. */
	if (ss->bytes < 0)
		ss->bytes = 0;
	return session_cut(db, ss, first);
}

enum store_rc
session_reset(struct db *db, struct session *ss)
{
	enum store_rc rc;

	if ((rc = session_meta_reset(db, ss->num)) != STORE_OK)
		return rc;
	ss->bytes = 0;
	return session_cut(db, ss, ss->next);
}

enum store_rc
session_close(struct db *db, struct session *ss, int64_t now)
{
	enum store_rc rc;

	if ((rc = session_trim(db, ss)) != STORE_OK)
		return rc;
	return db_run(db, Q_SESSION_SET, "iiiii", ss->num, ss->first, ss->next,
	    now, ss->bytes);
}

enum store_rc
session_forget(struct db *db, int64_t num)
{
	enum store_rc rc;

	if ((rc = db_run(db, Q_MESSAGE_TRIM, "ii", MESSAGE_ID(num, 0LL),
		 MESSAGE_ID(num + 1, 0LL))) != STORE_OK ||
	    (rc = db_run(db, Q_META_DELETE, "i", num)) != STORE_OK)
		return rc;
	return db_run(db, Q_SESSION_DELETE, "i", num);
}

enum store_rc
session_each(
    struct db *db, const char *key, size_t max, session_fn fn, void *arg)
{
	struct session ss;
	sqlite3_stmt *s;
	enum store_rc rc;
	size_t len;

	rc = session_find(db, key, &ss);
	if (rc != STORE_OK)
		return rc == STORE_NONE ? STORE_OK : rc;
	rc = db_rows(db, Q_MESSAGE_BACK, &s, "ii", MESSAGE_ID(ss.num, ss.first),
	    MESSAGE_ID(ss.num, ss.next));
	for (; rc == STORE_OK; rc = db_next(db, s)) {
		/* Text before bytes: the order that the API asks for. */
		const char *body = db_text(s, 0);

		len = sqlite3_column_bytes(s, 0);
		if (len > max) {
			db_end(s);
			return STORE_OK;
		}
		max -= len;
		fn(body, len, arg);
	}
	return rc == STORE_NONE ? STORE_OK : rc;
}
