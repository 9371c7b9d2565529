/*
 * Times and lengths of time as people write them.
 */
#ifndef CTL_WHEN_H
#define CTL_WHEN_H

#include <stdint.h>

struct zone;

/* "90s", "1h30m", "2d", "1w", "500ms". -1: not one. */
int when_duration(const char *, int64_t *ms);
/*
 * "2027-03-01 09:00", with "T", seconds, "Z" or "+01:00"; "09:00": the next
 * one; "+20m", "20m": from now on. Without an offset the zone counts. ms
 * since the epoch. -1: not one.
 */
int when_time(
    const char *, const struct zone *, int64_t now_ms, int64_t *ms);
/* "1 h 30 min", the largest two units. Static buffer. */
const char *when_text(int64_t ms);

#endif
