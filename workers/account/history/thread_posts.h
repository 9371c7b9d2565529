/*
 * What was said in a thread before the bot came to it, from the server's
 * list of its posts: which of them may be shown. Pure.
 */
#ifndef ACCOUNT_THREAD_POSTS_H
#define ACCOUNT_THREAD_POSTS_H

#include "workers/account/history/context.h"
#include "workers/account/inbound.h"
#include "workers/account/policy.h"

struct json_object;

#define THREAD_POSTS_MAX 1000 /* looked at in one list */

struct thread_ask {
	const struct policy *policy;
	const char *bot_id;
	enum surface surface;
	const char *channel;
	const char *root;
	const char *post; /* the post that is about to be answered */
	int64_t at;	  /* and its time */
	int answered;	  /* the session has words of its own: only what was
			     said since the bot's last post there */
	size_t limit;	  /* the newest that many */
	const char *(*name)(void *arg, const char *user_id); /* or NULL */
	enum tri (*is_bot)(void *arg, const char *user_id);
	void *arg;
};

/*
 * The authors of whom something is not known that the policy asks for, for
 * one question to the server: fn is called once for each. -1: not a list of
 * posts.
 */
int thread_authors(struct json_object *list, const struct thread_ask *,
    void (*fn)(const char *user_id, void *arg), void *arg);

/*
 * Those that may be shown, oldest first: of this thread, plain, not empty,
 * older than the post, of people whom the policy lets in or, when
 * contextVisibility is "all", of anybody. -1: not a list of posts.
 */
int thread_posts(struct json_object *list, const struct thread_ask *,
    void (*fn)(const struct history_entry *, void *arg), void *arg);

#endif
