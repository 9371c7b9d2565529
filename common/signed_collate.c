#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/signed_collate.h"

#define INDEX_MAX 4294967294u /* ECMAScript: the largest array index */
#define OTHER 0x1000u	      /* primary weights beyond those of the tables */

/* Below the digits, in order; what is not here has no weight. */
static const char marks[] = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";

/* Second letters of what U+00C0..U+00FF decompose to; "" : as they are. */
static const char bases[] = "AAAAAA CEEEEIIII NOOOOO  UUUUY  "
			    "aaaaaa ceeeeiiii nooooo  uuuuy y";
static const char accents[] = "gactdr cgacdgacd tgactd  gacda  "
			      "gactdr cgacdgacd tgactd  gacda d";

struct weight {
	uint32_t primary;
	uint8_t second; /* the accent */
	uint8_t third;	/* the case */
};

/* Accents in the order of their weights, and their combining forms. */
static const struct {
	char name;
	uint16_t cp;
} accent_order[] = {{'a', 0x301}, {'g', 0x300}, {'b', 0x306}, {'c', 0x302},
    {'v', 0x30c}, {'r', 0x30a}, {'d', 0x308}, {'q', 0x30b}, {'t', 0x303},
    {'o', 0x307}, {'e', 0x327}};
#define NACCENTS (sizeof(accent_order) / sizeof(accent_order[0]))

/* One code point of valid UTF-8. */
static uint32_t
next_cp(const unsigned char **p)
{
	uint32_t c = *(*p)++;
	int n = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	if (n > 0)
		c &= 0x3fu >> n;
	for (; n > 0 && (**p & 0xc0) == 0x80; n--)
		c = c << 6 | (*(*p)++ & 0x3fu);
	return c;
}

static uint8_t
accent_weight(char name, uint32_t cp)
{
	size_t i;

	for (i = 0; i < NACCENTS; i++)
		if (accent_order[i].name == name || accent_order[i].cp == cp)
			return (uint8_t)(i + 1);
	return 0;
}

static size_t
ascii_weight(uint32_t c, uint8_t second, struct weight *w)
{
	const char *m;

	*w = (struct weight){0, second, 0};
	if (c >= '0' && c <= '9')
		w->primary = 100 + c - '0';
	else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') {
		w->primary = 200 + (c | 0x20) - 'a';
		w->third = (c & 0x20) == 0;
	} else if (c != 0 && (m = strchr(marks, (int)c)) != NULL)
		w->primary = 1 + (uint32_t)(m - marks);
	else
		return 0; /* control characters have no weight */
	return 1;
}

/* Weights of one code point: 0, 1 or 2 of them. */
static size_t
weigh(uint32_t c, struct weight *w, size_t n)
{
	uint8_t second;

	if (c < 0x80)
		return ascii_weight(c, 0, w);
	if (c < 0xa0)
		return 0;
	if (c == 0xdf) { /* sharp s: as ss, after it */
		ascii_weight('s', 0, w);
		ascii_weight('s', 0, w + 1);
		w[0].third = w[1].third = 2;
		return 2;
	}
	if (c >= 0xc0 && c <= 0xff && bases[c - 0xc0] != ' ') {
		second = accent_weight(
		    accents[c - 0xc0] == 'c' &&
			    (bases[c - 0xc0] | 0x20) == 'c' ? 'e' :
							      accents[c - 0xc0],
		    0);
		return ascii_weight((unsigned char)bases[c - 0xc0], second, w);
	}
	if ((second = accent_weight(0, c)) != 0) {
		if (n > 0)
			w[-1].second = second;
		return 0;
	}
	*w = (struct weight){OTHER + c, 0, 0};
	return 1;
}

static struct weight *
weights(const char *s, size_t *n)
{
	const unsigned char *p = (const unsigned char *)s;
	struct weight *w = calloc(2 * strlen(s) + 2, sizeof(*w));

	if (w == NULL)
		fatal("calloc");
	*n = 0;
	while (*p != '\0')
		*n += weigh(next_cp(&p), w + *n, *n);
	return w;
}

static int
compare(const struct weight *a, size_t na, const struct weight *b, size_t nb)
{
	size_t i, n = na < nb ? na : nb;

	for (i = 0; i < n; i++)
		if (a[i].primary != b[i].primary)
			return a[i].primary < b[i].primary ? -1 : 1;
	if (na != nb)
		return na < nb ? -1 : 1;
	for (i = 0; i < n; i++)
		if (a[i].second != b[i].second)
			return a[i].second < b[i].second ? -1 : 1;
	for (i = 0; i < n; i++)
		if (a[i].third != b[i].third)
			return a[i].third < b[i].third ? -1 : 1;
	return 0;
}

/* 1 when s is an array index. */
static int
is_index(const char *s, uint64_t *n)
{
	size_t len = strspn(s, "0123456789");

	*n = 0;
	if (len == 0 || len > 10 || s[len] != '\0' || (*s == '0' && len > 1))
		return 0;
	for (; *s != '\0'; s++)
		*n = *n * 10 + (uint64_t)(*s - '0');
	return *n <= INDEX_MAX;
}

int
signed_collate(const char *a, const char *b)
{
	struct weight *wa, *wb;
	uint64_t ia, ib;
	size_t na, nb;
	int fa = is_index(a, &ia), fb = is_index(b, &ib), rc;

	if (fa && fb)
		return ia < ib ? -1 : ia > ib;
	if (fa != fb)
		return fa ? -1 : 1;
	wa = weights(a, &na);
	wb = weights(b, &nb);
	rc = compare(wa, na, wb, nb);
	free(wa);
	free(wb);
	return rc;
}
