/*
 * Findings of "posternctl doctor": each has a code that stays the same from
 * version to version, for scripts, and a line for people.
 */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

struct config;
struct config_message;
struct invocation;
struct json_object;

enum finding_level { FINDING_NOTE, FINDING_WARNING, FINDING_ERROR };

struct doctor {
	const struct invocation *inv;
	struct json_object *findings; /* {level, code, text} */
	int worst;		      /* enum finding_level */
};

/* Add a finding. code: static, a word for programs. */
void doctor_say(struct doctor *, enum finding_level, const char *code,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * doctor_config.c: the file. The configuration, the caller's to
 * config_free(), or NULL when there is none that the daemon would take.
 */
struct config *doctor_config(struct doctor *, const char *path);
/* The code of what the daemon says of a file. */
const char *doctor_code(const struct config_message *);
/* doctor_fix.c: before all is looked at. */
void doctor_fix(struct doctor *, const char *path);
/* doctor_host.c: users, directories; the daemon and its accounts. */
void doctor_host(struct doctor *, const struct config *);
void doctor_daemon(struct doctor *);

#endif
