/*
 * The database: one file, one connection, one writer.
 *
 * WAL with synchronous=FULL: what db_commit() said STORE_OK to survives a
 * power cut. The connection holds the file exclusively and keeps the WAL
 * index in its own memory, so nothing but the file and its -wal is ever
 * opened, both relative to the working directory. Nothing here deletes or
 * recreates a database that cannot be read.
 *
 * Statements are prepared once, by number (sql.h). A failed call leaves
 * text and kind of the failure in db_error() and its return value.
 */
#ifndef WORKERS_STORE_DB_H
#define WORKERS_STORE_DB_H

#include <sqlite3.h>
#include <stdint.h>

#include "workers/store/sql.h"
#include "workers/store/store.h"

struct db;

/* Before anything else, once per process: single thread, few buffers. */
void db_library_init(void);

/*
 * Open or create, and bring the schema up to date. NULL on failure, with
 * *rc and a static text in *why.
 */
struct db *db_open(const char *path, enum store_rc *rc, const char **why);
/* Rolls back what is open, writes the WAL back, closes. NULL is fine. */
void db_close(struct db *);

/* STORE_OK, or why not: STORE_IO, STORE_FULL, STORE_BUSY. */
enum store_rc db_begin(struct db *);
enum store_rc db_commit(struct db *);
/* Harmless without a transaction. */
void db_rollback(struct db *);
int db_in_transaction(const struct db *);
/* Part of a transaction that can be undone alone. */
enum store_rc db_save(struct db *);
enum store_rc db_save_keep(struct db *);
/* STORE_OK, or else the whole transaction is gone. */
enum store_rc db_save_undo(struct db *);

/*
 * Run a query that gives no rows. fmt has a letter for each parameter:
 * s (const char *, NULL is NULL), t (const char *, size_t), i (int64_t),
 * b as t, for long texts whose length is asked for: that of a blob is in the
 * row's head, that of a text is counted.
 */
enum store_rc db_run(struct db *, enum query, const char *fmt, ...);
/*
 * Start a query that gives rows and step to the first: STORE_OK,
 * STORE_NONE or a failure. With STORE_OK, db_end() must follow.
 */
enum store_rc db_rows(
    struct db *, enum query, sqlite3_stmt **, const char *fmt, ...);
enum store_rc db_next(struct db *, sqlite3_stmt *);
void db_end(sqlite3_stmt *);

/*
 * Number of the next outbox row. Never one that was given before by this
 * process, so that a row put while a load is under way is not part of it.
 */
int64_t db_outbox_next(struct db *);

/* Rows that the last db_run() changed. */
int db_changes(const struct db *);
int64_t db_last_id(const struct db *);
/* Static text of the last failure. */
const char *db_error(const struct db *);

/* Something has grown too large that a pass of prune.h makes smaller. */
void db_set_prune(struct db *, int wanted);
int db_wants_prune(const struct db *);

/* Bytes that the media folder has room for, as far as known; see op_media.c. */
int64_t *db_media_room(struct db *);

/* Pages in the WAL after the last commit. */
int db_wal_pages(const struct db *);
/* Move the WAL into the file, as far as it goes. */
void db_checkpoint(struct db *);
/*
 * Make the WAL as long as it usually gets, with zeros that mean nothing
 * there: a commit that overwrites needs half the time of one that extends.
 * Not inside a transaction. A failure is harmless.
 */
void db_prefill(struct db *);
/* Bytes of the main file. */
int64_t db_bytes(struct db *);
/* Give cache memory back after a burst. */
void db_shrink(struct db *);

/* For tests: the first number that sql gives, -1 when it fails. */
int64_t db_scalar(struct db *, const char *sql);

/* Column as text, "" when NULL; borrowed until the next step. */
const char *db_text(sqlite3_stmt *, int col);

#endif
