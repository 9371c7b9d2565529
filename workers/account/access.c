#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>

#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "workers/account/access.h"
#include "workers/account/account.h"
#include "workers/account/conn.h"
#include "workers/account/gates.h"
#include "workers/account/lanes.h"
#include "workers/account/pairing.h"
#include "workers/account/standing.h"
#include "workers/account/storelink.h"

#define AGAIN_MS 2000 /* a store that cannot read its file now */

static int pending, loaded, told;
static struct event *again;

static void
on_again(int fd, short what, void *arg)
{
	access_load(arg);
}

static void
on_access(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct json_object *grants = NULL;

	pending = 0;
	if (err == NULL &&
	    json_object_object_get_ex(reply, "grants", &grants) &&
	    json_object_is_type(grants, json_type_array) &&
	    standing_load(a, reply) == 0 && gates_load(a, reply) == 0) {
		pairing_replace(a, grants);
		loaded = 1;
		told = 0;
		lanes_run(a);
		conn_wake(a);
		return;
	}
	if (!told)
		log_event(LOG_WARNING, "store.access", "account", a->id,
		    "error", err != NULL ? err : "not of its shape", NULL);
	told = 1;
	if (again == NULL &&
	    (again = evtimer_new(a->base, on_again, a)) == NULL)
		fatalx("evtimer_new");
	loop_timer(again, AGAIN_MS);
}

void
access_load(struct account *a)
{
	if (pending)
		return; /* it is sent again with the new link */
	pending = 1;
	storelink_request(a, chan_msg("access.load"), on_access, NULL);
}

int
access_loaded(const struct account *a)
{
	return loaded;
}
