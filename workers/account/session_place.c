#include "config.h"

#include <stdio.h>
#include <string.h>

#include "workers/account/session_place.h"

/* The word before the next ":", or NULL. *rest: what is behind it. */
static const char *
word(const char *s, char *buf, size_t size, const char **rest)
{
	size_t n = strcspn(s, ":");

	if (s[n] != ':' || n == 0 || n >= size)
		return NULL;
	memcpy(buf, s, n);
	buf[n] = '\0';
	*rest = s + n + 1;
	return buf;
}

/* "ID" or "ID:thread:ROOT" */
static int
take_ids(const char *s, char id[MM_ID_SIZE], char root[MM_ID_SIZE])
{
	static const char thread[] = ":thread:";
	size_t n = strcspn(s, ":");

	if (n != MM_ID_LEN)
		return -1;
	memcpy(id, s, n);
	id[n] = '\0';
	s += n;
	if (strncmp(s, thread, sizeof(thread) - 1) == 0) {
		s += sizeof(thread) - 1;
		if (!mm_id_valid(s))
			return -1;
		memcpy(root, s, MM_ID_SIZE);
		s += MM_ID_LEN;
	}
	return *s == '\0' && mm_id_valid(id) ? 0 : -1;
}

static int
is_kind(const char *s)
{
	return strcmp(s, "direct") == 0 || strcmp(s, "channel") == 0 ||
	    strcmp(s, "group") == 0;
}

int
session_place(const char *key, struct session_place *p)
{
	char kind[ACCOUNT_ID_SIZE], agent[ACCOUNT_ID_SIZE], id[MM_ID_SIZE];
	const char *s = key;

	memset(p, 0, sizeof(*p));
	if (word(s, kind, sizeof(kind), &s) == NULL ||
	    strcmp(kind, "agent") != 0 ||
	    word(s, agent, sizeof(agent), &s) == NULL ||
	    word(s, kind, sizeof(kind), &s) == NULL)
		return -1;
	if (strcmp(kind, "mattermost") == 0) {
		if (word(s, kind, sizeof(kind), &s) == NULL)
			return -1;
		/* "mattermost:ACCOUNT:direct:ID" */
		if (!is_kind(kind) &&
		    (word(s, kind, sizeof(kind), &s) == NULL ||
			strcmp(kind, "direct") != 0))
			return -1;
	} else if (strcmp(kind, "direct") != 0)
		return -1;
	if (!is_kind(kind) || take_ids(s, id, p->root) == -1) {
		memset(p, 0, sizeof(*p));
		return -1;
	}
	if (strcmp(kind, "direct") != 0)
		memcpy(p->channel, id, MM_ID_SIZE);
	(void)snprintf(p->target, sizeof(p->target), "%s:%s",
	    p->channel[0] != '\0' ? "channel" : "user", id);
	return 0;
}
