#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/doctor.h"
#include "ctl/parse.h"
#include "daemon/conf.h"

/*
 * Only what takes rights away that nobody should have, or what is of no use
 * to anybody: nothing here can keep a daemon from starting that did before.
 */

static void
fix_mode(struct doctor *d, const char *path, int flags, mode_t too_much)
{
	struct stat sb;
	mode_t mode;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);

	if (fd == -1)
		return;
	if (fstat(fd, &sb) == 0 && sb.st_mode & too_much) {
		mode = sb.st_mode & 07777 & ~too_much;
		if (fchmod(fd, mode) == 0)
			doctor_say(d, FINDING_NOTE, "fixed.mode",
			    "%s: its mode was %o, and is %o now", path,
			    (unsigned)(sb.st_mode & 07777), (unsigned)mode);
		else
			doctor_say(d, FINDING_WARNING, "fix.failed",
			    "%s: %s", path, strerror(errno));
	}
	close(fd);
}

/* Of a daemon that has ended without taking it away. */
static void
fix_socket(struct doctor *d)
{
	const char *path = client_socket(d->inv->socket);
	struct stat sb;

	if (lstat(path, &sb) == -1 || !S_ISSOCK(sb.st_mode) ||
	    client_is_there(path) || errno != ECONNREFUSED)
		return;
	if (unlink(path) == 0)
		doctor_say(d, FINDING_NOTE, "fixed.socket",
		    "%s: nobody listened, it is gone", path);
	else
		doctor_say(d, FINDING_WARNING, "fix.failed", "%s: %s", path,
		    strerror(errno));
}

/* Others may read it only while it has no secret. */
static mode_t
file_too_much(const struct config_errors *errs)
{
	size_t i;

	for (i = 0; i < errs->len; i++)
		if (strcmp(doctor_code(&errs->msgs[i]), "file.mode") == 0 &&
		    errs->msgs[i].severity == CONFIG_ERROR)
			return S_IWGRP | S_IWOTH | S_IROTH;
	return S_IWGRP | S_IWOTH;
}

void
doctor_fix(struct doctor *d, const char *path)
{
	struct config_errors errs;
	struct config *cfg;

	config_errors_init(&errs);
	cfg = config_load(path, &errs);
	fix_mode(d, path, 0, file_too_much(&errs));
	config_errors_free(&errs);
	/* One that was refused for its mode alone can be read now. */
	if (cfg == NULL) {
		config_errors_init(&errs);
		cfg = config_load(path, &errs);
		config_errors_free(&errs);
	}
	if (cfg != NULL) {
		if (cfg->store_path != NULL)
			fix_mode(d, cfg->store_path,
			    O_DIRECTORY | O_NOFOLLOW, 077);
		if (cfg->run_dir != NULL)
			fix_mode(d, cfg->run_dir, O_DIRECTORY | O_NOFOLLOW,
			    022);
	}
	config_free(cfg);
	fix_socket(d);
}
