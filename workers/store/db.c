#include "config.h"

#include <errno.h>
#include <stdarg.h>

#include "common/log.h"
#include "workers/store/db_int.h"

#define DB_WAL_PREFILL (4 * 1024 * 1024) /* a thousand pages */

const char *
store_code(enum store_rc rc)
{
	static const char *const code[] = {
	    [STORE_OK] = "ok",
	    [STORE_NONE] = "none",
	    [STORE_BAD] = "bad",
	    [STORE_DENIED] = "denied",
	    [STORE_SIZE] = "size",
	    [STORE_FULL] = "full",
	    [STORE_QUOTA] = "quota",
	    [STORE_IO] = "io",
	    [STORE_BUSY] = "busy",
	};

	return code[rc];
}

/*
 * A quota or a file size limit is no failing disk, but for SQLite only
 * ENOSPC is "full". errno itself is long gone; the files remember theirs.
 */
static int
db_no_space(struct db *db, int op)
{
	sqlite3_file *file = NULL;
	int e = 0;

	if (sqlite3_file_control(db->h, "main", op, &file) != SQLITE_OK ||
	    file == NULL || file->pMethods == NULL ||
	    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &e) !=
		SQLITE_OK)
		return 0;
	return e == ENOSPC || e == EDQUOT || e == EFBIG;
}

enum store_rc
db_fail(struct db *db, int rc)
{
	db->error = sqlite3_errstr(rc);
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		fatalx("sqlite: out of memory");
	case SQLITE_FULL:
		return STORE_FULL;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return STORE_BUSY;
	case SQLITE_TOOBIG:
		return STORE_SIZE;
	case SQLITE_IOERR:
		if (db_no_space(db, SQLITE_FCNTL_JOURNAL_POINTER) ||
		    db_no_space(db, SQLITE_FCNTL_FILE_POINTER)) {
			db->error = sqlite3_errstr(SQLITE_FULL);
			return STORE_FULL;
		}
		return STORE_IO;
	default:
		return STORE_IO;
	}
}

sqlite3_stmt *
db_stmt(struct db *db, enum query q)
{
	int rc;

	if (db->stmt[q] != NULL)
		return db->stmt[q];
	rc = sqlite3_prepare_v3(db->h, sql_query[q], -1,
	    SQLITE_PREPARE_PERSISTENT, &db->stmt[q], NULL);
	if (rc != SQLITE_OK) {
		db_fail(db, rc);
		log_warnx("store: query %d: %s", (int)q, sqlite3_errmsg(db->h));
		return NULL;
	}
	return db->stmt[q];
}

static void
db_bind(sqlite3_stmt *s, const char *fmt, va_list ap)
{
	const char *text;
	int i;

	for (i = 1; *fmt != '\0'; fmt++, i++) {
		switch (*fmt) {
		case 'i':
			sqlite3_bind_int64(s, i, va_arg(ap, int64_t));
			break;
		case 's':
			sqlite3_bind_text(
			    s, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
			break;
		case 't':
			text = va_arg(ap, const char *);
			sqlite3_bind_text(
			    s, i, text, (int)va_arg(ap, size_t), SQLITE_STATIC);
			break;
		case 'b':
			text = va_arg(ap, const char *);
			sqlite3_bind_blob(
			    s, i, text, (int)va_arg(ap, size_t), SQLITE_STATIC);
			break;
		default:
			fatalx("db_bind: %c", *fmt);
		}
	}
	if (sqlite3_bind_parameter_count(s) != i - 1)
		fatalx("db_bind: wrong number of parameters");
}

enum store_rc
db_run(struct db *db, enum query q, const char *fmt, ...)
{
	sqlite3_stmt *s = db_stmt(db, q);
	va_list ap;
	int rc;

	if (s == NULL)
		return STORE_IO;
	va_start(ap, fmt);
	db_bind(s, fmt, ap);
	va_end(ap);
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		fatalx("db_run: query %d gives rows", (int)q);
	sqlite3_reset(s);
	return rc == SQLITE_DONE ? STORE_OK : db_fail(db, rc);
}

enum store_rc
db_next(struct db *db, sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);

	if (rc == SQLITE_ROW)
		return STORE_OK;
	sqlite3_reset(s);
	return rc == SQLITE_DONE ? STORE_NONE : db_fail(db, rc);
}

enum store_rc
db_rows(struct db *db, enum query q, sqlite3_stmt **out, const char *fmt, ...)
{
	sqlite3_stmt *s = db_stmt(db, q);
	va_list ap;

	*out = s;
	if (s == NULL)
		return STORE_IO;
	va_start(ap, fmt);
	db_bind(s, fmt, ap);
	va_end(ap);
	return db_next(db, s);
}

void
db_end(sqlite3_stmt *s)
{
	sqlite3_reset(s);
}

const char *
db_text(sqlite3_stmt *s, int col)
{
	const char *t = (const char *)sqlite3_column_text(s, col);

	return t == NULL ? "" : t;
}

int
db_exec(struct db *db, const char *sql)
{
	return sqlite3_exec(db->h, sql, NULL, NULL, NULL);
}

int
db_pragma_int(struct db *db, const char *sql, int *value)
{
	sqlite3_stmt *s;
	int rc;

	rc = sqlite3_prepare_v2(db->h, sql, -1, &s, NULL);
	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(s);
	*value = rc == SQLITE_ROW ? sqlite3_column_int(s, 0) : 0;
	sqlite3_finalize(s);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

enum store_rc
db_begin(struct db *db)
{
	return db_run(db, Q_BEGIN, "");
}

enum store_rc
db_commit(struct db *db)
{
	return db_run(db, Q_COMMIT, "");
}

void
db_rollback(struct db *db)
{
	if (db_in_transaction(db))
		db_run(db, Q_ROLLBACK, "");
}

int
db_in_transaction(const struct db *db)
{
	return db->h != NULL && !sqlite3_get_autocommit(db->h);
}

enum store_rc
db_save(struct db *db)
{
	return db_run(db, Q_SAVE, "");
}

enum store_rc
db_save_keep(struct db *db)
{
	return db_run(db, Q_SAVE_KEEP, "");
}

enum store_rc
db_save_undo(struct db *db)
{
	const char *error = db->error;
	enum store_rc rc = STORE_IO;

	/* Some failures make SQLite give up the whole transaction. */
	if (db_in_transaction(db) &&
	    (rc = db_run(db, Q_SAVE_UNDO, "")) == STORE_OK)
		rc = db_run(db, Q_SAVE_KEEP, "");
	if (rc != STORE_OK)
		db_rollback(db);
	db->error = error;
	return rc;
}

int
db_changes(const struct db *db)
{
	return sqlite3_changes(db->h);
}

int64_t
db_last_id(const struct db *db)
{
	return sqlite3_last_insert_rowid(db->h);
}

const char *
db_error(const struct db *db)
{
	return db->error == NULL ? "no error" : db->error;
}

void
db_set_prune(struct db *db, int wanted)
{
	db->prune = wanted;
}

int
db_wants_prune(const struct db *db)
{
	return db->prune;
}

int64_t *
db_media_room(struct db *db)
{
	return &db->media_room;
}

int
db_wal_pages(const struct db *db)
{
	return db->wal_pages;
}

void
db_checkpoint(struct db *db)
{
	int rc, left = 0, moved = 0;

	rc = sqlite3_wal_checkpoint_v2(
	    db->h, NULL, SQLITE_CHECKPOINT_PASSIVE, &left, &moved);
	if (rc != SQLITE_OK)
		log_event(LOG_WARNING, "store.checkpoint", "error",
		    sqlite3_errstr(rc), NULL);
	else
		db->wal_pages = left - moved;
}

void
db_prefill(struct db *db)
{
	static const char zeros[65536];
	sqlite3_file *wal = NULL;
	sqlite3_int64 size;

	if (sqlite3_file_control(db->h, "main", SQLITE_FCNTL_JOURNAL_POINTER,
		&wal) != SQLITE_OK ||
	    wal == NULL || wal->pMethods == NULL ||
	    wal->pMethods->xFileSize(wal, &size) != SQLITE_OK ||
	    size >= DB_WAL_PREFILL)
		return;
	for (; size < DB_WAL_PREFILL; size += (int64_t)sizeof(zeros))
		if (wal->pMethods->xWrite(wal, zeros, sizeof(zeros), size) !=
		    SQLITE_OK)
			return;
	wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
}

int64_t
db_bytes(struct db *db)
{
	sqlite3_stmt *s;
	int64_t pages;
	int size;

	if (db_rows(db, Q_PAGES, &s, "") != STORE_OK)
		return 0;
	pages = sqlite3_column_int64(s, 0);
	db_end(s);
	if (db_pragma_int(db, "PRAGMA page_size", &size) != SQLITE_OK)
		return 0;
	return pages * size;
}

void
db_shrink(struct db *db)
{
	sqlite3_db_release_memory(db->h);
}

int64_t
db_outbox_next(struct db *db)
{
	return db->outbox_next++;
}

int64_t
db_scalar(struct db *db, const char *sql)
{
	sqlite3_stmt *s;
	int64_t n = -1;

	if (sqlite3_prepare_v2(db->h, sql, -1, &s, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}
