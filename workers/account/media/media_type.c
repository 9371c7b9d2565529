#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/strbuf.h"
#include "common/text.h"
#include "common/utf8.h"
#include "workers/account/media/media_type.h"
#include "workers/account/text/quote.h"

static const struct {
	size_t at;
	const char *bytes;
	size_t len;
	const char *type;
} magic[] = {
    {0, "\x89PNG\r\n\x1a\n", 8, "image/png"},
    {0, "\xff\xd8\xff", 3, "image/jpeg"},
    {0, "GIF87a", 6, "image/gif"},
    {0, "GIF89a", 6, "image/gif"},
    {8, "WEBP", 4, "image/webp"}, /* RIFF is looked for below */
    {8, "WAVE", 4, "audio/wav"},
    {8, "AVI ", 4, "video/x-msvideo"},
    {0, "II*\0", 4, "image/tiff"},
    {0, "MM\0*", 4, "image/tiff"},
    {4, "ftypavif", 8, "image/avif"},
    {4, "ftyphei", 7, "image/heic"},
    {4, "ftypM4A", 7, "audio/mp4"},
    {4, "ftypqt", 6, "video/quicktime"},
    {4, "ftyp", 4, "video/mp4"},
    {0, "\x1a\x45\xdf\xa3", 4, "video/webm"},
    {0, "OggS", 4, "audio/ogg"},
    {0, "fLaC", 4, "audio/flac"},
    {0, "ID3", 3, "audio/mpeg"},
    {0, "%PDF-", 5, "application/pdf"},
    {0, "PK\3\4", 4, "application/zip"},
    {0, "PK\5\6", 4, "application/zip"},
    {0, "\x1f\x8b\x08", 3, "application/gzip"},
    {0, "7z\xbc\xaf\x27\x1c", 6, "application/x-7z-compressed"},
    {0, "\x7f" "ELF", 4, "application/x-executable"},
    {0, "MZ", 2, "application/x-msdownload"},
};
#define NMAGIC (sizeof(magic) / sizeof(magic[0]))

static int
is_text(const unsigned char *head, size_t len)
{
	size_t i, cut;

	for (i = 0; i < len; i++)
		if (head[i] < 0x20 && strchr("\t\n\r\f\033", head[i]) == NULL)
			return 0;
	/* The last character may be cut by the end of the head. */
	for (cut = 0; cut < 4 && cut <= len; cut++)
		if (text_valid((const char *)head, len - cut))
			return cut == 0 || len >= MEDIA_HEAD;
	return 0;
}

const char *
media_sniff(const unsigned char *head, size_t len)
{
	size_t i;

	if (len > MEDIA_HEAD)
		len = MEDIA_HEAD;
	for (i = 0; i < NMAGIC; i++) {
		if (len < magic[i].at + magic[i].len ||
		    memcmp(head + magic[i].at, magic[i].bytes,
			magic[i].len) != 0)
			continue;
		if (magic[i].at == 8 && memcmp(head, "RIFF", 4) != 0)
			continue;
		/* Two letters may begin a text, too. */
		if (magic[i].len <= 3 && is_text(head, len))
			continue;
		return magic[i].type;
	}
	return is_text(head, len) ? MEDIA_TEXT : MEDIA_UNKNOWN;
}

static int
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* Types whose files are text. */
static int
claims_text(const char *claimed)
{
	return begins(claimed, "text/") || strstr(claimed, "json") != NULL ||
	    strstr(claimed, "xml") != NULL ||
	    strstr(claimed, "script") != NULL ||
	    strstr(claimed, "yaml") != NULL;
}

/* Types that media_sniff() would have known. */
static int
claims_known(const char *claimed)
{
	static const char *const known[] = {"image/png", "image/jpeg",
	    "image/gif", "image/webp", "application/pdf", "application/zip",
	    "application/gzip"};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(claimed, known[i]) == 0)
			return 1;
	return claims_text(claimed);
}

int
media_fits(const char *type, const char *claimed)
{
	size_t kind;

	if (*claimed == '\0' || strcmp(claimed, MEDIA_UNKNOWN) == 0 ||
	    strcmp(claimed, type) == 0)
		return 1;
	if (strcmp(type, MEDIA_TEXT) == 0)
		return claims_text(claimed) || begins(claimed, "application/") ?
		    !claims_known(claimed) || claims_text(claimed) : 0;
	if (strcmp(type, MEDIA_UNKNOWN) == 0)
		return !claims_known(claimed);
	if (strcmp(type, "application/zip") == 0)
		return begins(claimed, "application/") &&
		    !claims_known(claimed);
	/* jpg and pjpeg, x-wav and wave: of the same kind is enough ... */
	kind = (size_t)(strchr(type, '/') - type) + 1;
	if (strncmp(type, claimed, kind) == 0)
		return !claims_known(claimed);
	/* ... and a container of sound may be one of pictures. */
	return (begins(type, "audio/") && begins(claimed, "video/")) ||
	    (begins(type, "video/") && begins(claimed, "audio/"));
}

void
media_claim(char out[MEDIA_TYPE_SIZE], const char *type)
{
	size_t len = strcspn(type, "; \t"), i;

	out[0] = '\0';
	if (len >= MEDIA_TYPE_SIZE || memchr(type, '/', len) == NULL)
		return;
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)type[i];

		if (!isalnum(c) && strchr("/.+-_", c) == NULL) {
			out[0] = '\0';
			return;
		}
		out[i] = (char)tolower(c);
	}
	out[len] = '\0';
}

/* Invisible, or turns what is around it. */
static int
is_odd(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xfffd ||
	    cp == 0xad || cp == 0x61c || cp == 0x180e ||
	    (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	    (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff ||
	    (cp >= 0xe0000 && cp <= 0xe007f) || cp == '"' || cp == '`' ||
	    cp == '<' || cp == '>' || cp == 0x27e6 || cp == 0x27e7;
}

void
media_name(char out[MEDIA_NAME_MAX + 1], const char *name)
{
	const char *p, *end = name + strlen(name);
	size_t n = 0, len;
	uint32_t cp;

	for (p = name; *p != '\0'; p++)
		if (*p == '/' || *p == '\\')
			name = p + 1;
	for (p = name; p < end; p += len) {
		len = utf8_next(p, (size_t)(end - p), &cp);
		if (is_odd(cp)) {
			if (n == 0 || out[n - 1] == '_')
				continue;
			if (n + 1 > MEDIA_NAME_MAX)
				break;
			out[n++] = '_';
			continue;
		}
		if (n + len > MEDIA_NAME_MAX)
			break;
		memcpy(out + n, p, len);
		n += len;
	}
	out[n] = '\0';
	if (out[strspn(out, " ._")] == '\0')
		strlcpy(out, "file", MEDIA_NAME_MAX + 1);
}

char *
media_unavailable(size_t n, const char *const *names, size_t n_names)
{
	struct strbuf b = STRBUF_INIT, list = STRBUF_INIT;
	char clean[MEDIA_NAME_MAX + 1];
	size_t i, was;

	strbuf_puts(&b, "\n\n[mattermost ");
	if (n == 1)
		strbuf_puts(&b, "attachment");
	else {
		strbuf_num(&b, (int64_t)n);
		strbuf_puts(&b, " attachments");
	}
	strbuf_puts(&b, " unavailable]");
	for (i = 0; i < n_names; i++) {
		media_name(clean, names[i]);
		was = list.len;
		strbuf_puts(&list, i == 0 ? " " : ", ");
		quote_json(&list, clean);
		if (list.len > MEDIA_UNAVAILABLE_MAX) {
			strbuf_truncate(&list, was);
			break;
		}
	}
	if (list.len > 0)
		strbuf_puts(&b, list.s);
	strbuf_free(&list);
	return strbuf_take(&b);
}

/* As browsers do: what would end the quotes or the line, in percent. */
static void
put_quoted(struct strbuf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '"')
			strbuf_puts(b, "%22");
		else if (*s == '\r' || *s == '\n')
			strbuf_puts(b, *s == '\r' ? "%0D" : "%0A");
		else
			strbuf_putc(b, *s);
	}
}

void
multipart_make(struct multipart *m, const char *boundary, const char *channel,
    const char *name, const char *type)
{
	struct strbuf b = STRBUF_INIT;

	(void)snprintf(m->type, sizeof(m->type),
	    "Content-Type: multipart/form-data; boundary=%s", boundary);
	strbuf_puts(&b, "--");
	strbuf_puts(&b, boundary);
	strbuf_puts(&b, "\r\nContent-Disposition: form-data; "
			"name=\"channel_id\"\r\n\r\n");
	strbuf_puts(&b, channel);
	strbuf_puts(&b, "\r\n--");
	strbuf_puts(&b, boundary);
	strbuf_puts(&b, "\r\nContent-Disposition: form-data; name=\"files\"; "
			"filename=\"");
	put_quoted(&b, name);
	strbuf_puts(&b, "\"\r\nContent-Type: ");
	strbuf_puts(&b, type);
	strbuf_puts(&b, "\r\n\r\n");
	m->head = strbuf_take(&b);
	strbuf_puts(&b, "\r\n--");
	strbuf_puts(&b, boundary);
	strbuf_puts(&b, "--\r\n");
	m->tail = strbuf_take(&b);
}

void
multipart_free(struct multipart *m)
{
	free(m->head);
	free(m->tail);
	m->head = m->tail = NULL;
}
