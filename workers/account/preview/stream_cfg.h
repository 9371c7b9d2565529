/*
 * The configuration of previews, and the first line of progress posts.
 */
#ifndef ACCOUNT_STREAM_CFG_H
#define ACCOUNT_STREAM_CFG_H

#include <stddef.h>
#include <stdint.h>

struct json_object;

enum stream_mode { STREAM_OFF, STREAM_PARTIAL, STREAM_BLOCK, STREAM_PROGRESS };

struct stream_cfg {
	enum stream_mode mode;
	int tools;   /* show what tools do */
	int raw;     /* show commands, not only that there is one */
	size_t max_lines;
	unsigned max_chars; /* UTF-16 units of a line */
	char *label; /* NULL: one of labels */
	int no_label;
	char **labels;
	size_t n_labels;
	/* Mode off: finished blocks as posts. Lengths in UTF-16 units. */
	int blocks;
	size_t block_min;
	size_t block_max;
	int64_t block_idle_ms;
};

/*
 * From the member "streaming" of an account, which may be missing. block_max
 * stays within limit. NULL, or a static text: what has the wrong type.
 */
const char *stream_cfg_read(
    struct stream_cfg *, struct json_object *streaming, size_t limit);
void stream_cfg_clear(struct stream_cfg *);

/* The first line of a progress post in this channel, "" for none. */
const char *stream_label(
    const struct stream_cfg *, const char *account, const char *channel);

#endif
