#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/store/db.h"

#define DB_APPLICATION_ID 0x706f7374 /* "post" */
#define DB_CACHE_KB 1024
#define DB_WAL_KEEP (16 * 1024 * 1024) /* bytes of a reset WAL */
#define DB_BUSY_MS 200

struct db {
	sqlite3 *h;
	sqlite3_stmt *stmt[Q_MAX];
	const char *error;
	int wal_pages;
	int64_t outbox_next;
};

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
	    [STORE_IO] = "io",
	    [STORE_BUSY] = "busy",
	};

	return code[rc];
}

static void
library_log(void *arg, int rc, const char *text)
{
	/* Its texts quote SQL, never values. */
	if ((rc & 0xff) != SQLITE_NOTICE)
		log_event(LOG_WARNING, "store.sqlite", "code", LOG_NUM(rc),
		    "text", text, NULL);
}

void
db_library_init(void)
{
	char seed[8];

	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 128, 200);
	sqlite3_config(SQLITE_CONFIG_LOG, library_log, NULL);
	if (sqlite3_initialize() != SQLITE_OK)
		fatalx("sqlite3_initialize");
	/* Its generator reads /dev/urandom, which the jail will not have. */
	sqlite3_randomness(sizeof(seed), seed);
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

static enum store_rc
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

static int
on_wal(void *arg, sqlite3 *h, const char *name, int pages)
{
	struct db *db = arg;

	db->wal_pages = pages;
	return SQLITE_OK;
}

static sqlite3_stmt *
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

static int
db_exec(struct db *db, const char *sql)
{
	return sqlite3_exec(db->h, sql, NULL, NULL, NULL);
}

static int
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

/*
 * The journal mode must be WAL: some file systems refuse it silently, and
 * the pragma then gives another word.
 */
static int
db_enter_wal(struct db *db)
{
	sqlite3_stmt *s;
	int rc, wal;

	rc = sqlite3_prepare_v2(
	    db->h, "PRAGMA journal_mode = WAL", -1, &s, NULL);
	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_step(s);
	wal = rc == SQLITE_ROW && strcmp(db_text(s, 0), "wal") == 0;
	sqlite3_finalize(s);
	if (rc == SQLITE_ROW && !wal)
		return SQLITE_CANTOPEN;
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int
db_configure(struct db *db)
{
	char sql[128];
	int on = 1, rc;

	sqlite3_extended_result_codes(db->h, 1);
	sqlite3_busy_timeout(db->h, DB_BUSY_MS);
	sqlite3_limit(db->h, SQLITE_LIMIT_ATTACHED, 0);
#ifdef SQLITE_DBCONFIG_DEFENSIVE
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
#endif
#ifdef SQLITE_DBCONFIG_TRUSTED_SCHEMA
	sqlite3_db_config(db->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
#endif
	/* The -wal stays: nothing has to be unlinked at every stop. */
	sqlite3_file_control(db->h, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
	rc = db_exec(db, "PRAGMA locking_mode = EXCLUSIVE;"
			 "PRAGMA temp_store = MEMORY;"
			 "PRAGMA mmap_size = 0;"
			 "PRAGMA cell_size_check = ON");
	if (rc == SQLITE_OK)
		rc = db_enter_wal(db);
	if (rc == SQLITE_OK)
		rc = db_exec(db, "PRAGMA synchronous = FULL;"
				 "PRAGMA secure_delete = FAST");
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_wal_hook(db->h, on_wal, db);
	sqlite3_snprintf(sizeof(sql), sql,
	    "PRAGMA cache_size = -%d; PRAGMA journal_size_limit = %d",
	    DB_CACHE_KB, DB_WAL_KEEP);
	return db_exec(db, sql);
}

static int
db_migrate(struct db *db, const char **why)
{
	char sql[64];
	int version, id, rc;

	if ((rc = db_pragma_int(db, "PRAGMA user_version", &version)) !=
		SQLITE_OK ||
	    (rc = db_pragma_int(db, "PRAGMA application_id", &id)) != SQLITE_OK)
		return rc;
	if (id != DB_APPLICATION_ID && (version != 0 || id != 0)) {
		*why = "not a database of this program";
		return SQLITE_NOTADB;
	}
	for (; sql_migrations[version] != NULL; version++) {
		sqlite3_snprintf(sizeof(sql), sql,
		    "PRAGMA user_version = %d; PRAGMA application_id = %d",
		    version + 1, DB_APPLICATION_ID);
		if ((rc = db_exec(db, "BEGIN IMMEDIATE")) != SQLITE_OK ||
		    (rc = db_exec(db, sql_migrations[version])) != SQLITE_OK ||
		    (rc = db_exec(db, sql)) != SQLITE_OK ||
		    (rc = db_exec(db, "COMMIT")) != SQLITE_OK) {
			db_exec(db, "ROLLBACK");
			return rc;
		}
	}
	return SQLITE_OK;
}

/* A database of a later release has steps that we do not know. */
static int
db_check_version(struct db *db, const char **why)
{
	int version, known, rc;

	for (known = 0; sql_migrations[known] != NULL; known++)
		;
	rc = db_pragma_int(db, "PRAGMA user_version", &version);
	if (rc == SQLITE_OK && (version < 0 || version > known)) {
		*why = "written by a later release";
		return SQLITE_NOTADB;
	}
	return rc;
}

static int
db_prepare_all(struct db *db)
{
	int q;

	for (q = 0; q < Q_MAX; q++)
		if (db_stmt(db, q) == NULL)
			return sqlite3_extended_errcode(db->h);
	return SQLITE_OK;
}

static int
db_load_counters(struct db *db)
{
	sqlite3_stmt *s;

	if (db_rows(db, Q_OUTBOX_MAX, &s, "") != STORE_OK)
		return sqlite3_extended_errcode(db->h);
	db->outbox_next = sqlite3_column_int64(s, 0) + 1;
	db_end(s);
	return SQLITE_OK;
}

int64_t
db_outbox_next(struct db *db)
{
	return db->outbox_next++;
}

struct db *
db_open(const char *path, enum store_rc *rcp, const char **why)
{
	struct db *db;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, rc;

#ifdef SQLITE_OPEN_NOFOLLOW
	flags |= SQLITE_OPEN_NOFOLLOW;
#endif
	if ((db = calloc(1, sizeof(*db))) == NULL)
		fatal("calloc");
	*why = NULL;
	rc = sqlite3_open_v2(path, &db->h, flags, NULL);
	if (rc == SQLITE_OK)
		rc = db_configure(db);
	if (rc == SQLITE_OK)
		rc = db_check_version(db, why);
	if (rc == SQLITE_OK)
		rc = db_migrate(db, why);
	if (rc == SQLITE_OK)
		rc = db_prepare_all(db);
	if (rc == SQLITE_OK)
		rc = db_load_counters(db);
	if (rc == SQLITE_OK) {
		*rcp = STORE_OK;
		return db;
	}
	*rcp = db_fail(db, rc);
	if (*why == NULL)
		*why = db->error;
	db_close(db);
	return NULL;
}

void
db_close(struct db *db)
{
	int q;

	if (db == NULL)
		return;
	if (db_in_transaction(db))
		db_exec(db, "ROLLBACK");
	for (q = 0; q < Q_MAX; q++)
		sqlite3_finalize(db->stmt[q]);
	sqlite3_close(db->h);
	free(db);
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

void
db_limit_pages(struct db *db, int pages)
{
	char sql[64];

	sqlite3_snprintf(sizeof(sql), sql, "PRAGMA max_page_count = %d", pages);
	if (db_exec(db, sql) != SQLITE_OK)
		fatalx("max_page_count");
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
