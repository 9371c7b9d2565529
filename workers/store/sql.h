/*
 * Every SQL text of Postern: the schema with its migrations, and the
 * queries by number.
 */
#ifndef WORKERS_STORE_SQL_H
#define WORKERS_STORE_SQL_H

enum query {
	Q_BEGIN,
	Q_COMMIT,
	Q_ROLLBACK,
	Q_SAVE,
	Q_SAVE_KEEP,
	Q_SAVE_UNDO,
	Q_PAGES,
	Q_ACCOUNT_ADD,
	Q_ACCOUNT_GET,
	Q_ACCOUNT_LIST,
	Q_MARK_SET,
	Q_MARK_PAGE,
	Q_INBOX_PUT,
	Q_INBOX_FIND,
	Q_INBOX_CHECK,
	Q_INBOX_MAX,
	Q_INBOX_PAGE,
	Q_INBOX_DONE,
	Q_INBOX_RETRY,
	Q_INBOX_DEAD,
	Q_INBOX_ATTEMPT,
	Q_INBOX_ANSWER,
	Q_INBOX_ERROR,
	Q_INBOX_EXPLAIN,
	Q_INBOX_DEAD_LIST,
	Q_INBOX_PENDING,
	Q_INBOX_AT,
	Q_INBOX_DEAD_COUNT,
	Q_INBOX_OLD,
	Q_INBOX_DELETE,
	Q_OUTBOX_PUT,
	Q_OUTBOX_MAX,
	Q_OUTBOX_GET,
	Q_OUTBOX_PAGE,
	Q_OUTBOX_DELETE,
	Q_OUTBOX_DEAD,
	Q_OUTBOX_DEAD_LIST,
	Q_OUTBOX_COUNT,
	Q_OUTBOX_PRUNE,
	Q_SESSION_GET,
	Q_SESSION_ADD,
	Q_SESSION_SET,
	Q_MESSAGE_ADD,
	Q_MESSAGE_TRIM,
	Q_MESSAGE_BACK,
	Q_DECISION_ADD,
	Q_DECISION_EXPLAIN,
	Q_DECISION_RANGE,
	Q_DECISION_PRUNE,
	Q_DROP_COUNT,
	Q_DROP_LIST,
	Q_MAX
};

/* Step n takes a database of version n to n + 1; ends with NULL. */
extern const char *const sql_migrations[];
extern const char *const sql_query[Q_MAX];

/* inbox.state and outbox.state; queries have the numbers in their text. */
#define STATE_OPEN 0
#define STATE_DONE 1
#define STATE_DEAD 2

#endif
