#include "config.h"

#include <sys/queue.h>

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/fields.h"
#include "common/log.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/gates.h"
#include "workers/account/places.h"
#include "workers/account/rowdata.h"

/* An /activation that was accepted and is not carried out. */
struct ahead {
	TAILQ_ENTRY(ahead) entry;
	char channel[MM_ID_SIZE];
	char event[EVENT_ID_SIZE];
	enum tri mention;
};

static TAILQ_HEAD(ahead_list, ahead) aheads = TAILQ_HEAD_INITIALIZER(aheads);

int
gates_word(const char *word, enum tri *mention)
{
	if (strcasecmp(word, "mention") == 0)
		*mention = TRI_YES;
	else if (strcasecmp(word, "always") == 0)
		*mention = TRI_NO;
	else if (strcasecmp(word, "default") == 0 ||
	    strcasecmp(word, "reset") == 0)
		*mention = TRI_UNKNOWN;
	else
		return -1;
	return 0;
}

void
gates_expect(const char *channel, const char *event, struct json_object *data)
{
	enum tri mention;
	struct ahead *g;

	if (rowdata_command(data) != COMMAND_ACTIVATION ||
	    strcmp(api_str(data, "surface"), "direct") == 0 ||
	    gates_word(api_str(data, "args"), &mention) == -1)
		return;
	gates_settled(event);
	if ((g = calloc(1, sizeof(*g))) == NULL)
		fatal("calloc");
	ID_COPY(g->channel, channel);
	ID_COPY(g->event, event);
	g->mention = mention;
	TAILQ_INSERT_TAIL(&aheads, g, entry);
}

void
gates_settled(const char *event)
{
	struct ahead *g;

	TAILQ_FOREACH(g, &aheads, entry)
		if (strcmp(g->event, event) == 0) {
			TAILQ_REMOVE(&aheads, g, entry);
			free(g);
			return;
		}
}

enum tri
gates_get(const struct account *a, const char *channel)
{
	const struct ahead *g;

	TAILQ_FOREACH_REVERSE(g, &aheads, ahead_list, entry)
		if (strcmp(g->channel, channel) == 0)
			return g->mention;
	return (enum tri)places_get(a->gates, channel, "");
}

void
gates_set(struct account *a, const char *channel, enum tri mention)
{
	if (mention == TRI_UNKNOWN)
		places_forget(a->gates, channel, "");
	else
		places_set(a->gates, channel, "", mention, 0);
}

const char *
gates_mode(enum tri mention)
{
	if (mention == TRI_YES)
		return "mention";
	return mention == TRI_NO ? "always" : "";
}

/* -1: none of them. */
static int
gates_parse(const char *mode, enum tri *mention)
{
	if (strcmp(mode, "mention") == 0)
		*mention = TRI_YES;
	else if (strcmp(mode, "always") == 0)
		*mention = TRI_NO;
	else if (*mode == '\0')
		*mention = TRI_UNKNOWN;
	else
		return -1;
	return 0;
}

int
gates_load(struct account *a, struct json_object *access)
{
	struct json_object *list = NULL;
	const char *channel;
	enum tri mention;
	struct fields f;
	size_t i;
	int bad;

	json_object_object_get_ex(access, "gates", &list);
	if (!json_object_is_type(list, json_type_array))
		return -1;
	for (i = 0; i < json_object_array_length(list); i++) {
		fields_open(&f, json_object_array_get_idx(list, i));
		channel = fields_str(&f, "channel", MM_ID_LEN);
		bad = gates_parse(fields_str(&f, "mode", 16), &mention);
		if (fields_end(&f) == -1 || bad)
			return -1;
		gates_set(a, channel, mention);
	}
	return 0;
}
