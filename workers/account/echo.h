/*
 * What the bot has said comes back to it as an event, and so does every step
 * of a preview: half of all events and more. Nothing of their text is
 * needed, so they are told by their first members, without a JSON tree.
 *
 * Mattermost writes the members of an event and of a post in an order of its
 * own (5.37 to 11), and each once. Whatever is written in another order is no
 * echo, and is left to decode_message(); of a member that comes twice the
 * first counts here, and the last there.
 */
#ifndef ACCOUNT_ECHO_H
#define ACCOUNT_ECHO_H

#include <stddef.h>

struct event;

/*
 * 1: it is an ordinary post of this bot, new or edited, and *ev is what
 * decode_message() would make of it, but without text, props, files and what
 * the event tells of its surroundings; event_clear() empties it. 0: something
 * else, and *ev is empty.
 */
int echo_read(const char *bytes, size_t len, const char *account,
    const char *bot_id, struct event *ev);

#endif
