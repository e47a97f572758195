/* What the test files of the executor room share. */
#ifndef PM_TESTS_UNIT_TEST_EXECUTOR_H
#define PM_TESTS_UNIT_TEST_EXECUTOR_H

#include <check.h>
#include <stddef.h>
#include <sys/types.h>

#include "executor/executor.h"

void add_pass_tests(Suite *suite);

/* What was told, in its order. */
struct told {
	struct panicmon_event event;
	char sender_command[64]; /* a copy: the event's is gone after the call */
};
enum { TOLD_MAX = 4096 };
extern struct told told[TOLD_MAX];
extern size_t told_count;
extern size_t settled; /* calls of settle() */
extern int64_t telling_takes_ns;

extern struct pm_loop loop;
extern struct pm_children children;
extern struct pm_executor executor;
extern struct pm_error error;
extern char self[4096];

/* A test case that begins with all signals blocked, and nothing opened. */
TCase *add_case(Suite *suite, const char *name);

/* Opens the executor for `self ARGS...`, or for another command. The command finds all signals
 * blocked, so that it can take what comes before it is ready. */
void open_role(const char *role, const char *arg);
void open_command(char *const *argv);

/* The only one of this type; fails the test if there is none, or more. */
const struct told *only(uint32_t type);

/* Asserts the types of all that was told, in their order; 0 at the end. */
void assert_told(const uint32_t *types);
#define ASSERT_TOLD(...) assert_told((const uint32_t[]){__VA_ARGS__, 0})

/* Waits until the command has ended, but leaves it to be reaped. */
void wait_for_zombie(void);

#endif
