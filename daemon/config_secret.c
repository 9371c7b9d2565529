#include "config.h"

#include <sys/stat.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/secret.h"
#include "daemon/config_private.h"
#include "daemon/json5.h"

#define ARGS_MAX 32
#define ENV_NAME_MAX 127 /* characters after the first */

static int
is_env_name(const char *s, size_t len)
{
	size_t i;

	if (len == 0 || len > ENV_NAME_MAX + 1 || *s < 'A' || *s > 'Z')
		return 0;
	for (i = 0; i < len; i++)
		if (!(s[i] >= 'A' && s[i] <= 'Z') &&
		    !isdigit((unsigned char)s[i]) && s[i] != '_')
			return 0;
	return 1;
}

void
config_secret_literal(
    struct config_ctx *ctx, const struct cval *at, const char *path)
{
	int lenient;

	if (ctx->told_mode || (ctx->mode & (S_IROTH | S_IRGRP)) == 0)
		return;
	ctx->told_mode = 1;
	lenient = ctx->lenient;
	ctx->lenient = 0;
	if (ctx->mode & S_IROTH)
		config_say(ctx, CONFIG_ERROR, at,
		    "%s: a secret stands here and everybody can read this "
		    "file: chmod 600 it, or name a file or variable instead",
		    path);
	else
		config_say(ctx, CONFIG_WARNING, at,
		    "%s: a secret stands here and the file's group can read it",
		    path);
	ctx->lenient = lenient;
}

static enum config_got
from_env(const struct config_want *w, const char *name, size_t len,
    struct secret **out)
{
	char var[ENV_NAME_MAX + 2], from[ENV_NAME_MAX + 32];
	const char *value;

	if (!is_env_name(name, len)) {
		config_say(w->ctx, CONFIG_ERROR, w->at,
		    "%s: not a name of an environment variable (A-Z, 0-9, _)",
		    w->path);
		return CONFIG_FAILED;
	}
	memcpy(var, name, len);
	var[len] = '\0';
	snprintf(from, sizeof(from), "environment variable %s", var);
	if ((value = getenv(var)) == NULL) {
		config_say(w->ctx, CONFIG_ERROR, w->at, "%s: %s is not set",
		    w->path, from);
		return CONFIG_FAILED;
	}
	return config_secret_take(w, value, strlen(value), from, out);
}

/* secrets.providers.<name>, or NULL when there is none of that name. */
static const struct cval *
provider(const struct config_want *w, const struct cval *ref)
{
	const char *name = cval_string(cval_find(ref, "provider"), NULL);

	if (name == NULL)
		return NULL;
	return cval_get(cval_path(w->ctx->root, "secrets.providers"), name);
}

/*
 * path alone: the file is the secret. path and id: a pointer into its JSON.
 * A provider: its path, id is the pointer or "value". id alone: a path.
 */
static enum config_got
from_file(const struct config_want *w, const struct cval *ref,
    struct secret **out)
{
	const char *path = cval_string(cval_find(ref, "path"), NULL);
	const char *id = cval_string(cval_find(ref, "id"), NULL);
	const struct cval *p = provider(w, ref);
	int single;

	if (p != NULL) {
		single = strcmp(cval_string(cval_get(p, "mode"), "json"),
		    "singleValue") == 0;
		path = cval_string(cval_get(p, "path"), NULL);
		if (single || (id != NULL && strcmp(id, "value") == 0))
			return config_secret_file(w, path, NULL, out);
	} else if (path == NULL) {
		return config_secret_file(w, id, NULL, out);
	} else if (id == NULL || strcmp(id, "value") == 0) {
		return config_secret_file(w, path, NULL, out);
	}
	if (id == NULL || *id != '/') {
		config_say(w->ctx, CONFIG_ERROR, w->at,
		    "%s: id must be a JSON pointer (\"/a/b\") or \"value\"",
		    w->path);
		return CONFIG_FAILED;
	}
	return config_secret_file(w, path, id, out);
}

/* A word for a JSON string or a pointer: no quoting is ever needed. */
static int
is_exec_id(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
			     "uvwxyz0123456789._:/#-");

	return n > 0 && n <= 256 && s[n] == '\0' && strstr(s, "..") == NULL;
}

static void
add_strings(const struct cval *list, const char **argv, size_t *n)
{
	const struct cval *m;

	if (list == NULL || list->type != CVAL_ARR)
		return;
	for (m = list->first; m != NULL && *n < ARGS_MAX; m = m->next)
		if (m->type == CVAL_STR)
			argv[(*n)++] = m->str;
}

/* {"values":{id:secret}}, what a provider of the peer answers with. */
static enum config_got
from_answer(const struct config_want *w, const char *text, size_t len,
    const char *id, const char *from, struct secret **out)
{
	struct json5_error err;
	struct cval *tree = json5_parse(text, len, &err);
	const struct cval *v = cval_find(cval_find(tree, "values"), id);
	enum config_got got = CONFIG_FAILED;

	if (v == NULL || v->type != CVAL_STR)
		config_say(w->ctx, CONFIG_ERROR, w->at,
		    "%s: %s has no value for \"%s\"", w->path, from, id);
	else
		got = config_secret_take(w, v->str, v->str_len, from, out);
	cval_free(tree);
	return got;
}

static enum config_got
run(const struct config_want *w, struct config_exec *x, const char *id,
    struct secret **out)
{
	char why[256];
	enum config_got got;
	size_t len;
	char *buf;

	x->deadline = monotime_add(monotime_now(), CONFIG_EXEC_MS);
	if (monotime_diff(x->deadline, w->ctx->programs_end) < 0)
		x->deadline = w->ctx->programs_end;
	if (monotime_left(x->deadline) == 0) {
		config_say(w->ctx, CONFIG_ERROR, w->at,
		    "%s: %s: not run: those before it took %d seconds", w->path,
		    x->argv[0], CONFIG_EXEC_ALL_MS / 1000);
		return CONFIG_FAILED;
	}
	buf = config_exec_run(x, CONFIG_SECRET_FILE_MAX, &len, why, sizeof(why));
	if (buf == NULL) {
		config_say(w->ctx, CONFIG_ERROR, w->at, "%s: %s", w->path, why);
		return CONFIG_FAILED;
	}
	if (id != NULL)
		got = from_answer(w, buf, len, id, x->argv[0], out);
	else
		got = config_secret_take(w, buf, len, x->argv[0], out);
	freezero(buf, CONFIG_SECRET_FILE_MAX + 2);
	return got;
}

static enum config_got
from_exec(const struct config_want *w, const struct cval *ref,
    struct secret **out)
{
	const char *argv[ARGS_MAX + 1], *env[ARGS_MAX + 1], *id;
	const struct cval *p = provider(w, ref), *cmd;
	struct config_exec x = {.argv = argv, .env = env};
	enum config_got got;
	size_t n = 0, nenv = 0;
	char *input = NULL;

	id = cval_string(cval_find(ref, "id"), NULL);
	cmd = cval_find(p != NULL ? p : ref, "command");
	if (cmd != NULL && cmd->type == CVAL_STR)
		argv[n++] = cmd->str;
	else
		add_strings(cmd, argv, &n);
	if (n == 0 || (id != NULL && !is_exec_id(id)) ||
	    (p != NULL && id == NULL)) {
		config_say(w->ctx, CONFIG_ERROR, w->at, n == 0
		    ? "%s: exec needs a command"
		    : "%s: exec needs an id of letters, digits and ._:/#-",
		    w->path);
		return CONFIG_FAILED;
	}
	add_strings(cval_find(p != NULL ? p : ref, "args"), argv, &n);
	add_strings(cval_find(p != NULL ? p : ref, "passEnv"), env, &nenv);
	argv[n] = env[nenv] = NULL;
	if (p != NULL) {
		input = config_printf(
		    "{\"protocolVersion\":1,\"provider\":\"%s\",\"ids\":[\"%s\"]}",
		    is_exec_id(p->key) ? p->key : "", id);
		x.input = input;
		x.input_len = strlen(input);
	}
	got = run(w, &x,
	    p != NULL && cval_bool(cval_get(p, "jsonOnly"), 1) ? id : NULL, out);
	free(input);
	return got;
}

/* systemd.exec(5) LoadCredential=: a file of that name. */
static enum config_got
from_credential(const struct config_want *w, const char *id,
    struct secret **out)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	enum config_got got;
	char *file;

	if (dir == NULL || *dir != '/' || id == NULL || *id == '\0' ||
	    strchr(id, '/') != NULL || *id == '.') {
		config_say(w->ctx, CONFIG_ERROR, w->at, dir == NULL
		    ? "%s: the service manager gave no credentials"
		    : "%s: a credential needs its name as id", w->path);
		return CONFIG_FAILED;
	}
	file = config_printf("%s/%s", dir, id);
	got = config_secret_file(w, file, NULL, out);
	free(file);
	return got;
}

static int
check_ref(const struct config_want *w, const struct cval *ref)
{
	static const char *const keys[] = {"source", "provider", "id", "path",
	    "command", "args", "passEnv", NULL};
	const struct cval *m;
	int bad = 0;
	size_t i;

	for (m = ref->first; m != NULL; m = m->next) {
		for (i = 0; keys[i] != NULL; i++)
			if (strcmp(keys[i], m->key) == 0)
				break;
		if (keys[i] != NULL)
			continue;
		config_say_key(w->ctx, CONFIG_ERROR, m, "%s.%s: unknown key: "
		    "it is { source: \"env\", id: \"NAME\" } or { source: "
		    "\"file\", path: \"/...\" }", w->path, m->key);
		bad = -1;
	}
	return bad;
}

/* A reference that is whole by itself may name anybody. */
static int
check_provider(const struct config_want *w, const struct cval *ref)
{
	const char *name = cval_string(cval_find(ref, "provider"), NULL);

	if (name == NULL || provider(w, ref) != NULL ||
	    cval_find(ref, "path") != NULL || cval_find(ref, "command") != NULL)
		return 0;
	config_say(w->ctx, CONFIG_ERROR, w->at,
	    "%s: there is no secrets.providers.%s", w->path, name);
	return -1;
}

static enum config_got
from_ref(const struct config_want *w, const struct cval *ref,
    struct secret **out)
{
	const char *source = cval_string(cval_find(ref, "source"), "");
	const char *id = cval_string(cval_find(ref, "id"), NULL);
	int provided = strcmp(source, "file") == 0 ||
	    strcmp(source, "exec") == 0;

	if (check_ref(w, ref) == -1 ||
	    (provided && check_provider(w, ref) == -1))
		return CONFIG_FAILED;
	if (strcmp(source, "env") == 0)
		return from_env(w, id == NULL ? "" : id,
		    id == NULL ? 0 : strlen(id), out);
	if (strcmp(source, "file") == 0)
		return from_file(w, ref, out);
	if (strcmp(source, "exec") == 0)
		return from_exec(w, ref, out);
	if (strcmp(source, "credential") == 0)
		return from_credential(w, id, out);
	if (strcmp(source, "store") == 0)
		config_say(w->ctx, CONFIG_ERROR, w->at,
		    "%s: there is no secret store here: use env, file, exec or "
		    "credential", w->path);
	else
		config_say(w->ctx, CONFIG_ERROR, w->at,
		    "%s: source must be one of \"env\", \"file\", \"exec\", "
		    "\"credential\"", w->path);
	return CONFIG_FAILED;
}

/* The name in $NAME or ${NAME}, or NULL: then it is a literal. */
static const char *
shorthand(const char *s, size_t *len)
{
	size_t n = strlen(s);

	if (n < 2 || *s != '$')
		return NULL;
	if (s[1] == '{' && s[n - 1] == '}') {
		*len = n - 3;
		s += 2;
	} else {
		*len = n - 1;
		s++;
	}
	return is_env_name(s, *len) ? s : NULL;
}

/*
 * A reference that many accounts inherit is followed once: it may run a
 * program.
 */
static enum config_got
from_ref_once(const struct config_want *w, const struct cval *ref,
    struct secret **out)
{
	struct config_followed *f;

	for (f = w->ctx->followed; f != NULL; f = f->next)
		if (f->ref == ref)
			break;
	if (f == NULL) {
		if ((f = calloc(1, sizeof(*f))) == NULL)
			fatal("calloc");
		f->ref = ref;
		f->got = from_ref(w, ref, &f->secret);
		f->next = w->ctx->followed;
		w->ctx->followed = f;
	}
	if (f->got == CONFIG_GOT)
		*out = secret_new(
		    secret_bytes(f->secret), secret_len(f->secret));
	return f->got;
}

void
config_secret_forget(struct config_ctx *ctx)
{
	struct config_followed *f;

	while ((f = ctx->followed) != NULL) {
		ctx->followed = f->next;
		secret_free(f->secret);
		free(f);
	}
}

enum config_got
config_secret_get(struct config_ctx *ctx, const struct cval *v,
    const char *path, struct secret **out)
{
	struct config_want w = {ctx, v, path};
	const char *name;
	size_t len;

	*out = NULL;
	if (v == NULL)
		return CONFIG_MISSING;
	if (v->type == CVAL_OBJ)
		return from_ref_once(&w, v, out);
	if (v->str[strspn(v->str, " \t\r\n")] == '\0')
		return CONFIG_MISSING;
	if ((name = shorthand(v->str, &len)) != NULL)
		return from_env(&w, name, len, out);
	if (strncmp(v->str, "secretref-env:", 14) == 0 ||
	    strncmp(v->str, "__env__:", 8) == 0)
		config_say(ctx, CONFIG_WARNING, v,
		    "%s: an old way to name a variable is taken for the secret "
		    "itself: write \"$NAME\"", path);
	config_secret_literal(ctx, v, path);
	return config_secret_take(&w, v->str, v->str_len, "the secret", out);
}
