#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/log.h"
#include "workers/store/media.h"
#include "workers/store/prune.h"
#include "workers/store/tool.h"

#define DAY_MS (24 * 3600 * 1000LL)
#define PRUNE_ROWS 500 /* looked at in one step */

/* What an account has, counted from its newest row. */
struct prune_account {
	char id[STORE_ID + 1];
	int64_t done;
	int64_t dead;
	int64_t bytes; /* of dead ones */
};

/* Tables that are walked through, from the newest row to the oldest. */
enum phase { PRUNE_INBOX, PRUNE_OUTBOX, PRUNE_DECISIONS, PRUNE_MEDIA };

static const struct {
	enum query page; /* number, account, state, when it ended, bytes */
	enum query delete;
	int64_t keep; /* done rows of an account */
} walks[] = {
    [PRUNE_INBOX] = {Q_INBOX_OLD, Q_INBOX_DELETE, STORE_MARKERS_KEEP},
    [PRUNE_OUTBOX] = {Q_OUTBOX_OLD, Q_OUTBOX_DELETE, STORE_MARKERS_KEEP},
    [PRUNE_DECISIONS] = {Q_DECISION_OLD, Q_DECISION_DELETE,
	STORE_DECISIONS_KEEP},
};

struct prune {
	int64_t cutoff;
	int64_t below; /* rows from here up have been seen */
	struct prune_account *accounts;
	size_t n_accounts;
	enum phase phase;
	int64_t count;
};

struct prune *
prune_new(int64_t now, int days)
{
	struct prune *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		fatal("calloc");
	p->cutoff = now - days * DAY_MS;
	p->below = INT64_MAX;
	return p;
}

void
prune_free(struct prune *p)
{
	if (p == NULL)
		return;
	free(p->accounts);
	free(p);
}

int64_t
prune_count(const struct prune *p)
{
	return p->count;
}

static struct prune_account *
prune_account(struct prune *p, const char *id)
{
	struct prune_account *a;
	size_t i;

	for (i = 0; i < p->n_accounts; i++)
		if (strcmp(p->accounts[i].id, id) == 0)
			return &p->accounts[i];
	p->accounts = grow(p->accounts, p->n_accounts, sizeof(*a));
	a = &p->accounts[p->n_accounts++];
	strlcpy(a->id, id, sizeof(a->id));
	return a;
}

/* Called from the newest row to the oldest. */
static int
prune_is_old(struct prune *p, sqlite3_stmt *s)
{
	struct prune_account *a = prune_account(p, db_text(s, 1));
	int state = sqlite3_column_int(s, 2);

	if (state == STATE_OPEN)
		return 0;
	if (state == STATE_DONE && ++a->done > walks[p->phase].keep)
		return 1;
	if (state == STATE_DEAD) {
		a->bytes += sqlite3_column_int64(s, 4) + STORE_ROW;
		if (++a->dead > STORE_MARKERS_KEEP ||
		    a->bytes > STORE_DEAD_KEEP)
			return 1;
	}
	return sqlite3_column_int64(s, 3) < p->cutoff;
}

static enum store_rc
prune_delete(struct prune *p, struct db *db, const int64_t *rows, int n)
{
	enum store_rc rc;
	int i;

	if (n == 0)
		return STORE_OK;
	if ((rc = db_begin(db)) != STORE_OK)
		return rc;
	for (i = 0; i < n && rc == STORE_OK; i++) {
		if (p->phase == PRUNE_INBOX)
			rc = tool_forget(db, rows[i]);
		if (rc == STORE_OK)
			rc = db_run(db, walks[p->phase].delete, "i", rows[i]);
	}
	if (rc == STORE_OK)
		rc = db_commit(db);
	if (rc != STORE_OK)
		db_rollback(db);
	else
		p->count += n;
	return rc;
}

static void
next_phase(struct prune *p)
{
	p->phase++;
	p->below = INT64_MAX;
	p->n_accounts = 0;
}

static enum store_rc
prune_walk(struct prune *p, struct db *db)
{
	int64_t rows[PRUNE_ROWS], last = p->below;
	sqlite3_stmt *s;
	enum store_rc rc;
	int n = 0, seen = 0;

	rc = db_rows(
	    db, walks[p->phase].page, &s, "ii", p->below, (int64_t)PRUNE_ROWS);
	for (; rc == STORE_OK; rc = db_next(db, s)) {
		seen++;
		last = sqlite3_column_int64(s, 0);
		if (prune_is_old(p, s))
			rows[n++] = last;
	}
	if (rc != STORE_NONE)
		return rc;
	rc = prune_delete(p, db, rows, n);
	p->below = last;
	if (rc == STORE_OK && seen < PRUNE_ROWS)
		next_phase(p);
	return rc;
}

/* The row first: a file without one is found at the next start. */
static enum store_rc
prune_media(struct prune *p, struct db *db)
{
	char id[MEDIA_ID + 1];
	sqlite3_stmt *s;
	enum store_rc rc;

	rc = db_rows(db, Q_MEDIA_OLD, &s, "ii", p->cutoff, 1LL);
	if (rc != STORE_OK)
		return rc;
	strlcpy(id, db_text(s, 0), sizeof(id));
	db_end(s);
	if ((rc = db_run(db, Q_MEDIA_DELETE, "s", id)) != STORE_OK)
		return rc;
	media_remove(id);
	p->count++;
	return STORE_OK;
}

static int64_t
newest(struct db *db, enum query q)
{
	sqlite3_stmt *s;
	int64_t n;

	if (db_rows(db, q, &s, "") != STORE_OK)
		return 0;
	n = sqlite3_column_int64(s, 0);
	db_end(s);
	return n;
}

void
prune_see(struct db *db, struct prune_seen *seen)
{
	seen->inbox = newest(db, Q_INBOX_MAX);
	seen->decision = newest(db, Q_DECISION_MAX);
}

int
prune_is_due(struct db *db, const struct prune_seen *then)
{
	struct prune_seen now;

	if (db_wants_prune(db))
		return 1;
	prune_see(db, &now);
	return now.inbox - then->inbox > STORE_MARKERS_KEEP / 2 ||
	       now.decision - then->decision > STORE_DECISIONS_KEEP / 5;
}

enum store_rc
prune_step(struct prune *p, struct db *db)
{
	db_set_prune(db, 0);
	return p->phase == PRUNE_MEDIA ? prune_media(p, db) : prune_walk(p, db);
}
