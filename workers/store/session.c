#include "config.h"

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

enum store_rc
session_find(struct db *db, const char *key, struct session *ss)
{
	sqlite3_stmt *s;
	enum store_rc rc;

	rc = db_rows(db, Q_SESSION_GET, &s, "s", key);
	if (rc != STORE_OK)
		return rc;
	ss->num = sqlite3_column_int64(s, 0);
	ss->first = sqlite3_column_int64(s, 1);
	ss->next = sqlite3_column_int64(s, 2);
	db_end(s);
	return STORE_OK;
}

enum store_rc
session_open(struct db *db, const char *key, int64_t now, struct session *ss)
{
	enum store_rc rc;

	rc = session_find(db, key, ss);
	if (rc != STORE_NONE)
		return rc;
	rc = db_run(db, Q_SESSION_ADD, "si", key, now);
	ss->num = db_last_id(db);
	ss->first = ss->next = 0;
	return rc;
}

enum store_rc
session_add(struct db *db, struct session *ss, int64_t now, const char *body,
    size_t len)
{
	return db_run(db, Q_MESSAGE_ADD, "iit", MESSAGE_ID(ss->num, ss->next++),
	    now, body, len);
}

static enum store_rc
session_trim(struct db *db, struct session *ss, int64_t keep)
{
	int64_t first = ss->next - keep;
	enum store_rc rc;

	if (first <= ss->first)
		return STORE_OK;
	rc = db_run(db, Q_MESSAGE_TRIM, "ii", MESSAGE_ID(ss->num, ss->first),
	    MESSAGE_ID(ss->num, first));
	ss->first = first;
	return rc;
}

enum store_rc
session_reset(struct db *db, struct session *ss)
{
	enum store_rc rc;

	if ((rc = session_meta_reset(db, ss->num)) != STORE_OK)
		return rc;
	return session_trim(db, ss, 0);
}

enum store_rc
session_close(struct db *db, struct session *ss, int64_t now)
{
	enum store_rc rc;

	rc = session_trim(db, ss, STORE_SESSION_KEEP);
	if (rc != STORE_OK)
		return rc;
	return db_run(
	    db, Q_SESSION_SET, "iiii", ss->num, ss->first, ss->next, now);
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
