/*
 * Addresses: who calls, and is it one of those who may? All comparisons are
 * binary, on 16 bytes; IPv4 is kept in its mapped form, so both ways of
 * writing it are one address. Pure.
 */
#ifndef CALLBACK_SOURCE_H
#define CALLBACK_SOURCE_H

#include <stddef.h>

struct json_object;
struct sockaddr;

struct addr {
	unsigned char b[16];
};

struct nets {
	struct net_prefix {
		struct addr addr;
		unsigned bits; /* of 128 */
	} *v;
	size_t n;
};

/* 0, or -1 when s is no numeric address. A zone (%eth0) is passed over. */
int addr_parse(const char *s, size_t len, struct addr *);
/* 0, or -1 for a family without addresses (a UNIX socket). */
int addr_of(const struct sockaddr *, struct addr *);
int addr_is_loopback(const struct addr *);

/*
 * An array of "address" and "address/bits", blanks around them allowed.
 * What is neither matches nobody. NULL is empty.
 */
void nets_read(struct nets *, struct json_object *list);
void nets_free(struct nets *);
int nets_match(const struct nets *, const struct addr *);
/* 127.0.0.1 and ::1, the rule where a list is empty. */
int nets_allow(const struct nets *, const struct addr *);

/*
 * The client behind peer. A peer that is no trusted proxy is the client
 * itself. Of a proxy's X-Forwarded-For the right-most entry counts that is
 * neither loopback nor a proxy; without one, X-Real-IP, if real_ip. Both may
 * be NULL. 0, or -1 when it cannot be told: nobody then.
 *
 * peer NULL is a UNIX socket, which only a proxy of this host uses.
 */
int source_find(const struct addr *peer, const struct nets *trusted,
    const char *forwarded, const char *real, int real_ip, struct addr *);

#endif
