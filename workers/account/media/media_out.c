#include "config.h"

#include <sys/stat.h>

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "common/sandbox.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/media/media_out.h"
#include "workers/net/net.h"

#define TRIES 3
#define RETRY_MAX_MS 60000
#define FAILED "Mattermost media upload failed: "

struct media_out {
	struct account *a;
	media_out_progress_fn progress;
	media_out_fn done;
	void *arg;
	struct event *timer;
	struct net_request *req;
	struct json_object *ids;
	struct media_file files[MM_FILES_MAX];
	size_t n, next;
	int64_t total, before; /* bytes of all, and of those that are done */
	struct monotime told;
	int tries;
	char channel[MM_ID_SIZE];
};

int
media_file_open(struct account *a, struct media_file *f, int fd,
    const char *name, char *why, size_t size)
{
	struct stat sb;

	media_name(f->name, name);
	if (sandbox_fstat(fd, &sb) == -1 || !S_ISREG(sb.st_mode)) {
		snprintf(why, size, FAILED "%s is not a plain file", f->name);
		return -1;
	}
	if (sb.st_size > a->media_max) {
		snprintf(why, size, FAILED "%s has %lld bytes, and "
		    "mediaMaxMb allows %lld", f->name,
		    (long long)sb.st_size, (long long)a->media_max);
		return -1;
	}
	if (sb.st_size == 0) {
		snprintf(why, size, FAILED "%s is empty", f->name);
		return -1;
	}
	f->fd = fd;
	f->size = sb.st_size;
	return 0;
}

void
media_file_drop(const struct media_file *f)
{
	close(f->fd);
}

static void
out_free(struct media_out *m)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		close(m->files[i].fd);
	event_free(m->timer);
	json_object_put(m->ids);
	free(m);
}

void
media_out_cancel(struct media_out *m)
{
	if (m == NULL)
		return;
	if (m->req != NULL)
		net_request_cancel(m->req);
	out_free(m);
}

static void
out_end(struct media_out *m, const char *failed)
{
	struct account *a = m->a;
	media_out_fn done = m->done;
	void *arg = m->arg;
	struct json_object *ids = json_object_get(m->ids);

	out_free(m);
	done(a, failed == NULL ? ids : NULL, failed, arg);
	json_object_put(ids);
}

static void
out_fail(struct media_out *m, const char *why)
{
	char text[512];

	snprintf(text, sizeof(text), FAILED "%s: %s", m->files[m->next].name,
	    why);
	log_event(LOG_NOTICE, "media.upload", "account", m->a->id, "channel",
	    m->channel, "error", why, NULL);
	out_end(m, text);
}

static void
on_sent(struct net_request *req, size_t sent, void *arg)
{
	struct media_out *m = arg;

	if (m->progress == NULL ||
	    monotime_since(m->told) < MEDIA_OUT_TOLD_MS)
		return;
	m->told = monotime_now();
	m->progress(m->before + (int64_t)sent, m->total, m->arg);
}

/* The id in the server's answer, or NULL. */
static const char *
answer_id(struct json_object *body)
{
	struct json_object *infos = NULL;
	const char *id;

	if (!json_object_is_type(body, json_type_object) ||
	    !json_object_object_get_ex(body, "file_infos", &infos) ||
	    !json_object_is_type(infos, json_type_array) ||
	    json_object_array_length(infos) != 1)
		return NULL;
	id = api_str(json_object_array_get_idx(infos, 0), "id");
	return mm_id_valid(id) ? id : NULL;
}

static void
uploaded(struct media_out *m, const char *id)
{
	json_object_array_add(m->ids, json_object_new_string(id));
	m->before += m->files[m->next].size;
	m->tries = 0;
	if (m->progress != NULL)
		m->progress(m->before, m->total, m->arg);
	if (++m->next == m->n)
		out_end(m, NULL);
	else
		loop_timer(m->timer, 0);
}

/* Once more does no harm: a file without a post is nothing. */
static int
may_try_again(struct media_out *m, const struct net_result *r)
{
	struct stat sb;
	int64_t ms = 1000 << (2 * m->tries), wait = r->retry_after_ms;

	if (r->ratelimit_reset_ms > wait)
		wait = r->ratelimit_reset_ms;
	if (!r->retryable || ++m->tries >= TRIES || wait > RETRY_MAX_MS)
		return 0;
	if (sandbox_fstat(m->files[m->next].fd, &sb) == -1 ||
	    sb.st_size < m->files[m->next].size)
		return 0;
	loop_timer(m->timer, ms < wait ? wait : ms);
	return 1;
}

static void
on_done(struct net_request *req, const struct net_result *r, void *arg)
{
	struct media_out *m = arg;
	struct json_object *body = NULL;
	const char *id = NULL;
	char why[256];

	m->req = NULL;
	if (r->ending == NET_ANSWERED && !r->partial)
		body = json_tokener_parse(r->body);
	if (r->ending == NET_ANSWERED && r->status == 201)
		id = answer_id(body);
	if (id != NULL)
		uploaded(m, id);
	else if (!may_try_again(m, r))
		out_fail(m, api_error(r, body, why, sizeof(why)));
	json_object_put(body);
}

static const char *
type_of(const struct media_file *f)
{
	unsigned char head[MEDIA_HEAD];
	ssize_t n = pread(f->fd, head, sizeof(head), 0);

	return media_sniff(head, n > 0 ? (size_t)n : 0);
}

static void
on_timer(int fd, short what, void *arg)
{
	struct media_out *m = arg;
	struct media_file *f = &m->files[m->next];
	struct multipart mp;
	const char *headers[2];
	char boundary[41];
	struct net_request_opts o = {
	    .method = "POST",
	    .path = "/api/v4/files",
	    .headers = headers,
	    .body_fd = f->fd,
	    .body_keep = 1,
	    .body_len = (size_t)f->size,
	    .deadline_ms = -1,
	    .idle_ms = MEDIA_OUT_IDLE_MS,
	    .sent = on_sent,
	    .done = on_done,
	    .arg = m,
	};

	snprintf(boundary, sizeof(boundary), "%08x%08x%08x%08x",
	    arc4random(), arc4random(), arc4random(), arc4random());
	multipart_make(&mp, boundary, m->channel, f->name, type_of(f));
	headers[0] = mp.type;
	headers[1] = NULL;
	o.head = mp.head;
	o.head_len = strlen(mp.head);
	o.tail = mp.tail;
	o.tail_len = strlen(mp.tail);
	m->req = net_request_start(m->a->ep, &o);
	multipart_free(&mp);
	if (m->progress != NULL)
		m->progress(m->before, m->total, m->arg);
}

struct media_out *
media_out_start(struct account *a, const char *channel,
    const struct media_file *files, size_t n, media_out_progress_fn progress,
    media_out_fn done, void *arg)
{
	struct media_out *m;
	size_t i;

	if ((m = calloc(1, sizeof(*m))) == NULL ||
	    (m->timer = evtimer_new(a->base, on_timer, m)) == NULL)
		fatal("calloc");
	m->a = a;
	m->progress = progress;
	m->done = done;
	m->arg = arg;
	m->ids = json_object_new_array();
	ID_COPY(m->channel, channel);
	for (i = 0; i < n && i < MM_FILES_MAX; i++) {
		m->files[m->n++] = files[i];
		m->total += files[i].size;
	}
	m->told = monotime_now();
	loop_timer(m->timer, 0);
	return m;
}
