#include "config.h"

#include <stddef.h>

#include "workers/account/surface.h"

enum surface
surface_of(char channel_type)
{
	switch (channel_type) {
	case 'D':
		return SURFACE_DIRECT;
	case 'G':
	case 'P':
		return SURFACE_GROUP;
	case 'O':
		return SURFACE_CHANNEL;
	default:
		return SURFACE_UNKNOWN;
	}
}

enum surface
surface_find(const struct channel_info *info, const struct inbound *in)
{
	if (info != NULL && info->type != 0)
		return surface_of(info->type);
	return surface_of(in->channel_type);
}
