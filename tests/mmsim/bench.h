/*
 * Bench driver: posts questions as users would, watches the answers of the
 * bots and the requests at the model endpoint, in one process and by one
 * clock. POST /_sim/bench; README.md describes the request and the answer.
 */
#ifndef MMSIM_BENCH_H
#define MMSIM_BENCH_H

struct buf;
struct post;
struct req;

void bench_start(struct req *);
void bench_cancel(void);

/* What the rest of the server tells the bench; cheap when none runs. */
void bench_post(const struct post *);
void bench_edited(const struct post *);
void bench_deleted(const struct post *);
/* The number of the bench question in text, or -1; its clock stops. */
long bench_model_request(const char *text);
void bench_model_done(long marker);
/* Append the question's marks to a scripted answer that lacks them. */
void bench_mark(struct buf *, long marker);

#endif
