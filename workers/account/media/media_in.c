#include "config.h"

#include <sys/queue.h>

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/lanes.h"
#include "workers/account/media/media_in.h"
#include "workers/account/media/media_type.h"
#include "workers/account/storelink.h"
#include "workers/net/net.h"

#define TRIES 3
#define FETCHING_MAX 3         /* at once: the rest of an account's
				* connections is for its posts */
#define SYNC_BYTES (4 << 20)   /* written to disk step by step */
#define RETRY_MAX_MS 30000
#define NAME_RAW 1024

struct media_in {
	TAILQ_ENTRY(media_in) entry;
	struct account *a;
	struct row *row;
	media_in_fn fn;
	void *arg;
	struct event *timer;
	struct json_object *files; /* of the row's data */
	struct json_object *list;  /* what becomes row.media */
	size_t next;
	/* The file that is being fetched. */
	struct net_request *req;
	char id[MM_ID_SIZE];
	char media[65]; /* the store's name of it */
	char name[MEDIA_NAME_MAX + 1];
	char claimed[MEDIA_TYPE_SIZE];
	const char *type;
	const char *why; /* the transfer was ended by us */
	unsigned char head[MEDIA_HEAD];
	size_t head_len;
	int64_t size, synced;
	int fd, tries;
	unsigned named : 1;
	unsigned running : 1; /* has one of FETCHING_MAX */
	unsigned asking : 1;  /* the store has a request of ours */
	unsigned dead : 1;    /* cancelled meanwhile */
};

static TAILQ_HEAD(, media_in) waiting = TAILQ_HEAD_INITIALIZER(waiting);
static int fetching;

static void file_begin(struct media_in *);
static void file_ask(struct media_in *);

int64_t
media_limit(struct json_object *config)
{
	struct json_object *v = NULL;
	double mb = MEDIA_DEFAULT_MB;

	if (json_object_object_get_ex(config, "mediaMaxMb", &v) &&
	    (json_object_is_type(v, json_type_double) ||
		json_object_is_type(v, json_type_int)))
		mb = json_object_get_double(v);
	return mb > 0 ? (int64_t)(mb * 1024 * 1024) : 0;
}

void
media_in_note(struct json_object *data, const struct inbound *in)
{
	struct json_object *files;
	size_t i;

	if (in->n_files == 0)
		return;
	files = json_object_new_array();
	for (i = 0; i < in->n_files; i++)
		json_object_array_add(
		    files, json_object_new_string(in->file_ids[i]));
	add_obj(data, "files", files);
}

static struct json_object *
files_of(const struct row *r)
{
	struct json_object *files = NULL;

	if (!json_object_object_get_ex(r->data, "files", &files) ||
	    !json_object_is_type(files, json_type_array) ||
	    json_object_array_length(files) == 0)
		return NULL;
	return files;
}

int
media_in_wanted(const struct row *r)
{
	return r->media == NULL && files_of(r) != NULL;
}

/* Life */

static void
add(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

static void
fd_drop(struct media_in *m)
{
	if (m->fd != -1)
		close(m->fd);
	m->fd = -1;
}

/* What the store gave us to fill will not be. */
static void
media_drop(struct media_in *m)
{
	struct json_object *msg;

	fd_drop(m);
	if (m->media[0] == '\0')
		return;
	msg = chan_msg("media.drop");
	add(msg, "media", m->media);
	storelink_tell(m->a, msg);
	m->media[0] = '\0';
}

static void
leave(struct media_in *m)
{
	struct media_in *next;

	if (!m->running) {
		TAILQ_REMOVE(&waiting, m, entry);
		return;
	}
	m->running = 0;
	fetching--;
	if ((next = TAILQ_FIRST(&waiting)) == NULL)
		return;
	TAILQ_REMOVE(&waiting, next, entry);
	next->running = 1;
	fetching++;
	loop_timer(next->timer, 0);
}

static void
media_free(struct media_in *m)
{
	media_drop(m);
	event_free(m->timer);
	json_object_put(m->list);
	json_object_put(m->files);
	free(m);
}

void
media_in_cancel(struct media_in *m)
{
	if (m == NULL)
		return;
	leave(m);
	event_del(m->timer);
	if (m->req != NULL)
		net_request_cancel(m->req);
	m->req = NULL;
	m->dead = 1;
	if (!m->asking)
		media_free(m);
}

static void
finish(struct media_in *m)
{
	media_in_fn fn = m->fn;
	void *arg = m->arg;

	m->row->media = m->list;
	m->list = NULL;
	leave(m);
	media_free(m);
	fn(arg);
}

/* One file: its end */

static void
next_file(struct media_in *m)
{
	media_drop(m);
	m->next++;
	m->tries = 0;
	m->named = 0;
	/* From the loop: a row of files that are known must not nest. */
	loop_timer(m->timer, 0);
}

/* why: too-large, gone, refused, network, store. */
static void
unavailable(struct media_in *m, const char *why)
{
	struct json_object *o = json_object_new_object();

	log_event(LOG_NOTICE, "media.unavailable", "account", m->a->id,
	    "event_id", m->row->event, "file", m->id, "reason", why, NULL);
	if (m->named)
		add(o, "name", m->name);
	add(o, "unavailable", why);
	json_object_array_add(m->list, o);
	next_file(m);
}

static void
again(struct media_in *m, const char *why, int64_t at_least)
{
	int64_t ms = 1000 << (2 * m->tries);

	media_drop(m);
	if (++m->tries >= TRIES || at_least > RETRY_MAX_MS) {
		unavailable(m, why);
		return;
	}
	loop_timer(m->timer, ms < at_least ? at_least : ms);
}

/* The store has it. */
static void
kept(struct media_in *m, struct json_object *reply)
{
	struct json_object *o = json_object_new_object();
	const char *type = api_str(reply, "type");
	const char *claimed = api_str(reply, "claimed");

	m->media[0] = '\0';
	add(o, "media", api_str(reply, "media"));
	add(o, "name", api_str(reply, "name"));
	add(o, "type", type);
	if (!media_fits(type, claimed)) {
		log_event(LOG_NOTICE, "media.lie", "account", m->a->id,
		    "event_id", m->row->event, "file", m->id, "type", type,
		    "claimed", claimed, NULL);
		add(o, "claimed", claimed);
	}
	add_int(o, "size", api_int(reply, "size"));
	json_object_array_add(m->list, o);
	next_file(m);
}

static int
store_says(struct media_in *m, const char *err)
{
	m->asking = 0;
	if (m->dead) {
		media_free(m);
		return -1;
	}
	if (err == NULL)
		return 0;
	/* Restarted, full, busy: from the beginning. */
	again(m, "store", 0);
	return -1;
}

static void
put_done(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	if (store_says(arg, err) == 0)
		kept(arg, reply);
}

static void
put(struct media_in *m)
{
	struct json_object *msg = chan_msg("media.put");

	m->type = media_sniff(m->head, m->head_len);
	add(msg, "media", m->media);
	add(msg, "file", m->id);
	add(msg, "event", m->row->event);
	add(msg, "name", m->name);
	add(msg, "type", m->type);
	add(msg, "claimed", m->claimed);
	add_int(msg, "size", m->size);
	m->asking = 1;
	storelink_request(m->a, msg, put_done, m);
}

/* One file: its bytes */

/* As much as is taken in one go may be lost in one go: 4 MiB. */
static int
sync_some(struct media_in *m, int64_t step)
{
	if (m->size - m->synced < step)
		return 0;
	m->synced = m->size;
	return fdatasync(m->fd);
}

static int
write_all(struct media_in *m, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = pwrite(m->fd, data, len, (off_t)m->size);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		len -= (size_t)n;
		m->size += n;
	}
	return sync_some(m, SYNC_BYTES);
}

static void
on_chunk(struct net_request *req, const char *data, size_t len, void *arg)
{
	struct media_in *m = arg;
	size_t n = sizeof(m->head) - m->head_len;

	n = len < n ? len : n;
	memcpy(m->head + m->head_len, data, n);
	m->head_len += n;
	if ((int64_t)len > m->a->media_max - m->size)
		m->why = "too-large";
	else if (write_all(m, data, len) == -1)
		m->why = "store";
	else
		return;
	net_request_cancel(req);
	m->req = NULL;
	loop_timer(m->timer, 0); /* goes on outside of the transfer */
}

static const char *
failed_why(const struct net_result *r)
{
	if (r->ending != NET_ANSWERED || r->partial)
		return "network";
	if (r->status == 404 || r->status == 400)
		return "gone";
	return r->status == 200 ? NULL : "refused";
}

static void
trouble(struct media_in *m, const struct net_result *r, const char *why)
{
	int64_t wait = r->retry_after_ms > r->ratelimit_reset_ms ?
	    r->retry_after_ms : r->ratelimit_reset_ms;

	if (r->retryable || strcmp(why, "network") == 0)
		again(m, why, wait);
	else
		unavailable(m, why);
}

static void
on_done(struct net_request *req, const struct net_result *r, void *arg)
{
	struct media_in *m = arg;
	const char *why = failed_why(r);

	m->req = NULL;
	if (why != NULL) {
		trouble(m, r, why);
		return;
	}
	if (sync_some(m, 1) == -1) {
		again(m, "store", 0);
		return;
	}
	fd_drop(m);
	put(m);
}

static void
fetch(struct media_in *m)
{
	char path[64];
	struct net_request_opts o = {
	    .method = "GET",
	    .path = path,
	    .deadline_ms = MEDIA_DEADLINE_MS,
	    .head_ms = MEDIA_HEAD_MS,
	    .idle_ms = MEDIA_IDLE_MS,
	    .chunk = on_chunk,
	    .done = on_done,
	    .arg = m,
	};

	snprintf(path, sizeof(path), "/api/v4/files/%s", m->id);
	m->size = m->synced = 0;
	m->head_len = 0;
	m->req = net_request_start(m->a->ep, &o);
}

static void
new_done(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct media_in *m = arg;
	int fd = storelink_take_fd(a);

	if (store_says(m, err) == -1) {
		if (fd != -1)
			close(fd);
		return;
	}
	if (fd == -1) {
		kept(m, reply);
		return;
	}
	m->fd = fd;
	strlcpy(m->media, api_str(reply, "media"), sizeof(m->media));
	fetch(m);
}

static void
file_ask(struct media_in *m)
{
	struct json_object *msg = chan_msg("media.new");

	add(msg, "file", m->id);
	m->asking = 1;
	storelink_request(m->a, msg, new_done, m);
}

static void
info_done(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	struct media_in *m = arg;
	const char *why = failed_why(r);

	m->req = NULL;
	if (why != NULL) {
		trouble(m, r, why);
		return;
	}
	m->named = 1;
	media_name(m->name, api_str(body, "name"));
	media_claim(m->claimed, api_str(body, "mime_type"));
	if (api_int(body, "size") > a->media_max)
		unavailable(m, "too-large");
	else
		file_ask(m);
}

/* Its name and size first: what is too large is not even begun. */
static void
file_begin(struct media_in *m)
{
	char path[64];

	snprintf(path, sizeof(path), "/files/%s/info", m->id);
	m->req = api_get(m->a, path, info_done, m);
}

static void
on_timer(int fd, short what, void *arg)
{
	struct media_in *m = arg;
	const char *why = m->why, *id;

	m->why = NULL;
	if (why != NULL) {
		if (strcmp(why, "store") == 0)
			again(m, why, 0);
		else
			unavailable(m, why);
		return;
	}
	if (m->next == json_object_array_length(m->files)) {
		finish(m);
		return;
	}
	id = json_object_get_string(
	    json_object_array_get_idx(m->files, m->next));
	if (!mm_id_valid(id)) { /* an unsafe id is left out */
		next_file(m);
		return;
	}
	ID_COPY(m->id, id);
	file_begin(m);
}

struct media_in *
media_in_start(struct account *a, struct row *r, media_in_fn fn, void *arg)
{
	struct media_in *m;

	if ((m = calloc(1, sizeof(*m))) == NULL ||
	    (m->timer = evtimer_new(a->base, on_timer, m)) == NULL)
		fatal("calloc");
	m->a = a;
	m->row = r;
	m->fn = fn;
	m->arg = arg;
	m->fd = -1;
	m->files = json_object_get(files_of(r));
	m->list = json_object_new_array();
	if (fetching >= FETCHING_MAX) {
		TAILQ_INSERT_TAIL(&waiting, m, entry);
		return m;
	}
	m->running = 1;
	fetching++;
	loop_timer(m->timer, 0);
	return m;
}

/* What the agent is told */

void
media_in_add(const struct row *r, struct json_object *msg)
{
	const char *names[MM_FILES_MAX], *name;
	struct json_object *media = json_object_new_array(), *o;
	size_t i, n = 0, n_names = 0;
	char *note, *text = NULL;

	for (i = 0; r->media != NULL &&
	     i < json_object_array_length(r->media); i++) {
		o = json_object_array_get_idx(r->media, i);
		if (*api_str(o, "unavailable") == '\0') {
			json_object_array_add(media, json_object_get(o));
			continue;
		}
		name = api_str(o, "name");
		if (*name != '\0' && n_names < MM_FILES_MAX)
			names[n_names++] = name;
		n++;
	}
	add_obj(msg, "media", media);
	if (n == 0)
		return;
	note = media_unavailable(n, names, n_names);
	if (asprintf(&text, "%s%s", api_str(msg, "text"), note) == -1)
		fatal("asprintf");
	add(msg, "text", text);
	free(note);
	free(text);
}
