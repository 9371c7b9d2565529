#include "config.h"

#include <sys/queue.h>

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/ctl/ctl_files.h"
#include "workers/account/media/media_out.h"

#define NAME_RAW 1024

struct upload {
	TAILQ_ENTRY(upload) entry;
	struct account *a;
	struct media_file files[MM_FILES_MAX];
	size_t n;
	struct media_out *out; /* NULL: not begun */
	int64_t call;
	upload_fn fn;
	void *arg;
};

static TAILQ_HEAD(, upload) uploads = TAILQ_HEAD_INITIALIZER(uploads);

static struct {
	int fd;
	char *name;
} came[MM_FILES_MAX];
static size_t n_came;

void
ctl_on_file(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	const char *name;
	struct fields f;

	fields_open(&f, msg);
	name = fields_str(&f, "name", NAME_RAW);
	if (fields_end(&f) == -1 || n_came == MM_FILES_MAX) {
		close(fd);
		chan_violation(c, "send.file");
		return;
	}
	came[n_came].fd = fd;
	if ((came[n_came++].name = strdup(name)) == NULL)
		fatal("strdup");
}

size_t
ctl_files_waiting(void)
{
	return n_came;
}

static void
came_drop(size_t from)
{
	size_t i;

	for (i = 0; i < n_came; i++) {
		if (i >= from)
			close(came[i].fd);
		free(came[i].name);
	}
	n_came = 0;
}

struct upload *
ctl_files_take(struct account *a, char *why, size_t size)
{
	struct upload *u;

	if ((u = calloc(1, sizeof(*u))) == NULL)
		fatal("calloc");
	u->a = a;
	for (; u->n < n_came; u->n++)
		if (media_file_open(a, &u->files[u->n], came[u->n].fd,
			came[u->n].name, why, size) == -1) {
			came_drop(u->n);
			ctl_files_drop(u);
			return NULL;
		}
	came_drop(u->n);
	return u;
}

void
ctl_files_drop(struct upload *u)
{
	size_t i;

	if (u == NULL)
		return;
	for (i = 0; i < u->n; i++)
		close(u->files[i].fd);
	free(u);
}

static void
on_progress(int64_t done, int64_t total, void *arg)
{
	struct upload *u = arg;
	struct json_object *msg;

	if (u->a->ctl == NULL || chan_full(u->a->ctl))
		return;
	msg = chan_msg("send.progress");
	add_int(msg, "call", u->call);
	add_int(msg, "done", done);
	add_int(msg, "total", total);
	chan_send(u->a->ctl, msg, -1);
}

static void
on_uploaded(struct account *a, struct json_object *ids, const char *failed,
    void *arg)
{
	struct upload *u = arg;

	TAILQ_REMOVE(&uploads, u, entry);
	u->fn(a, ids, failed, u->arg);
	free(u);
}

void
ctl_files_upload(struct account *a, const char *channel, int64_t call,
    struct upload *u, upload_fn fn, void *arg)
{
	u->call = call;
	u->fn = fn;
	u->arg = arg;
	TAILQ_INSERT_TAIL(&uploads, u, entry);
	u->out = media_out_start(
	    a, channel, u->files, u->n, on_progress, on_uploaded, u);
}

static void
cancel(struct upload *u)
{
	TAILQ_REMOVE(&uploads, u, entry);
	media_out_cancel(u->out);
	log_event(LOG_NOTICE, "media.cancelled", "account", u->a->id, NULL);
	u->fn(u->a, NULL, NULL, u->arg);
	free(u);
}

void
ctl_on_cancel(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct upload *u;
	struct fields f;
	int64_t call;

	fields_open(&f, msg);
	call = fields_int(&f, "call", 1, INT64_MAX);
	if (fields_end(&f) == -1) {
		chan_violation(c, "send.cancel");
		return;
	}
	TAILQ_FOREACH(u, &uploads, entry)
		if (u->call == call) {
			cancel(u);
			return;
		}
}

void
ctl_files_end(void)
{
	struct upload *u;

	came_drop(0);
	while ((u = TAILQ_FIRST(&uploads)) != NULL)
		cancel(u);
}
