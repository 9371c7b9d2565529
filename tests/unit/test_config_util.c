#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/unit/test_config_util.h"

static char dir[64];
static char said[65536];

int
test_config_setup(void **state)
{
	strlcpy(dir, "/tmp/test_config.XXXXXX", sizeof(dir));
	if (mkdtemp(dir) == NULL)
		return -1;
	log_init("test", 0);
	unsetenv("MATTERMOST_BOT_TOKEN");
	unsetenv("MATTERMOST_URL");
	unsetenv("OPENCLAW_GATEWAY_PORT");
	unsetenv("OPENCLAW_PROFILE");
	unsetenv("CREDENTIALS_DIRECTORY");
	return 0;
}

int
test_config_teardown(void **state)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -r '%s'", dir);
	return system(cmd);
}

const char *
test_path(const char *name)
{
	static char buf[4][256];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(buf[turn], sizeof(buf[turn]), "%s/%s", dir, name);
	return buf[turn];
}

void
test_write(const char *name, const char *text, mode_t mode)
{
	const char *path = test_path(name);
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

struct config *
test_load_mode(const char *text, mode_t mode)
{
	struct config_errors errs;
	struct config_message *m;
	struct config *cfg;
	char line[1024];
	size_t i;

	test_write("conf", text, mode);
	config_errors_init(&errs);
	cfg = config_load(test_path("conf"), &errs);
	said[0] = '\0';
	for (i = 0; i < errs.len; i++) {
		m = &errs.msgs[i];
		assert_string_equal(m->file, test_path("conf"));
		snprintf(line, sizeof(line), "%c%d:%d: %s\n",
		    "NWPE"[m->severity], m->line, m->column, m->text);
		strlcat(said, line, sizeof(said));
	}
	assert_true((cfg == NULL) == (errs.errors > 0));
	config_errors_free(&errs);
	return cfg;
}

struct config *
test_load(const char *text)
{
	return test_load_mode(text, 0600);
}

const char *
test_said(void)
{
	return said;
}

struct config *
test_good(const char *text)
{
	struct config *cfg = test_load(text);

	if (cfg == NULL || said[0] == 'W' || strstr(said, "\nW") != NULL)
		fail_msg("%s\n%s", text, said);
	return cfg;
}

static int
has_line(const char *line)
{
	const char *p = strstr(said, line);
	size_t len = strlen(line);

	for (; p != NULL; p = strstr(p + 1, line))
		if ((p == said || p[-1] == '\n') && p[len] == '\n')
			return 1;
	return 0;
}

void
test_bad(const char *text, const char *line)
{
	struct config *cfg = test_load(text);

	/* E: nothing runs. P: an account does not, the rest would. */
	if ((line[0] == 'E' && cfg != NULL) ||
	    (line[0] != 'E' && line[0] != 'P') || !has_line(line))
		fail_msg("%s\nwanted %s\nsaid %s", text, line, said);
	config_free(cfg);
}

void
test_says(const char *text, const char *line)
{
	struct config *cfg = test_load(text);

	if (cfg == NULL || line[0] == 'E' || !has_line(line))
		fail_msg("%s\nwanted %s\nsaid %s", text, line, said);
	config_free(cfg);
}

void
test_silent(const char *text, const char *part)
{
	config_free(test_load(text));
	if (strstr(said, part) != NULL)
		fail_msg("%s\nsaid %s", text, said);
}

const char *
test_json(struct json_object *obj, const char *path)
{
	static char buf[8192];
	struct json_object *v = obj, *next;
	char part[128];
	size_t n;

	for (; *path != '\0'; path += n + (path[n] == '.')) {
		n = strcspn(path, ".");
		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		next = NULL;
		if (json_object_is_type(v, json_type_array))
			next = json_object_array_get_idx(v, (size_t)atoi(part));
		else if (!json_object_object_get_ex(v, part, &next))
			return "(none)";
		v = next;
	}
	strlcpy(buf, json_object_to_json_string_ext(v,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
	    sizeof(buf));
	return buf;
}
