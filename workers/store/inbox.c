#include "config.h"

#include <string.h>

#include "workers/store/inbox.h"

enum store_rc
inbox_find(struct db *db, const struct inbox_row *r, int64_t *seq)
{
	sqlite3_stmt *s;
	enum store_rc rc;

	rc =
	    db_rows(db, Q_INBOX_FIND, &s, "sss", r->account, r->kind, r->event);
	if (rc != STORE_OK)
		return rc;
	*seq = sqlite3_column_int64(s, 0);
	db_end(s);
	return STORE_OK;
}

enum store_rc
inbox_put(struct db *db, const struct inbox_row *r, int64_t now, int64_t *seq,
    int *dup)
{
	const char *post = r->post;
	enum store_rc rc;

	/* For most rows the event is the post: no second index entry. */
	if (post != NULL && (*post == '\0' || strcmp(post, r->event) == 0))
		post = NULL;
	*dup = 0;
	rc = db_run(db, Q_INBOX_PUT, "sssssssiibs", r->account, r->kind,
	    r->event, r->lane, r->channel, r->root, post, r->at, now, r->data,
	    r->data_len, r->rule);
	if (rc != STORE_OK)
		return rc;
	if (db_changes(db) == 1) {
		*seq = db_last_id(db);
		return STORE_OK;
	}
	*dup = 1;
	return inbox_find(db, r, seq);
}

enum store_rc
inbox_check(struct db *db, const char *account, int64_t seq, int *state,
    char lane[STORE_EVENT + 1])
{
	sqlite3_stmt *s;
	enum store_rc rc;

	rc = db_rows(db, Q_INBOX_CHECK, &s, "i", seq);
	if (rc == STORE_NONE)
		return STORE_DENIED;
	if (rc != STORE_OK)
		return rc;
	if (strcmp(db_text(s, 0), account) != 0)
		rc = STORE_DENIED;
	*state = sqlite3_column_int(s, 1);
	if (strlcpy(lane, db_text(s, 2), STORE_EVENT + 1) > STORE_EVENT)
		rc = STORE_IO;
	db_end(s);
	return rc;
}

enum store_rc
inbox_done(struct db *db, int64_t seq, const char *outcome, int64_t now)
{
	return db_run(db, Q_INBOX_DONE, "isi", seq, outcome, now);
}

enum store_rc
inbox_retry(struct db *db, int64_t seq, int64_t not_before, const char *reason)
{
	return db_run(db, Q_INBOX_RETRY, "iis", seq, not_before, reason);
}

enum store_rc
inbox_dead(
    struct db *db, int64_t seq, const char *reason, int status, int64_t now)
{
	return db_run(
	    db, Q_INBOX_DEAD, "iisi", seq, now, reason, (int64_t)status);
}

enum store_rc
inbox_revive(struct db *db, const char *account, int64_t seq)
{
	enum store_rc rc;

	rc = db_run(db, Q_INBOX_REVIVE, "is", seq, account);
	if (rc == STORE_OK && db_changes(db) == 0)
		return STORE_NONE;
	return rc;
}

enum store_rc
inbox_attempt(struct db *db, const char *account, int64_t seq)
{
	return db_run(db, Q_INBOX_ATTEMPT, "is", seq, account);
}

enum store_rc
inbox_answer(struct db *db, int64_t seq, const char *post)
{
	return db_run(db, Q_INBOX_ANSWER, "is", seq, post);
}

enum store_rc
inbox_error(struct db *db, int64_t seq, const char *error)
{
	return db_run(db, Q_INBOX_ERROR, "is", seq, error);
}
