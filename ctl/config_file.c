#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/config_file.h"
#include "ctl/output.h"
#include "ctl/parse.h"
#include "daemon/conf.h"
#include "daemon/json5.h"

#define DEFAULT_FILE POSTERN_SYSCONFDIR "/postern/postern.json5"

const char *
config_file_path(const struct invocation *inv)
{
	static char path[PATH_MAX];
	struct answer a;

	if (inv->file != NULL)
		return inv->file;
	strlcpy(path, DEFAULT_FILE, sizeof(path));
	if (!client_is_there(client_socket(inv->socket)) ||
	    ask_anyway(inv, "status", NULL, NULL, 0, CLIENT_WAIT_MS, &a) == -1)
		return path;
	if (*json_str(a.data, "config") == '/')
		strlcpy(path, json_str(a.data, "config"), sizeof(path));
	client_free(&a);
	return path;
}

static void
complain(const char *path)
{
	ask_complain("%s: %s%s", path, strerror(errno),
	    errno == EACCES || errno == EPERM ?
		": that is for who may write the configuration" : "");
}

char *
config_file_read(const char *path, int may_lack)
{
	char *buf = calloc(1, JSON5_SIZE + 1);
	ssize_t n;
	size_t len = 0;
	int fd;

	if (buf == NULL)
		fatal("calloc");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1 && errno == ENOENT && may_lack)
		return buf;
	while (fd != -1 && len < JSON5_SIZE &&
	    (n = read(fd, buf + len, JSON5_SIZE - len)) > 0)
		len += (size_t)n;
	if (fd == -1 || n == -1) {
		complain(path);
		free(buf);
		buf = NULL;
	} else if (len == JSON5_SIZE || strlen(buf) != len) {
		ask_complain("%s: not a configuration file", path);
		freezero(buf, len);
		buf = NULL;
	}
	if (fd != -1)
		close(fd);
	return buf;
}

/* As posternd -n would: -1, and it was said why. */
static int
accepts(const char *file)
{
	struct config_errors errs;
	struct config *cfg;

	config_errors_init(&errs);
	cfg = config_load(file, &errs);
	config_errors_print(&errs, stderr, CONFIG_WARNING);
	config_errors_free(&errs);
	config_free(cfg);
	return cfg == NULL ? -1 : 0;
}

/* The new file beside the old one. */
static int
write_new(int fd, const char *file, const char *text)
{
	size_t len = strlen(text);
	struct stat sb;

	if (stat(file, &sb) == 0) {
		if (fchmod(fd, sb.st_mode & 07777) == -1 ||
		    ((sb.st_uid != geteuid() || sb.st_gid != getegid()) &&
			fchown(fd, sb.st_uid, sb.st_gid) == -1))
			return -1;
	} else if (errno != ENOENT || fchmod(fd, 0600) == -1)
		return -1;
	return write(fd, text, len) == (ssize_t)len && fsync(fd) == 0 ? 0 : -1;
}

static void
sync_dir(const char *file)
{
	char dir[PATH_MAX];
	char *slash;
	int fd;

	strlcpy(dir, file, sizeof(dir));
	slash = strrchr(dir, '/');
	if (slash == NULL)
		strlcpy(dir, ".", sizeof(dir));
	else
		slash[slash == dir] = '\0';
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return;
	fsync(fd);
	close(fd);
}

int
config_file_write(const char *path, const char *text)
{
	char file[PATH_MAX], tmp[PATH_MAX + 8];
	int fd, rc = 1;

	/* A link stays one. */
	if (realpath(path, file) == NULL)
		strlcpy(file, path, sizeof(file));
	snprintf(tmp, sizeof(tmp), "%s.XXXXXX", file);
	if ((fd = mkstemp(tmp)) == -1) {
		complain(file);
		return 1;
	}
	if (write_new(fd, file, text) == -1)
		complain(tmp);
	else if (accepts(tmp) == -1)
		ask_complain("%s: nothing was changed", file);
	else if (rename(tmp, file) == -1)
		complain(file);
	else
		rc = 0;
	close(fd);
	if (rc != 0)
		unlink(tmp);
	else
		sync_dir(file);
	return rc;
}
