#include "config.h"

#include <errno.h>
#include <json-c/json.h>
#include <unistd.h>

#include "common/add.h"
#include "workers/store/reply.h"

static struct json_object *
err_msg(struct json_object *id, enum store_rc rc, const char *text)
{
	struct json_object *msg = chan_msg("err");

	add_obj(msg, "id", json_object_get(id));
	add_str(msg, "code", store_code(rc));
	add_str(msg, "text", text);
	return msg;
}

void
reply_send(struct peer *p, struct json_object *msg)
{
	reply_send_fd(p, msg, -1);
}

void
reply_send_fd(struct peer *p, struct json_object *msg, int fd)
{
	struct json_object *id = NULL;

	if (p->chan == NULL) {
		json_object_put(msg);
		if (fd != -1)
			close(fd);
		return;
	}
	json_object_object_get_ex(msg, "id", &id);
	json_object_get(id);
	/* Whoever waits for it shall hear that it will not come. */
	if (chan_send(p->chan, msg, fd) == -1 && errno == EMSGSIZE)
		chan_send(p->chan,
		    err_msg(id, STORE_SIZE, "too large for one frame"), -1);
	json_object_put(id);
	if (chan_full(p->chan))
		chan_pause(p->chan, 1);
}

void
reply_err(
    struct peer *p, struct json_object *id, enum store_rc rc, const char *text)
{
	reply_send(p, err_msg(id, rc, text));
}
