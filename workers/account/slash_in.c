#include "config.h"

#include <stddef.h>

#include "workers/account/callbacks.h"

void
slash_in(struct account *a, struct cb_call *call)
{
	callback_reply(call, 503, NULL, NULL);
}
