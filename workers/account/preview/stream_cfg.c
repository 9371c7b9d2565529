#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields.h"
#include "common/log.h"
#include "common/proto.h"
#include "common/text.h"
#include "common/utf8.h"
#include "workers/account/preview/stream_cfg.h"

/* OpenClaw's defaults. */
#define LINES 8
#define LINE_CHARS 120
#define BLOCK_MIN 1500
#define BLOCK_IDLE_MS 1000
#define LABEL "Working"
#define LABEL_MAX 1024

static enum stream_mode
mode_named(const char *s)
{
	if (s == NULL)
		return STREAM_PARTIAL;
	if (strcmp(s, "off") == 0)
		return STREAM_OFF;
	if (strcmp(s, "block") == 0)
		return STREAM_BLOCK;
	if (strcmp(s, "progress") == 0)
		return STREAM_PROGRESS;
	return STREAM_PARTIAL;
}

/* label: a text, "auto", or false. */
static void
read_label(struct stream_cfg *c, struct json_object *progress)
{
	struct json_object *v = NULL;
	const char *s;

	if (progress == NULL ||
	    !json_object_object_get_ex(progress, "label", &v))
		return;
	if (json_object_is_type(v, json_type_boolean)) {
		c->no_label = !json_object_get_boolean(v);
		return;
	}
	if (!json_object_is_type(v, json_type_string))
		return;
	s = json_object_get_string(v);
	if (strcmp(s, "auto") == 0)
		return;
	if (utf8_is_blank(s, strlen(s)))
		c->no_label = 1;
	else
		c->label = text_dup(s);
}

static void
read_labels(struct stream_cfg *c, struct json_object *list)
{
	size_t i, n = list == NULL ? 0 : json_object_array_length(list);
	const char *s;

	if ((c->labels = calloc(n + 1, sizeof(*c->labels))) == NULL)
		fatal("calloc");
	for (i = 0; i < n; i++) {
		s = json_object_get_string(json_object_array_get_idx(list, i));
		if (s != NULL && strlen(s) <= LABEL_MAX &&
		    !utf8_is_blank(s, strlen(s)))
			c->labels[c->n_labels++] = text_dup(s);
	}
	if (c->n_labels == 0)
		c->labels[c->n_labels++] = text_dup(LABEL);
}

static int
is_raw(struct fields *f)
{
	const char *s = fields_opt_str(f, "commandText", 16);

	return s != NULL && strcmp(s, "raw") == 0;
}

static const char *
read_block(struct stream_cfg *c, struct json_object *block, size_t limit)
{
	struct fields f, g;

	fields_open(&f, block);
	c->block_min = BLOCK_MIN;
	c->block_max = limit;
	c->block_idle_ms = BLOCK_IDLE_MS;
	if (block == NULL)
		return NULL;
	c->blocks = fields_opt_bool(&f, "enabled", 0);
	fields_open(&g, fields_opt_obj(&f, "coalesce"));
	if (g.obj == NULL)
		return fields_ok(&f) == -1 ? "streaming.block" : NULL;
	c->block_min = (size_t)fields_opt_int(
	    &g, "minChars", 1, INT32_MAX, BLOCK_MIN);
	c->block_max = (size_t)fields_opt_int(
	    &g, "maxChars", 1, INT32_MAX, (int64_t)limit);
	c->block_idle_ms = fields_opt_int(
	    &g, "idleMs", 0, INT32_MAX, BLOCK_IDLE_MS);
	if (c->block_max > limit)
		c->block_max = limit;
	if (c->block_min > c->block_max)
		c->block_min = c->block_max;
	return fields_ok(&f) == -1 || fields_ok(&g) == -1 ? "streaming.block"
							  : NULL;
}

const char *
stream_cfg_read(
    struct stream_cfg *c, struct json_object *streaming, size_t limit)
{
	struct json_object *progress, *preview;
	struct fields f, p, q;
	int is_progress;

	memset(c, 0, sizeof(*c));
	fields_open(&f, streaming);
	c->mode = STREAM_PARTIAL;
	if (streaming != NULL)
		c->mode = mode_named(fields_opt_str(&f, "mode", 16));
	is_progress = c->mode == STREAM_PROGRESS;
	progress = streaming ? fields_opt_obj(&f, "progress") : NULL;
	preview = streaming ? fields_opt_obj(&f, "preview") : NULL;
	fields_open(&p, progress);
	fields_open(&q, preview);
	c->tools = !is_progress;
	if (preview != NULL) {
		c->tools = fields_opt_bool(&q, "toolProgress", c->tools);
		c->raw = is_raw(&q);
	}
	c->max_lines = LINES;
	c->max_chars = LINE_CHARS;
	if (progress != NULL) {
		if (is_progress) {
			c->tools = fields_opt_bool(&p, "toolProgress", 0);
			c->raw = is_raw(&p);
		}
		c->max_lines = (size_t)fields_opt_int(
		    &p, "maxLines", 1, 1000, LINES);
		c->max_chars = (unsigned)fields_opt_int(
		    &p, "maxLineChars", 1, 4000, LINE_CHARS);
	}
	read_label(c, progress);
	read_labels(c, progress ? fields_opt_arr(&p, "labels", PROTO_LIST) : NULL);
	if (read_block(c, streaming ? fields_opt_obj(&f, "block") : NULL,
		limit) != NULL)
		return "streaming.block";
	if ((streaming != NULL && fields_ok(&f) == -1) ||
	    (progress != NULL && fields_ok(&p) == -1) ||
	    (preview != NULL && fields_ok(&q) == -1))
		return "streaming";
	return NULL;
}

void
stream_cfg_clear(struct stream_cfg *c)
{
	while (c->n_labels > 0)
		free(c->labels[--c->n_labels]);
	free(c->labels);
	free(c->label);
	memset(c, 0, sizeof(*c));
}

/* FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint32_t
fnv(uint32_t h, const char *s)
{
	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

const char *
stream_label(
    const struct stream_cfg *c, const char *account, const char *channel)
{
	uint32_t h;

	if (c->no_label)
		return "";
	if (c->label != NULL)
		return c->label;
	h = fnv(fnv(fnv(2166136261u, account), ":"), channel);
	return c->labels[h % c->n_labels];
}
