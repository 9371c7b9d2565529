#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/reason.h"
#include "workers/store/access.h"
#include "workers/store/decision.h"
#include "workers/store/inbox.h"
#include "workers/store/outbox.h"
#include "workers/store/tool.h"

enum store_rc
outbox_put(struct db *db, const struct outbox_row *r, int64_t now)
{
	return db_run(db, Q_OUTBOX_PUT, "ississsssibbt", db_outbox_next(db),
	    r->account, r->key, r->seq, r->lane, r->op, r->channel, r->root,
	    r->post, now, r->props, r->props_len, r->text,
	    strlen(r->text), r->files, r->files_len);
}

struct outbox_ref {
	int64_t n;
	int64_t seq;
	int is_delete;
	char channel[STORE_ID + 1];
	char root[STORE_ID + 1];
};

static enum store_rc
outbox_get(
    struct db *db, const char *account, const char *key, struct outbox_ref *ref)
{
	sqlite3_stmt *s;
	enum store_rc rc;

	rc = db_rows(db, Q_OUTBOX_GET, &s, "ss", account, key);
	if (rc != STORE_OK)
		return rc;
	ref->n = sqlite3_column_int64(s, 0);
	ref->seq = sqlite3_column_int64(s, 1);
	ref->is_delete = strcmp(db_text(s, 2), "delete") == 0;
	strlcpy(ref->channel, db_text(s, 3), sizeof(ref->channel));
	strlcpy(ref->root, db_text(s, 4), sizeof(ref->root));
	db_end(s);
	return STORE_OK;
}

enum store_rc
outbox_find(struct db *db, const char *account, const char *key)
{
	struct outbox_ref ref;

	return outbox_get(db, account, key, &ref);
}

/* No message tells of it, so it is told of by itself. */
static enum store_rc
own_post(struct db *db, const char *account, const char *channel,
    const char *post, int64_t now)
{
	struct decision d = {.account = account,
	    .post = post,
	    .channel = channel,
	    .kind = "post",
	    .stage = stage_name(reason_stage(REASON_OWN_POST)),
	    .reason = reason_name(REASON_OWN_POST),
	    .rule = "",
	    .at = now};

	return *post == '\0' ? STORE_OK : decision_note(db, &d, now);
}

enum store_rc
outbox_done(struct db *db, const char *account, const char *key,
    const char *post, int thread, int64_t now)
{
	struct outbox_ref ref;
	enum store_rc rc;

	rc = outbox_get(db, account, key, &ref);
	if (rc != STORE_OK)
		return rc == STORE_NONE ? STORE_OK : rc;
	rc = db_run(db, Q_OUTBOX_DELETE, "i", ref.n);
	if (rc == STORE_OK && ref.seq != 0)
		rc = tool_end(db, account, key, STATE_DONE, post, "");
	if (rc != STORE_OK || ref.is_delete)
		return rc;
	if (ref.seq == 0)
		return own_post(db, account, ref.channel, post, now);
	if (*post != '\0')
		rc = inbox_answer(db, ref.seq, post);
	if (rc == STORE_OK && thread && ref.root[0] != '\0')
		rc = thread_note(db, account, ref.channel, ref.root, now);
	return rc;
}

enum store_rc
outbox_dead(struct db *db, const char *account, const char *key,
    const char *reason, int status, const char *error, int64_t now)
{
	struct outbox_ref ref;
	char text[STORE_REASON + STORE_ERROR + 4];
	enum store_rc rc;

	rc = outbox_get(db, account, key, &ref);
	if (rc != STORE_OK)
		return rc == STORE_NONE ? STORE_OK : rc;
	rc = db_run(db, Q_OUTBOX_DEAD, "iisis", ref.n, now, reason,
	    (int64_t)status, error);
	if (rc != STORE_OK || ref.seq == 0)
		return rc;
	rc = tool_end(db, account, key, STATE_DEAD, "", error);
	if (rc != STORE_OK)
		return rc;
	/* The status begins the error of whatever has one. */
	snprintf(text, sizeof(text), "%s: %s", reason, error);
	return inbox_error(db, ref.seq, text);
}

enum store_rc
outbox_revive(struct db *db, const char *account, const char *key, int64_t *n)
{
	struct outbox_ref ref;
	enum store_rc rc;

	if ((rc = outbox_get(db, account, key, &ref)) != STORE_OK)
		return rc;
	*n = ref.n;
	rc = db_run(db, Q_OUTBOX_REVIVE, "i", ref.n);
	if (rc == STORE_OK && db_changes(db) == 0)
		return STORE_NONE;
	return rc;
}
