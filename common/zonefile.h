/*
 * Time zones of the system, as the line of text that common/zone.h reads: the
 * daemon's workers have no files.
 */
#ifndef COMMON_ZONEFILE_H
#define COMMON_ZONEFILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A name such as Europe/Berlin, below TZDIR or /usr/share/zoneinfo, or a rule
 * as TZ of POSIX has it. from: seconds; what was before does not matter. -1
 * when there is none, or none that is usable; then *why is a static text.
 */
int zonefile_read(const char *name, int64_t from, char *text, size_t len,
    const char **why);
/* The same for the bytes of a file. */
int zonefile_parse(const unsigned char *data, size_t size, int64_t from,
    char *text, size_t len, const char **why);
/* The name of this host's zone: TZ, else what /etc/localtime points to. */
const char *zonefile_local(void);

#endif
