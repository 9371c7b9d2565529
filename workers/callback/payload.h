/*
 * The body of a slash command, as JSON or as a form. Pure.
 */
#ifndef CALLBACK_PAYLOAD_H
#define CALLBACK_PAYLOAD_H

#include <stddef.h>

enum payload_field {
	PAYLOAD_TOKEN,
	PAYLOAD_TEAM,
	PAYLOAD_CHANNEL,
	PAYLOAD_USER,
	PAYLOAD_COMMAND,
	PAYLOAD_NEEDED, /* those above must be there and not be empty */
	PAYLOAD_TEXT = PAYLOAD_NEEDED,
	PAYLOAD_TEAM_DOMAIN,
	PAYLOAD_CHANNEL_NAME,
	PAYLOAD_USER_NAME,
	PAYLOAD_TRIGGER_ID,
	PAYLOAD_RESPONSE_URL,
	PAYLOAD_MAX
};

struct payload {
	char *v[PAYLOAD_MAX]; /* NULL: absent; valid UTF-8 without NUL */
};

/* The name of a member as the server writes it. */
const char *payload_name(enum payload_field);
/*
 * body has a NUL behind it. 0, or -1 when something needed is missing.
 * payload_free() either way.
 */
int payload_parse(const char *body, size_t len, const char *content_type,
    struct payload *);
/* The token is overwritten. */
void payload_free(struct payload *);
/* The command without its slash; "" when there is none. */
const char *payload_trigger(const struct payload *);

#endif
