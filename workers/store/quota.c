#include "config.h"

#include "workers/store/access.h"
#include "workers/store/quota.h"
#include "workers/store/session.h"

#define LOOK_MS 1000	  /* between two counts */
#define LOOK_SHARE 50	  /* of the time, one part */
#define ROOM_SESSIONS 512 /* forgotten in one go */
#define ROOM_BYTES (STORE_SESSIONS_KEEP / 256)

static struct monotime
look_again(struct monotime began)
{
	int64_t ms = monotime_since(began) * LOOK_SHARE;

	return monotime_add(monotime_now(), ms > LOOK_MS ? ms : LOOK_MS);
}

/* The two numbers of a row; b may be NULL. */
static enum store_rc
count(struct db *db, enum query q, const char *account, int64_t row, int64_t *a,
    int64_t *b)
{
	sqlite3_stmt *s;
	enum store_rc rc;

	if ((rc = db_rows(db, q, &s, "si", account, row)) != STORE_OK)
		return rc;
	*a = sqlite3_column_int64(s, 0);
	if (b != NULL)
		*b = sqlite3_column_int64(s, 1);
	db_end(s);
	return STORE_OK;
}

/* Dead rows are dropped by the next pass; until then they count. */
static void
count_dead(struct db *db, struct quota *q, int64_t dead)
{
	if (dead <= STORE_DEAD_KEEP)
		return;
	db_set_prune(db, 1);
	if (q->queue > 2 * STORE_DEAD_KEEP - dead)
		q->queue = 2 * STORE_DEAD_KEEP - dead;
}

static enum store_rc
look_queue(struct db *db, struct quota *q, const char *account)
{
	int64_t open, dead, unsent, failed, tools;
	struct monotime began = monotime_now();
	enum store_rc rc;

	if ((rc = count(db, Q_INBOX_BYTES, account, STORE_ROW, &open, NULL)) !=
		STORE_OK ||
	    (rc = count(db, Q_INBOX_DEAD_BYTES, account, STORE_ROW, &dead,
		 NULL)) != STORE_OK ||
	    (rc = count(db, Q_OUTBOX_BYTES, account, STORE_ROW, &unsent,
		 &failed)) != STORE_OK ||
	    (rc = count(db, Q_TOOL_BYTES, account, STORE_ROW, &tools, NULL)) !=
		STORE_OK)
		return rc;
	q->queue = STORE_QUEUE_KEEP - open - unsent - tools;
	count_dead(db, q, dead);
	count_dead(db, q, failed);
	q->queue_at = look_again(began);
	return STORE_OK;
}

enum store_rc
quota_queue(
    struct db *db, struct quota *q, const char *account, size_t len, int ends)
{
	int64_t n = (int64_t)len + STORE_ROW;
	int64_t spare = ends ? STORE_QUEUE_KEEP : 0;
	enum store_rc rc;

	if ((q->queue_at.ms == 0 || q->queue + spare < n) &&
	    monotime_left(q->queue_at) == 0)
		if ((rc = look_queue(db, q, account)) != STORE_OK)
			return rc;
	if (q->queue + spare < n)
		return STORE_QUOTA;
	q->queue -= n;
	return STORE_OK;
}

/* Forgets some, as many as it takes. STORE_NONE: there are none. */
static enum store_rc
make_room(struct db *db, struct quota *q, const char *account, int64_t keep)
{
	int64_t num[ROOM_SESSIONS], bytes[ROOM_SESSIONS];
	sqlite3_stmt *s;
	enum store_rc rc;
	int i, n = 0;

	rc = db_rows(db, Q_SESSION_LEAST, &s, "sii", account, keep,
	    (int64_t)ROOM_SESSIONS);
	for (; rc == STORE_OK; rc = db_next(db, s), n++) {
		num[n] = sqlite3_column_int64(s, 0);
		bytes[n] = sqlite3_column_int64(s, 1);
	}
	if (rc != STORE_NONE || n == 0)
		return rc;
	for (i = 0; i < n && q->sessions < ROOM_BYTES; i++) {
		if ((rc = session_forget(db, num[i])) != STORE_OK)
			return rc;
		q->sessions += bytes[i] + STORE_SESSION_ROW;
	}
	return STORE_OK;
}

enum store_rc
quota_session(struct db *db, struct quota *q, const char *account, int64_t len,
    int64_t num)
{
	struct monotime began;
	enum store_rc rc;
	int64_t used;

	q->sessions -= len;
	if (q->sessions >= 0)
		return STORE_OK;
	if (monotime_left(q->sessions_at) == 0) {
		began = monotime_now();
		rc = count(db, Q_SESSION_BYTES, account, STORE_SESSION_ROW,
		    &used, NULL);
		if (rc != STORE_OK)
			return rc;
		q->sessions = STORE_SESSIONS_KEEP - used - len;
		q->sessions_at = look_again(began);
	}
	while (q->sessions < 0)
		if ((rc = make_room(db, q, account, num)) != STORE_OK)
			return rc == STORE_NONE ? STORE_QUOTA : rc;
	return STORE_OK;
}

enum store_rc
quota_mark(struct db *db, struct quota *q, const char *account)
{
	if (q->marks-- > 0)
		return STORE_OK;
	q->marks = STORE_MARKS_KEEP / 10;
	return db_run(
	    db, Q_MARK_TRIM, "si", account, (int64_t)STORE_MARKS_KEEP);
}

enum store_rc
quota_note(struct db *db, struct quota *q, const char *account)
{
	if (q->notes-- > 0)
		return STORE_OK;
	q->notes = STORE_NOTES_KEEP / 10;
	return db_run(
	    db, Q_NOTE_TRIM_ALL, "si", account, (int64_t)STORE_NOTES_KEEP);
}

enum store_rc
quota_loop(struct db *db, struct quota *q, const char *account, int64_t now)
{
	if (q->loops-- > 0)
		return STORE_OK;
	q->loops = LOOPS_KEEP;
	return db_run(db, Q_LOOP_TRIM, "sii", account, now - LOOP_LIFE_MS,
	    (int64_t)LOOPS_KEEP);
}

int
quota_drop(struct quota *q)
{
	int64_t n;

	if (q->drops == 0) {
		n = monotime_since(q->drops_at) * STORE_DECISIONS_SECOND / 1000;
		if (n == 0)
			return 0;
		q->drops_at = monotime_now();
		q->drops =
		    n < STORE_DECISIONS_BURST ? n : STORE_DECISIONS_BURST;
	}
	q->drops--;
	return 1;
}
