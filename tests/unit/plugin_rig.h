/* A handler plugin as its host sees it. */
#ifndef PM_TESTS_UNIT_PLUGIN_RIG_H
#define PM_TESTS_UNIT_PLUGIN_RIG_H

#include <check.h>
#include <stdint.h>

#include <panicmon/handler.h>

/* Loads the plugin of this name as panicmon does it. -1: it is not there, which was said on stderr. */
int load_handler(const char *name);
extern const struct panicmon_handler *handler;

enum { RIG_SAID_MAX = 8 };

/* One instance of the handler. The host is its first member. */
struct rig {
	struct panicmon_host host;
	struct panicmon_value values[16];
	char failure[1024];            /* the last host->fail() */
	char said[RIG_SAID_MAX][1024]; /* by host->log(); more than that fails the test */
	int said_count;
	uint32_t tick_ms, retry_ms; /* the last asked for */
	void *self;
};

/* options: "key=value" each, NULL at the end; the others have their defaults. Numbers are decimal, a duration's
 * in seconds, and what is true is "yes". */
void rig_make(struct rig *rig, const char *const *options);
#define MAKE(rig, ...) rig_make(rig, (const char *const[]){__VA_ARGS__, NULL})

/* What check() and open() return. Before open(), check() must have succeeded: a test fails here if not. */
int rig_check(struct rig *rig);
int rig_open(struct rig *rig);
void rig_close(struct rig *rig);

/* MAKE and an open() that must succeed. */
#define OPEN(rig, ...)                                                                             \
	do {                                                                                       \
		MAKE(rig, __VA_ARGS__);                                                            \
		ck_assert_int_eq(rig_open(rig), 0);                                                \
	} while (0)

/* What the slot of the event's type returns. */
int rig_send(struct rig *rig, const struct panicmon_event *event);

#endif
