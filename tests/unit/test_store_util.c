#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/monotime.h"
#include "tests/unit/test_store_util.h"
#include "workers/store/media.h"
#include "workers/store/op.h"
#include "workers/store/prune.h"

struct db *ts_db;
struct peer *ts_main, *ts_other, *ts_ctl;

static char ts_dir[64];
static char ts_home[1024];
static struct json_object *ts_pushed;

void
ts_enter(void)
{
	static int ready;

	if (!ready)
		db_library_init();
	ready = 1;
	assert_non_null(getcwd(ts_home, sizeof(ts_home)));
	strlcpy(ts_dir, "/tmp/postern-store-XXXXXX", sizeof(ts_dir));
	assert_non_null(mkdtemp(ts_dir));
	assert_int_equal(chdir(ts_dir), 0);
	assert_int_equal(mkdir(MEDIA_DIR, 0700), 0);
}

static void
empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;

	assert_non_null(dir);
	while ((d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.')
			unlinkat(dirfd(dir), d->d_name, 0);
	closedir(dir);
}

void
ts_leave(void)
{
	json_object_put(ts_pushed);
	ts_pushed = NULL;
	empty(MEDIA_DIR);
	assert_int_equal(rmdir(MEDIA_DIR), 0);
	empty(".");
	assert_int_equal(chdir(ts_home), 0);
	assert_int_equal(rmdir(ts_dir), 0);
}

struct db *
ts_open(void)
{
	enum store_rc rc;
	const char *why;
	struct db *db = db_open("postern.db", &rc, &why);

	if (db == NULL)
		fail_msg("db_open: %s", why);
	return db;
}

struct peer *
ts_account(const char *id, const char *agents)
{
	struct json_object *opts = json_tokener_parse(agents);
	struct peer *p = peer_new(PEER_ACCOUNT, id, opts);

	json_object_put(opts);
	assert_non_null(p);
	return p;
}

int
ts_setup(void **state)
{
	ts_enter();
	ts_db = ts_open();
	ts_main = ts_account("main", "{\"agents\":[\"helper\"]}");
	ts_other = ts_account("other", "{\"agents\":[\"spy\"]}");
	ts_ctl = peer_new(PEER_CONTROL, "", NULL);
	return 0;
}

int
ts_teardown(void **state)
{
	peer_free(ts_main);
	peer_free(ts_other);
	peer_free(ts_ctl);
	db_close(ts_db);
	ts_leave();
	return 0;
}

void
ts_reopen(void)
{
	db_close(ts_db);
	ts_db = ts_open();
}

struct json_object *
ts_run(struct db *db, struct peer *p, const char *type, const char *text,
    enum store_rc *rc)
{
	static struct peer_list nobody;
	const struct op *op = op_find(p->kind, type);
	struct op_call c;

	assert_non_null(op);
	memset(&c, 0, sizeof(c));
	TAILQ_INIT(&nobody);
	c.db = db;
	c.peer = p;
	c.peers = &nobody;
	c.now = walltime_ms();
	c.msg = json_tokener_parse(text);
	assert_non_null(c.msg);
	json_object_object_add(c.msg, "t", json_object_new_string(type));
	json_object_object_add(c.msg, "id", json_object_new_int(7));
	assert_int_equal(db_begin(db), STORE_OK);
	assert_int_equal(db_save(db), STORE_OK);
	*rc = op->run(&c);
	if (*rc == STORE_OK)
		assert_int_equal(db_save_keep(db), STORE_OK);
	else
		assert_int_equal(db_save_undo(db), STORE_OK);
	assert_int_equal(db_commit(db), STORE_OK);
	if (*rc == STORE_BAD)
		assert_non_null(c.why);
	peer_release(p, c.release);
	json_object_put(c.msg);
	json_object_put(ts_pushed);
	ts_pushed = c.push.frames;
	return c.reply;
}

const char *
ts_push(void)
{
	static char text[1024];

	if (ts_pushed == NULL)
		return "";
	strlcpy(text, json_object_to_json_string_ext(ts_pushed,
	    JSON_C_TO_STRING_PLAIN), sizeof(text));
	return text;
}

void
ts_ok(struct db *db, struct peer *p, const char *type, const char *text)
{
	enum store_rc rc;

	json_object_put(ts_run(db, p, type, text, &rc));
	assert_int_equal(rc, STORE_OK);
}

void
ts_fail(struct db *db, struct peer *p, const char *type, const char *text,
    enum store_rc want)
{
	enum store_rc rc;

	assert_null(ts_run(db, p, type, text, &rc));
	assert_int_equal(rc, want);
}

int64_t
ts_put(struct db *db, struct peer *p, const char *event)
{
	struct json_object *r;
	char text[512];
	enum store_rc rc;
	int64_t seq;

	snprintf(text, sizeof(text),
	    "{\"kind\":\"post\",\"event\":\"%s\",\"lane\":\"c1/\","
	    "\"channel\":\"c1\",\"root\":\"\",\"at\":1000,"
	    "\"data\":{\"text\":\"hello\"},\"mark\":true}",
	    event);
	r = ts_run(db, p, "inbox.put", text, &rc);
	assert_int_equal(rc, STORE_OK);
	seq = ts_int(r, "seq");
	json_object_put(r);
	return seq;
}

struct json_object *
ts_ask(const char *type, const char *text)
{
	struct json_object *r;
	enum store_rc rc;

	r = ts_run(ts_db, ts_ctl, type, text, &rc);
	assert_int_equal(rc, STORE_OK);
	return r;
}

struct json_object *
ts_row(struct json_object *answer, size_t i)
{
	assert_true(i < ts_rows(answer));
	return json_object_array_get_idx(
	    json_object_object_get(answer, "rows"), i);
}

size_t
ts_rows(struct json_object *answer)
{
	return json_object_array_length(json_object_object_get(answer, "rows"));
}

void
ts_prune(struct db *db, int64_t cutoff)
{
	struct prune *p = prune_new(cutoff, 0);
	enum store_rc rc;

	while ((rc = prune_step(p, db)) == STORE_OK)
		continue;
	assert_int_equal(rc, STORE_NONE);
	prune_free(p);
}

int64_t
ts_int(struct json_object *o, const char *key)
{
	struct json_object *v;

	assert_true(json_object_object_get_ex(o, key, &v));
	return json_object_get_int64(v);
}

const char *
ts_str(struct json_object *o, const char *key)
{
	struct json_object *v;

	assert_true(json_object_object_get_ex(o, key, &v));
	return json_object_get_string(v);
}

int64_t
ts_sql(struct db *db, const char *sql)
{
	return db_scalar(db, sql);
}
