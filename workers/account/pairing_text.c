#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/pairing_text.h"

static const char symbols[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

void
pairing_code(
    const uint8_t random[PAIRING_CODE_LEN], char out[PAIRING_CODE_SIZE])
{
	size_t i;

	for (i = 0; i < PAIRING_CODE_LEN; i++)
		out[i] = symbols[random[i] % 32];
	out[i] = '\0';
}

char *
pairing_text(const char *user_id, const char *code)
{
	char *text;

	if (asprintf(&text,
		"Postern: access not configured.\n"
		"\n"
		"Your Mattermost user id: %s\n"
		"Pairing code:\n"
		"```\n"
		"%s\n"
		"```\n"
		"\n"
		"Ask the owner of this bot to approve it with:\n"
		"```\n"
		"posternctl pairing approve mattermost %s\n"
		"```",
		user_id, code, code) == -1)
		fatal("asprintf");
	return text;
}

char *
pairing_approved_text(void)
{
	char *text = strdup("Access approved. You can talk to me now.");

	if (text == NULL)
		fatal("strdup");
	return text;
}
