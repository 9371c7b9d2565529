#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/monotime.h"
#include "workers/account/api.h"
#include "workers/account/lanes.h"
#include "workers/account/sessinfo.h"

#define TOLD_MS 100 /* our own: so long it is as good as asked for now */

void
sessinfo_ask(struct account *a, const char *session, const char *agent,
    const char *notes, store_fn fn, void *arg)
{
	struct json_object *msg = chan_msg("session.open");

	add_str(msg, "session", session);
	add_str(msg, "agent", agent);
	if (*notes != '\0')
		add_str(msg, "notes", notes);
	storelink_request(a, msg, fn, arg);
}

/* Not a thread of its own, nor one that begins anew. */
static int
is_alike(const struct row *r, const struct row *next)
{
	static const char *const same[] = {
	    "session", "agent", "parent", "notes"};
	size_t i;

	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (strcmp(api_str(r->data, same[i]),
			api_str(next->data, same[i])) != 0)
			return 0;
	return 1;
}

void
sessinfo_ask_next(const struct row *r, struct json_object *commit)
{
	add_str(commit, "next", api_str(r->data, "notes"));
}

void
sessinfo_told(struct row *r, struct json_object *reply)
{
	struct json_object *told;

	if (!json_object_object_get_ex(reply, "session", &told))
		return;
	json_object_put(r->told);
	r->told = json_object_get(told);
	r->told_at = monotime_now();
}

void
sessinfo_told_next(struct row *r, struct json_object *reply)
{
	struct row *next = lanes_next(r);

	if (next != NULL && is_alike(r, next))
		sessinfo_told(next, reply);
}

struct json_object *
sessinfo_take(struct row *r)
{
	struct json_object *told = r->told;

	r->told = NULL;
	if (monotime_since(r->told_at) <= TOLD_MS)
		return told;
	json_object_put(told);
	return NULL;
}

static int
read_note(struct json_object *o, struct sessinfo_note *n)
{
	struct fields f;

	fields_open(&f, o);
	n->n = fields_int(&f, "n", 1, INT64_MAX);
	n->at = fields_int(&f, "at", 0, INT64_MAX);
	n->text = fields_str(&f, "text", 4096);
	return fields_end(&f);
}

int
sessinfo_read(struct json_object *reply, struct sessinfo *s)
{
	struct json_object *notes;
	struct fields f;
	size_t i;

	memset(s, 0, sizeof(*s));
	fields_open(&f, reply);
	s->known = fields_bool(&f, "known");
	s->gen = fields_int(&f, "gen", 0, INT64_MAX);
	s->messages = fields_int(&f, "messages", 0, INT64_MAX);
	s->updated = fields_int(&f, "updated", 0, INT64_MAX);
	s->turns = fields_int(&f, "turns", 0, INT64_MAX);
	s->prompt = fields_int(&f, "prompt", 0, INT64_MAX);
	s->completion = fields_int(&f, "completion", 0, INT64_MAX);
	s->model = fields_str(&f, "model", 512);
	s->thinking = fields_str(&f, "thinking", 64);
	s->used = fields_str(&f, "used", 512);
	notes = fields_arr(&f, "notes", SESSINFO_NOTES);
	if (fields_end(&f) == -1)
		return -1;
	for (i = 0; i < json_object_array_length(notes); i++)
		if (read_note(json_object_array_get_idx(notes, i),
			&s->notes[s->n_notes++]) == -1)
			return -1;
	return 0;
}
