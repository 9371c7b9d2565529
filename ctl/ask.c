#include "config.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/log.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/parse.h"

void
ask_str(struct json_object *o, const char *key, const char *value)
{
	if (value != NULL)
		json_object_object_add(o, key, json_object_new_string(value));
}

void
ask_complain(const char *fmt, ...)
{
	int red = output_colours(STDERR_FILENO);
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	output_harmless(text);
	fprintf(stderr, "%sposternctl: %s%s\n", red ? "\033[31m" : "", text,
	    red ? "\033[0m" : "");
}

/* Of a file there may be much to say: a line for each. */
static void
complain_lines(const char *text)
{
	char *copy = strdup(text), *rest = copy, *line;

	if (copy == NULL)
		fatal("strdup");
	ask_complain("%s", strsep(&rest, "\n"));
	while ((line = strsep(&rest, "\n")) != NULL) {
		output_harmless(line);
		fprintf(stderr, "%s\n", line);
	}
	free(copy);
}

/* The same for programs; data may be NULL. */
static void
error_json(const struct invocation *inv, const char *text,
    struct json_object *data)
{
	struct json_object *o;

	if ((inv->given & OPT_JSON) == 0)
		return;
	o = json_object_new_object();
	add_bool(o, "ok", 0);
	ask_str(o, "error", text);
	if (data != NULL)
		add_obj(o, "data", json_object_get(data));
	output_json(o);
	json_object_put(o);
}

void
ask_fail(const struct invocation *inv, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ask_complain("%s", text);
	error_json(inv, text, NULL);
}

static void
complain(const struct invocation *inv, const struct answer *a)
{
	complain_lines(a->text == NULL ? "the daemon refused" : a->text);
	error_json(inv, a->text, a->data);
}

int
ask_daemon(const struct invocation *inv, const char *verb,
    struct json_object *args, int wait_ms, struct answer *a)
{
	return ask_with_files(inv, verb, args, NULL, 0, wait_ms, a);
}

int
ask_with_files(const struct invocation *inv, const char *verb,
    struct json_object *args, const struct client_file *files, size_t n,
    int wait_ms, struct answer *a)
{
	if (ask_anyway(inv, verb, args, files, n, wait_ms, a) == -1)
		return -1;
	if (a->ok)
		return 0;
	complain(inv, a);
	client_free(a);
	return -1;
}

int
ask_anyway(const struct invocation *inv, const char *verb,
    struct json_object *args, const struct client_file *files, size_t n,
    int wait_ms, struct answer *a)
{
	if (args == NULL)
		args = json_object_new_object();
	if (client_ask_files(client_socket(inv->socket), verb, args, files, n,
		wait_ms, a) == 0)
		return 0;
	client_free(a);
	return -1;
}
