/*
 * What OpenBSD's headers have that these do not, so that the code for it is
 * compiled and run here and cannot rot: pledge(2) and unveil(2).
 */
#ifndef TESTS_OPENBSD_STANDIN_H
#define TESTS_OPENBSD_STANDIN_H

int pledge(const char *promises, const char *execpromises);
int unveil(const char *path, const char *permissions);

#endif
