#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "common/utf8.h"
#include "workers/account/lane.h"

enum reply_mode
lane_reply_mode(const struct policy *p, enum surface surface)
{
	if (surface < SURFACE_MAX && p->reply_mode_by[surface] != -1)
		return (enum reply_mode)p->reply_mode_by[surface];
	return surface == SURFACE_DIRECT ? REPLY_OFF : p->reply_mode;
}

void
lane_root(enum reply_mode mode, enum surface surface, const char *post_id,
    const char *root_id, char out[MM_ID_SIZE])
{
	size_t len = strlen(root_id), skip = utf8_skip_blank(root_id, len);

	out[0] = '\0';
	if (surface == SURFACE_DIRECT && mode == REPLY_OFF)
		return;
	root_id += skip;
	len = utf8_rtrim(root_id, len - skip);
	if (len > 0 && len < MM_ID_SIZE) {
		memcpy(out, root_id, len);
		out[len] = '\0';
	} else if (len == 0 && mode != REPLY_OFF)
		(void)strlcpy(out, post_id, MM_ID_SIZE);
}

void
lane_key(const char *account, const char *channel_id, const char *root,
    char out[LANE_KEY_SIZE])
{
	int i, len = snprintf(out, LANE_KEY_SIZE, "%s:%s:%s", account,
	    channel_id, root);

	if (len < LANE_KEY_SIZE)
		return;
	/* A hook's session may be long: cut, and not within a character. */
	len = LANE_KEY_SIZE - 1;
	for (i = 0; i < 3 && !text_valid(out, (size_t)len); i++)
		out[--len] = '\0';
}
