#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workers/account/decode.h"
#include "workers/account/echo.h"

#define NUMBER_MAX 18 /* digits: more are no time and no sequence number */
#define MEMBERS_MAX 16 /* before the text of a post: 5.37 has ten */

/* Inside of the string that a post is in an event, quotes are escaped. */
#define Q "\\\""

struct scan {
	const char *p, *end;
};

static int
skip(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
		return 0;
	s->p += n;
	return 1;
}

static int
skip_to(struct scan *s, const char *word)
{
	const char *at = memmem(
	    s->p, (size_t)(s->end - s->p), word, strlen(word));

	if (at == NULL)
		return 0;
	s->p = at + strlen(word);
	return 1;
}

static int
number(struct scan *s, int64_t *n)
{
	const char *from = s->p;

	for (*n = 0; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++) {
		if (s->p - from == NUMBER_MAX)
			return 0;
		*n = *n * 10 + (*s->p - '0');
	}
	return s->p > from;
}

/* Up to the quote that ends it; 0 when it is no id and not empty. */
static int
id(struct scan *s, char out[MM_ID_SIZE])
{
	if (skip(s, Q)) {
		out[0] = '\0';
		return 1;
	}
	if (s->end - s->p < MM_ID_LEN)
		return 0;
	memcpy(out, s->p, MM_ID_LEN);
	out[MM_ID_LEN] = '\0';
	s->p += MM_ID_LEN;
	return mm_id_valid(out) && skip(s, Q);
}

/* One member of a post that comes before its text. */
static int
member(struct scan *s, struct inbound *in)
{
	char other[MM_ID_SIZE];
	int64_t n;

	if (skip(s, Q "id" Q ":" Q))
		return id(s, in->post_id);
	if (skip(s, Q "user_id" Q ":" Q))
		return id(s, in->actor_id);
	if (skip(s, Q "channel_id" Q ":" Q))
		return id(s, in->channel_id);
	if (skip(s, Q "root_id" Q ":" Q))
		return id(s, in->root_id);
	if (skip(s, Q "create_at" Q ":"))
		return number(s, &in->create_at);
	if (skip(s, Q "edit_at" Q ":"))
		return number(s, &in->edit_at);
	if (skip(s, Q "delete_at" Q ":"))
		return number(s, &in->delete_at);
	if (skip(s, Q "update_at" Q ":"))
		return number(s, &n);
	if (skip(s, Q "is_pinned" Q ":"))
		return skip(s, "true") || skip(s, "false");
	if (skip(s, Q "parent_id" Q ":" Q) || skip(s, Q "original_id" Q ":" Q))
		return id(s, other);
	return 0;
}

/*
 * Behind the text. A quote that ends it has one backslash before it, from
 * the event; each backslash of the text became four, one of its quotes has
 * three. A quote without any is the end of the whole post.
 */
static int
text(struct scan *s)
{
	const char *q, *p;

	while ((q = memchr(s->p, '"', (size_t)(s->end - s->p))) != NULL) {
		for (p = q; p > s->p && p[-1] == '\\'; p--)
			continue;
		s->p = q + 1;
		if ((q - p) % 2 == 0)
			return 0;
		if ((q - p) % 4 == 1)
			return 1;
	}
	return 0;
}

static int
post(struct scan *s, struct inbound *in)
{
	int n;

	for (n = 0; !skip(s, Q "message" Q ":" Q); n++)
		if (n == MEMBERS_MAX || !member(s, in) || !skip(s, ","))
			return 0;
	return text(s) && skip(s, "," Q "type" Q ":" Q Q ",");
}

/* The sequence number is the last that an event has. */
static int
sequence(struct scan *s, int64_t *seq)
{
	struct scan tail = *s;

	if (s->end - s->p > NUMBER_MAX + 10)
		tail.p = s->end - (NUMBER_MAX + 10);
	if (!skip_to(&tail, ",\"seq\":") || !number(&tail, seq) ||
	    !skip(&tail, "}"))
		return 0;
	skip(&tail, "\n"); /* Mattermost 5.37 writes one */
	return tail.p == tail.end;
}

static enum event_type
which(struct scan *s)
{
	if (skip(s, "{\"event\":\"posted\","))
		return EVENT_POSTED;
	return skip(s, "{\"event\":\"post_edited\",") ? EVENT_EDITED :
							EVENT_OTHER;
}

int
echo_read(const char *bytes, size_t len, const char *account,
    const char *bot_id, struct event *ev)
{
	struct scan s = {bytes, bytes + len};
	struct inbound *in;

	memset(ev, 0, sizeof(*ev));
	if (!mm_id_valid(bot_id) || len > DECODE_MAX)
		return 0;
	ev->type = which(&s);
	/* Bare quotes: no text of anybody's, it would have them escaped. */
	if (ev->type == EVENT_OTHER || !sequence(&s, &ev->seq) ||
	    (!skip(&s, "\"data\":{\"post\":\"{") &&
		!skip_to(&s, ",\"post\":\"{")))
		return 0;
	ev->kind = ev->type == EVENT_POSTED ? INBOUND_POST : INBOUND_EDIT;
	in = ev->in = inbound_new(ev->kind);
	if (!post(&s, in) || strcmp(in->actor_id, bot_id) != 0 ||
	    in->post_id[0] == '\0' || in->channel_id[0] == '\0' ||
	    in->create_at == 0 || in->delete_at != 0 ||
	    strlcpy(in->account, account, sizeof(in->account)) >=
		sizeof(in->account)) {
		event_clear(ev);
		return 0;
	}
	in->actor_is_bot = TRI_YES;
	inbound_make_event_id(in);
	strlcpy(ev->name, ev->type == EVENT_POSTED ? "posted" : "post_edited",
	    sizeof(ev->name));
	memcpy(ev->post_id, in->post_id, MM_ID_SIZE);
	memcpy(ev->channel_id, in->channel_id, MM_ID_SIZE);
	memcpy(ev->user_id, in->actor_id, MM_ID_SIZE);
	return 1;
}
