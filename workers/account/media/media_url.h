/*
 * A file for a post that is named by its URL. Only the hosts of mediaHosts
 * can be reached, by design: the dialer connects nobody anywhere else. It is
 * downloaded, bounded, into a file without a name; no token goes with the
 * request, and no redirect is followed.
 */
#ifndef ACCOUNT_MEDIA_URL_H
#define ACCOUNT_MEDIA_URL_H

#include "workers/account/media/media_out.h"

struct account;
struct json_object;
struct media_hosts;

/* "mediaEndpoints" of the account's configuration. */
struct media_hosts *media_hosts_new(struct json_object *config);
/* The network may be used. */
void media_hosts_start(struct account *, struct media_hosts *);
/* 1: there are some, so a tool may be offered to use them. */
int media_hosts_any(const struct account *);
/* 1: http or https, of one of the hosts; 0: of none; -1: no such URL. */
int media_url_known(struct account *, const char *url);

/* file: for media_out_start(); or NULL, and failed says why. */
typedef void (*media_url_fn)(struct account *, const struct media_file *file,
    const char *failed, void *arg);

/* Of a URL that is known. fn comes once, never from inside this. */
void media_url_fetch(
    struct account *, const char *url, media_url_fn, void *arg);

#endif
