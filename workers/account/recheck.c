#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/access.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/lanes.h"
#include "workers/account/names.h"
#include "workers/account/policy.h"
#include "workers/account/recheck.h"
#include "workers/account/rowdata.h"

int
recheck_ready(const struct account *a)
{
	return access_loaded(a) && names_known(a);
}

int
recheck_allows(const struct account *a, const struct row *r)
{
	const char *actor = api_str(r->data, "actor");
	struct decision d;
	/* A click, of all kinds, neither pairs nor needs a text. */
	struct inbound in = {.kind = INBOUND_BUTTON,
	    .control_command = r->cmd != COMMAND_NONE};

	if (*actor == '\0')
		return 1; /* a hook, a schedule */
	(void)strlcpy(in.account, a->id, sizeof(in.account));
	(void)strlcpy(in.actor_id, actor, sizeof(in.actor_id));
	ID_COPY(in.channel_id, r->channel);
	in.actor_is_bot = rowdata_bool(r->data, "bot") ? TRI_YES : TRI_NO;
	in.surface = surface_from(api_str(r->data, "surface"));
	d = authorise(a->policy, &in);
	if (d.kind == DECISION_ALLOW &&
	    (d.command_authorised || !in.control_command))
		return 1;
	log_event(LOG_NOTICE, "turn.denied", "account", a->id, "event_id",
	    r->event, "user", actor, "rule", d.rule, NULL);
	return 0;
}
