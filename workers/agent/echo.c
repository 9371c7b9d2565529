#include "config.h"

#include <string.h>

#include "workers/agent/agent.h"
#include "workers/agent/answer.h"

/*
 * The runtime without a model: the answer is the message. It makes a first
 * start work offline, and tests of everything around it simple.
 */
static void
echo_start(struct turn *t)
{
	struct answer a;
	const char prefix[] = "echo: ";

	answer_init(&a, AGENT_ANSWER_MAX);
	answer_add(&a, prefix, strlen(prefix));
	answer_add(&a, t->ask.text, strlen(t->ask.text));
	if (*t->note != '\0') {
		if (*t->ask.text != '\0')
			answer_add(&a, "\n", 1);
		answer_add(&a, t->note, strlen(t->note));
	}
	answer_end(&a);
	turn_final(t, strbuf_str(&a.text), a.text.len, NULL, NULL);
	answer_free(&a);
}

const struct runtime echo_runtime = {
    .name = "echo",
    .start = echo_start,
};
