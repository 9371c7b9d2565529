#include "config.h"

#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/secret.h"
#include "daemon/config_private.h"
#include "daemon/json5.h"

/* What was found becomes a secret, whole or out of a file. */

static void
trim(const char **s, size_t *len)
{
	while (*len > 0 && isspace((unsigned char)(*s)[*len - 1]))
		(*len)--;
	while (*len > 0 && isspace((unsigned char)**s)) {
		(*s)++;
		(*len)--;
	}
}

enum config_got
config_secret_take(const struct config_want *w, const char *s, size_t len,
    const char *from, struct secret **out)
{
	size_t i;

	trim(&s, &len);
	if (len == 0) {
		config_say(w->ctx, CONFIG_ERROR, w->at, "%s: %s is empty",
		    w->path, from);
		return CONFIG_FAILED;
	}
	for (i = 0; i < len; i++)
		if (iscntrl((unsigned char)s[i])) {
			config_say(w->ctx, CONFIG_ERROR, w->at,
			    "%s: %s has more than one line or a control "
			    "character", w->path, from);
			return CONFIG_FAILED;
		}
	if ((*out = secret_new(s, len)) == NULL) {
		config_say(w->ctx, CONFIG_ERROR, w->at,
		    "%s: %s is longer than %d bytes", w->path, from,
		    SECRET_MAX);
		return CONFIG_FAILED;
	}
	return CONFIG_GOT;
}

/* A whole file; NULL has been said. The caller's, freezero() with *len. */
static char *
read_file(const struct config_want *w, const char *file, size_t *len)
{
	struct stat st;
	char *buf = NULL;
	const char *why = NULL;
	ssize_t n;
	int fd;

	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1 || fstat(fd, &st) == -1)
		why = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		why = "not a file";
	else if (st.st_mode & S_IROTH)
		why = "everybody can read it: chmod 600 it";
	else if (st.st_size > (off_t)CONFIG_SECRET_FILE_MAX)
		why = "too large for a secret";
	if (why == NULL) {
		if (st.st_mode & S_IRGRP)
			config_say(w->ctx, CONFIG_WARNING, w->at,
			    "%s: %s: its group can read it", w->path, file);
		if ((buf = malloc(CONFIG_SECRET_FILE_MAX + 1)) == NULL)
			fatal("malloc");
		*len = 0;
		while ((n = read(fd, buf + *len, CONFIG_SECRET_FILE_MAX - *len)) > 0)
			*len += (size_t)n;
		if (n == -1) {
			why = strerror(errno);
			freezero(buf, CONFIG_SECRET_FILE_MAX + 1);
			buf = NULL;
		}
	}
	if (why != NULL)
		config_say(w->ctx, CONFIG_ERROR, w->at, "%s: %s: %s", w->path,
		    file, why);
	if (fd != -1)
		close(fd);
	return buf;
}

/* One step of RFC 6901 from v along *p; *p is moved on. */
static const struct cval *
pointer_step(const struct cval *v, const char **p)
{
	char name[256];
	size_t n = 0, i;
	const struct cval *m;

	for ((*p)++; **p != '\0' && **p != '/'; (*p)++) {
		if (n + 1 >= sizeof(name))
			return NULL;
		if (**p == '~' && ((*p)[1] == '0' || (*p)[1] == '1'))
			name[n++] = *++*p == '0' ? '~' : '/';
		else
			name[n++] = **p;
	}
	name[n] = '\0';
	if (v->type == CVAL_OBJ)
		return cval_find(v, name);
	if (v->type != CVAL_ARR || n == 0 || strspn(name, "0123456789") != n)
		return NULL;
	m = v->first;
	for (i = strtoul(name, NULL, 10); m != NULL && i > 0; i--)
		m = m->next;
	return m;
}

static enum config_got
from_json(const struct config_want *w, const char *text, size_t len,
    const char *pointer, const char *from, struct secret **out)
{
	struct json5_error err;
	struct cval *tree = json5_parse(text, len, &err);
	const struct cval *v = tree;
	enum config_got got = CONFIG_FAILED;

	if (tree == NULL) {
		config_say(w->ctx, CONFIG_ERROR, w->at,
		    "%s: %s:%d:%d: %s", w->path, from, err.line, err.column,
		    err.text);
		return CONFIG_FAILED;
	}
	while (v != NULL && *pointer == '/')
		v = pointer_step(v, &pointer);
	if (v == NULL || v->type != CVAL_STR)
		config_say(w->ctx, CONFIG_ERROR, w->at,
		    "%s: %s has no string there", w->path, from);
	else
		got = config_secret_take(w, v->str, v->str_len, from, out);
	cval_free(tree);
	return got;
}

enum config_got
config_secret_file(const struct config_want *w, const char *file,
    const char *pointer, struct secret **out)
{
	enum config_got got;
	size_t len;
	char *buf;

	if (file == NULL || *file != '/') {
		config_say(w->ctx, CONFIG_ERROR, w->at,
		    "%s: a file needs an absolute path", w->path);
		return CONFIG_FAILED;
	}
	if ((buf = read_file(w, file, &len)) == NULL)
		return CONFIG_FAILED;
	if (pointer != NULL)
		got = from_json(w, buf, len, pointer, file, out);
	else
		got = config_secret_take(w, buf, len, file, out);
	freezero(buf, CONFIG_SECRET_FILE_MAX + 1);
	return got;
}
