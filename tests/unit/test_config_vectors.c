/*
 * The configuration against the vectors: addresses, callback URLs, and the
 * conformance tests of JSON5.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config_private.h"
#include "daemon/json5.h"
#include "tests/unit/vectors.h"

static void
test_base_url(void **state)
{
	struct json_object *cases, *all = vectors_load("base_url", &cases);
	struct json_object *c, *in, *out, *v, *want;
	char base[512];
	const char *text;
	size_t i;
	int rc;

	for (i = 0; i < json_object_array_length(cases); i++) {
		c = json_object_array_get_idx(cases, i);
		json_object_object_get_ex(c, "in", &in);
		json_object_object_get_ex(c, "out", &out);
		json_object_object_get_ex(in, "base_url", &v);
		text = v == NULL ? "" : json_object_get_string(v);
		rc = config_base_url(text, base, sizeof(base));
		if (!json_object_object_get_ex(out, "base", &want))
			assert_int_equal(rc, -1);
		else
			assert_string_equal(base, json_object_get_string(want));
	}
	assert_int_equal(i, 18);
	json_object_put(all);
}

static struct cval *
put_json(struct cval *to, const char *name, struct json_object *in,
    const char *key)
{
	struct json_object *v = NULL;
	struct cval *o = cval_new(CVAL_OBJ, 1, 1), *m;

	cval_put(to, name, o);
	json_object_object_get_ex(in, key, &v);
	if (v == NULL)
		return o;
	json_object_object_foreach(v, k, x)
	{
		if (json_object_is_type(x, json_type_int)) {
			m = cval_new(CVAL_NUM, 1, 1);
			m->is_int = 1;
			m->num = (double)(m->i = json_object_get_int64(x));
		} else {
			m = cval_str(json_object_get_string(x),
			    (size_t)json_object_get_string_len(x), 1, 1);
		}
		cval_put(o, k, m);
	}
	return o;
}

static void
set_env(const char *name, struct json_object *in, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(in, key, &v);
	if (v == NULL)
		unsetenv(name);
	else
		setenv(name, json_object_get_string(v), 1);
}

static void
one_callback(struct json_object *in, struct json_object *out)
{
	struct cval *root = cval_new(CVAL_OBJ, 1, 1);
	struct cval *account = cval_new(CVAL_OBJ, 1, 1), *o;
	struct json_object *v = NULL, *id, *want;
	const char *host;
	char *got;

	put_json(root, "gateway", in, "gateway");
	put_json(account, "commands", in, "commands");
	o = put_json(account, "interactions", in, "-");
	json_object_object_get_ex(in, "callback_base_url", &v);
	if (v != NULL)
		cval_put(o, "callbackBaseUrl",
		    cval_str(json_object_get_string(v),
			(size_t)json_object_get_string_len(v), 1, 1));
	json_object_object_get_ex(in, "account_id", &id);
	set_env("OPENCLAW_GATEWAY_PORT", in, "port_env");
	set_env("OPENCLAW_PROFILE", in, "profile_env");
	/*
	 * Space around a host makes no address that works: we take it off,
	 * and a host of nothing but space is none.
	 */
	host = cval_string(cval_path(root, "gateway.customBindHost"), "");
	if (*host != ' ') {
		got = config_interaction_url(
		    root, account, json_object_get_string(id));
		json_object_object_get_ex(out, "interaction_url", &want);
		assert_string_equal(got, json_object_get_string(want));
		free(got);
		got = config_command_url(root, account);
		json_object_object_get_ex(out, "slash_url", &want);
		assert_string_equal(got, json_object_get_string(want));
		free(got);
	} else {
		got = config_command_url(root, account);
		assert_null(strchr(got, ' '));
		assert_null(strstr(got, "//:"));
		free(got);
	}
	cval_free(root);
	cval_free(account);
}

static void
test_callback_url(void **state)
{
	struct json_object *cases, *all = vectors_load("callback_url", &cases);
	struct json_object *c, *in, *out;
	size_t i;

	for (i = 0; i < json_object_array_length(cases); i++) {
		c = json_object_array_get_idx(cases, i);
		json_object_object_get_ex(c, "in", &in);
		json_object_object_get_ex(c, "out", &out);
		one_callback(in, out);
	}
	assert_true(i >= 30);
	unsetenv("OPENCLAW_GATEWAY_PORT");
	unsetenv("OPENCLAW_PROFILE");
	json_object_put(all);
}

static char *
slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *buf = malloc(65536);

	assert_non_null(f);
	assert_non_null(buf);
	*len = fread(buf, 1, 65535, f);
	buf[*len] = '\0';
	fclose(f);
	return buf;
}

/* What is JSON too must be the same to a reader of JSON. */
static void
same_as_json(const char *path, const char *text, const struct cval *v)
{
	struct json_object *want = json_tokener_parse(text);
	struct json_object *got = cval_json(v);

	int same = v->type == CVAL_NUM
	    ? json_object_get_double(want) == v->num
	    : json_object_equal(want, got);

	if (!same)
		fail_msg("%s: %s", path, json_object_to_json_string(got));
	json_object_put(want);
	json_object_put(got);
}

static void
one_vector(const char *path, unsigned *good, unsigned *bad)
{
	const char *dot = strrchr(path, '.');
	struct json5_error err;
	struct cval *v;
	size_t len;
	char *text;
	int valid;

	if (dot == NULL || strcmp(dot, ".md") == 0 ||
	    strcmp(dot, ".gitattributes") == 0)
		return;
	valid = strcmp(dot, ".json") == 0 || strcmp(dot, ".json5") == 0;
	text = slurp(path, &len);
	v = json5_parse(text, len, &err);
	if (valid && v == NULL)
		fail_msg("%s: %d:%d: %s", path, err.line, err.column, err.text);
	if (!valid && v != NULL)
		fail_msg("%s: taken", path);
	if (!valid && (err.line < 1 || err.column < 1 || err.text[0] == '\0'))
		fail_msg("%s: no place or no text", path);
	/* A JSON reader sees the last duplicate, we keep both. */
	if (strcmp(dot, ".json") == 0 && strstr(path, "duplicate") == NULL)
		same_as_json(path, text, v);
	if (valid)
		(*good)++;
	else
		(*bad)++;
	cval_free(v);
	free(text);
}

static void
test_conformance(void **state)
{
	unsigned good = 0, bad = 0;
	struct dirent *d, *e;
	char where[1024], path[1024], sub[1100];
	DIR *top, *dir;

	snprintf(where, sizeof(where), "%s/json5-tests", vectors_dir());
	if ((top = opendir(where)) == NULL)
		fail_msg("%s: cannot be read", where);
	while ((d = readdir(top)) != NULL) {
		snprintf(path, sizeof(path), "%.800s/%.180s", where, d->d_name);
		if (d->d_name[0] == '.' || (dir = opendir(path)) == NULL)
			continue;
		while ((e = readdir(dir)) != NULL) {
			snprintf(
			    sub, sizeof(sub), "%.900s/%.180s", path, e->d_name);
			if (e->d_name[0] != '.')
				one_vector(sub, &good, &bad);
		}
		closedir(dir);
	}
	closedir(top);
	assert_int_equal(good, 82);
	assert_int_equal(bad, 31);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_base_url),
	    cmocka_unit_test(test_callback_url),
	    cmocka_unit_test(test_conformance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
