/* Children that are registered with the one who reaps, and what is heard of each. */
#ifndef PM_TESTS_UNIT_TEST_PROCESS_WATCHED_H
#define PM_TESTS_UNIT_TEST_PROCESS_WATCHED_H

#include "base/loop.h"
#include "process/children.h"
#include "test_process.h"

enum { CHILDREN = 5 };

struct watched_child {
	struct pm_child child;
	int ended, stopped, continued; /* calls */
	int status, signal;            /* of the last */
	bool lost;
	long max_rss;
	void (*then)(struct watched_child *watched); /* at each end; NULL: nothing */
};

extern struct pm_loop loop;
extern struct pm_children children;
extern struct watched_child watched[CHILDREN];
extern int ended_count; /* of them all */

/* A set_up: all signals are blocked, and all children that end are reaped; and its tear_down. */
void open_children(void);
void close_children(void);

/* Makes this child the one with that number; and registers it. */
void prepare(int i, pid_t pid);
void watch(int i, pid_t pid);

/* For `then`: registers one more in its place, until it is the third. Each exits with the number of those
 * before it. */
void start_again(struct watched_child *here);

/* Watches as many as there can be, which end, and asserts what is heard of that: all at once, so that SIGCHLD
 * comes once for all of them; one after the other, the first, last and from the middle of those registered. */
void watch_all_end(void);
void watch_each_end(void);

/* None is registered, and there is none. */
void assert_no_children(void);

#endif
