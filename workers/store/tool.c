#include "config.h"

#include <string.h>

#include "workers/store/op.h"
#include "workers/store/tool.h"

enum store_rc
tool_put(struct db *db, const char *account, const char *key, int64_t seq,
    int *dup)
{
	enum store_rc rc = db_run(db, Q_TOOL_PUT, "ssi", account, key, seq);

	*dup = rc == STORE_OK && db_changes(db) == 0;
	return rc;
}

enum store_rc
tool_get(struct db *db, const char *account, const char *key, int *state,
    char post[STORE_ID + 1], char error[STORE_ERROR + 1])
{
	sqlite3_stmt *s;
	enum store_rc rc;

	rc = db_rows(db, Q_TOOL_GET, &s, "ss", account, key);
	if (rc != STORE_OK)
		return rc;
	*state = sqlite3_column_int(s, 0);
	op_cut(post, db_text(s, 1), STORE_ID + 1);
	op_cut(error, db_text(s, 2), STORE_ERROR + 1);
	db_end(s);
	return STORE_OK;
}

enum store_rc
tool_end(struct db *db, const char *account, const char *key, int state,
    const char *post, const char *error)
{
	return db_run(db, Q_TOOL_END, "ssiss", account, key, (int64_t)state,
	    post, error);
}

enum store_rc
tool_forget(struct db *db, int64_t seq)
{
	return db_run(db, Q_TOOL_FORGET, "i", seq);
}
