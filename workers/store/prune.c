#include "config.h"

#include <stdlib.h>
#include <string.h>

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
};

struct prune {
	int64_t cutoff;
	int64_t below; /* inbox rows from here up have been seen */
	struct prune_account *accounts;
	size_t n_accounts;
	enum { PRUNE_INBOX, PRUNE_OUTBOX, PRUNE_MEDIA,
		PRUNE_DECISIONS } phase;
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
	a = reallocarray(p->accounts, p->n_accounts + 1, sizeof(*a));
	if (a == NULL)
		fatal("reallocarray");
	p->accounts = a;
	a += p->n_accounts++;
	memset(a, 0, sizeof(*a));
	strlcpy(a->id, id, sizeof(a->id));
	return a;
}

/* Called from the newest row to the oldest. */
static int
prune_is_old(struct prune *p, const char *account, int state, int64_t done_at)
{
	struct prune_account *a = prune_account(p, account);

	if (state == STATE_OPEN)
		return 0;
	if (state == STATE_DONE && ++a->done > STORE_MARKERS_KEEP)
		return 1;
	if (state == STATE_DEAD && ++a->dead > STORE_MARKERS_KEEP)
		return 1;
	return done_at < p->cutoff;
}

static enum store_rc
prune_delete(struct prune *p, struct db *db, const int64_t *seqs, int n)
{
	enum store_rc rc;
	int i;

	if (n == 0)
		return STORE_OK;
	if ((rc = db_begin(db)) != STORE_OK)
		return rc;
	for (i = 0; i < n && rc == STORE_OK; i++)
		if ((rc = tool_forget(db, seqs[i])) == STORE_OK)
			rc = db_run(db, Q_INBOX_DELETE, "i", seqs[i]);
	if (rc == STORE_OK)
		rc = db_commit(db);
	if (rc != STORE_OK)
		db_rollback(db);
	else
		p->count += n;
	return rc;
}

static enum store_rc
prune_inbox(struct prune *p, struct db *db)
{
	int64_t seqs[PRUNE_ROWS], last = p->below;
	sqlite3_stmt *s;
	enum store_rc rc;
	int n = 0, seen = 0;

	rc = db_rows(db, Q_INBOX_OLD, &s, "ii", p->below, (int64_t)PRUNE_ROWS);
	for (; rc == STORE_OK; rc = db_next(db, s)) {
		seen++;
		last = sqlite3_column_int64(s, 0);
		if (prune_is_old(p, db_text(s, 1), sqlite3_column_int(s, 2),
			sqlite3_column_int64(s, 3)))
			seqs[n++] = last;
	}
	if (rc != STORE_NONE)
		return rc;
	rc = prune_delete(p, db, seqs, n);
	p->below = last;
	if (rc == STORE_OK && seen < PRUNE_ROWS)
		p->phase = PRUNE_OUTBOX;
	return rc;
}

static enum store_rc
prune_outbox(struct prune *p, struct db *db)
{
	enum store_rc rc;

	rc = db_run(db, Q_OUTBOX_PRUNE, "ii", p->cutoff, (int64_t)PRUNE_ROWS);
	if (rc != STORE_OK)
		return rc;
	p->count += db_changes(db);
	if (db_changes(db) < PRUNE_ROWS)
		p->phase = PRUNE_MEDIA;
	return STORE_OK;
}

/* The row first: a file without one is found at the next start. */
static enum store_rc
prune_media(struct prune *p, struct db *db)
{
	char id[MEDIA_ID + 1];
	sqlite3_stmt *s;
	enum store_rc rc;

	rc = db_rows(db, Q_MEDIA_OLD, &s, "ii", p->cutoff, 1LL);
	if (rc == STORE_NONE) {
		p->phase = PRUNE_DECISIONS;
		return STORE_OK;
	}
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

static enum store_rc
decisions_range(struct db *db, int64_t *min, int64_t *max)
{
	sqlite3_stmt *s;
	enum store_rc rc;

	if ((rc = db_rows(db, Q_DECISION_RANGE, &s, "")) != STORE_OK)
		return rc;
	*min = sqlite3_column_int64(s, 0);
	*max = sqlite3_column_int64(s, 1);
	db_end(s);
	return STORE_OK;
}

int
prune_is_due(struct db *db)
{
	int64_t min, max;

	return decisions_range(db, &min, &max) == STORE_OK &&
	    max - min > STORE_DECISIONS_KEEP + STORE_DECISIONS_KEEP / 10;
}

static enum store_rc
prune_decisions(struct prune *p, struct db *db)
{
	int64_t min, max;
	enum store_rc rc;

	if ((rc = decisions_range(db, &min, &max)) != STORE_OK)
		return rc;
	rc = db_run(db, Q_DECISION_PRUNE, "iii", min + PRUNE_ROWS, p->cutoff,
	    max - STORE_DECISIONS_KEEP + 1);
	if (rc != STORE_OK)
		return rc;
	p->count += db_changes(db);
	return db_changes(db) == 0 ? STORE_NONE : STORE_OK;
}

enum store_rc
prune_step(struct prune *p, struct db *db)
{
	switch (p->phase) {
	case PRUNE_INBOX:
		return prune_inbox(p, db);
	case PRUNE_OUTBOX:
		return prune_outbox(p, db);
	case PRUNE_MEDIA:
		return prune_media(p, db);
	case PRUNE_DECISIONS:
	default:
		return prune_decisions(p, db);
	}
}
