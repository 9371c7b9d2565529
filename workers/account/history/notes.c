#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/history/notes.h"
#include "workers/account/history/pending.h"
#include "workers/account/history/pending_text.h"
#include "workers/account/pipeline.h"
#include "workers/account/storelink.h"
#include "workers/account/users.h"

void
notes_put(
    struct account *a, const struct inbound *in, const struct verdict *v)
{
	struct json_object *msg = chan_msg("note.put");
	char key[EVENT_ID_SIZE + 32];
	int64_t at = in->create_at;

	(void)snprintf(key, sizeof(key), "mattermost:%s:%s",
	    inbound_kind_name(in->kind), in->event_id);
	/* A reaction that is taken back says when it was made, or nothing. */
	if (in->removed || at == 0)
		at = walltime_ms();
	add_str(msg, "session", v->session.base);
	add_str(msg, "agent", v->agent);
	add_str(msg, "key", key);
	add_int(msg, "at", at);
	add_str(msg, "text", v->text);
	storelink_request(a, msg, NULL, NULL);
}

void
notes_opposite(const struct inbound *in, char *buf, unsigned long size)
{
	(void)snprintf(buf, size, "%s:%.64s:%s:%s", in->post_id, in->emoji,
	    in->actor_id, in->removed ? "added" : "removed");
}

void
notes_history(
    struct account *a, const struct inbound *in, const struct verdict *v)
{
	struct history_entry h = {.post_id = in->post_id,
	    .at = in->create_at};
	char *text = pending_text(v->text, in->n_files);

	h.sender = in->actor_name;
	if (*h.sender == '\0')
		h.sender = users_name(a, in->actor_id);
	if (h.sender == NULL)
		h.sender = in->actor_id;
	h.text = text;
	pending_add(a->pending, v->session.key, &h);
	free(text);
}
