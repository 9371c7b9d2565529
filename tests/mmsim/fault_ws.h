/*
 * Misbehaviour of the server's websockets, for fault.c.
 */
#ifndef MMSIM_FAULT_WS_H
#define MMSIM_FAULT_WS_H

struct json_object;

/* kind starts with "ws_". NULL or the text of an error. */
const char *fault_ws_set(const char *kind, struct json_object *);
void fault_ws_clear(void);
/* fault.c: a number or bool member, dflt when absent. */
int fault_num(struct json_object *, const char *key, int dflt);

#endif
