/* run.h: one run of a program, to its end. */
#ifndef PM_EXEC_RUN_H
#define PM_EXEC_RUN_H

#include <stdint.h>

#include "minder.h"

struct pm_exec_run {
	char *const *argv;
	char *const *environment;
	const char *directory; /* NULL: ours */
	int input;             /* its stdin */
	int64_t timeout_ms;
	/* Called every now and then meanwhile. */
	void (*alive)(void *arg);
	void *arg;
};

/* Runs it and waits. When it has ended, or has not in time, what is left of its process group is
 * killed; in the latter case SIGTERM comes first, and it has two seconds for that. 0 with *report, or
 * -1 with errno if there is no process or pipe to be had. */
int pm_exec_run(const struct pm_exec_run *run, struct pm_exec_report *report);

#endif
