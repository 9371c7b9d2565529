/*
 * From the server's channel type to the surface that policies speak of.
 */
#ifndef ACCOUNT_SURFACE_H
#define ACCOUNT_SURFACE_H

#include "workers/account/inbound.h"

/*
 * What is known of a channel. type is the server's answer to our own REST
 * request, 0 while there is none; it wins over what an event claims.
 */
struct channel_info {
	char type;            /* D G P O, or 0 */
	const char *name;     /* "" or NULL when unknown */
	const char *display;
	const char *team_id;
};

/* D direct, G and P group, O channel; anything else unknown (denied). */
enum surface surface_of(char channel_type);
/* The surface of an inbound; info may be NULL. */
enum surface surface_find(const struct channel_info *, const struct inbound *);

#endif
