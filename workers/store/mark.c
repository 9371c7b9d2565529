#include "config.h"

#include "workers/store/mark.h"

enum store_rc
mark_set(struct db *db, const char *account, const char *channel,
    const char *post, int64_t at)
{
	return db_run(db, Q_MARK_SET, "sssi", account, channel, post, at);
}

enum store_rc
mark_first(struct db *db, const char *account, int64_t now, int64_t *first_at)
{
	sqlite3_stmt *s;
	enum store_rc rc;

	*first_at = 0;
	rc = db_rows(db, Q_ACCOUNT_GET, &s, "s", account);
	if (rc == STORE_OK) {
		*first_at = sqlite3_column_int64(s, 0);
		db_end(s);
		return STORE_OK;
	}
	if (rc != STORE_NONE)
		return rc;
	return db_run(db, Q_ACCOUNT_ADD, "si", account, now);
}
