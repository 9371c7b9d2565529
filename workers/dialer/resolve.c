#include "config.h"

#include <sys/queue.h>

#include <dlfcn.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "common/log.h"
#include "common/monotime.h"
#include "workers/dialer/resolve.h"

#define STACK_SIZE (512 * 1024) /* getaddrinfo() uses about 80 KB */

struct resolve_wait {
	TAILQ_ENTRY(resolve_wait) entry;
	struct name *name;
	resolve_fn fn;
	void *arg;
};

struct name {
	LIST_ENTRY(name) entry;
	STAILQ_ENTRY(name) job; /* in todo or done, under the lock */
	char *host;
	int busy; /* a thread has it, or will */
	struct monotime until;
	struct resolved kept;
	struct resolved fresh; /* the thread's, while busy */
	int eai;
	TAILQ_HEAD(, resolve_wait) waiting;
};

STAILQ_HEAD(jobs, name);

struct resolver {
	struct event_base *base;
	LIST_HEAD(, name) names;
	struct event *ev;
	int wake[2];
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct jobs todo; /* under the lock, and so are the next three */
	struct jobs done;
	int idle;
	int threads;
};

static int
family_of(const struct resolve_addr *a)
{
	return a->ss.ss_family;
}

/* RFC 8305 4: the families take turns, the first keeps its place. */
static void
interleave(struct resolved *r)
{
	struct resolve_addr tmp;
	int i, j;

	for (i = 1; i < r->n; i++) {
		if (family_of(&r->addr[i]) != family_of(&r->addr[i - 1]))
			continue;
		for (j = i + 1; j < r->n; j++)
			if (family_of(&r->addr[j]) != family_of(&r->addr[i]))
				break;
		if (j == r->n)
			return;
		tmp = r->addr[j];
		memmove(
		    &r->addr[i + 1], &r->addr[i], (j - i) * sizeof(r->addr[0]));
		r->addr[i] = tmp;
	}
}

static int
lookup(const char *host, int flags, struct resolved *r)
{
	struct addrinfo hints, *list, *ai;
	int rc;

	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = flags;
	r->n = 0;
	if ((rc = getaddrinfo(host, NULL, &hints, &list)) != 0)
		return rc;
	for (ai = list; ai != NULL && r->n < RESOLVE_ADDRS; ai = ai->ai_next) {
		if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
			continue;
		r->addr[r->n].len = ai->ai_addrlen;
		memcpy(&r->addr[r->n].ss, ai->ai_addr, ai->ai_addrlen);
		r->n++;
	}
	freeaddrinfo(list);
	interleave(r);
	return r->n > 0 ? 0 : EAI_NONAME;
}

static void *
thread_main(void *arg)
{
	struct resolver *r = arg;
	struct name *name;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		while ((name = STAILQ_FIRST(&r->todo)) == NULL) {
			r->idle++;
			pthread_cond_wait(&r->work, &r->lock);
			r->idle--;
		}
		STAILQ_REMOVE_HEAD(&r->todo, job);
		pthread_mutex_unlock(&r->lock);
		name->eai = lookup(name->host, AI_ADDRCONFIG, &name->fresh);
		pthread_mutex_lock(&r->lock);
		STAILQ_INSERT_TAIL(&r->done, name, job);
		if (write(r->wake[1], "", 1) == -1 && errno != EAGAIN)
			abort();
	}
	return NULL;
}

static void
thread_start(struct resolver *r)
{
	pthread_attr_t attr;
	pthread_t tid;
	sigset_t all, old;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&tid, &attr, thread_main, r) == 0)
		r->threads++;
	else if (r->threads == 0)
		fatalx("pthread_create");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
}

static void
name_done(struct name *name)
{
	struct resolve_wait *w;
	int eai = name->eai;

	name->busy = 0;
	if (eai == 0) {
		name->kept = name->fresh;
		name->until = monotime_add(monotime_now(), RESOLVE_KEEP_MS);
	}
	while ((w = TAILQ_FIRST(&name->waiting)) != NULL) {
		TAILQ_REMOVE(&name->waiting, w, entry);
		w->fn(w->arg, eai == 0 ? &name->kept : NULL, eai);
		free(w);
	}
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *r = arg;
	struct name *name;
	char buf[64];

	while (read(fd, buf, sizeof(buf)) == (ssize_t)sizeof(buf))
		continue;
	pthread_mutex_lock(&r->lock);
	while ((name = STAILQ_FIRST(&r->done)) != NULL) {
		STAILQ_REMOVE_HEAD(&r->done, job);
		pthread_mutex_unlock(&r->lock);
		name_done(name);
		pthread_mutex_lock(&r->lock);
	}
	pthread_mutex_unlock(&r->lock);
}

#ifdef __GLIBC__
/*
 * glibc loads the modules that nsswitch.conf names when it first needs
 * them, and a jail lets nothing be loaded. What is loaded already it uses.
 */
static void
modules_load(void)
{
	char line[512], lib[128], *p, *word;
	FILE *f;

	if ((f = fopen("/etc/nsswitch.conf", "re")) == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "hosts:", 6) != 0)
			continue;
		p = line + 6;
		while ((word = strsep(&p, " \t\n")) != NULL) {
			if (*word == '\0' || *word == '[' ||
			    strchr(word, '/') != NULL)
				continue;
			snprintf(lib, sizeof(lib), "libnss_%s.so.2", word);
			if (dlopen(lib, RTLD_NOW) == NULL)
				log_debug("no %s", lib);
		}
	}
	fclose(f);
	/* Threads of ours hold a few KB: no heap of their own. */
	mallopt(M_ARENA_MAX, 1);
}
#else
static void
modules_load(void)
{
}
#endif

struct resolver *
resolver_new(struct event_base *base)
{
	struct resolver *r;
	struct resolved dummy;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		fatal("calloc");
	r->base = base;
	LIST_INIT(&r->names);
	STAILQ_INIT(&r->todo);
	STAILQ_INIT(&r->done);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->work, NULL);
	if (pipe2(r->wake, O_NONBLOCK | O_CLOEXEC) == -1)
		fatal("pipe");
	r->ev = event_new(base, r->wake[0], EV_READ | EV_PERSIST, on_wake, r);
	if (r->ev == NULL)
		fatalx("event_new");
	event_add(r->ev, NULL);
	modules_load();
	lookup("localhost", 0, &dummy); /* opens what it keeps open */
	return r;
}

static struct name *
name_get(struct resolver *r, const char *host)
{
	struct name *name;

	LIST_FOREACH(name, &r->names, entry)
	if (strcmp(name->host, host) == 0)
		return name;
	if ((name = calloc(1, sizeof(*name))) == NULL ||
	    (name->host = strdup(host)) == NULL)
		fatal("calloc");
	TAILQ_INIT(&name->waiting);
	LIST_INSERT_HEAD(&r->names, name, entry);
	return name;
}

static void
name_submit(struct resolver *r, struct name *name)
{
	name->busy = 1;
	pthread_mutex_lock(&r->lock);
	STAILQ_INSERT_TAIL(&r->todo, name, job);
	if (r->idle == 0 && r->threads < RESOLVE_THREADS)
		thread_start(r);
	pthread_cond_signal(&r->work);
	pthread_mutex_unlock(&r->lock);
}

void
resolver_lookup(struct resolver *r, const char *host, resolve_fn fn, void *arg,
    struct resolve_wait **wait)
{
	struct resolve_wait *w;
	struct resolved addr;
	struct name *name;

	if (lookup(host, AI_NUMERICHOST, &addr) == 0) {
		fn(arg, &addr, 0);
		return;
	}
	name = name_get(r, host);
	if (name->kept.n > 0 && monotime_left(name->until) > 0) {
		fn(arg, &name->kept, 0);
		return;
	}
	if ((w = calloc(1, sizeof(*w))) == NULL)
		fatal("calloc");
	w->name = name;
	w->fn = fn;
	w->arg = arg;
	TAILQ_INSERT_TAIL(&name->waiting, w, entry);
	*wait = w;
	if (!name->busy)
		name_submit(r, name);
}

void
resolver_forget(struct resolver *r, const char *host)
{
	struct name *name;

	LIST_FOREACH(name, &r->names, entry)
	if (strcmp(name->host, host) == 0)
		name->until = monotime_now();
}

void
resolver_cancel(struct resolve_wait *w)
{
	if (w == NULL)
		return;
	TAILQ_REMOVE(&w->name->waiting, w, entry);
	free(w);
}
