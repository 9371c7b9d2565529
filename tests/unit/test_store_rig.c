#include "config.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/loop.h"
#include "tests/unit/test_store_rig.h"
#include "tests/unit/test_store_util.h"

struct event_base *rig_base;
struct service *rig_sv;
char rig_state[32];

static void
on_report(void *arg, const char *state, const char *reason, const char *detail)
{
	strlcpy(rig_state, state, sizeof(rig_state));
}

int
rig_setup(void **state)
{
	ts_enter();
	rig_base = loop_new();
	rig_sv = service_new(rig_base, STORE_FILE, on_report, NULL);
	return 0;
}

int
rig_teardown(void **state)
{
	if (rig_sv != NULL)
		service_free(rig_sv);
	event_base_free(rig_base);
	ts_leave();
	return 0;
}

void
rig_restart(void)
{
	service_free(rig_sv);
	rig_sv = service_new(rig_base, STORE_FILE, on_report, NULL);
	service_start(rig_sv);
}

void
rig_open(struct client *cl, const char *kind, const char *id, const char *opts)
{
	struct json_object *o = opts == NULL ? NULL : json_tokener_parse(opts);
	int sp[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sp), 0);
	assert_int_equal(service_link(rig_sv, kind, id, o, sp[0]), 0);
	json_object_put(o);
	client_start(cl, rig_base, kind, sp[1]);
}

void
rig_run_ms(int ms)
{
	client_run_ms(rig_base, ms);
}

void
rig_check_row(struct client *cl, size_t i, const char *type, const char *key,
    const char *value)
{
	struct json_object *o = row(cl, i);

	assert_string_equal(ts_str(o, "t"), type);
	assert_string_equal(ts_str(o, key), value);
	json_object_put(o);
}
