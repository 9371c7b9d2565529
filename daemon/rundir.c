#include "config.h"

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sandbox.h"
#include "common/text.h"
#include "daemon/conf.h"
#include "daemon/rootless.h"
#include "daemon/rundir.h"
#include "daemon/supervisor.h"
#include "daemon/upgrade.h"

#define PID_FILE "posternd.pid"
#define SOCKET_FILE "control.sock"
#define EMPTY_DIR "empty"
#define MEDIA_DIR "media" /* as the store has it */
#define BACKLOG 128

#ifdef __OpenBSD__
#define ADD_USER "useradd -d /var/empty -s /sbin/nologin"
#define ADD_GROUP "groupadd"
#else
#define ADD_USER                                                               \
	"useradd --system --user-group --no-create-home "                      \
	"--home-dir /nonexistent --shell /usr/sbin/nologin"
#define ADD_GROUP "groupadd --system"
#endif

static struct ids
user_find(const char *name)
{
	struct passwd *pw = getpwnam(name);

	if (pw == NULL)
		fatalx("there is no user %s; create it with: " ADD_USER " %s",
		    name, name);
	if (pw->pw_uid == 0 || pw->pw_gid == 0)
		fatalx("user %s is root; choose another", name);
	return (struct ids){pw->pw_uid, pw->pw_gid};
}

void
rundir_users(struct supervisor *sup)
{
	struct group *gr;

	sup->by_caps = sandbox_can_lock();
	sup->rootless = geteuid() != 0 && !sup->by_caps;
	if (sup->rootless) {
		sup->worker_ids = (struct ids){geteuid(), getegid()};
		sup->store_ids = sup->worker_ids;
		sup->control_gid = getegid();
		return;
	}
	sup->worker_ids = user_find(sup->config->user);
	sup->store_ids = user_find(sup->config->store_user);
	if (sup->worker_ids.uid == sup->store_ids.uid)
		fatalx("the database needs a user of its own, not %s",
		    sup->config->user);
	if (sup->worker_ids.uid == geteuid() ||
	    sup->store_ids.uid == geteuid())
		fatalx("the daemon needs a user of its own, not %s",
		    sup->worker_ids.uid == geteuid() ? sup->config->user :
						       sup->config->store_user);
	if ((gr = getgrnam(sup->config->group)) == NULL)
		fatalx("there is no group %s; create it with: " ADD_GROUP
		    " %s", sup->config->group, sup->config->group);
	sup->control_gid = gr->gr_gid;
}

static char *
path_join(const char *dir, const char *name)
{
	char *s;

	if (asprintf(&s, "%s/%s", dir, name) == -1)
		fatal("asprintf");
	return s;
}

/* What is missing above path; what is there is left as it is. */
static void
make_parents(const char *path, mode_t mode)
{
	char buf[PATH_MAX], *slash;

	if (strlcpy(buf, path, sizeof(buf)) >= sizeof(buf))
		fatalx("%s: name too long", path);
	for (slash = strchr(buf + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(buf, mode) == -1 && errno != EEXIST)
			fatal("mkdir %s", buf);
		*slash = '/';
	}
}

/*
 * By its descriptor: what is above may be another user's, who could put a
 * link to something else in its place.
 */
static void
give_dir(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	struct stat sb;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1 || fstat(fd, &sb) == -1)
		fatal("%s", path);
	if (sb.st_uid != geteuid())
		fatalx("%s was exchanged while it was made", path);
	/* In this order: what was given away needs CAP_FOWNER. */
	if (fchmod(fd, mode) == -1)
		fatal("chmod %s", path);
	if (geteuid() == 0 && fchown(fd, uid, gid) == -1)
		fatal("chown %s", path);
	close(fd);
}

/* path exists afterwards, is a directory, and is uid's with that mode. */
static void
make_dir(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	struct stat sb;

	make_parents(path, geteuid() == 0 ? 0755 : 0700);
	if (mkdir(path, mode) == 0)
		give_dir(path, mode, uid, gid);
	else if (errno != EEXIST)
		fatal("mkdir %s", path);
	if (lstat(path, &sb) == -1)
		fatal("%s", path);
	if (!S_ISDIR(sb.st_mode))
		fatalx("%s is not a directory", path);
	if (sb.st_uid != uid)
		fatalx("%s belongs to uid %u; make it right with: "
		    "chown %u %s", path, (unsigned)sb.st_uid, (unsigned)uid,
		    path);
	if (sb.st_mode & ~mode & 07777 & (S_IWGRP | S_IWOTH))
		fatalx("%s can be written by others; make it right with: "
		    "chmod %o %s", path, (unsigned)mode, path);
}

static void
check_empty(const char *path)
{
	struct dirent *de;
	DIR *d = opendir(path);

	if (d == NULL)
		fatal("%s", path);
	while ((de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			fatalx("%s/%s: the directory that workers are locked "
			    "into must be empty", path, de->d_name);
	closedir(d);
}

/* The built-in places are root's: without root, other ones stand in. */
static void
choose_places(struct supervisor *sup)
{
	struct config *cf = sup->config;
	char run[PATH_MAX], store[PATH_MAX];

	if (strlcpy(run, cf->run_dir, sizeof(run)) >= sizeof(run) ||
	    strlcpy(store, cf->store_path, sizeof(store)) >= sizeof(store))
		fatalx("the name of a directory is too long");
	if (sup->rootless && strcmp(run, POSTERN_RUNDIR) == 0 &&
	    rootless_run_dir(run, sizeof(run)) == -1)
		fatalx("no place for the runtime directory; "
		    "set postern.runDir");
	if (sup->rootless && strcmp(store, POSTERN_STATEDIR) == 0 &&
	    rootless_store_dir(store, sizeof(store)) == -1)
		fatalx("no place for the database; set store.path");
	sup->run_dir = text_dup(run);
	sup->store_dir = text_dup(store);
	if (strcmp(cf->control_socket, POSTERN_RUNDIR "/" SOCKET_FILE) == 0)
		sup->socket_path = path_join(run, SOCKET_FILE);
	else
		sup->socket_path = text_dup(cf->control_socket);
}

static void
make_run_dirs(struct supervisor *sup)
{
	uid_t self = geteuid();
	mode_t mode = sup->rootless ? 0700 : 0755;

	choose_places(sup);
	sup->empty_dir = path_join(sup->run_dir, EMPTY_DIR);
	make_dir(sup->run_dir, mode, self, getegid());
	make_dir(sup->empty_dir, mode, self, getegid());
	check_empty(sup->empty_dir);
}

char *
rundir_pid_file(const struct supervisor *sup)
{
	return path_join(sup->run_dir, PID_FILE);
}

int
rundir_make_small(struct supervisor *sup)
{
	char *path;
	int fd;

	make_run_dirs(sup);
	path = rundir_pid_file(sup);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd == -1)
		fatal("%s", path);
	free(path);
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		close(fd);
		return 0;
	}
	sup->lock_fd = fd;
	return 1;
}

static void
check_store(struct supervisor *sup)
{
	struct stat sb;

	if (lstat(sup->store_dir, &sb) == -1)
		fatal("%s", sup->store_dir);
	if (!S_ISDIR(sb.st_mode) || sb.st_uid != sup->store_ids.uid ||
	    (sb.st_mode & 07777) != 0700)
		fatalx("%s must be a directory of user %s with mode 0700, and "
		    MEDIA_DIR " in it, too", sup->store_dir,
		    sup->config->store_user);
}

void
rundir_make(struct supervisor *sup)
{
	char *media;

	make_run_dirs(sup);
	if (sup->by_caps) {
		/* Not ours to make, nor to look into. */
		check_store(sup);
		return;
	}
	make_dir(sup->store_dir, 0700, sup->store_ids.uid, sup->store_ids.gid);
	media = path_join(sup->store_dir, MEDIA_DIR);
	make_dir(media, 0700, sup->store_ids.uid, sup->store_ids.gid);
	free(media);
}

static void
take_lock(struct supervisor *sup, const char *path)
{
	char pid[16] = "";
	ssize_t n;

	sup->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0644);
	if (sup->lock_fd == -1)
		fatal("%s", path);
	if (flock(sup->lock_fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK)
			fatal("flock %s", path);
		n = read(sup->lock_fd, pid, sizeof(pid) - 1);
		pid[n > 0 ? n : 0] = '\0';
		pid[strcspn(pid, "\n")] = '\0';
		fatalx("posternd is running already in %s, as process %s",
		    sup->run_dir, pid[0] == '\0' ? "unknown" : pid);
	}
}

void
rundir_lock(struct supervisor *sup)
{
	char *path = rundir_pid_file(sup);

	if (!upgrade_take(sup, path) || sup->lock_fd == -1)
		take_lock(sup, path);
	free(path);
}

void
rundir_try(struct supervisor *sup, const char *left)
{
	char *path;

	rundir_users(sup);
	rundir_make(sup);
	path = rundir_pid_file(sup);
	if (strcmp(path, left) != 0)
		take_lock(sup, path);
	free(path);
}

void
rundir_write_pid(struct supervisor *sup)
{
	char pid[16];
	int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());

	if (ftruncate(sup->lock_fd, 0) == -1 ||
	    pwrite(sup->lock_fd, pid, n, 0) != n)
		log_warn("%s/%s", sup->run_dir, PID_FILE);
}

static void
fill_addr(struct sockaddr_un *sun, const char *path)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	if (strlcpy(sun->sun_path, path, sizeof(sun->sun_path)) >=
	    sizeof(sun->sun_path))
		fatalx("%s: name too long for a socket", path);
}

/* A socket left behind by a crash is in the way; anything else is not. */
static void
remove_stale(int fd, const struct sockaddr_un *sun)
{
	struct stat sb;

	if (lstat(sun->sun_path, &sb) == -1) {
		if (errno != ENOENT)
			fatal("%s", sun->sun_path);
		return;
	}
	if (!S_ISSOCK(sb.st_mode))
		fatalx("%s is not a socket", sun->sun_path);
	if (connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0)
		fatalx("another program answers at %s", sun->sun_path);
	if (errno != ECONNREFUSED)
		fatal("%s", sun->sun_path);
	if (unlink(sun->sun_path) == -1)
		fatal("unlink %s", sun->sun_path);
}

static int
stream_socket(void)
{
	int fd = socket(
	    AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		fatal("socket");
	return fd;
}

void
rundir_listen(struct supervisor *sup)
{
	struct sockaddr_un sun;
	mode_t old;
	int fd;

	if (sup->listen_fd != -1)
		return; /* of the program before us */
	fill_addr(&sun, sup->socket_path);
	fd = stream_socket();
	remove_stale(fd, &sun);
	close(fd);

	fd = stream_socket();
	/* Nobody else may use it before its group is right. */
	old = umask(0177);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		fatal("bind %s", sun.sun_path);
	umask(old);
	if (!sup->rootless &&
	    ((sup->control_gid != getegid() &&
		chown(sun.sun_path, (uid_t)-1, sup->control_gid) == -1) ||
		chmod(sun.sun_path, 0660) == -1))
		fatal("%s", sun.sun_path);
	if (listen(fd, BACKLOG) == -1)
		fatal("listen %s", sun.sun_path);
	sup->listen_fd = fd;
}

void
rundir_leave(struct supervisor *sup)
{
	unlink(sup->socket_path);
	close(sup->listen_fd);
	if (ftruncate(sup->lock_fd, 0) == -1)
		log_warn("%s/%s", sup->run_dir, PID_FILE);
	close(sup->lock_fd);
}
