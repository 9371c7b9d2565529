#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/unicode.h"
#include "common/utf8.h"
#include "workers/account/mention.h"
#include "workers/account/normalise.h"

int
normalise_is_unseen(const char *text)
{
	size_t i = 0, len = strlen(text);
	uint32_t cp;

	while (i < len) {
		i += utf8_next(text + i, len - i, &cp);
		if (!unicode_is_unseen(cp) && !unicode_is_space(cp))
			return 0;
	}
	return 1;
}

void
normalise_text(const char *username, const char *raw, const char *body,
    struct normal_text *out)
{
	char *stripped = mention_strip(username, raw);

	out->command = utf8_trim(stripped);
	out->empty = 0;
	if (body != raw) {
		free(stripped);
		stripped = mention_strip(username, body);
	}
	out->agent = stripped;
	if (!normalise_is_unseen(stripped))
		return;
	if (!mention_is_bare(username, body)) {
		out->empty = 1;
		return;
	}
	free(stripped);
	out->agent = utf8_trim(body);
}

void
normal_text_free(struct normal_text *t)
{
	free(t->agent);
	free(t->command);
	memset(t, 0, sizeof(*t));
}
