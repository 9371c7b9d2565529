#include "config.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fields.h"
#include "common/log.h"
#include "workers/control/control.h"
#include "workers/worker.h"

static void
prepare(struct worker *w)
{
	struct control *co;

	if ((co = calloc(1, sizeof(*co))) == NULL)
		fatal("calloc");
	co->worker = w;
	co->base = worker_base(w);
	co->listen_fd = -1;
	RB_INIT(&co->peers);
	TAILQ_INIT(&co->clients);
	worker_set_state(w, co);
}

static void
init(struct worker *w, struct json_object *config)
{
	struct control *co = worker_state(w);
	struct fields f;

	fields_open(&f, config);
	co->rootless = fields_bool(&f, "rootless");
	co->uid = (uid_t)fields_int(&f, "uid", 0, UINT32_MAX);
	if (fields_end(&f) == -1)
		fatalx("config: %s", fields_error(&f));
}

static void
take_fd(struct worker *w, const char *name, int fd)
{
	struct control *co = worker_state(w);

	if (strcmp(name, "metrics") == 0) {
		scrape_listen(co, fd);
		return;
	}
	if (strcmp(name, "listen") != 0 || co->listen_fd != -1)
		fatalx("a descriptor called %s", name);
	co->listen_fd = fd;
}

static void
take_link(struct worker *w, const char *kind, const char *peer,
    struct json_object *opts, int fd)
{
	if (peers_link(worker_state(w), kind, peer, fd) == -1)
		fatalx("a link of kind %s", kind);
}

static void
drop_link(struct worker *w, const char *kind, const char *peer)
{
	if (strcmp(kind, "metrics") == 0)
		scrape_close(worker_state(w));
	else
		peers_unlink(worker_state(w), kind, peer);
}

static void
start(struct worker *w)
{
	struct control *co = worker_state(w);

	if (co->listen_fd == -1)
		fatalx("no socket to listen on");
	clients_listen(co, co->listen_fd);
	worker_ready(w);
}

/* The answer to the one who asked for this is still on its way. */
static void
stop(struct worker *w)
{
	struct control *co = worker_state(w);
	struct client *cl;

	TAILQ_FOREACH (cl, &co->clients, entry)
		chan_flush(cl->chan, CONTROL_LAST_MS);
	worker_exit(w);
}

static const struct worker_role role = {
    .title = "control",
    .sandbox = SANDBOX_CONTROL,
    .prepare = prepare,
    .init = init,
    .fd = take_fd,
    .link = take_link,
    .unlink = drop_link,
    .start = start,
    .stop = stop,
};

int
main(int argc, char *argv[])
{
	return worker_main(argc, argv, &role);
}
