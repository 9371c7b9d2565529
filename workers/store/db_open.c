#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/schema.h"
#include "workers/store/db_int.h"

#define DB_APPLICATION_ID 0x706f7374 /* "post" */
#define DB_CACHE_KB 1024
#define DB_WAL_KEEP (16 * 1024 * 1024) /* bytes of a reset WAL */
#define DB_BUSY_MS 200

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

static int
on_wal(void *arg, sqlite3 *h, const char *name, int pages)
{
	struct db *db = arg;

	db->wal_pages = pages;
	return SQLITE_OK;
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
	int version, rc;

	rc = db_pragma_int(db, "PRAGMA user_version", &version);
	if (rc == SQLITE_OK && (version < 0 || version > SCHEMA_VERSION)) {
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
