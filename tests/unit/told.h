/* Events that were told of, in their order. */
#ifndef PM_TESTS_UNIT_TOLD_H
#define PM_TESTS_UNIT_TOLD_H

#include <stddef.h>

#include <panicmon/event.h>

struct told {
	struct panicmon_event event;
	/* The event's: copies, as its own are gone after the call. */
	char run[33], sender_command[64];
	/* What whoever keeps it may add: who was told, and of how many bytes of output before. */
	const void *self;
	size_t bytes;
};
enum { TOLD_MAX = 4096 };
extern struct told told[TOLD_MAX];
extern size_t told_count;

/* The new one. Of a storm without an end, it takes the place of the last: that is what matters. */
struct told *keep_told(const struct panicmon_event *event);

/* Asserts the types of all that was told, in their order; 0 at the end. */
void assert_told(const uint32_t *types);
#define ASSERT_TOLD(...) assert_told((const uint32_t[]){__VA_ARGS__, 0})

/* The only one of this type; fails the test if there is none, or more. */
const struct panicmon_event *only(uint32_t type);

#endif
