#include "config.h"

#include <stddef.h>

#include "workers/account/reason.h"

const char *
reason_denial(enum reason r)
{
	switch (r) {
	case REASON_OK:
	case REASON_PAIRING:
		return NULL;
	case REASON_UNKNOWN_SURFACE:
		return "Temporary error: unable to determine channel type. "
		       "Please try again.";
	case REASON_DM_DISABLED:
		return "This bot is not accepting direct messages.";
	case REASON_GROUP_DISABLED:
		return "Slash commands are disabled in channels.";
	case REASON_EMPTY_ALLOWLIST:
		return "Slash commands are not configured for this channel "
		       "(no allowlist).";
	default:
		return "Unauthorized.";
	}
}

const char *
reason_picker_denial(enum reason r)
{
	switch (r) {
	case REASON_UNKNOWN_SURFACE:
	case REASON_DM_DISABLED:
		return reason_denial(r);
	case REASON_GROUP_DISABLED:
		return "Model picker actions are disabled in channels.";
	case REASON_EMPTY_ALLOWLIST:
		return "Model picker actions are not configured for this "
		       "channel.";
	default:
		return "Unauthorized.";
	}
}
