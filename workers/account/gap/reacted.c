#include "config.h"

#include <json-c/json.h>

#include "workers/account/account.h"
#include "workers/account/decode.h"
#include "workers/account/decode_impl.h"
#include "workers/account/drops.h"
#include "workers/account/gap/reacted.h"
#include "workers/account/intake.h"

#define REACTED_MAX 20 /* of one post: as many as a session keeps notes */

void
reacted_missed(struct account *a, struct json_object *post)
{
	struct json_object *list = decode_member(
	    decode_member(post, "metadata", json_type_object), "reactions",
	    json_type_array);
	size_t i, n = list == NULL ? 0 : json_object_array_length(list);
	char id[MM_ID_SIZE], channel[MM_ID_SIZE];
	struct inbound *in;
	enum reason why;

	decode_post_ids(post, id, channel);
	if (n > REACTED_MAX)
		n = REACTED_MAX;
	for (i = 0; i < n; i++) {
		in = decode_reaction(json_object_array_get_idx(list, i), a->id,
		    channel, &why);
		inbound_make_event_id(in);
		if (why == REASON_OK) {
			intake_reaction(a, in, 1);
			continue;
		}
		drops_bad(a, INBOUND_REACTION, NULL, id, channel, why);
		inbound_free(in);
	}
}
