/*
 * What a file is and what it is called, judged by ourselves: the type from
 * its first bytes and never from a name or a header, the name made harmless.
 * Pure.
 */
#ifndef ACCOUNT_MEDIA_TYPE_H
#define ACCOUNT_MEDIA_TYPE_H

#include <stddef.h>

#define MEDIA_HEAD 4096      /* bytes that are looked at */
#define MEDIA_NAME_MAX 120   /* bytes of a name that are kept */
#define MEDIA_TYPE_SIZE 64
#define MEDIA_UNAVAILABLE_MAX 512 /* bytes of names */

#define MEDIA_TEXT "text/plain"
#define MEDIA_UNKNOWN "application/octet-stream"

/* A static string: the type of a file that begins with these bytes. */
const char *media_sniff(const unsigned char *head, size_t len);
/*
 * 1 when a file that was called claimed ("": by nobody) may be what its
 * bytes say. What cannot be told from the bytes fits.
 */
int media_fits(const char *type, const char *claimed);
/* A type without parameters, in lower case; "" when it is none. */
void media_claim(char out[MEDIA_TYPE_SIZE], const char *type);
/*
 * The last component of name: one line, no controls, nothing that turns the
 * direction of writing, no quotes. "file" when nothing is left.
 */
void media_name(char out[MEDIA_NAME_MAX + 1], const char *name);

/*
 * The lines that stand for what could not be had: n files, of which names
 * has those that are known. A new string that begins with a blank line.
 */
char *media_unavailable(size_t n, const char *const *names, size_t n_names);

/* multipart/form-data for one file in a field called "files". */
struct multipart {
	char type[96]; /* "Content-Type: ..." */
	char *head;
	char *tail;
};

/* boundary: 16 to 40 letters and digits that do not occur in the file. */
void multipart_make(struct multipart *, const char *boundary,
    const char *channel, const char *name, const char *type);
void multipart_free(struct multipart *);

#endif
