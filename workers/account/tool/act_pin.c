#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/tool/act.h"

struct pin {
	act_fn fn;
	void *arg;
};

static void
pinned(struct account *a, const struct net_result *res,
    struct json_object *body, void *arg)
{
	struct pin *p = arg;
	char why[256];

	if (api_ok(res, body, 200))
		p->fn(a, 1, NULL, p->arg);
	else
		p->fn(a, 0, api_error(res, body, why, sizeof(why)), p->arg);
	free(p);
}

void
act_pin(struct account *a, const char *post, act_fn fn, void *arg)
{
	struct pin *p;
	char path[64];

	if ((p = calloc(1, sizeof(*p))) == NULL)
		fatal("calloc");
	p->fn = fn;
	p->arg = arg;
	snprintf(path, sizeof(path), "/posts/%s/pin", post);
	if (api_send(a, "POST", path, NULL, pinned, p) != NULL)
		return;
	free(p);
	fn(a, 0, "the account is not connected", arg);
}
