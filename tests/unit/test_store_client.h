/*
 * The other end of a link to the store, as a worker would hold it, made for
 * tests: it counts and keeps what comes.
 */
#ifndef TESTS_UNIT_TEST_STORE_CLIENT_H
#define TESTS_UNIT_TEST_STORE_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/chan.h"

#define CLIENT_ROWS 4096

struct event_base;
struct json_object;

struct client {
	struct event_base *base;
	struct chan *chan;
	char *rows[CLIENT_ROWS];   /* JSON text of what a load sent */
	struct json_object *reply; /* the last */
	char type[32];		   /* of it */
	size_t n_rows;
	int replies, errs, closed;
	int fd; /* that came with the last reply, or -1 */
	/* Called for each reply, when set. */
	void (*on_reply)(
	    struct client *, const char *type, struct json_object *);
};

/* kind: account, agent, control. fd belongs to the client. */
void client_start(
    struct client *, struct event_base *, const char *kind, int fd);
void client_close(struct client *);

/* text: JSON of the members. */
struct json_object *client_message(const char *type, const char *text);
void ask(struct client *, const char *type, const char *text);
void tell(struct client *, const char *type, const char *text);
/* Run the loop until the client has n replies. */
void wait_replies(struct client *, int n);
/* ask and wait; the type of the reply. */
const char *call(struct client *, const char *type, const char *text);
/* Ask for an inbox.put with fill bytes of text. */
void put(struct client *, const char *event, size_t fill);
/* Row i of the load; the caller's. */
struct json_object *row(struct client *, size_t i);
void client_run_ms(struct event_base *, int ms);

#endif
