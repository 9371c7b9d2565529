#include "config.h"

#include <string.h>

#include "workers/store/decision.h"

enum store_rc
decision_note(struct db *db, const struct decision *d, int64_t now)
{
	return db_run(db, Q_DECISION_ADD, "sssssssii", d->account, d->post,
	    d->channel, d->kind, d->stage, d->reason, d->rule, d->at, now);
}

enum store_rc
decision_count(struct db *db, const struct decision *d)
{
	if (strcmp(d->reason, "ok") == 0)
		return STORE_OK;
	return db_run(db, Q_DROP_COUNT, "ss", d->account, d->reason);
}

enum store_rc
decision_add(struct db *db, const struct decision *d, int64_t now)
{
	enum store_rc rc = decision_note(db, d, now);

	if (rc != STORE_OK || db_changes(db) == 0)
		return rc;
	return decision_count(db, d);
}

enum store_rc
decision_find(struct db *db, const char *account, const char *post)
{
	sqlite3_stmt *s;
	enum store_rc rc;

	rc = db_rows(db, Q_DECISION_FIND, &s, "ss", account, post);
	if (rc == STORE_OK)
		db_end(s);
	return rc;
}
