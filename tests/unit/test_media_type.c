#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workers/account/media/media_type.h"

static void
test_sniff(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *type;
	} t[] = {
#define B(s) s, sizeof(s) - 1
	    {B("\x89PNG\r\n\x1a\n...."), "image/png"},
	    {B("\x89PNG\r\n\x1a"), MEDIA_UNKNOWN},
	    {B("\xff\xd8\xff\xe0..JFIF"), "image/jpeg"},
	    {B("GIF89a\1\0\1\0"), "image/gif"},
	    {B("RIFF\x10\0\0\0WEBPVP8 "), "image/webp"},
	    {B("RIFX\x10\0\0\0WEBPVP8 "), MEDIA_UNKNOWN},
	    {B("RIFF\x10\0\0\0WAVEfmt "), "audio/wav"},
	    {B("%PDF-1.7\n"), "application/pdf"},
	    {B("PK\3\4\x14\0"), "application/zip"},
	    {B("\0\0\0\x18" "ftypmp42"), "video/mp4"},
	    {B("\x7f" "ELF\2\1\1"), "application/x-executable"},
	    {B("MZ\x90\0\3"), "application/x-msdownload"},
	    {B("MZ is how a text may begin"), MEDIA_TEXT},
	    {B("ID3 too, and MP3 is no word"), MEDIA_TEXT},
	    {B("hello\n"), MEDIA_TEXT},
	    {B(""), MEDIA_TEXT},
	    {B("gr\xc3\xbc\xc3\x9f"), MEDIA_TEXT},
	    {B("cut gr\xc3"), MEDIA_UNKNOWN},
	    {B("nul\0"), MEDIA_UNKNOWN},
	    {B("bell\a"), MEDIA_UNKNOWN},
	    {B("\xc0\x80"), MEDIA_UNKNOWN},
	    {B("<svg xmlns='http://www.w3.org/2000/svg'/>"), MEDIA_TEXT},
	};
	unsigned char head[MEDIA_HEAD];
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_string_equal(
		    media_sniff((const unsigned char *)t[i].bytes, t[i].len),
		    t[i].type);
	/* The head may end within a character, the file may not. */
	memset(head, 'x', sizeof(head));
	head[MEDIA_HEAD - 1] = 0xc3;
	assert_string_equal(media_sniff(head, sizeof(head)), MEDIA_TEXT);
	assert_string_equal(media_sniff(head + 1, sizeof(head) - 1),
	    MEDIA_UNKNOWN);
}

static void
test_fits(void **state)
{
	static const struct {
		const char *type, *claimed;
		int fits;
	} t[] = {
	    {"image/png", "image/png", 1},
	    {"image/png", "", 1},
	    {"image/png", "application/octet-stream", 1},
	    {"image/png", "image/jpeg", 0},
	    {"image/png", "text/plain", 0},
	    {"image/heic", "image/x-whatever", 1},
	    {MEDIA_TEXT, "text/csv", 1},
	    {MEDIA_TEXT, "application/json", 1},
	    {MEDIA_TEXT, "image/svg+xml", 1},
	    {MEDIA_TEXT, "application/x-sh", 1},
	    {MEDIA_TEXT, "image/png", 0},
	    {MEDIA_TEXT, "application/pdf", 0},
	    {MEDIA_TEXT, "video/mp4", 0},
	    {MEDIA_UNKNOWN, "image/png", 0},
	    {MEDIA_UNKNOWN, "text/plain", 0},
	    {MEDIA_UNKNOWN, "application/pdf", 0},
	    {MEDIA_UNKNOWN, "application/x-thing", 1},
	    {MEDIA_UNKNOWN, "audio/mpeg", 1}, /* frames without a header */
	    {"application/zip", "application/vnd.ms-excel.sheet", 1},
	    {"application/zip", "application/pdf", 0},
	    {"application/zip", "image/png", 0},
	    {"application/x-executable", "image/png", 0},
	    {"application/x-executable", "application/x-sharedlib", 1},
	    {"video/mp4", "audio/mp4", 1},
	    {"audio/ogg", "video/ogg", 1},
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (media_fits(t[i].type, t[i].claimed) != t[i].fits)
			fail_msg("%s called %s", t[i].type, t[i].claimed);
}

static void
test_claim(void **state)
{
	char out[MEDIA_TYPE_SIZE];

	media_claim(out, "Text/Plain; charset=utf-8");
	assert_string_equal(out, "text/plain");
	media_claim(out, "text");
	assert_string_equal(out, "");
	media_claim(out, "a/b\nc");
	assert_string_equal(out, "");
	media_claim(out, "image/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			 "aaaaaaaaaaaaaaaaaaaaaaaa");
	assert_string_equal(out, "");
}

static void
test_name(void **state)
{
	static const struct {
		const char *from, *to;
	} t[] = {
	    {"a.txt", "a.txt"},
	    {"../../etc/passwd", "passwd"},
	    {"C:\\dir\\b.png", "b.png"},
	    {"", "file"},
	    {"..", "file"},
	    {"dir/", "file"},
	    {"two\nlines", "two_lines"},
	    {"say \"hi\"", "say _hi_"},
	    {"exe\xe2\x80\xaegpj.txt", "exe_gpj.txt"}, /* U+202E */
	    {"zero\xe2\x80\x8bwidth", "zero_width"},
	    {"bad\xff\xfe" "bytes", "bad_bytes"},
	    {"gr\xc3\xbc\xc3\x9f" "e.md", "gr\xc3\xbc\xc3\x9f" "e.md"},
	    {"\xe2\x9f\xa6postern:data\xe2\x9f\xa7", "postern:data_"},
	};
	char out[MEDIA_NAME_MAX + 1], *s;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		media_name(out, t[i].from);
		assert_string_equal(out, t[i].to);
	}
	/* Cut between characters. */
	s = malloc(401);
	for (i = 0; i < 400; i += 2)
		memcpy(s + i, "\xc3\xbc", 2);
	s[400] = '\0';
	media_name(out, s + 1);
	assert_true(strlen(out) <= MEDIA_NAME_MAX);
	assert_int_equal((unsigned char)out[strlen(out) - 1], 0xbc);
	free(s);
}

static void
test_unavailable(void **state)
{
	const char *names[MEDIA_UNAVAILABLE_MAX];
	char *s;
	int i;

	s = media_unavailable(1, NULL, 0);
	assert_string_equal(s, "\n\n[mattermost attachment unavailable]");
	free(s);
	names[0] = "a\"\n.txt";
	names[1] = "b.png";
	s = media_unavailable(3, names, 2);
	assert_string_equal(s,
	    "\n\n[mattermost 3 attachments unavailable] \"a_.txt\", "
	    "\"b.png\"");
	free(s);
	for (i = 0; i < 100; i++)
		names[i] = "a name of thirty characters.text";
	s = media_unavailable(100, names, 100);
	assert_true(strlen(s) <= MEDIA_UNAVAILABLE_MAX + 64);
	assert_int_equal(s[strlen(s) - 1], '"');
	free(s);
}

static void
test_multipart(void **state)
{
	struct multipart m;

	multipart_make(&m, "0123456789abcdef", "chan", "a\"\r\nX: y.txt",
	    "text/plain");
	assert_string_equal(m.type,
	    "Content-Type: multipart/form-data; boundary=0123456789abcdef");
	assert_string_equal(m.head,
	    "--0123456789abcdef\r\n"
	    "Content-Disposition: form-data; name=\"channel_id\"\r\n\r\n"
	    "chan\r\n"
	    "--0123456789abcdef\r\n"
	    "Content-Disposition: form-data; name=\"files\"; "
	    "filename=\"a%22%0D%0AX: y.txt\"\r\n"
	    "Content-Type: text/plain\r\n\r\n");
	assert_string_equal(m.tail, "\r\n--0123456789abcdef--\r\n");
	multipart_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sniff),
	    cmocka_unit_test(test_fits),
	    cmocka_unit_test(test_claim),
	    cmocka_unit_test(test_name),
	    cmocka_unit_test(test_unavailable),
	    cmocka_unit_test(test_multipart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
