#include "config.h"

#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workers/agent/answer.h"
#include "workers/agent/stream.h"

#define ANSWER_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/*
 * The body of a model's answer, in pieces of the size that the first byte
 * says. Whatever came in, the text is within its bound and without NUL,
 * and cutting the body in another way makes no difference to it.
 */
static int
run(struct stream *s, const uint8_t *data, size_t size, size_t step)
{
	size_t n;

	stream_init(s, ANSWER_MAX);
	s->offered = 1;
	for (; size > 0; data += n, size -= n) {
		n = size < step ? size : step;
		(void)stream_feed(s, (const char *)data, n);
	}
	return stream_end(s, NULL);
}

/* The calls of tools are within their bounds, and the same again. */
static void
check_tools(struct stream *a, struct stream *b)
{
	struct json_object *o;
	const char *why;
	size_t i;

	toolcalls_end(&a->tools);
	toolcalls_end(&b->tools);
	if (a->tools.n != b->tools.n || a->tools.n > TOOLCALLS_MAX ||
	    a->tools.bytes > TOOLCALLS_BYTES)
		abort();
	for (i = 0; i < a->tools.n; i++) {
		const struct toolcall *x = &a->tools.v[i];
		const struct toolcall *y = &b->tools.v[i];

		if (strcmp(x->id, y->id) != 0 || x->id == NULL ||
		    strcmp(x->name, y->name) != 0 || x->cut != y->cut ||
		    strcmp(strbuf_str(&x->args), strbuf_str(&y->args)) != 0)
			abort();
		o = toolcall_args(x, &why);
		if ((o == NULL) != (why != NULL))
			abort();
		json_object_put(o);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream a, b;
	int ra, rb;

	if (size == 0)
		return 0;
	ra = run(&a, data + 1, size - 1, (size_t)data[0] + 1);
	rb = run(&b, data + 1, size - 1, 1);
	if (ra != rb || a.answer.text.len != b.answer.text.len ||
	    a.answer.escaped > ANSWER_MAX ||
	    strlen(strbuf_str(&a.answer.text)) != a.answer.text.len ||
	    (ra == -1 && a.verdict.code == NULL))
		abort();
	check_tools(&a, &b);
	stream_free(&a);
	stream_free(&b);
	return 0;
}
