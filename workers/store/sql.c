#include "config.h"

#include <stddef.h>

#include "common/schema.h"
#include "workers/store/sql.h"

/*
 * inbox: one row for each event, which is also the marker that keeps it
 * from coming in twice. data goes when the row is done, answers are the
 * ids of the posts that answered it. The unique index starts with the
 * event, which for posts is the post id, so that it serves explain too.
 *
 * outbox: what is still to be sent or could not be; a row that was sent is
 * deleted, its post id joins the answers of its inbox row.
 *
 * message.id is session.num << 32 | n, so that a session is one run of
 * neighbouring rows and needs no index.
 *
 * decision.id grows with time.
 */
static const char schema_1[] =
    "CREATE TABLE account(id TEXT PRIMARY KEY, first_at INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE mark(account TEXT, channel TEXT, post TEXT NOT NULL,"
    " at INTEGER NOT NULL, PRIMARY KEY(account, channel)) WITHOUT ROWID;"
    "CREATE TABLE inbox(seq INTEGER PRIMARY KEY, account TEXT NOT NULL,"
    " kind TEXT NOT NULL, event TEXT NOT NULL, lane TEXT NOT NULL,"
    " channel TEXT NOT NULL, root TEXT NOT NULL, post TEXT,"
    " at INTEGER NOT NULL, put_at INTEGER NOT NULL,"
    " state INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,"
    " not_before INTEGER NOT NULL DEFAULT 0, done_at INTEGER, outcome TEXT,"
    " reason TEXT, status INTEGER, error TEXT, answers TEXT, data TEXT);"
    "CREATE UNIQUE INDEX inbox_event ON inbox(event, account, kind);"
    "CREATE INDEX inbox_post ON inbox(post) WHERE post IS NOT NULL;"
    "CREATE INDEX inbox_open ON inbox(account) WHERE state = 0;"
    "CREATE INDEX inbox_dead ON inbox(account) WHERE state = 2;"
    "CREATE TABLE outbox(n INTEGER PRIMARY KEY, account TEXT NOT NULL,"
    " key TEXT NOT NULL, seq INTEGER NOT NULL, lane TEXT NOT NULL,"
    " op TEXT NOT NULL, channel TEXT NOT NULL, root TEXT NOT NULL,"
    " post TEXT NOT NULL, created INTEGER NOT NULL,"
    " state INTEGER NOT NULL DEFAULT 0, done_at INTEGER, reason TEXT,"
    " status INTEGER, error TEXT, props TEXT, text TEXT NOT NULL);"
    "CREATE UNIQUE INDEX outbox_key ON outbox(account, key);"
    "CREATE TABLE session(num INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL,"
    " first INTEGER NOT NULL, next INTEGER NOT NULL,"
    " updated INTEGER NOT NULL);"
    "CREATE TABLE message(id INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
    " body TEXT NOT NULL);"
    "CREATE TABLE decision(id INTEGER PRIMARY KEY, account TEXT NOT NULL,"
    " post TEXT NOT NULL, channel TEXT NOT NULL, kind TEXT NOT NULL,"
    " stage TEXT NOT NULL, reason TEXT NOT NULL, rule TEXT NOT NULL,"
    " at INTEGER NOT NULL, decided_at INTEGER NOT NULL);"
    "CREATE INDEX decision_post ON decision(post) WHERE post <> '';"
    "CREATE TABLE drop_count(account TEXT, reason TEXT, n INTEGER NOT NULL,"
    " PRIMARY KEY(account, reason)) WITHOUT ROWID;";

/*
 * Who asked for access and who has it; the threads that the bot answered
 * in; how often only bots have spoken somewhere.
 */
static const char schema_access[] =
    "CREATE TABLE pairing(account TEXT, user TEXT, code TEXT NOT NULL,"
    " name TEXT NOT NULL, channel TEXT NOT NULL, created INTEGER NOT NULL,"
    " seen INTEGER NOT NULL, PRIMARY KEY(account, user)) WITHOUT ROWID;"
    "CREATE TABLE granted(account TEXT, user TEXT, name TEXT NOT NULL,"
    " notify TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(account, user))"
    " WITHOUT ROWID;"
    "CREATE TABLE thread(account TEXT, channel TEXT, root TEXT,"
    " at INTEGER NOT NULL, PRIMARY KEY(account, channel, root))"
    " WITHOUT ROWID;"
    "CREATE INDEX thread_at ON thread(account, at);"
    "CREATE TABLE bot_turn(account TEXT, channel TEXT, root TEXT,"
    " n INTEGER NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY(account, channel, root)) WITHOUT ROWID;";

/* tool: see tool.h. */
static const char schema_tool[] =
    "CREATE TABLE tool(account TEXT, key TEXT, seq INTEGER NOT NULL,"
    " state INTEGER NOT NULL DEFAULT 0, post TEXT NOT NULL DEFAULT '',"
    " error TEXT NOT NULL DEFAULT '', PRIMARY KEY(account, key))"
    " WITHOUT ROWID;"
    "CREATE INDEX tool_seq ON tool(seq);";

/* The slash commands that an account has created. */
static const char schema_command[] =
    "CREATE TABLE command(account TEXT, team TEXT, trigger TEXT,"
    " id TEXT NOT NULL, PRIMARY KEY(account, team, trigger)) WITHOUT ROWID;";

/* Attachments that came in, and those that a row sends along. */
static const char schema_media[] =
    "CREATE TABLE media(id TEXT PRIMARY KEY, account TEXT NOT NULL,"
    " file TEXT NOT NULL, event TEXT NOT NULL, name TEXT NOT NULL,"
    " type TEXT NOT NULL, claimed TEXT NOT NULL, size INTEGER NOT NULL,"
    " at INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX media_file ON media(account, file);"
    "CREATE INDEX media_at ON media(at);"
    "ALTER TABLE outbox ADD COLUMN files TEXT;";

/*
 * What is set and counted for a session: num is the session's. gen grows
 * with each reset. note: what the next turn of a session is told of; ids are
 * never given twice. gate: channels whose mention gate people have set.
 */
static const char schema_session[] =
    "CREATE TABLE session_meta(num INTEGER PRIMARY KEY,"
    " gen INTEGER NOT NULL DEFAULT 0, model TEXT NOT NULL DEFAULT '',"
    " thinking TEXT NOT NULL DEFAULT '', turns INTEGER NOT NULL DEFAULT 0,"
    " prompt INTEGER NOT NULL DEFAULT 0,"
    " completion INTEGER NOT NULL DEFAULT 0,"
    " used TEXT NOT NULL DEFAULT '');"
    "CREATE TABLE note(id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " session TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL,"
    " text TEXT NOT NULL);"
    "CREATE UNIQUE INDEX note_key ON note(session, key);"
    "CREATE TABLE gate(account TEXT, channel TEXT, mode TEXT NOT NULL,"
    " PRIMARY KEY(account, channel)) WITHOUT ROWID;";

/* See op_cron.c. */
static const char schema_cron[] =
    "CREATE TABLE cron(account TEXT, id TEXT, name TEXT NOT NULL,"
    " agent TEXT NOT NULL, kind TEXT NOT NULL, expr TEXT NOT NULL,"
    " zone TEXT NOT NULL, rules TEXT NOT NULL, every INTEGER NOT NULL,"
    " at INTEGER NOT NULL, message TEXT NOT NULL, target TEXT NOT NULL,"
    " thread TEXT NOT NULL, session TEXT NOT NULL,"
    " catch_up INTEGER NOT NULL, enabled INTEGER NOT NULL,"
    " created INTEGER NOT NULL, floor INTEGER NOT NULL,"
    " last_at INTEGER NOT NULL, last_event TEXT NOT NULL,"
    " runs INTEGER NOT NULL, skipped INTEGER NOT NULL,"
    " PRIMARY KEY(account, id)) WITHOUT ROWID;";

/* Why it was accepted. */
static const char schema_rule[] = "ALTER TABLE inbox ADD COLUMN rule TEXT;";

/*
 * Who made it; '' for what was there before. bytes: of a session's messages;
 * what was there before counts from its next change.
 */
static const char schema_share[] =
    "ALTER TABLE session ADD COLUMN account TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE session ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX session_account ON session(account);"
    "ALTER TABLE note ADD COLUMN account TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX note_account ON note(account);";

const char *const sql_migrations[] = {schema_1, schema_access, schema_tool,
    schema_command, schema_media, schema_session, schema_cron,
    schema_rule, schema_share, NULL};

_Static_assert(sizeof(sql_migrations) / sizeof(sql_migrations[0]) ==
	SCHEMA_VERSION + 1,
    "SCHEMA_VERSION is the number of these steps");

/* What load sends of a row, in the order in which it takes them. */
#define INBOX_ROW                                                              \
	"seq, kind, event, lane, channel, root, at, attempts, not_before, "    \
	"data"
#define OUTBOX_ROW                                                             \
	"n, key, seq, lane, op, channel, root, post, text, props, created, "   \
	"files"

#define CRON_ROW                                                               \
	"c.account, c.id, c.name, c.agent, c.kind, c.expr, c.zone, c.rules, "  \
	"c.every, c.at, c.message, c.target, c.thread, c.session, "            \
	"c.catch_up, c.enabled, c.created, c.floor, c.last_at, "               \
	"c.last_event, c.runs, c.skipped"

#define EXPLAIN_ROW                                                            \
	"account, kind, reason, state, outcome, at, put_at, attempts, "        \
	"answers, error, seq, status, rule, event"

#define MEDIA_ROW "id, account, name, type, claimed, size"

const char *const sql_query[Q_MAX] = {
    [Q_BEGIN] = "BEGIN IMMEDIATE",
    [Q_COMMIT] = "COMMIT",
    [Q_ROLLBACK] = "ROLLBACK",
    [Q_SAVE] = "SAVEPOINT op",
    [Q_SAVE_KEEP] = "RELEASE op",
    [Q_SAVE_UNDO] = "ROLLBACK TO op",
    [Q_PAGES] = "PRAGMA page_count",

    [Q_ACCOUNT_ADD] = "INSERT INTO account(id, first_at) VALUES(?1, ?2)"
		      " ON CONFLICT DO NOTHING",
    [Q_ACCOUNT_GET] = "SELECT first_at FROM account WHERE id = ?1",
    [Q_ACCOUNT_LIST] = "SELECT id FROM account",

    [Q_MARK_SET] = "INSERT INTO mark(account, channel, post, at)"
		   " VALUES(?1, ?2, ?3, ?4)"
		   " ON CONFLICT(account, channel) DO UPDATE"
		   " SET post = excluded.post, at = excluded.at"
		   " WHERE excluded.at >= at",
    [Q_MARK_PAGE] = "SELECT channel, post, at FROM mark WHERE account = ?1"
		    " AND channel > ?2 ORDER BY channel",
    [Q_MARK_TRIM] = "DELETE FROM mark WHERE account = ?1 AND at <="
		    " (SELECT at FROM mark WHERE account = ?1"
		    " ORDER BY at DESC LIMIT 1 OFFSET ?2)",

    [Q_INBOX_PUT] = "INSERT INTO inbox(account, kind, event, lane, channel,"
		    " root, post, at, put_at, data, rule)"
		    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
		    " ON CONFLICT DO NOTHING",
    [Q_INBOX_FIND] = "SELECT seq FROM inbox WHERE event = ?3"
		     " AND account = ?1 AND kind = ?2",
    [Q_INBOX_CHECK] = "SELECT account, state, lane FROM inbox"
		      " WHERE seq = ?1",
    [Q_INBOX_MAX] = "SELECT max(seq) FROM inbox",
    [Q_INBOX_PAGE] = "SELECT " INBOX_ROW " FROM inbox"
		     " INDEXED BY inbox_open WHERE account = ?1"
		     " AND state = 0 AND seq > ?2 AND seq <= ?3 ORDER BY seq",
    [Q_INBOX_DONE] = "UPDATE inbox SET state = 1, outcome = ?2, done_at = ?3,"
		     " data = NULL WHERE seq = ?1",
    [Q_INBOX_RETRY] = "UPDATE inbox SET attempts = attempts + 1,"
		      " not_before = ?2, reason = ?3 WHERE seq = ?1",
    [Q_INBOX_DEAD] = "UPDATE inbox SET state = 2, done_at = ?2, reason = ?3,"
		     " status = ?4 WHERE seq = ?1",
    [Q_INBOX_REVIVE] = "UPDATE inbox SET state = 0, attempts = 0,"
		       " not_before = 0, done_at = NULL, reason = NULL,"
		       " status = NULL, error = NULL"
		       " WHERE seq = ?1 AND account = ?2 AND state = 2",
    [Q_INBOX_ONE] = "SELECT " INBOX_ROW " FROM inbox WHERE seq = ?1",
    [Q_INBOX_ATTEMPT] = "UPDATE inbox SET attempts = attempts + 1"
			" WHERE seq = ?1 AND account = ?2 AND state = 0",
    [Q_INBOX_ANSWER] = "UPDATE inbox SET answers ="
		       " CASE WHEN answers IS NULL THEN ?2"
		       " WHEN instr(answers, ?2) OR length(answers) > 4000"
		       " THEN answers ELSE answers || ' ' || ?2 END"
		       " WHERE seq = ?1",
    [Q_INBOX_ERROR] = "UPDATE inbox SET error = ?2 WHERE seq = ?1",
    [Q_INBOX_EXPLAIN] = "SELECT " EXPLAIN_ROW " FROM inbox WHERE (event = ?1 OR post = ?1)"
			" AND (?2 IS NULL OR account = ?2)"
			/* The decision tells of those. */
			" AND NOT (outcome IS NOT NULL"
			"  AND outcome IN ('pairing', 'pairing-full') AND EXISTS"
			"  (SELECT 1 FROM decision d WHERE d.post = ?1"
			"  AND d.post <> '' AND d.account = inbox.account))"
			" ORDER BY seq LIMIT 200",
    /* No index: it is asked for by people, and not for long ago. */
    [Q_INBOX_ANSWERED] = "SELECT " EXPLAIN_ROW " FROM inbox WHERE seq >"
			 " (SELECT max(seq) FROM inbox) - ?3"
			 " AND answers IS NOT NULL AND instr(answers, ?1)"
			 " AND (?2 IS NULL OR account = ?2) LIMIT 1",
    [Q_INBOX_DEAD_LIST] =
	"SELECT account, seq, kind, event, channel, root, at, done_at,"
	" attempts, reason, status, error FROM inbox INDEXED BY inbox_dead"
	" WHERE state = 2 AND (?1 IS NULL OR account = ?1)"
	" ORDER BY done_at DESC, seq DESC LIMIT ?2",
    [Q_INBOX_PENDING] = "SELECT account, count(*), min(seq) FROM inbox"
			" INDEXED BY inbox_open WHERE state = 0"
			" GROUP BY account",
    [Q_INBOX_AT] = "SELECT put_at FROM inbox WHERE seq = ?1",
    [Q_INBOX_DEAD_COUNT] = "SELECT account, count(*) FROM inbox"
			   " INDEXED BY inbox_dead WHERE state = 2"
			   " GROUP BY account",
    [Q_INBOX_OLD] = "SELECT seq, account, state, done_at, length(data)"
		    " FROM inbox WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2",
    [Q_INBOX_DELETE] = "DELETE FROM inbox WHERE seq = ?1 AND state <> 0",

    [Q_OUTBOX_PUT] = "INSERT INTO outbox(n, account, key, seq, lane, op,"
		     " channel, root, post, created, props, text, files)"
		     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
		     " ?12, ?13) ON CONFLICT DO NOTHING",
    [Q_OUTBOX_MAX] = "SELECT max(n) FROM outbox",
    [Q_OUTBOX_GET] = "SELECT n, seq, op, channel, root FROM outbox"
		     " WHERE account = ?1"
		     " AND key = ?2",
    [Q_OUTBOX_PAGE] = "SELECT " OUTBOX_ROW " FROM outbox NOT INDEXED"
		      " WHERE account = ?1 AND state = 0 AND n > ?2"
		      " AND n <= ?3 ORDER BY n",
    [Q_OUTBOX_DELETE] = "DELETE FROM outbox WHERE n = ?1",
    [Q_OUTBOX_DEAD] = "UPDATE outbox SET state = 2, done_at = ?2,"
		      " reason = ?3, status = ?4, error = ?5 WHERE n = ?1",
    [Q_OUTBOX_REVIVE] = "UPDATE outbox SET state = 0, done_at = NULL,"
			" reason = NULL, status = NULL, error = NULL"
			" WHERE n = ?1 AND state = 2",
    [Q_OUTBOX_ONE] = "SELECT " OUTBOX_ROW " FROM outbox WHERE n = ?1",
    [Q_OUTBOX_DEAD_LIST] =
	"SELECT account, seq, key, op, channel, root, created, done_at,"
	" reason, status, error FROM outbox WHERE state = 2"
	" AND (?1 IS NULL OR account = ?1)"
	" ORDER BY done_at DESC, n DESC LIMIT ?2",
    [Q_OUTBOX_COUNT] = "SELECT account, state, count(*), min(created)"
		       " FROM outbox GROUP BY account, state",
    [Q_OUTBOX_OLD] = "SELECT n, account, state, done_at, length(text) +"
		     " ifnull(length(props), 0) FROM outbox"
		     " WHERE n < ?1 ORDER BY n DESC LIMIT ?2",

    /* See quota.c; ?2 is what each row counts besides. */
    [Q_INBOX_BYTES] = "SELECT total(length(data)) + count(*) * ?2"
		      " FROM inbox INDEXED BY inbox_open"
		      " WHERE account = ?1 AND state = 0",
    [Q_INBOX_DEAD_BYTES] = "SELECT total(length(data)) + count(*) * ?2"
			   " FROM inbox INDEXED BY inbox_dead"
			   " WHERE account = ?1 AND state = 2",
    [Q_OUTBOX_BYTES] = "SELECT total(n * (state <> 2)),"
		       " total(n * (state = 2)) FROM (SELECT state,"
		       " length(text) + ifnull(length(props), 0) + ?2 AS n"
		       " FROM outbox WHERE account = ?1)",
    [Q_TOOL_BYTES] = "SELECT total(length(error)) + count(*) * ?2"
		     " FROM tool WHERE account = ?1",

    [Q_TOOL_PUT] = "INSERT INTO tool(account, key, seq) VALUES(?1, ?2, ?3)"
		   " ON CONFLICT DO NOTHING",
    [Q_TOOL_GET] = "SELECT state, post, error FROM tool"
		   " WHERE account = ?1 AND key = ?2",
    [Q_TOOL_END] = "UPDATE tool SET state = ?3, post = ?4, error = ?5"
		   " WHERE account = ?1 AND key = ?2",
    [Q_TOOL_FORGET] = "DELETE FROM tool WHERE seq = ?1",

    [Q_SESSION_GET] = "SELECT num, first, next, bytes FROM session"
		      " WHERE key = ?1",
    [Q_SESSION_ADD] = "INSERT INTO session(key, first, next, updated,"
		      " account) VALUES(?1, 0, 0, ?2, ?3)",
    [Q_SESSION_SET] = "UPDATE session SET first = ?2, next = ?3,"
		      " updated = ?4, bytes = ?5 WHERE num = ?1",
    [Q_SESSION_KEY] = "UPDATE session SET key = ?2 WHERE num = ?1",
    [Q_SESSION_BYTES] = "SELECT total(bytes) + count(*) * ?2 FROM session"
			" WHERE account = ?1",
    [Q_SESSION_LEAST] = "SELECT num, bytes FROM session"
			" WHERE account = ?1 AND num <> ?2"
			" ORDER BY updated LIMIT ?3",
    [Q_SESSION_DELETE] = "DELETE FROM session WHERE num = ?1",
    [Q_SESSION_LIST] = "SELECT key, next - first, updated FROM session"
		       " WHERE substr(key, 1, length(?1)) = ?1"
		       " ORDER BY updated DESC, num DESC LIMIT ?2",
    [Q_MESSAGE_ADD] = "INSERT INTO message(id, at, body)"
		      " VALUES(?1, ?2, ?3)",
    [Q_MESSAGE_TRIM] = "DELETE FROM message WHERE id >= ?1 AND id < ?2",
    [Q_MESSAGE_SIZES] = "SELECT length(body) FROM message WHERE id >= ?1"
			" AND id < ?2 ORDER BY id",
    [Q_MESSAGE_BACK] = "SELECT body FROM message WHERE id >= ?1 AND id < ?2"
		       " ORDER BY id DESC",

    [Q_DECISION_ADD] = "INSERT INTO decision(account, post, channel, kind,"
		       " stage, reason, rule, at, decided_at)"
		       " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9"
		       /* What a gap fill brings once more is not one more. */
		       " WHERE ?4 NOT IN ('post', 'reaction') OR ?2 = ''"
		       " OR NOT EXISTS (SELECT 1 FROM decision"
		       " WHERE post = ?2 AND post <> '' AND account = ?1"
		       " AND kind = ?4 AND at = ?8 AND reason = ?6)",
    [Q_DECISION_FIND] = "SELECT 1 FROM decision WHERE post = ?2"
			" AND post <> '' AND account = ?1 AND kind = 'post'"
			" AND reason <> 'ok' LIMIT 1",
    [Q_DECISION_EXPLAIN] = "SELECT account, kind, stage, reason, rule, at,"
			   " decided_at FROM decision WHERE post = ?1"
			   " AND post <> '' AND (?2 IS NULL OR account = ?2)"
			   " ORDER BY id LIMIT 200",
    [Q_DECISION_MAX] = "SELECT max(id) FROM decision",
    [Q_DECISION_OLD] = "SELECT id, account, 1, decided_at FROM decision"
		       " WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
    [Q_DECISION_DELETE] = "DELETE FROM decision WHERE id = ?1",
    [Q_DROP_COUNT] = "INSERT INTO drop_count(account, reason, n)"
		     " VALUES(?1, ?2, 1)"
		     " ON CONFLICT(account, reason) DO UPDATE"
		     " SET n = n + 1",
    [Q_DROP_LIST] = "SELECT account, reason, n FROM drop_count",

    [Q_PAIRING_EXPIRE] = "DELETE FROM pairing WHERE created < ?1",
    [Q_PAIRING_GET] = "SELECT code FROM pairing WHERE account = ?1"
		      " AND user = ?2",
    [Q_PAIRING_COUNT] = "SELECT count(*) FROM pairing WHERE account = ?1",
    [Q_PAIRING_CODE] = "SELECT 1 FROM pairing WHERE code = ?1",
    [Q_PAIRING_ADD] = "INSERT INTO pairing(account, user, code, name,"
		      " channel, created, seen)"
		      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6)",
    [Q_PAIRING_SEEN] = "UPDATE pairing SET seen = ?3, name ="
		       " CASE WHEN ?4 = '' THEN name ELSE ?4 END"
		       " WHERE account = ?1 AND user = ?2",
    [Q_PAIRING_DELETE] = "DELETE FROM pairing WHERE account = ?1"
			 " AND user = ?2",
    [Q_PAIRING_LIST] = "SELECT account, user, code, name, created, seen"
		       " FROM pairing WHERE created >= ?1"
		       " AND (?2 IS NULL OR account = ?2)"
		       " ORDER BY created, account, user LIMIT ?3",
    /* A code, whatever its case, or a user id. */
    [Q_PAIRING_FIND] = "SELECT account, user, name, channel FROM pairing"
		       " WHERE created >= ?1"
		       " AND (?2 IS NULL OR account = ?2)"
		       " AND (code = upper(?3) OR user = ?4) LIMIT 2",
    [Q_PAIRING_IMPORT] = "INSERT INTO pairing(account, user, code, name,"
			 " channel, created, seen)"
			 " VALUES(?1, ?2, ?3, ?4, '', ?5, ?6)"
			 " ON CONFLICT DO NOTHING",
    [Q_GRANT_GET] = "SELECT notify FROM granted WHERE account = ?1"
		    " AND user = ?2",
    [Q_GRANT_COUNT] = "SELECT count(*) FROM granted WHERE account = ?1",
    [Q_GRANT_ADD] = "INSERT INTO granted(account, user, name, notify, at)"
		    " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    [Q_GRANT_DELETE] = "DELETE FROM granted WHERE account = ?1"
		       " AND user = ?2",
    [Q_GRANT_NOTIFIED] = "UPDATE granted SET notify = ''"
			 " WHERE account = ?1 AND user = ?2",
    [Q_GRANT_LIST] = "SELECT account, user, name, notify, at FROM granted"
		     " WHERE ?1 IS NULL OR account = ?1"
		     " ORDER BY account, at, user LIMIT ?2",
    [Q_GRANT_OF] = "SELECT account FROM granted WHERE user = ?2"
		   " AND (?1 IS NULL OR account = ?1) ORDER BY account LIMIT 1",
    [Q_THREAD_AGAIN] = "UPDATE thread SET at = ?4 WHERE account = ?1"
		       " AND channel = ?2 AND root = ?3",
    [Q_THREAD_ADD] = "INSERT INTO thread(account, channel, root, at)"
		     " VALUES(?1, ?2, ?3, ?4)",
    /* The newest ?3 stay, unless they are older than ?2. */
    [Q_THREAD_TRIM] = "DELETE FROM thread WHERE account = ?1 AND (at < ?2"
		      " OR at < (SELECT at FROM thread WHERE account = ?1"
		      " ORDER BY at DESC LIMIT 1 OFFSET ?3 - 1))",
    [Q_THREAD_LIST] = "SELECT channel, root, at FROM thread"
		      " WHERE account = ?1 AND at >= ?2 ORDER BY at LIMIT ?3",
    [Q_LOOP_COUNT] = "INSERT INTO bot_turn(account, channel, root, n, at)"
		     " VALUES(?1, ?2, ?3, 1, ?4)"
		     " ON CONFLICT(account, channel, root) DO UPDATE"
		     " SET n = CASE WHEN at < ?5 THEN 1 ELSE n + 1 END,"
		     " at = excluded.at",
    [Q_LOOP_TRIM] = "DELETE FROM bot_turn WHERE account = ?1 AND (at < ?2"
		    " OR at <= (SELECT at FROM bot_turn WHERE account = ?1"
		    " ORDER BY at DESC LIMIT 1 OFFSET ?3))",
    [Q_LOOP_RESET] = "DELETE FROM bot_turn WHERE account = ?1"
		     " AND channel = ?2 AND root = ?3",
    [Q_MEDIA_PUT] = "INSERT INTO media(id, account, file, event, name, type,"
		    " claimed, size, at)"
		    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
		    " ON CONFLICT DO NOTHING",
    [Q_MEDIA_FIND] = "SELECT " MEDIA_ROW " FROM media WHERE account = ?1"
		     " AND file = ?2",
    [Q_MEDIA_GET] = "SELECT " MEDIA_ROW " FROM media WHERE id = ?1",
    [Q_MEDIA_OLD] = "SELECT id, size FROM media WHERE at < ?1 ORDER BY at"
		    " LIMIT ?2",
    [Q_MEDIA_EXCESS] = "SELECT id, size FROM media WHERE id <> ?1"
		       " AND account = (SELECT account FROM media"
		       " GROUP BY account ORDER BY total(size + ?2) DESC"
		       " LIMIT 1) ORDER BY at LIMIT ?3",
    [Q_MEDIA_TOTAL] = "SELECT total(size + ?1) FROM media",
    [Q_MEDIA_DELETE] = "DELETE FROM media WHERE id = ?1",
    [Q_META_GET] = "SELECT s.num, s.next - s.first, s.updated, m.gen,"
		   " m.model, m.thinking, m.turns, m.prompt, m.completion,"
		   " m.used FROM session s LEFT JOIN session_meta m"
		   " ON m.num = s.num WHERE s.key = ?1",
    [Q_META_ADD] = "INSERT INTO session_meta(num) VALUES(?1)"
		   " ON CONFLICT DO NOTHING",
    [Q_META_DELETE] = "DELETE FROM session_meta WHERE num = ?1",
    [Q_META_GEN] = "UPDATE session_meta SET gen = gen + 1, turns = 0,"
		   " prompt = 0, completion = 0, used = '' WHERE num = ?1",
    [Q_META_MODEL] = "UPDATE session_meta SET model = ?2 WHERE num = ?1",
    [Q_META_THINKING] = "UPDATE session_meta SET thinking = ?2"
			" WHERE num = ?1",
    [Q_META_USAGE] = "INSERT INTO session_meta(num, turns, prompt,"
		     " completion, used) VALUES(?1, 1, ?2, ?3, ?4)"
		     " ON CONFLICT(num) DO UPDATE SET turns = turns + 1,"
		     " prompt = prompt + ?2, completion = completion + ?3,"
		     " used = CASE WHEN ?4 = '' THEN used ELSE ?4 END",
    [Q_NOTE_FIND] = "SELECT 1 FROM note WHERE session IN (?1, ?2)"
		    " AND key = ?3 AND at = ?4",
    [Q_NOTE_PUT] = "INSERT OR REPLACE INTO note(session, key, at, text,"
		   " account) VALUES(?1, ?2, ?3, ?4, ?5)",
    /* The newest ?2 stay. */
    [Q_NOTE_TRIM] = "DELETE FROM note WHERE session = ?1 AND id <="
		    " (SELECT id FROM note WHERE session = ?1"
		    " ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    [Q_NOTE_TRIM_ALL] = "DELETE FROM note WHERE account = ?1 AND id <="
			" (SELECT id FROM note WHERE account = ?1"
			" ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    [Q_NOTE_ANY] = "SELECT 1 FROM note WHERE session = ?1 AND text <> ''"
		   " LIMIT 1",
    [Q_NOTE_LIST] = "SELECT id, at, text FROM note"
		    " WHERE session IN (?1, ?2) AND text <> '' ORDER BY id",
    [Q_NOTE_SHOWN] = "UPDATE note SET text = ''"
		     " WHERE session IN (?1, ?2) AND id <= ?3 AND text <> ''",
    /* Beyond ?4 nobody would read it; who is there may change. */
    [Q_GATE_SET] = "INSERT INTO gate(account, channel, mode)"
		   " SELECT ?1, ?2, ?3 WHERE ?4 >"
		   " (SELECT count(*) FROM gate WHERE account = ?1"
		   " AND channel <> ?2)"
		   " ON CONFLICT(account, channel) DO UPDATE"
		   " SET mode = excluded.mode",
    [Q_GATE_CLEAR] = "DELETE FROM gate WHERE account = ?1 AND channel = ?2",
    [Q_GATE_LIST] = "SELECT channel, mode FROM gate WHERE account = ?1"
		    " ORDER BY channel LIMIT ?2",
    [Q_LOOP_LIST] = "SELECT channel, root, n, at FROM bot_turn"
		    " WHERE account = ?1 AND at >= ?3"
		    " ORDER BY at DESC LIMIT ?2",

    [Q_COMMAND_LIST] = "SELECT team, trigger, id FROM command"
		       " WHERE account = ?1 LIMIT ?2",
    [Q_COMMAND_SET] = "INSERT INTO command(account, team, trigger, id)"
		      " VALUES(?1, ?2, ?3, ?4)"
		      " ON CONFLICT(account, team, trigger) DO UPDATE"
		      " SET id = excluded.id",
    [Q_COMMAND_COUNT] = "SELECT count(*) FROM command WHERE account = ?1"
			" AND (team, trigger) <> (?2, ?3)",
    [Q_COMMAND_DELETE] = "DELETE FROM command WHERE account = ?1"
			 " AND team = ?2 AND trigger = ?3",

    [Q_CRON_LOAD] = "SELECT " CRON_ROW " FROM cron c WHERE c.account = ?1"
		    " AND c.id > ?2 ORDER BY c.id",
    [Q_CRON_LIST] = "SELECT " CRON_ROW ", i.state, i.outcome, i.reason,"
		    " i.error, i.answers FROM cron c LEFT JOIN inbox i"
		    " ON i.event = c.last_event AND i.account = c.account"
		    " AND i.kind = 'cron'"
		    " WHERE (?1 IS NULL OR c.account = ?1)"
		    " AND (c.account, c.id) > (?2, ?3)"
		    " ORDER BY c.account, c.id",
    [Q_CRON_GET] = "SELECT " CRON_ROW " FROM cron c WHERE c.account = ?1"
		   " AND c.id = ?2",
    [Q_CRON_COUNT] = "SELECT count(*), total(name = ?2) FROM cron"
		     " WHERE account = ?1",
    [Q_CRON_ADD] = "INSERT INTO cron(account, id, name, agent, kind, expr,"
		   " zone, rules, every, at, message, target, thread,"
		   " session, catch_up, enabled, created, floor, last_at,"
		   " last_event, runs, skipped)"
		   " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
		   " ?12, ?13, ?14, ?15, 1, ?16, ?16, 0, '', 0, 0)",
    /* ?4 when it was due, ?5 now, ?6 1: by hand. */
    [Q_CRON_FIRED] = "UPDATE cron SET last_event = ?3, last_at = ?5,"
		     " runs = runs + 1,"
		     " floor = CASE WHEN ?6 THEN floor ELSE ?4 END,"
		     " enabled = enabled AND (?6 OR kind <> 'at')"
		     " WHERE account = ?1 AND id = ?2",
    [Q_CRON_SKIPPED] = "UPDATE cron SET skipped = skipped + 1, floor = ?3,"
		       " enabled = enabled AND kind <> 'at'"
		       " WHERE account = ?1 AND id = ?2 AND floor < ?3",
    [Q_CRON_SET] = "UPDATE cron SET floor = CASE WHEN enabled = ?3"
		   " THEN floor ELSE ?5 END, enabled = ?3,"
		   " rules = ifnull(?4, rules) WHERE account = ?1 AND id = ?2",
    [Q_CRON_RM] = "DELETE FROM cron WHERE account = ?1 AND id = ?2",
};
