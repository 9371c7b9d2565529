/*
 * The configuration file, as an operator on this host reads and replaces it.
 * Complaints go to stderr.
 */
#ifndef CTL_CONFIG_FILE_H
#define CTL_CONFIG_FILE_H

struct invocation;

/*
 * --file, else the one that the running daemon has, else the installed one.
 * Good until the next call.
 */
const char *config_file_path(const struct invocation *);
/*
 * The text, the caller's to freezero(); NULL after a complaint. "" for one
 * that is not there, when that is fine.
 */
char *config_file_read(const char *path, int may_lack);
/*
 * Replace it at once, with its owner and mode, when the daemon would accept
 * text. 0, or 1 after a complaint: then it is as it was.
 */
int config_file_write(const char *path, const char *text);

#endif
