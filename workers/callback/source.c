#include "config.h"

#include <sys/socket.h>
#include <netinet/in.h>
#include <arpa/inet.h>

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/callback/source.h"

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
    0xff};

static void
addr_map(struct addr *a, const void *v4)
{
	memcpy(a->b, mapped, sizeof(mapped));
	memcpy(a->b + sizeof(mapped), v4, 4);
}

int
addr_parse(const char *s, size_t len, struct addr *a)
{
	char buf[INET6_ADDRSTRLEN + 1];
	unsigned char v4[4];
	const char *zone = memchr(s, '%', len);

	if (zone != NULL)
		len = (size_t)(zone - s);
	if (len == 0 || len >= sizeof(buf) || memchr(s, '\0', len) != NULL)
		return -1;
	memcpy(buf, s, len);
	buf[len] = '\0';
	if (inet_pton(AF_INET, buf, v4) == 1) {
		addr_map(a, v4);
		return 0;
	}
	return inet_pton(AF_INET6, buf, a->b) == 1 ? 0 : -1;
}

int
addr_of(const struct sockaddr *sa, struct addr *a)
{
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	if (sa->sa_family == AF_INET) {
		memcpy(&sin, sa, sizeof(sin));
		addr_map(a, &sin.sin_addr);
		return 0;
	}
	if (sa->sa_family != AF_INET6)
		return -1;
	memcpy(&sin6, sa, sizeof(sin6));
	memcpy(a->b, &sin6.sin6_addr, sizeof(a->b));
	return 0;
}

int
addr_is_loopback(const struct addr *a)
{
	static const struct addr one = {{[15] = 1}};

	return memcmp(a, &one, sizeof(one)) == 0 ||
	    (memcmp(a->b, mapped, sizeof(mapped)) == 0 && a->b[12] == 127);
}

static int
prefix_match(const struct net_prefix *p, const struct addr *a)
{
	unsigned whole = p->bits / 8, rest = p->bits % 8;

	if (memcmp(p->addr.b, a->b, whole) != 0)
		return 0;
	return rest == 0 ||
	    ((p->addr.b[whole] ^ a->b[whole]) & (0xff00 >> rest) & 0xff) == 0;
}

/* "10.0.0.0/8": bits of 32 count from where the IPv4 part begins. */
static int
prefix_parse(const char *s, struct net_prefix *p)
{
	size_t len = strcspn(s, "/");
	int v4 = memchr(s, ':', len) == NULL;
	unsigned max = v4 ? 32 : 128;
	const char *err = NULL;
	char num[8];

	if (addr_parse(s, len, &p->addr) == -1)
		return -1;
	p->bits = max;
	if (s[len] == '/') {
		if (strlcpy(num, s + len + 1, sizeof(num)) >= sizeof(num) ||
		    num[strspn(num, "0123456789")] != '\0')
			return -1;
		p->bits = (unsigned)strtonum(num, 0, max, &err);
		if (err != NULL)
			return -1;
	}
	if (v4)
		p->bits += 96;
	return 0;
}

void
nets_read(struct nets *n, struct json_object *list)
{
	size_t i, len, max = list == NULL ? 0 : json_object_array_length(list);
	struct json_object *v;
	const char *s;
	char buf[64];

	n->n = 0;
	if ((n->v = calloc(max + 1, sizeof(*n->v))) == NULL)
		fatal("calloc");
	for (i = 0; i < max; i++) {
		v = json_object_array_get_idx(list, i);
		if (!json_object_is_type(v, json_type_string))
			continue;
		s = json_object_get_string(v);
		s += strspn(s, " \t\r\n");
		if (strlcpy(buf, s, sizeof(buf)) >= sizeof(buf))
			continue;
		for (len = strlen(buf); len > 0 &&
		     strchr(" \t\r\n", buf[len - 1]) != NULL; len--)
			buf[len - 1] = '\0';
		if (prefix_parse(buf, &n->v[n->n]) == 0)
			n->n++;
	}
}

void
nets_free(struct nets *n)
{
	free(n->v);
	n->v = NULL;
	n->n = 0;
}

int
nets_match(const struct nets *n, const struct addr *a)
{
	size_t i;

	for (i = 0; i < n->n; i++)
		if (prefix_match(&n->v[i], a))
			return 1;
	return 0;
}

int
nets_allow(const struct nets *n, const struct addr *a)
{
	static const unsigned char v4[4] = {127, 0, 0, 1};
	static const struct addr v6 = {{[15] = 1}};
	struct addr local;

	if (n->n > 0)
		return nets_match(n, a);
	addr_map(&local, v4);
	return memcmp(a, &local, sizeof(local)) == 0 ||
	    memcmp(a, &v6, sizeof(v6)) == 0;
}

/* An entry of a forwarding header: with or without port and brackets. */
static int
entry_parse(const char *s, size_t len, struct addr *a)
{
	const char *end;

	while (len > 0 && (*s == ' ' || *s == '\t')) {
		s++;
		len--;
	}
	while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t'))
		len--;
	if (len > 0 && *s == '[') {
		if ((end = memchr(s, ']', len)) == NULL)
			return -1;
		return addr_parse(s + 1, (size_t)(end - s - 1), a);
	}
	end = memchr(s, ':', len);
	if (end != NULL &&
	    memchr(end + 1, ':', len - (size_t)(end - s) - 1) == NULL)
		len = (size_t)(end - s); /* one colon: a port */
	return addr_parse(s, len, a);
}

/*
 * From the right, since each hop appends whom it saw. What cannot be read
 * ends the search: all to the left of it the client may have made up.
 */
static int
forwarded_find(const char *list, const struct nets *trusted, struct addr *a)
{
	size_t end = strlen(list), start;

	for (;;) {
		for (start = end; start > 0 && list[start - 1] != ','; start--)
			;
		if (entry_parse(list + start, end - start, a) == -1)
			return -1;
		if (!addr_is_loopback(a) && !nets_match(trusted, a))
			return 0;
		if (start == 0)
			return -1;
		end = start - 1;
	}
}

int
source_find(const struct addr *peer, const struct nets *trusted,
    const char *forwarded, const char *real, int real_ip, struct addr *a)
{
	if (peer != NULL && !nets_match(trusted, peer)) {
		*a = *peer;
		return 0;
	}
	if (forwarded != NULL)
		return forwarded_find(forwarded, trusted, a);
	if (real == NULL || !real_ip)
		return -1;
	return entry_parse(real, strlen(real), a);
}
