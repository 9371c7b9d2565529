#include "config.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "workers/control/control.h"

/*
 * Files that a client sends along with a message. It opened them itself and
 * passes descriptors: nobody here could open a file, and what the client may
 * not read it cannot send. Only plain files are taken, for reading one may
 * not wait for anybody.
 */

#define NAME_LEN 1024
#define FILES_ALL 128 /* of all clients together */

static unsigned n_all;
static int64_t last_call;

void
files_drop(struct client *cl)
{
	unsigned i;

	for (i = 0; i < cl->n_files; i++) {
		if (cl->files[i].fd != -1)
			close(cl->files[i].fd);
		free(cl->files[i].name);
	}
	n_all -= cl->n_files;
	cl->n_files = 0;
}

/* What a client may pass: NULL, or what is wrong with it. */
static const char *
is_wrong(int fd)
{
	struct stat sb;
	int flags = fcntl(fd, F_GETFL);

	if (sandbox_fstat(fd, &sb) == -1 || !S_ISREG(sb.st_mode))
		return "not a plain file";
	if (flags == -1 || (flags & O_ACCMODE) == O_WRONLY)
		return "not open for reading";
	return NULL;
}

void
files_take(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct client *cl = arg;
	struct client_file *cf;
	const char *name, *wrong = is_wrong(fd);
	struct fields f;

	fields_open(&f, msg);
	name = fields_str(&f, "name", NAME_LEN);
	if (fields_end(&f) == -1)
		wrong = "badly formed file";
	if (cl->call != NULL || cl->n_files == CONTROL_FILES)
		wrong = "a file that no request can have";
	if (n_all == FILES_ALL)
		wrong = "too many files at once";
	if (wrong != NULL) {
		close(fd);
		chan_violation(c, wrong);
		return;
	}
	cf = &cl->files[cl->n_files++];
	n_all++;
	cf->fd = fd;
	if ((cf->name = strdup(name)) == NULL)
		fatal("strdup");
}

int
files_pass(struct call *call, struct chan *c, const char *account,
    struct json_object *send)
{
	struct client *cl = call->client;
	struct json_object *msg;
	unsigned i, n = cl->n_files;

	for (i = 0; i < n; i++) {
		msg = chan_msg("send.file");
		ask_add(msg, "name", cl->files[i].name);
		chan_send(c, msg, cl->files[i].fd);
		cl->files[i].fd = -1;
	}
	files_drop(cl);
	if (n == 0)
		return CONTROL_SEND_MS;
	call->number = ++last_call;
	strlcpy(call->account, account, sizeof(call->account));
	add_int(send, "files", (int)n);
	add_int(send, "call", call->number);
	return CONTROL_UPLOAD_MS;
}

/* The client went away while its files were on their way. */
void
files_cancel(struct call *call)
{
	struct json_object *msg;
	struct chan *c;

	if (call->number == 0)
		return;
	c = peers_chan(call->control, "account", call->account);
	if (c == NULL)
		return;
	msg = chan_msg("send.cancel");
	add_int(msg, "call", call->number);
	chan_send(c, msg, -1);
}

void
files_progress(struct control *co, const char *account,
    struct json_object *msg, struct chan *from)
{
	struct json_object *out;
	struct client *cl;
	struct fields f;
	int64_t number, done, total;

	fields_open(&f, msg);
	number = fields_int(&f, "call", 1, INT64_MAX);
	done = fields_int(&f, "done", 0, INT64_MAX);
	total = fields_int(&f, "total", 0, INT64_MAX);
	if (fields_end(&f) == -1) {
		chan_violation(from, "send.progress");
		return;
	}
	TAILQ_FOREACH (cl, &co->clients, entry)
		if (cl->call != NULL && cl->call->number == number &&
		    strcmp(cl->call->account, account) == 0)
			break;
	if (cl == NULL || chan_full(cl->chan))
		return;
	cl->active = monotime_now();
	out = chan_msg("progress");
	add_int(out, "done", done);
	add_int(out, "total", total);
	chan_send(cl->chan, out, -1);
}
