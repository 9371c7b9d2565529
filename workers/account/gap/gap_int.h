/*
 * The jobs of the gap fill: gapfill.c lists teams and channels and runs all
 * of them, gap_posts.c reads the posts of one channel.
 */
#ifndef ACCOUNT_GAP_INT_H
#define ACCOUNT_GAP_INT_H

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

#include "workers/account/inbound.h"

struct account;
struct json_object;
struct net_request;
struct net_result;

#define GAP_AT_ONCE 4 /* requests in flight */

enum job_kind { JOB_TEAMS, JOB_CHANNELS, JOB_CHANNEL, JOB_POSTS };

struct job {
	TAILQ_ENTRY(job) entry;
	struct account *a;
	enum job_kind kind;
	struct net_request *req; /* NULL: waits */
	char id[MM_ID_SIZE];     /* team or channel */
	char anchor[MM_ID_SIZE]; /* posts: after or before this one */
	int64_t at;              /* its time; 0: not known */
	int backwards;           /* no anchor: walk back to the floor */
	int64_t floor;           /* posts of this time and older are known */
	int pages;
	int per_page;
	int64_t serial;            /* no other job has had it */
	size_t walked;             /* posts kept while walking back */
	int forgotten;             /* more were seen, and not kept */
	struct json_object *page;  /* waits for what must be known of it */
	size_t asked;              /* of the page: the store was asked */
	struct json_object *found; /* walking back: pages, newest first */
	int last;                  /* nothing comes after this page */
};

struct gapfill {
	TAILQ_HEAD(, job) jobs;
	int64_t serial;
	int running;
	int complete; /* the last start got to its end */
	int filled;   /* channels that had news */
	int posts;
};

/* Start what can be started. */
void gap_run(struct account *);
/* The job is freed, and the next one begins. */
void gap_end(struct account *, struct job *);
/* What was missed cannot be told: the connection ends. body is borrowed. */
void gap_failed(
    struct account *, const struct net_result *, struct json_object *body);
/* The next request of a job of kind JOB_POSTS; sets its req. */
void gap_posts_ask(struct account *, struct job *);

#endif
