/*
 * Manual pages as text, for the tests that compare them with the program.
 */
#ifndef TESTS_UNIT_MANUAL_H
#define TESTS_UNIT_MANUAL_H

/* The whole file; fails the test when it cannot be read. To be freed. */
char *manual_read(const char *path);

#endif
