#include "config.h"

#include <string.h>

#include "workers/store/access.h"

static int
only_of(const char *s, const char *symbols, size_t n)
{
	return strlen(s) == n && strspn(s, symbols) == n;
}

int
pairing_code_valid(const char *code)
{
	return only_of(code, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789", PAIRING_CODE);
}

int
pairing_user_valid(const char *user)
{
	return only_of(user, "abcdefghijklmnopqrstuvwxyz0123456789", 26);
}

/* The first column of the only row; STORE_NONE without one. */
static enum store_rc
first_text(struct db *db, sqlite3_stmt *s, enum store_rc rc, char *buf,
    size_t size)
{
	if (rc != STORE_OK)
		return rc;
	strlcpy(buf, db_text(s, 0), size);
	db_end(s);
	return STORE_OK;
}

static enum store_rc
count(struct db *db, enum query q, const char *account, int64_t *n)
{
	sqlite3_stmt *s;
	enum store_rc rc = db_rows(db, q, &s, "s", account);

	if (rc != STORE_OK)
		return rc;
	*n = sqlite3_column_int64(s, 0);
	db_end(s);
	return STORE_OK;
}

static enum store_rc
code_is_taken(struct db *db, const char *code, int *taken)
{
	sqlite3_stmt *s;
	enum store_rc rc = db_rows(db, Q_PAIRING_CODE, &s, "s", code);

	*taken = rc == STORE_OK;
	if (rc == STORE_OK)
		db_end(s);
	return rc == STORE_NONE ? STORE_OK : rc;
}

/* What stands against a new request; PAIRING_NEW: nothing. */
static enum store_rc
obstacle(struct db *db, const struct pairing *p, enum pairing_state *state)
{
	enum store_rc rc;
	int64_t pending;
	int taken;

	*state = PAIRING_NEW;
	rc = count(db, Q_PAIRING_COUNT, p->account, &pending);
	if (rc != STORE_OK)
		return rc;
	if (pending >= PAIRING_PENDING) {
		*state = PAIRING_FULL;
		return STORE_OK;
	}
	rc = code_is_taken(db, p->code, &taken);
	if (rc == STORE_OK && taken)
		*state = PAIRING_TAKEN;
	return rc;
}

enum store_rc
pairing_ask(struct db *db, const struct pairing *p, int64_t now,
    enum pairing_state *state, char code[PAIRING_CODE + 1])
{
	sqlite3_stmt *s;
	enum store_rc rc;
	char text[STORE_ID + 1];

	code[0] = '\0';
	rc = db_run(db, Q_PAIRING_EXPIRE, "i", now - PAIRING_LIFE_MS);
	if (rc != STORE_OK)
		return rc;
	rc = db_rows(db, Q_GRANT_GET, &s, "ss", p->account, p->user);
	rc = first_text(db, s, rc, text, sizeof(text));
	*state = p->again ? PAIRING_KNOWN : PAIRING_GRANTED;
	if (rc != STORE_NONE)
		return rc;
	rc = db_rows(db, Q_PAIRING_GET, &s, "ss", p->account, p->user);
	rc = first_text(db, s, rc, code, PAIRING_CODE + 1);
	if (rc == STORE_OK) {
		*state = strcmp(code, p->code) == 0 ? PAIRING_NEW :
						      PAIRING_KNOWN;
		return db_run(db, Q_PAIRING_SEEN, "ssis", p->account, p->user,
		    now, p->name);
	}
	if (rc != STORE_NONE)
		return rc;
	*state = PAIRING_KNOWN;
	if (p->again)
		return STORE_OK;
	rc = obstacle(db, p, state);
	if (rc != STORE_OK || *state != PAIRING_NEW)
		return rc;
	strlcpy(code, p->code, PAIRING_CODE + 1);
	return db_run(db, Q_PAIRING_ADD, "sssssi", p->account, p->user,
	    p->code, p->name, p->channel, now);
}

enum store_rc
grant_add(struct db *db, const char *account, const char *user,
    const char *name, const char *notify, int64_t now)
{
	enum store_rc rc;
	int64_t n;

	if ((rc = count(db, Q_GRANT_COUNT, account, &n)) != STORE_OK)
		return rc;
	if (n >= GRANTS_KEEP)
		return STORE_DENIED;
	return db_run(
	    db, Q_GRANT_ADD, "ssssi", account, user, name, notify, now);
}

enum store_rc
grant_delete(struct db *db, const char *account, const char *user)
{
	enum store_rc rc = db_run(db, Q_GRANT_DELETE, "ss", account, user);

	if (rc == STORE_OK && db_changes(db) == 0)
		return STORE_NONE;
	return rc;
}

enum store_rc
thread_note(struct db *db, const char *account, const char *channel,
    const char *root, int64_t at)
{
	enum store_rc rc;

	rc = db_run(db, Q_THREAD_AGAIN, "sssi", account, channel, root, at);
	if (rc != STORE_OK || db_changes(db) > 0)
		return rc;
	rc = db_run(db, Q_THREAD_ADD, "sssi", account, channel, root, at);
	if (rc != STORE_OK)
		return rc;
	return db_run(db, Q_THREAD_TRIM, "sii", account, at - THREAD_LIFE_MS,
	    (int64_t)THREADS_KEEP);
}

enum store_rc
loop_count(struct db *db, const char *account, const char *channel,
    const char *root, int64_t now)
{
	return db_run(db, Q_LOOP_COUNT, "sssii", account, channel, root, now,
	    now - LOOP_LIFE_MS);
}

enum store_rc
loop_reset(struct db *db, const char *account, const char *channel,
    const char *root)
{
	return db_run(db, Q_LOOP_RESET, "sss", account, channel, root);
}
