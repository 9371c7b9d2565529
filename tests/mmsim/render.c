#include "config.h"

#include <string.h>

#include <json-c/json.h>

#include "common/log.h"
#include "tests/mmsim/props.h"
#include "tests/mmsim/render.h"

void
render_user(struct buf *b, const struct user *u, int self)
{
	buf_str(b, "{");
	buf_kstr(b, "id", u->id);
	buf_knum(b, "create_at", u->create_at);
	buf_knum(b, "update_at", u->update_at);
	buf_knum(b, "delete_at", u->delete_at);
	buf_kstr(b, "username", u->username);
	buf_str(b, ",\"auth_data\":\"\",\"auth_service\":\"\"");
	buf_kstr(b, "email", u->email);
	buf_kstr(b, "nickname", u->nickname);
	buf_kstr(b, "first_name", u->first_name);
	buf_kstr(b, "last_name", u->last_name);
	buf_kstr(b, "position", "");
	buf_kstr(b, "roles", u->roles);
	if (self) {
		buf_str(b, ",\"notify_props\":{\"channel\":\"true\","
		    "\"comments\":\"never\",\"desktop\":\"mention\","
		    "\"desktop_sound\":\"true\",\"email\":\"true\","
		    "\"first_name\":\"false\",\"mention_keys\":\"\","
		    "\"push\":\"mention\",\"push_status\":\"away\"}");
		buf_knum(b, "last_password_update", u->create_at);
	}
	buf_str(b, ",\"locale\":\"en\",\"timezone\":{\"automaticTimezone\":"
	    "\"\",\"manualTimezone\":\"\",\"useAutomaticTimezone\":\"true\"}");
	if (u->is_bot)
		buf_kbool(b, "is_bot", 1);
	if (u->bot_description[0] != '\0')
		buf_kstr(b, "bot_description", u->bot_description);
	buf_str(b, ",\"disable_welcome_email\":false}");
}

void
render_team(struct buf *b, const struct team *t)
{
	buf_str(b, "{");
	buf_kstr(b, "id", t->id);
	buf_knum(b, "create_at", t->create_at);
	buf_knum(b, "update_at", t->update_at);
	buf_knum(b, "delete_at", 0);
	buf_kstr(b, "display_name", t->display_name);
	buf_kstr(b, "name", t->name);
	buf_str(b, ",\"description\":\"\",\"email\":\"\"");
	buf_kstr(b, "type", t->type);
	buf_str(b, ",\"company_name\":\"\",\"allowed_domains\":\"\"");
	buf_kstr(b, "invite_id", t->invite_id);
	buf_str(b, ",\"allow_open_invite\":false,\"scheme_id\":null,"
	    "\"group_constrained\":null,\"policy_id\":null}");
}

void
render_tmember(struct buf *b, const struct tmember *m)
{
	buf_str(b, "{");
	buf_kstr(b, "team_id", m->team->id);
	buf_kstr(b, "user_id", m->user->id);
	buf_kstr(b, "roles", m->admin ? "team_user team_admin" : "team_user");
	buf_str(b, ",\"delete_at\":0,\"scheme_guest\":false,"
	    "\"scheme_user\":true");
	buf_kbool(b, "scheme_admin", m->admin);
	buf_kstr(b, "explicit_roles", "");
	buf_str(b, "}");
}

void
render_channel(struct buf *b, const struct channel *c)
{
	char type[2] = {c->type, '\0'};

	buf_str(b, "{");
	buf_kstr(b, "id", c->id);
	buf_knum(b, "create_at", c->create_at);
	buf_knum(b, "update_at", c->update_at);
	buf_knum(b, "delete_at", c->delete_at);
	buf_kstr(b, "team_id", c->team ? c->team->id : "");
	buf_kstr(b, "type", type);
	buf_kstr(b, "display_name", c->display_name);
	buf_kstr(b, "name", c->name);
	buf_kstr(b, "header", c->header);
	buf_kstr(b, "purpose", c->purpose);
	buf_knum(b, "last_post_at", c->last_post_at);
	buf_knum(b, "total_msg_count", c->msg_count);
	buf_knum(b, "extra_update_at", 0);
	buf_kstr(b, "creator_id", c->creator_id);
	buf_fmt(b, ",\"scheme_id\":null,\"props\":null,"
	    "\"group_constrained\":null,\"shared\":%s",
	    c->type == 'D' ? "false" : "null");
	buf_knum(b, "total_msg_count_root", c->root_count);
	buf_str(b, ",\"policy_id\":null}");
}

void
render_member(struct buf *b, const struct member *m)
{
	buf_str(b, "{");
	buf_kstr(b, "channel_id", m->channel->id);
	buf_kstr(b, "user_id", m->user->id);
	buf_kstr(b, "roles",
	    m->admin ? "channel_user channel_admin" : "channel_user");
	buf_knum(b, "last_viewed_at", m->last_viewed_at);
	buf_str(b, ",\"msg_count\":0,\"mention_count\":0,"
	    "\"mention_count_root\":0,\"msg_count_root\":0,"
	    "\"notify_props\":{\"desktop\":\"default\",\"email\":\"default\","
	    "\"ignore_channel_mentions\":\"default\",\"mark_unread\":\"all\","
	    "\"push\":\"default\"}");
	buf_knum(b, "last_update_at", m->last_update_at);
	buf_str(b, ",\"scheme_guest\":false,\"scheme_user\":true");
	buf_kbool(b, "scheme_admin", m->admin);
	buf_kstr(b, "explicit_roles", "");
	buf_str(b, "}");
}

void
render_reaction(struct buf *b, const struct post *p, const struct reaction *x)
{
	buf_str(b, "{");
	buf_kstr(b, "user_id", x->user->id);
	buf_kstr(b, "post_id", p->id);
	buf_kstr(b, "emoji_name", x->emoji);
	buf_knum(b, "create_at", x->create_at);
	buf_knum(b, "update_at", x->update_at);
	buf_knum(b, "delete_at", x->delete_at);
	buf_str(b, ",\"remote_id\":\"\"}");
}

void
render_file(struct buf *b, const struct file *f)
{
	buf_str(b, "{");
	buf_kstr(b, "id", f->id);
	buf_kstr(b, "user_id", f->user->id);
	if (f->post != NULL)
		buf_kstr(b, "post_id", f->post->id);
	buf_kstr(b, "channel_id", "");
	buf_knum(b, "create_at", f->create_at);
	buf_knum(b, "update_at", f->create_at);
	buf_knum(b, "delete_at", 0);
	buf_kstr(b, "name", f->name);
	buf_kstr(b, "extension", f->ext);
	buf_knum(b, "size", (int64_t)f->size);
	buf_kstr(b, "mime_type", f->mime);
	if (f->width > 0) {
		buf_knum(b, "width", f->width);
		buf_knum(b, "height", f->height);
		buf_kbool(b, "has_preview_image", 1);
		buf_kstr(b, "mini_preview", "/9j/2wCEAAMCAgMCAgMDAwM=");
	} else
		buf_str(b, ",\"mini_preview\":null");
	buf_str(b, ",\"remote_id\":\"\"}");
}

void
render_bot(struct buf *b, const struct user *u)
{
	buf_str(b, "{");
	buf_kstr(b, "user_id", u->id);
	buf_kstr(b, "username", u->username);
	if (u->first_name[0] != '\0')
		buf_kstr(b, "display_name", u->first_name);
	if (u->bot_description[0] != '\0')
		buf_kstr(b, "description", u->bot_description);
	buf_kstr(b, "owner_id", u->owner ? u->owner->id : "");
	buf_knum(b, "create_at", u->create_at);
	buf_knum(b, "update_at", u->update_at);
	buf_knum(b, "delete_at", u->delete_at);
	buf_str(b, "}");
}

void
render_status(struct buf *b, const struct user *u)
{
	buf_str(b, "{");
	buf_kstr(b, "user_id", u->id);
	buf_kstr(b, "status", u->status);
	buf_kbool(b, "manual", u->status_manual);
	buf_knum(b, "last_activity_at", u->last_activity);
	buf_knum(b, "dnd_end_time", 0);
	buf_str(b, "}");
}

static void
put_metadata(struct buf *b, const struct post *p)
{
	size_t i, n = 0;

	buf_str(b, ",\"metadata\":{");
	if (p->embeds)
		buf_str(b, "\"embeds\":[{\"type\":\"message_attachment\"}]");
	for (i = 0; i < p->nfiles; i++) {
		if (i == 0)
			buf_fmt(b, "%s\"files\":[", p->embeds ? "," : "");
		else
			buf_str(b, ",");
		render_file(b, p->file[i]);
	}
	if (p->nfiles > 0)
		buf_str(b, "]");
	for (i = 0; i < p->nreactions; i++) {
		if (p->reaction[i].delete_at != 0)
			continue;
		if (n++ == 0)
			buf_fmt(b, "%s\"reactions\":[",
			    p->embeds || p->nfiles > 0 ? "," : "");
		else
			buf_str(b, ",");
		render_reaction(b, p, &p->reaction[i]);
	}
	buf_str(b, n > 0 ? "]}" : "}");
}

static int
has_reactions(const struct post *p)
{
	size_t i;

	for (i = 0; i < p->nreactions; i++)
		if (p->reaction[i].delete_at == 0)
			return 1;
	return 0;
}

static void
put_ids(struct buf *b, const struct post *p)
{
	const char *root = p->root ? p->root->id : "";

	buf_kstr(b, "user_id", p->user ? p->user->id : "");
	buf_kstr(b, "channel_id", p->channel->id);
	buf_kstr(b, "root_id", root);
	buf_kstr(b, "parent_id", root);
	buf_kstr(b, "original_id", "");
}

static int64_t
reply_count(const struct post *p, enum render how)
{
	if (how == RENDER_STORED)
		return 0;
	if (p->root != NULL)
		return p->root->live_replies;
	return p->sent_reply_count;
}

void
render_post(struct buf *b, const struct post *p, enum render how)
{
	size_t i;

	buf_str(b, "{");
	buf_kstr(b, "id", p->id);
	buf_knum(b, "create_at", p->create_at);
	buf_knum(b, "update_at", p->update_at);
	buf_knum(b, "edit_at", p->edit_at);
	buf_knum(b, "delete_at", p->delete_at);
	buf_kbool(b, "is_pinned", p->pinned);
	put_ids(b, p);
	buf_kstr(b, "message", p->message);
	buf_kstr(b, "type", p->type);
	buf_str(b, ",\"props\":");
	props_render(b, p);
	buf_kstr(b, "hashtags", p->hashtags ? p->hashtags : "");
	for (i = 0; i < p->nfiles; i++)
		buf_fmt(b, "%s\"%s\"", i ? "," : ",\"file_ids\":[",
		    p->file[i]->id);
	if (p->nfiles > 0)
		buf_str(b, "]");
	buf_kstr(b, "pending_post_id",
	    how == RENDER_NEW && p->pending_id ? p->pending_id : "");
	if (has_reactions(p))
		buf_kbool(b, "has_reactions", 1);
	buf_knum(b, "reply_count", reply_count(p, how));
	buf_str(b, ",\"last_reply_at\":0,\"participants\":null");
	if (how != RENDER_BARE)
		put_metadata(b, p);
	buf_str(b, "}");
}

void
render_tombstone(struct buf *b, const struct tombstone *t)
{
	const struct post *p = t->post;

	buf_str(b, "{");
	buf_kstr(b, "id", t->id);
	buf_knum(b, "create_at", p->create_at);
	buf_knum(b, "update_at", t->at);
	buf_knum(b, "edit_at", 0);
	buf_knum(b, "delete_at", t->at);
	buf_kbool(b, "is_pinned", 0);
	put_ids(b, p);
	b->len -= strlen("\"\"");
	buf_fmt(b, "\"%s\"", p->id); /* original_id */
	buf_kstr(b, "message", "");
	buf_kstr(b, "type", p->type);
	buf_str(b, ",\"props\":{},\"hashtags\":\"\",\"pending_post_id\":\"\","
	    "\"reply_count\":0,\"last_reply_at\":0,\"participants\":null,"
	    "\"metadata\":{}}");
}
