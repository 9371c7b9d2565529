#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "workers/account/draft_text.h"
#include "workers/account/strbuf.h"
#include "workers/account/utf8.h"

char *
draft_truncate(const char *text, size_t max)
{
	struct strbuf b = STRBUF_INIT;
	size_t len = strlen(text), skip = utf8_skip_blank(text, len);

	text += skip;
	len = utf8_rtrim(text, len - skip);
	if (len == 0)
		return NULL;
	if (utf8_units(text, len) <= max) {
		strbuf_add(&b, text, len);
		return strbuf_take(&b);
	}
	len = utf8_rtrim(text, utf8_units_bytes(text, len, max - 3));
	strbuf_add(&b, text, len);
	strbuf_puts(&b, "...");
	return strbuf_take(&b);
}
