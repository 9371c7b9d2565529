#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/fields.h"
#include "common/log.h"
#include "common/strbuf.h"
#include "common/utf8.h"
#include "workers/account/outtext.h"
#include "workers/account/route.h"
#include "workers/account/text/chunk.h"
#include "workers/account/text/reasoning.h"
#include "workers/account/text/replytag.h"

#define SILENT "NO_REPLY" /* what prompts for OpenClaw say */
#define LIMIT_DEFAULT 4000
#define LIMIT_MAX 16383
#define PREFIX_MAX 4096

static char *
dup_or_null(const char *s)
{
	char *copy;

	if (s == NULL || *s == '\0')
		return NULL;
	if ((copy = strdup(s)) == NULL)
		fatal("strdup");
	return copy;
}

static int
agent_read(struct out_agent *a, struct json_object *o)
{
	struct fields f;

	fields_open(&f, o);
	route_normal_id(fields_str(&f, "id", ACCOUNT_ID_SIZE - 1), a->id);
	a->name = dup_or_null(fields_opt_str(&f, "name", 1024));
	if (a->name == NULL)
		a->name = dup_or_null(fields_opt_str(&f, "label", 1024));
	a->model = dup_or_null(fields_opt_str(&f, "model", 1024));
	return fields_ok(&f);
}

const char *
out_cfg_read(struct out_cfg *c, struct json_object *config)
{
	struct json_object *list, *o;
	const char *s;
	struct fields f, g;
	size_t i, n;

	memset(c, 0, sizeof(*c));
	fields_open(&f, config);
	c->limit = (size_t)fields_opt_int(
	    &f, "textChunkLimit", 1, LIMIT_MAX, LIMIT_DEFAULT);
	fields_open(&g, (o = fields_opt_obj(&f, "streaming")));
	if (o != NULL && (s = fields_opt_str(&g, "chunkMode", 16)) != NULL)
		c->newline = strcmp(s, "newline") == 0;
	fields_open(&g, (o = fields_opt_obj(&f, "markdown")));
	if (o != NULL && (s = fields_opt_str(&g, "tables", 16)) != NULL)
		c->tables = tables_mode(s);
	c->prefix = dup_or_null(fields_opt_str(&f, "responsePrefix", PREFIX_MAX));
	list = fields_opt_arr(&f, "agents", 1000);
	n = list == NULL ? 0 : json_object_array_length(list);
	if ((c->agents = calloc(n + 1, sizeof(*c->agents))) == NULL)
		fatal("calloc");
	for (i = 0; i < n; i++)
		if (agent_read(&c->agents[c->n_agents++],
			json_object_array_get_idx(list, i)) == -1)
			return "agents";
	return fields_ok(&f) == -1 ? fields_error(&f) : NULL;
}

void
out_cfg_clear(struct out_cfg *c)
{
	size_t i;

	for (i = 0; i < c->n_agents; i++) {
		free(c->agents[i].name);
		free(c->agents[i].model);
	}
	free(c->agents);
	free(c->prefix);
	memset(c, 0, sizeof(*c));
}

static const struct out_agent *
agent_find(const struct out_cfg *c, const char *id)
{
	static const struct out_agent nobody;
	size_t i;

	for (i = 0; i < c->n_agents; i++)
		if (strcmp(c->agents[i].id, id) == 0)
			return &c->agents[i];
	return &nobody;
}

/* 1 when the variable is known and has a value. */
static int
put_variable(struct strbuf *b, const struct out_agent *a, const char *name,
    size_t len)
{
	static const struct {
		const char *name;
		char what;
	} all[] = {{"identityName", 'n'}, {"identity.name", 'n'},
	    {"model", 'm'}, {"modelFull", 'f'}, {"provider", 'p'}};
	const char *slash = a->model == NULL ? NULL : strchr(a->model, '/');
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strlen(all[i].name) == len &&
		    strncasecmp(all[i].name, name, len) == 0)
			break;
	if (i == sizeof(all) / sizeof(all[0]))
		return 0;
	if (all[i].what == 'n' && a->name != NULL)
		strbuf_puts(b, a->name);
	else if (all[i].what == 'm' && a->model != NULL)
		strbuf_puts(b, slash == NULL ? a->model : slash + 1);
	else if (all[i].what == 'f' && a->model != NULL)
		strbuf_puts(b, a->model);
	else if (all[i].what == 'p' && slash != NULL)
		strbuf_add(b, a->model, (size_t)(slash - a->model));
	else
		return 0;
	return 1;
}

char *
out_prefix(const struct out_cfg *c, const char *agent)
{
	const struct out_agent *a = agent_find(c, agent);
	const char *s = c->prefix == NULL ? "" : c->prefix, *end;
	struct strbuf b = STRBUF_INIT;

	if (strcmp(s, "auto") == 0)
		s = a->name == NULL ? "" : "[{identityName}]";
	while (*s != '\0') {
		if (*s == '{' && (end = strchr(s, '}')) != NULL &&
		    put_variable(&b, a, s + 1, (size_t)(end - s - 1))) {
			s = end + 1;
			continue;
		}
		strbuf_putc(&b, *s++);
	}
	return strbuf_take(&b);
}

static const char *
skip_blank(const char *s)
{
	return s + utf8_skip_blank(s, strlen(s));
}

int
out_silent(const char *text)
{
	const char *s = skip_blank(text);
	size_t len = strlen(SILENT);

	if (*s == '\0' || reasoning_suppressed(s, 0))
		return 1;
	return strncmp(s, SILENT, len) == 0 && *skip_blank(s + len) == '\0';
}

int
out_hold(const char *text)
{
	const char *s = skip_blank(text);
	size_t len = utf8_rtrim(s, strlen(s));

	return out_silent(text) ||
	    (len < strlen(SILENT) && strncmp(SILENT, s, len) == 0) ||
	    replytag_possible(s) ||
	    reasoning_possible(s);
}

char *
out_render(const struct out_cfg *c, const char *text, const char *prefix)
{
	struct strbuf b = STRBUF_INIT;
	char *s = utf8_trim(text), *converted;

	if (*s == '\0')
		return s;
	if (c->tables != TABLES_OFF) {
		converted = tables_convert(s, c->tables);
		free(s);
		s = converted;
	}
	if (*prefix == '\0' || strncmp(s, prefix, strlen(prefix)) == 0)
		return s;
	strbuf_puts(&b, prefix);
	strbuf_putc(&b, ' ');
	strbuf_puts(&b, s);
	free(s);
	return strbuf_take(&b);
}

char **
out_chunks(const struct out_cfg *c, const char *rendered, size_t *n)
{
	return c->newline ? chunk_newline(rendered, c->limit, n)
			  : chunk_length(rendered, c->limit, n);
}
