/*
 * postern-store: the only process that touches the database.
 */
#include "config.h"

#include <sys/stat.h>

#include <json-c/json.h>

#include "common/fields.h"
#include "common/log.h"
#include "workers/store/db.h"
#include "workers/store/service.h"
#include "workers/worker.h"

static void
report(void *arg, const char *state, const char *reason, const char *detail)
{
	worker_report(arg, state, reason, detail);
}

static void
broken(void *arg, const char *kind, const char *id, const char *why)
{
	worker_broken(arg, kind, id, why);
}

static void
store_prepare(struct worker *w)
{
	struct service *sv;

	umask(077);
	db_library_init();
	sv = service_new(worker_base(w), STORE_FILE, report, w);
	service_on_broken(sv, broken);
	worker_set_state(w, sv);
}

static void
store_init(struct worker *w, struct json_object *config)
{
	struct fields f;
	int days;

	fields_open(&f, config);
	days = (int)fields_opt_int(&f, "retentionDays", 1, 3650, 30);
	if (fields_end(&f) == -1)
		fatalx("init: %s", fields_error(&f));
	service_set_retention(worker_state(w), days);
}

static void
store_link(struct worker *w, const char *kind, const char *peer,
    struct json_object *opts, int fd)
{
	if (service_link(worker_state(w), kind, peer, opts, fd) == -1)
		fatalx("link: %s %s is not for the store", kind, peer);
}

static void
store_unlink(struct worker *w, const char *kind, const char *peer)
{
	service_unlink(worker_state(w), kind, peer);
}

static void
store_start(struct worker *w)
{
	service_start(worker_state(w));
	worker_ready(w);
}

static void
store_stop(struct worker *w)
{
	worker_report(w, "stopping", NULL, NULL);
	service_stop(worker_state(w));
	service_free(worker_state(w));
	worker_set_state(w, NULL);
	worker_exit(w);
}

int
main(int argc, char *argv[])
{
	static const struct worker_role role = {
	    .title = "store",
	    .sandbox = SANDBOX_STORE,
	    .prepare = store_prepare,
	    .init = store_init,
	    .link = store_link,
	    .unlink = store_unlink,
	    .start = store_start,
	    .stop = store_stop,
	};

	return worker_main(argc, argv, &role);
}
