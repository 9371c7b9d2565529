/*
 * What the files of the database share: db.c (statements, transactions) and
 * db_open.c (opening, settings, migration).
 */
#ifndef WORKERS_STORE_DB_INT_H
#define WORKERS_STORE_DB_INT_H

#include "workers/store/db.h"

struct db {
	sqlite3 *h;
	sqlite3_stmt *stmt[Q_MAX];
	const char *error;
	int wal_pages;
	int prune;
	int64_t media_room;
	int64_t outbox_next;
};

/* Keeps the text of a result code of SQLite, and says what it means. */
enum store_rc db_fail(struct db *, int rc);
/* Prepared and reset, or NULL. */
sqlite3_stmt *db_stmt(struct db *, enum query);
/* Result codes of SQLite. */
int db_exec(struct db *, const char *sql);
int db_pragma_int(struct db *, const char *sql, int *value);

#endif
