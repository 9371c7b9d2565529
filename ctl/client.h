/*
 * One question to the running daemon.
 */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <stddef.h>

struct json_object;

#define CLIENT_WAIT_MS 15000
#define CLIENT_FILE_MS 85000  /* as its worker waits, and some */
#define CLIENT_SEND_MS 40000  /* a post may have to wait for the server */
#define CLIENT_UPLOAD_MS 1810000 /* with files: the daemon gives up first */
#define CLIENT_STOP_MS 25000  /* four stages of five seconds, and some */
#define CLIENT_UPGRADE_MS 60000 /* the same, a start, and a slow disk */

struct answer {
	int ok;
	char *text;               /* or NULL */
	struct json_object *data; /* or NULL */
};

/* The socket of the daemon: what was given, or the one that is most likely. */
const char *client_socket(const char *given);
/* The group that may use it; the built-in one when that cannot be seen. */
const char *client_group(const char *socket);
/* A file that goes with a question. */
struct client_file {
	const char *name;
	int fd;
};
/*
 * Ask verb with args and files; both are consumed. Shows the progress. 0 and
 * *answer, which client_free() ends; or -1 when there was no answer, and why
 * was told on stderr.
 */
int client_ask_files(const char *socket, const char *verb,
    struct json_object *args, const struct client_file *, size_t n,
    int wait_ms, struct answer *);
void client_free(struct answer *);
/*
 * The daemon's answer to "status", or NULL; the caller frees it. Nothing is
 * said when there is none.
 */
struct json_object *client_status(const char *socket);
/* 1 when somebody answers there. */
int client_is_there(const char *socket);
/* Wait until nobody answers any more. 0, or -1 when somebody still does. */
int client_wait_gone(const char *socket);

#endif
