/*
 * Attachments. Members beyond "t" and "id"; (o) may be left out.
 *
 * Of an account:
 *  media.new    file: id of the server
 *               -> media {media, name, type, claimed, size}: it is here
 *                  media.file {media} with a descriptor, to be written to
 *  media.put    media, file, event, name, type, claimed, size
 *               -> media {media ...}: what is kept; "denied": not a file
 *                  of this link, not that size, larger than all may be, or
 *                  open for writing
 *  media.drop   media: it will not be filled
 * Of an agent, about its accounts only:
 *  media.get    media
 *               -> media.file {media, name, type, claimed, size} with a
 *                  descriptor, to be read
 */
#include "config.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "workers/store/media.h"
#include "workers/store/op.h"

#define MEDIA_FILE 32768LL /* bytes that a file counts besides its own */
#define ROOM_FILES 256	   /* removed in one go */
#define ROOM_KEEP (STORE_MEDIA_KEEP / 64 * 63) /* left by that */

static void
add(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

/* id, account, name, type, claimed, size: as Q_MEDIA_GET has them. */
static struct json_object *
media_reply(struct op_call *c, const char *type, sqlite3_stmt *s)
{
	struct json_object *r = chan_reply_msg(type, c->msg);

	add(r, "media", db_text(s, 0));
	add(r, "name", db_text(s, 2));
	add(r, "type", db_text(s, 3));
	add(r, "claimed", db_text(s, 4));
	add_int(r, "size", sqlite3_column_int64(s, 5));
	return r;
}

/* STORE_NONE: the account has no such file, or it cannot be opened. */
static enum store_rc
media_known(struct op_call *c, const char *file)
{
	sqlite3_stmt *s;
	enum store_rc rc;
	int fd;

	rc = db_rows(c->db, Q_MEDIA_FIND, &s, "ss", c->peer->id, file);
	if (rc != STORE_OK)
		return rc;
	if ((fd = media_open(db_text(s, 0))) == -1)
		rc = STORE_NONE;
	else {
		close(fd);
		c->reply = media_reply(c, "media", s);
	}
	db_end(s);
	return rc;
}

enum store_rc
op_media_new(struct op_call *c)
{
	char id[MEDIA_ID + 1];
	const char *file;
	struct fields f;
	enum store_rc rc;
	int fd;

	fields_open(&f, c->msg);
	file = fields_str(&f, "file", STORE_ID);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	if ((rc = media_known(c, file)) != STORE_NONE)
		return rc;
	if ((fd = media_create(id)) == -1) {
		log_warn("media: create");
		return errno == ENOSPC || errno == EDQUOT ? STORE_FULL :
							    STORE_DENIED;
	}
	if (peer_media_add(c->peer, id) == -1) {
		close(fd);
		media_remove(id);
		return STORE_QUOTA;
	}
	c->reply = chan_reply_msg("media.file", c->msg);
	c->reply_fd = fd;
	add(c->reply, "media", id);
	return STORE_OK;
}

static enum store_rc
media_total(struct op_call *c, int64_t *total)
{
	sqlite3_stmt *s;
	enum store_rc rc;

	rc = db_rows(c->db, Q_MEDIA_TOTAL, &s, "i", MEDIA_FILE);
	if (rc != STORE_OK)
		return rc;
	*total = sqlite3_column_int64(s, 0);
	db_end(s);
	return STORE_OK;
}

/* The oldest of who has most, some of them. STORE_NONE: there are none. */
static enum store_rc
media_expel(struct op_call *c, const char *keep, int64_t *total)
{
	char id[ROOM_FILES][MEDIA_ID + 1];
	int64_t size[ROOM_FILES];
	sqlite3_stmt *s;
	enum store_rc rc;
	int i, n = 0;

	rc = db_rows(c->db, Q_MEDIA_EXCESS, &s, "sii", keep, MEDIA_FILE,
	    (int64_t)ROOM_FILES);
	for (; rc == STORE_OK; rc = db_next(c->db, s), n++) {
		strlcpy(id[n], db_text(s, 0), sizeof(id[n]));
		size[n] = sqlite3_column_int64(s, 1) + MEDIA_FILE;
	}
	if (rc != STORE_NONE || n == 0)
		return rc;
	for (i = 0; i < n && *total > ROOM_KEEP; i++) {
		rc = db_run(c->db, Q_MEDIA_DELETE, "s", id[i]);
		if (rc != STORE_OK)
			return rc;
		media_remove(id[i]);
		*total -= size[i];
	}
	return STORE_OK;
}

/*
 * When there are more bytes than are kept, the oldest go of the account that
 * has most, but not this one: nobody is pushed out by who takes it all. They
 * are counted when what was found free the last time is used up.
 */
static enum store_rc
media_make_room(struct op_call *c, const char *keep, int64_t size)
{
	int64_t total, *room = db_media_room(c->db);
	enum store_rc rc;

	*room -= size + MEDIA_FILE;
	if (*room >= 0)
		return STORE_OK;
	if ((rc = media_total(c, &total)) != STORE_OK)
		return rc;
	while (total > STORE_MEDIA_KEEP)
		if ((rc = media_expel(c, keep, &total)) != STORE_OK)
			return rc == STORE_NONE ? STORE_OK : rc;
	*room = STORE_MEDIA_KEEP - total;
	return STORE_OK;
}

struct put {
	const char *id, *file, *event, *name, *type, *claimed;
	int64_t size;
};

static enum store_rc
media_insert(struct op_call *c, const struct put *p)
{
	sqlite3_stmt *s;
	enum store_rc rc;
	int fd;

	/* One whose file has gone makes place. */
	rc = db_rows(c->db, Q_MEDIA_FIND, &s, "ss", c->peer->id, p->file);
	if (rc == STORE_OK) {
		char old[MEDIA_ID + 1];

		strlcpy(old, db_text(s, 0), sizeof(old));
		db_end(s);
		if ((fd = media_open(old)) != -1)
			close(fd);
		else if ((rc = db_run(c->db, Q_MEDIA_DELETE, "s", old)) !=
		    STORE_OK)
			return rc;
	} else if (rc != STORE_NONE)
		return rc;
	rc = db_run(c->db, Q_MEDIA_PUT, "sssssssii", p->id, c->peer->id,
	    p->file, p->event, p->name, p->type, p->claimed, p->size, c->now);
	if (rc != STORE_OK)
		return rc;
	if (db_changes(c->db) == 0)
		media_remove(p->id);
	return STORE_OK;
}

enum store_rc
op_media_put(struct op_call *c)
{
	struct put p;
	struct fields f;
	enum store_rc rc;
	int64_t size;

	fields_open(&f, c->msg);
	p.id = fields_str(&f, "media", STORE_ID);
	p.file = fields_str(&f, "file", STORE_ID);
	p.event = fields_str(&f, "event", STORE_EVENT);
	p.name = fields_str(&f, "name", STORE_REASON);
	p.type = fields_str(&f, "type", STORE_EVENT);
	p.claimed = fields_str(&f, "claimed", STORE_EVENT);
	p.size = fields_int(&f, "size", 0, INT64_MAX);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	/* What is kept does not change any more. */
	if (!peer_media_has(c->peer, p.id) || media_is_written(p.id))
		return STORE_DENIED;
	if ((size = media_settle(p.id)) == -1) {
		log_warn("media: settle");
		return errno == ENOSPC || errno == EDQUOT ? STORE_FULL :
							    STORE_DENIED;
	}
	if (size != p.size || size > STORE_MEDIA_KEEP)
		return STORE_DENIED;
	if ((rc = media_insert(c, &p)) != STORE_OK ||
	    (rc = media_make_room(c, p.id, size)) != STORE_OK)
		return rc;
	peer_media_done(c->peer, p.id);
	rc = media_known(c, p.file);
	return rc == STORE_NONE ? STORE_DENIED : rc;
}

enum store_rc
op_media_drop(struct op_call *c)
{
	struct fields f;
	const char *id;

	fields_open(&f, c->msg);
	id = fields_str(&f, "media", STORE_ID);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	peer_media_drop(c->peer, id);
	return STORE_OK;
}

/* The agent is bound to the account that has it. */
static int
media_is_for(const struct op_call *c, const char *account)
{
	const struct peer *p;

	TAILQ_FOREACH (p, c->peers, entry)
		if (p->kind == PEER_ACCOUNT && strcmp(p->id, account) == 0)
			return peer_has_agent(p, c->peer->id);
	return 0;
}

enum store_rc
op_media_get(struct op_call *c)
{
	sqlite3_stmt *s;
	struct fields f;
	enum store_rc rc;
	const char *id;

	fields_open(&f, c->msg);
	id = fields_str(&f, "media", STORE_ID);
	if (fields_end(&f) == -1)
		return op_bad(c, fields_error(&f));
	rc = db_rows(c->db, Q_MEDIA_GET, &s, "s", id);
	if (rc == STORE_NONE)
		return STORE_DENIED; /* as for one of somebody else's */
	if (rc != STORE_OK)
		return rc;
	if (!media_is_for(c, db_text(s, 1)) ||
	    (c->reply_fd = media_open(id)) == -1) {
		c->reply_fd = 0;
		rc = STORE_DENIED;
	} else
		c->reply = media_reply(c, "media.file", s);
	db_end(s);
	return rc;
}
