/*
 * Earlier turns as messages of a request, in a form that servers accept.
 *
 * Pure: no I/O. A call of a tool and its results stay together or are left
 * out together: most servers refuse a result without its call, a call
 * without its result, and either where no tools are offered.
 */
#ifndef WORKERS_AGENT_PAST_H
#define WORKERS_AGENT_PAST_H

#include <stddef.h>

struct json_object;

#define PAST_ARGS_MAX 2048    /* bytes of arguments kept in the history */
#define PAST_RESULT_MAX 1024  /* bytes of a result kept in the history */
#define PAST_TOOLS_MAX (32u * 1024) /* all of a turn's, as JSON text */

/*
 * The newest messages of history that together have at most budget bytes,
 * beginning with one of the user's; calls of tools only when tools is not
 * 0. history may be NULL. A new array.
 */
struct json_object *past_trim(
    struct json_object *history, size_t budget, int tools);
/* Bytes of an array of messages, as past_trim() counts them. */
size_t past_size(struct json_object *messages);

/*
 * What the history keeps of the calls and results of one turn (messages as
 * they were sent, or NULL): long ones cut, and of many the newest. A new
 * array.
 */
struct json_object *past_record(struct json_object *added);

#endif
