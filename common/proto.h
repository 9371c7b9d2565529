/*
 * Which messages may pass on which kind of link.
 *
 * Every link between two processes of Postern is of one kind; its table
 * names each message type with its direction, the states in which it is
 * allowed, its size limit, and whether a descriptor comes with it. What is
 * not in the table kills the link. postern-frames(7) documents the members.
 */
#ifndef COMMON_PROTO_H
#define COMMON_PROTO_H

#include <stddef.h>
#include <stdint.h>

#define PROTO_VERSION 1

/* Side A is the one named first. */
enum proto_kind {
	PROTO_SUPERVISOR,      /* supervisor - any worker */
	PROTO_DIAL,            /* dialer - account or agent */
	PROTO_STORE_ACCOUNT,   /* store - account */
	PROTO_STORE_AGENT,     /* store - agent */
	PROTO_STORE_CONTROL,   /* store - control */
	PROTO_TURN,            /* agent - account */
	PROTO_CONTROL_ACCOUNT, /* account - control */
	PROTO_CONTROL_AGENT,   /* agent - control */
	PROTO_CALLBACK_ACCOUNT, /* callback - account */
	PROTO_CONTROL_CALLBACK, /* callback - control */
	PROTO_CLIENT,          /* control - posternctl */
	PROTO_MAX
};

enum proto_side { SIDE_A, SIDE_B };

#define PROTO_INIT 0x1u /* before "start" */
#define PROTO_RUN 0x2u
#define PROTO_ANY (PROTO_INIT | PROTO_RUN)

#define PROTO_REPLY 0x1u   /* answers a request: carries its "id" */
#define PROTO_REQUEST 0x2u /* carries an "id" and will be answered */
#define PROTO_FD 0x4u      /* a descriptor comes with it */

#define PROTO_SMALL 4096u
#define PROTO_NORMAL (64u * 1024)
#define PROTO_TEXT (1024u * 1024)
#define PROTO_LIST 10000 /* members of any list of the configuration */
#define PROTO_EVENT 191 /* bytes of an event's id, and of a lane */
#define PROTO_TRANSCRIPT 64 /* messages that a turn leaves in its session */
#define PROTO_CLAIMS 8192 /* inbox rows that an account works on at a time */
#define PROTO_ENDS 4096   /* inbox rows that end with another one */
#define PROTO_COMMANDS 4096 /* slash commands of an account, in all teams */

struct proto_msg {
	const char *type;
	enum proto_side from;
	unsigned states;
	unsigned flags;
	uint32_t max; /* bytes of JSON */
};

struct proto {
	const char *name;
	int depth[2]; /* JSON nesting allowed in what side A, side B sends */
	const struct proto_msg *msgs; /* ends with a NULL type */
};

/* Static, as all that is in it. Never NULL. */
const struct proto *proto_get(enum proto_kind);
/* The entry of a type sent by a side, or NULL. */
const struct proto_msg *proto_find(
    const struct proto *, enum proto_side from, const char *type);
/* The largest message that a side may send on this link. */
uint32_t proto_max(const struct proto *, enum proto_side from);

#endif
