#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/account/shallow.h"

/* The end of the string that begins at s[i], or len. */
static size_t
string_end(const char *s, size_t len, size_t i)
{
	for (i++; i < len && s[i] != '"'; i++)
		if (s[i] == '\\')
			i++;
	return i < len ? i : len;
}

/* Every array and object inside of that many becomes 0 and blanks. */
static void
flatten(char *s, size_t len, int max)
{
	size_t i, begin = 0;
	int depth = 0;

	for (i = 0; i < len; i++)
		if (s[i] == '"')
			i = string_end(s, len, i);
		else if (s[i] == '[' || s[i] == '{') {
			if (depth++ == max)
				begin = i;
		} else if (s[i] == ']' || s[i] == '}') {
			if (--depth != max)
				continue;
			memset(s + begin, ' ', i - begin + 1);
			s[begin] = '0';
		}
}

struct json_object *
shallow_parse(
    struct json_tokener *tok, int depth, const char *bytes, size_t len)
{
	struct json_object *o;
	char *copy;

	o = json_tokener_parse_ex(tok, bytes, (int)len);
	if (o != NULL || json_tokener_get_error(tok) != json_tokener_error_depth)
		return o;
	if ((copy = malloc(len)) == NULL)
		fatal("malloc");
	memcpy(copy, bytes, len);
	/* What stands in the innermost needs a level, too. */
	flatten(copy, len, depth - 2);
	json_tokener_reset(tok);
	o = json_tokener_parse_ex(tok, copy, (int)len);
	free(copy);
	return o;
}
