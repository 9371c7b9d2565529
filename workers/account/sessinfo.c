#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "workers/account/sessinfo.h"

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
