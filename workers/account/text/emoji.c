#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/strbuf.h"
#include "common/utf8.h"
#include "workers/account/text/emoji.h"

#define TONE_FIRST 0x1f3fbu
#define TONE_LAST 0x1f3ffu

static const struct {
	uint32_t cp;
	const char *name;
	int tones;
} names[] = {
    {0x2705, "white_check_mark", 0},
    {0x274c, "x", 0},
    {0x1f44d, "thumbsup", 1},
    {0x1f44e, "thumbsdown", 1},
    {0x1f389, "tada", 0},
    {0x2764, "heart", 0},
    {0x1f604, "smile", 0},
    {0x1f602, "joy", 0},
    {0x1f680, "rocket", 0},
    {0x1f440, "eyes", 0},
    {0x1f64f, "pray", 1},
    {0x1f525, "fire", 0},
    {0x1f4af, "100", 0},
    {0x26a0, "warning", 0},
    {0x2795, "heavy_plus_sign", 0},
    {0x2796, "heavy_minus_sign", 0},
    {0x1f914, "thinking_face", 0},
    {0x26a1, "zap", 0},
    {0x1f310, "globe_with_meridians", 0},
    {0x1f631, "scream", 0},
    {0x1f9e0, "brain", 0},
    {0x1f4bb, "computer", 0},
    {0x1f44b, "wave", 1},
    {0x1f64c, "raised_hands", 1},
};

static const char *const tones[] = {"_light_skin_tone",
    "_medium_light_skin_tone", "_medium_skin_tone", "_medium_dark_skin_tone",
    "_dark_skin_tone"};

/* Blanks and colons at both ends. */
static char *
bare(const char *emoji)
{
	char *s = utf8_trim(emoji), *out;
	size_t start = 0, end = strlen(s);

	while (start < end && s[start] == ':')
		start++;
	while (end > start && s[end - 1] == ':')
		end--;
	s[end] = '\0';
	out = utf8_trim(s + start);
	free(s);
	return out;
}

/* The one character of s, tones and variation selectors apart; else 0. */
static uint32_t
single(const char *s, int *tone)
{
	size_t i = 0, len = strlen(s);
	uint32_t cp, found = 0;

	*tone = -1;
	while (i < len) {
		i += utf8_next(s + i, len - i, &cp);
		if (cp >= TONE_FIRST && cp <= TONE_LAST) {
			if (*tone == -1)
				*tone = (int)(cp - TONE_FIRST);
		} else if (cp != 0xfe0e && cp != 0xfe0f) {
			if (found != 0)
				return 0;
			found = cp;
		}
	}
	return found;
}

char *
emoji_name(const char *emoji)
{
	char *s = bare(emoji == NULL ? "" : emoji);
	struct strbuf b = STRBUF_INIT;
	uint32_t cp;
	size_t i;
	int tone;

	if (*s == '\0') {
		free(s);
		return NULL;
	}
	cp = single(s, &tone);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].cp != cp)
			continue;
		free(s);
		strbuf_puts(&b, names[i].name);
		if (tone != -1 && names[i].tones)
			strbuf_puts(&b, tones[tone]);
		return strbuf_take(&b);
	}
	return s;
}

int
emoji_name_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-");

	return len > 0 && len <= 64 && name[len] == '\0';
}
