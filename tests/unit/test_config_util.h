/*
 * Configurations of the tests: text goes into a file of mode 0600 in a
 * directory of the test's own.
 */
#ifndef TESTS_UNIT_TEST_CONFIG_UTIL_H
#define TESTS_UNIT_TEST_CONFIG_UTIL_H

#include <sys/types.h>

#include "daemon/conf.h"

struct json_object;

/* Group set-up and tear-down: the directory, and a clean environment. */
int test_config_setup(void **state);
int test_config_teardown(void **state);

/* Path of a file in the directory. Static buffers, four in turn. */
const char *test_path(const char *name);
/* Write a file there. */
void test_write(const char *name, const char *text, mode_t mode);

/*
 * Load text. What was said is in test_said() until the next load, a line
 * each without the file name: "E3:5: text", W warnings, N remarks.
 */
struct config *test_load(const char *text);
struct config *test_load_mode(const char *text, mode_t mode);
const char *test_said(void);

/* Must load, and say nothing worse than remarks. */
struct config *test_good(const char *text);
/* Must not load, and must say line among other things. */
void test_bad(const char *text, const char *line);
/* Must load, and say exactly line as a warning or remark among others. */
void test_says(const char *text, const char *line);
/* Must not say anything that holds part. */
void test_silent(const char *text, const char *part);

/* A member of JSON along "a.b.0.c" as compact text. Static buffer. */
const char *test_json(struct json_object *, const char *path);

/* channels.mattermost with a token and an address, and more members. */
#define MM(more)                                                               \
	"{channels:{mattermost:{botToken:'tok',baseUrl:'https://h'," more "}}}"

#endif
