#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "workers/store/media.h"

#define PATH_SIZE (sizeof(MEDIA_DIR) + 1 + MEDIA_ID)

/* 1 when it has the form of an id: nothing else becomes a file name. */
static int
media_id_valid(const char *id)
{
	return strlen(id) == MEDIA_ID &&
	       strspn(id, "0123456789abcdef") == MEDIA_ID;
}

static int
path_of(char path[PATH_SIZE], const char *id)
{
	if (!media_id_valid(id)) {
		errno = EINVAL;
		return -1;
	}
	snprintf(path, PATH_SIZE, "%s/%s", MEDIA_DIR, id);
	return 0;
}

int
media_create(char id[MEDIA_ID + 1])
{
	unsigned char raw[MEDIA_ID / 2];
	char path[PATH_SIZE];
	size_t i;

	arc4random_buf(raw, sizeof(raw));
	for (i = 0; i < sizeof(raw); i++)
		snprintf(id + 2 * i, 3, "%02x", raw[i]);
	if (path_of(path, id) == -1)
		return -1;
	return open(path,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

int
media_open(const char *id)
{
	char path[PATH_SIZE];

	if (path_of(path, id) == -1)
		return -1;
	return open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static int
settle_folder(void)
{
	int fd, rc;

	if ((fd = open(MEDIA_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

int64_t
media_settle(const char *id)
{
	struct stat sb;
	int64_t size = -1;
	int fd;

	if ((fd = media_open(id)) == -1)
		return -1;
	if (fsync(fd) == 0 && fstat(fd, &sb) == 0 && settle_folder() == 0)
		size = sb.st_size;
	close(fd);
	return size;
}

int
media_is_written(const char *id)
{
	int written = 0;
#ifdef F_SETLEASE
	int fd;

	if ((fd = media_open(id)) == -1)
		return 0;
	/* As long as somebody may write, nobody can be promised to be told. */
	written = fcntl(fd, F_SETLEASE, F_RDLCK) == -1 && errno == EAGAIN;
	close(fd);
#endif
	return written;
}

void
media_remove(const char *id)
{
	char path[PATH_SIZE];

	if (path_of(path, id) == 0 && unlink(path) == -1 && errno != ENOENT)
		log_warn("media: unlink");
}

int
media_sweep(struct db *db)
{
	struct dirent *de;
	enum store_rc rc;
	sqlite3_stmt *s;
	int n = 0;
	DIR *d;

	if ((d = opendir(MEDIA_DIR)) == NULL) {
		log_warn("media: no folder");
		return 0;
	}
	while ((de = readdir(d)) != NULL) {
		if (!media_id_valid(de->d_name))
			continue;
		rc = db_rows(db, Q_MEDIA_GET, &s, "s", de->d_name);
		if (rc == STORE_OK)
			db_end(s);
		if (rc != STORE_NONE)
			continue;
		media_remove(de->d_name);
		n++;
	}
	closedir(d);
	return n;
}
