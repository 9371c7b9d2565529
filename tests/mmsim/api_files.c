#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/log.h"
#include "tests/mmsim/api.h"
#include "tests/mmsim/fault.h"
#include "tests/mmsim/multipart.h"
#include "tests/mmsim/render.h"
#include "tests/mmsim/sim.h"

static const struct {
	const char *ext, *mime;
} types[] = {{"txt", "text/plain; charset=utf-8"},
    {"json", "application/json"}, {"png", "image/png"},
    {"jpg", "image/jpeg"}, {"jpeg", "image/jpeg"}, {"gif", "image/gif"},
    {"webp", "image/webp"}, {"pdf", "application/pdf"},
    {"html", "text/html; charset=utf-8"}, {"md", "text/markdown; "
    "charset=utf-8"}, {"csv", "text/csv; charset=utf-8"},
    {"mp3", "audio/mpeg"}, {"ogg", "audio/ogg"}, {"wav", "audio/x-wav"},
    {"mp4", "video/mp4"}, {"zip", "application/zip"},
    {"svg", "image/svg+xml"}, {"xml", "text/xml; charset=utf-8"}};

static uint32_t
be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

/* Width and height of a PNG or GIF, from its header. */
static void
image_size(struct file *f)
{
	const unsigned char *p = (const unsigned char *)f->data;

	if (f->size > 24 && !memcmp(p, "\x89PNG\r\n\x1a\n", 8)) {
		f->width = (int)(be32(p + 16) & 0xffff);
		f->height = (int)(be32(p + 20) & 0xffff);
	} else if (f->size > 10 && !memcmp(p, "GIF8", 4)) {
		f->width = p[6] | p[7] << 8;
		f->height = p[8] | p[9] << 8;
	}
}

static struct file *
file_new(struct user *u, const char *name, const char *data, size_t size)
{
	struct file *f = xcalloc(1, sizeof(*f));
	const char *p;
	size_t i;

	id_new(f->id);
	f->user = u;
	for (p = name; *p; p++)
		if (*p == '/' || *p == '\\')
			name = p + 1;
	f->name = xstrdup(name);
	p = strrchr(name, '.');
	f->ext = xstrdup(p ? p + 1 : "");
	f->mime = "";
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcasecmp(types[i].ext, f->ext))
			f->mime = types[i].mime;
	f->create_at = tick_ms();
	f->data = xmalloc(size);
	memcpy(f->data, data, size);
	f->size = size;
	image_size(f);
	hmap_put(&st.files, f->id, f);
	return f;
}

static void
too_large(struct req *r, const char *name, int64_t size)
{
	char text[512];

	snprintf(text, sizeof(text), "Unable to upload file %.200s. %lld bytes"
	    " exceeds the maximum allowed %lld bytes.", name, (long long)size,
	    (long long)sim.max_file_size);
	api_error(r, 413, "api.file.upload_file.too_large_detailed.app_error",
	    text);
}

static int
channel_ok(struct req *r, const char *id)
{
	struct channel *c = hmap_get(&st.channels, id);

	if (!id_valid(id))
		api_bad_body(r, "channel_id");
	else if (c == NULL || channel_member(c, r->user) == NULL)
		api_forbidden(r);
	else
		return 1;
	return 0;
}

static void
upload_raw(struct req *r, const char *channel)
{
	const char *name = req_query(r, "filename");
	struct buf b = {0};
	struct file *f;

	if (name == NULL || *name == '\0')
		api_bad_url(r, "filename");
	else if (!channel_ok(r, channel))
		;
	else if (r->early)
		too_large(r, name, r->body_announced);
	else if ((int64_t)r->body_len > sim.max_file_size)
		too_large(r, name, (int64_t)r->body_len);
	else {
		f = file_new(r->user, name, r->body, r->body_len);
		buf_str(&b, "{\"file_infos\":[");
		render_file(&b, f);
		buf_str(&b, "],\"client_ids\":null}");
		api_json(r, 201, &b);
	}
}

static void
upload_parts(struct req *r, struct part *parts, size_t n, const char *channel)
{
	struct buf b = {0}, ids = {0};
	char id[64] = "";
	size_t i, k = 0, m = 0;

	snprintf(id, sizeof(id), "%s", channel);
	for (i = 0; i < n; i++)
		if (!strcmp(parts[i].name, "channel_id"))
			snprintf(id, sizeof(id), "%.*s", (int)parts[i].len,
			    parts[i].data);
	if (!channel_ok(r, id))
		return;
	for (i = 0; i < n; i++)
		if (parts[i].filename &&
		    (int64_t)parts[i].len > sim.max_file_size) {
			too_large(r, parts[i].filename,
			    (int64_t)parts[i].len);
			return;
		}
	buf_str(&b, "{\"file_infos\":[");
	for (i = 0; i < n; i++) {
		if (parts[i].filename != NULL) {
			buf_str(&b, k++ ? "," : "");
			render_file(&b, file_new(r->user, parts[i].filename,
			    parts[i].data, parts[i].len));
		} else if (!strcmp(parts[i].name, "client_ids")) {
			buf_str(&ids, m++ ? "," : "");
			buf_json(&ids, parts[i].data, parts[i].len);
		}
	}
	buf_fmt(&b, "],\"client_ids\":[%s]}", m ? ids.p : "");
	buf_free(&ids);
	api_json(r, 201, &b);
}

/* Go reads up to 256 KiB of a body that nobody wanted. */
int
upload_early(const struct req *r)
{
	const char *type = req_header(r, "Content-Type");

	return r->body_announced > sim.max_file_size &&
	    r->body_announced > (256 << 10) &&
	    !strcmp(r->path, "/api/v4/files") &&
	    (type == NULL || strncasecmp(type, "multipart/form-data", 19));
}

static void
upload(struct req *r)
{
	const char *type = req_header(r, "Content-Type");
	const char *q = req_query(r, "channel_id");
	char channel[64];
	struct part *parts;
	size_t n = 0;

	snprintf(channel, sizeof(channel), "%s", q ? q : "");
	if (type == NULL || strncasecmp(type, "multipart/form-data", 19)) {
		upload_raw(r, channel);
		return;
	}
	parts = multipart_parse(type, r->body, r->body_len, &n);
	if (parts == NULL)
		api_error(r, 400,
		    "api.file.upload_file.read_request.app_error",
		    "Unable to upload file(s). Error reading or parsing "
		    "request data.");
	else
		upload_parts(r, parts, n, channel);
	multipart_free(parts, n);
}

/* A file the caller may see; else the answer was sent. */
static struct file *
file_arg(struct req *r)
{
	struct file *f;

	if (!id_valid(r->arg[0])) {
		api_bad_url(r, "file_id");
		return NULL;
	}
	f = hmap_get(&st.files, r->arg[0]);
	if (f == NULL) {
		api_error(r, 404, "app.file_info.get.app_error",
		    "Unable to get the file info.");
		return NULL;
	}
	if (f->user != r->user && !r->user->is_admin &&
	    (f->post == NULL ||
		channel_member(f->post->channel, r->user) == NULL)) {
		api_forbidden(r);
		return NULL;
	}
	return f;
}

static void
file_info(struct req *r)
{
	struct file *f = file_arg(r);
	struct buf b = {0};

	if (f == NULL)
		return;
	buf_str(&r->extra, "Cache-Control: max-age=2592000, private\r\n");
	render_file(&b, f);
	api_json(r, 200, &b);
}

/* One range "bytes=a-b", "a-" or "-n". 0: none, -1: cannot be had. */
static int
range_of(const struct req *r, size_t size, size_t *from, size_t *len)
{
	const char *h = req_header(r, "Range");
	long long a, b;

	if (h == NULL || strncmp(h, "bytes=", 6) != 0)
		return 0;
	h += 6;
	if (*h == '-') {
		b = strtoll(h + 1, NULL, 10);
		a = b > (long long)size ? 0 : (long long)size - b;
		b = (long long)size - 1;
	} else {
		a = strtoll(h, NULL, 10);
		h = strchr(h, '-');
		b = h && h[1] ? strtoll(h + 1, NULL, 10)
			      : (long long)size - 1;
	}
	if (b >= (long long)size)
		b = (long long)size - 1;
	if (a < 0 || a > b)
		return -1;
	*from = (size_t)a;
	*len = (size_t)(b - a + 1);
	return 1;
}

static void
file_headers(struct req *r, const struct file *f)
{
	const char *dl = req_query(r, "download");
	int attach = (dl != NULL && !strcmp(dl, "1")) ||
	    (strncmp(f->mime, "image/", 6) && strncmp(f->mime, "video/", 6) &&
		strncmp(f->mime, "audio/", 6)) ||
	    !strcmp(f->mime, "image/svg+xml");
	time_t t = (time_t)(f->create_at / 1000);
	char when[64], rid[ID_LEN + 1];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(when, sizeof(when), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	id_new(rid);
	buf_fmt(&r->extra, "Accept-Ranges: bytes\r\n"
	    "Cache-Control: private, no-cache\r\n"
	    "Content-Disposition: %s;filename=\"%s\"; filename*=UTF-8''%s\r\n"
	    "Content-Security-Policy: Frame-ancestors 'none'\r\n"
	    "Expires: 0\r\nLast-Modified: %s\r\nVary: Accept-Encoding\r\n"
	    "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"
	    "X-Request-Id: %s\r\nX-Uncompressed-Content-Length: %zu\r\n"
	    "X-Version-Id: %s\r\n",
	    attach ? "attachment" : "inline", f->name, f->name, when, rid,
	    f->size, sim.version_id);
}

static void
file_get(struct req *r)
{
	struct file *f = file_arg(r);
	size_t from = 0, len;
	int part;

	if (f == NULL)
		return;
	len = f->size;
	r->sized = 1;
	file_headers(r, f);
	part = range_of(r, f->size, &from, &len);
	if (part == -1) {
		buf_fmt(&r->extra, "Content-Range: bytes */%zu\r\n", f->size);
		fault_reply(r, 416, "text/plain; charset=utf-8",
		    "invalid range: failed to overlap\n", 33);
		return;
	}
	if (part)
		buf_fmt(&r->extra, "Content-Range: bytes %zu-%zu/%zu\r\n",
		    from, from + len - 1, f->size);
	fault_reply(r, part ? 206 : 200,
	    f->mime[0] ? f->mime : "application/octet-stream",
	    f->data + from, len);
}

const struct route routes_files[] = {
    {"POST", "/api/v4/files", upload, 0},
    {"GET", "/api/v4/files/{id}", file_get, 0},
    {"GET", "/api/v4/files/{id}/info", file_info, 0},
    {NULL, NULL, NULL, 0}};
