#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <openssl/evp.h>

#include "common/log.h"
#include "common/monotime.h"
#include "tests/mmsim/command.h"
#include "tests/mmsim/events.h"

#define SIGNATURE_LEN 71

void
ephemeral_send(struct user *to, struct channel *c, const char *root,
    const char *text, const char *props)
{
	struct bcast bc = {.channel = c, .user = to};
	struct buf b = {0}, d = {0};
	char id[ID_LEN + 1];

	id_new(id);
	buf_str(&b, "{");
	buf_kstr(&b, "id", id);
	buf_knum(&b, "create_at", walltime_ms());
	buf_str(&b, ",\"update_at\":0,\"edit_at\":0,\"delete_at\":0,"
	    "\"is_pinned\":false");
	buf_kstr(&b, "user_id", to->id);
	buf_kstr(&b, "channel_id", c->id);
	buf_kstr(&b, "root_id", root);
	buf_str(&b, ",\"parent_id\":\"\",\"original_id\":\"\"");
	buf_kstr(&b, "message", text);
	buf_fmt(&b, ",\"type\":\"system_ephemeral\",\"props\":%s,"
	    "\"hashtags\":\"\",\"pending_post_id\":\"\",\"reply_count\":0,"
	    "\"last_reply_at\":0,\"participants\":null,\"metadata\":{}}",
	    props);
	buf_str(&d, "{\"post\":");
	buf_json(&d, b.p, b.len);
	buf_str(&d, "}");
	event_publish("ephemeral_message", d.p, &bc);
	buf_free(&b);
	buf_free(&d);
}

/* <url|text> at p: its length and parts, or 0. */
static size_t
slack_link(const char *p, size_t *bar)
{
	size_t n;

	if (*p != '<')
		return 0;
	n = strcspn(p + 1, "<>|\n");
	if (n == 0 || p[1 + n] != '|')
		return 0;
	*bar = 1 + n;
	n += 2 + strcspn(p + 2 + n, "<>\n");
	return p[n] == '>' ? n + 1 : 0;
}

char *
slack_links(const char *s)
{
	struct buf b = {0};
	size_t n, bar;

	buf_str(&b, "");
	while (*s != '\0') {
		n = slack_link(s, &bar);
		if (n == 0) {
			buf_add(&b, s++, 1);
			continue;
		}
		buf_fmt(&b, "[%.*s](%.*s)", (int)(n - bar - 2), s + bar + 1,
		    (int)bar - 1, s + 1);
		s += n;
	}
	return b.p ? buf_steal(&b) : xstrdup("");
}

char *
slack_mentions(const char *s)
{
	static const char *const all[] = {"channel", "here", "all"};
	char id[ID_LEN + 1] = "";
	struct buf b = {0};
	struct user *u;
	size_t i, n;

	while (*s != '\0') {
		n = *s == '<' ? strcspn(s, ">") : 0;
		if (!strncmp(s, "<!", 2) && s[n] == '>') {
			for (i = 0; i < 3; i++)
				if (strlen(all[i]) == n - 2 &&
				    !strncmp(s + 2, all[i], n - 2))
					break;
			if (i < 3) {
				buf_fmt(&b, "@%s", all[i]);
				s += n + 1;
				continue;
			}
		}
		if (!strncmp(s, "<@", 2) && n == ID_LEN + 2 && s[n] == '>') {
			memcpy(id, s + 2, ID_LEN);
			u = hmap_get(&st.users, id);
			if (u != NULL) {
				buf_fmt(&b, "@%s", u->username);
				s += n + 1;
				continue;
			}
		}
		buf_add(&b, s++, 1);
	}
	return b.p ? buf_steal(&b) : xstrdup("");
}

static void
base64(struct buf *b, const void *p, size_t len)
{
	char *text = xmalloc(len * 4 / 3 + 8);

	EVP_EncodeBlock((unsigned char *)text, p, (int)len);
	buf_str(b, text);
	free(text);
}

char *
trigger_new(const struct user *u, char id[ID_LEN + 1])
{
	unsigned char sig[SIGNATURE_LEN];
	struct buf b = {0}, out = {0};

	id_new(id);
	arc4random_buf(sig, sizeof(sig));
	buf_fmt(&b, "%s:%s:%lld:", id, u->id, (long long)walltime_ms());
	base64(&b, sig, sizeof(sig));
	base64(&out, b.p, b.len);
	buf_free(&b);
	return buf_steal(&out);
}

int
json_first(const char *text, size_t len, struct json_object **o)
{
	struct json_tokener *tok = json_tokener_new_ex(128);
	int ok;

	if (tok == NULL)
		fatalx("json_tokener_new");
	*o = json_tokener_parse_ex(tok, text, (int)len + 1);
	ok = json_tokener_get_error(tok) == json_tokener_success;
	json_tokener_free(tok);
	return ok ? 0 : -1;
}
