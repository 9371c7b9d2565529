/*
 * The control endpoint /_sim/ of the main port; README.md describes it.
 */
#ifndef MMSIM_CONTROL_H
#define MMSIM_CONTROL_H

struct req;

void control_handle(struct req *);
/* Note a request that was answered in the ring of the last ones. */
void control_log(const struct req *);

#endif
