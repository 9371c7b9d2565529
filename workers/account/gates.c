#include "config.h"

#include <json-c/json.h>
#include <string.h>

#include "common/fields.h"
#include "workers/account/account.h"
#include "workers/account/gates.h"
#include "workers/account/places.h"

enum tri
gates_get(const struct account *a, const char *channel)
{
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
