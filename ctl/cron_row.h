/*
 * A scheduled job as the store has it (op_cron.c), for people and programs.
 */
#ifndef CTL_CRON_ROW_H
#define CTL_CRON_ROW_H

#include <stddef.h>
#include <stdint.h>

struct json_object;

/* When it runs next, ms; 0: not again. */
int64_t cron_row_next(struct json_object *, int64_t now);
/* "cron 0 9 * * 1-5 (Europe/Berlin)", "every 10 min". Static buffer. */
const char *cron_row_schedule(struct json_object *);
/* "answered", "off", "failed", ... */
const char *cron_row_state(struct json_object *);
/* What the last run ended with, for people: "" unless it failed. */
const char *cron_row_error(struct json_object *);
/* For programs; the caller's. */
struct json_object *cron_row_json(struct json_object *);
void cron_row_print_json(struct json_object *);

/* cmd_cron.c: the rules of a zone, as of now. */
int cron_zone(const char *name, char *rules, size_t len, const char **why);

#endif
