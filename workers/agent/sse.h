/*
 * Server-sent events (WHATWG HTML, "9.2.6 Interpreting an event stream"),
 * parsed as the bytes come in, in pieces of any size.
 *
 * Pure: no I/O. One event holds at most max bytes; a stream that wants more
 * is refused. Where the standard drops an event that the end of the stream
 * cut off, sse_end() hands it out: some model servers leave out the last
 * blank line.
 */
#ifndef WORKERS_AGENT_SSE_H
#define WORKERS_AGENT_SSE_H

#include <stddef.h>

#include "common/strbuf.h"

#define SSE_NAME_MAX 64 /* longer event names are cut: ours are short */

/*
 * name: "message" when the stream named none. data: NUL-terminated, lines
 * joined by '\n', borrowed for the call. Not 0 stops the parser for good.
 * Must not call into the parser.
 */
typedef int (*sse_event_fn)(
    void *arg, const char *name, const char *data, size_t len);

enum sse_status {
	SSE_OK,
	SSE_STOPPED, /* by the callback */
	SSE_TOOBIG   /* a line or an event over max */
};

struct sse {
	sse_event_fn fn;
	void *arg;
	size_t max;
	struct strbuf line; /* of which the end has not come */
	struct strbuf data;
	char name[SSE_NAME_MAX];
	unsigned garbage;
	int has_data;
	int after_cr;
	int begun;
	enum sse_status stopped;
};

/* max: bytes of a line or an event. fn is called within feed() and end(). */
void sse_init(struct sse *, size_t max, sse_event_fn, void *arg);
void sse_free(struct sse *);
/* Any status but SSE_OK is final: later calls repeat it and do nothing. */
enum sse_status sse_feed(struct sse *, const char *p, size_t len);
/* The stream has ended: a last line or event without its end counts. */
enum sse_status sse_end(struct sse *);
/* Lines so far that no event stream should have (unknown field names). */
unsigned sse_garbage(const struct sse *);

#endif
