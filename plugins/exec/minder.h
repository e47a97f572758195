/* minder.h: the process between a handler host and a program that it runs.
 *
 * It leads the process group of the program, and stays until the host kills that group: so the
 * group's number belongs to nobody else, and if the host is killed, whatever it was doing, there is
 * somebody to kill the group with all that the program has started.
 */
#ifndef PM_EXEC_MINDER_H
#define PM_EXEC_MINDER_H

#include <stdint.h>
#include <sys/types.h>

enum pm_exec_step {
	PM_EXEC_ENDED = 1,    /* value: the program's wait status */
	PM_EXEC_NOT_FORKED,   /* value of this and the next two: errno(3) */
	PM_EXEC_NO_DIRECTORY, /* it could not be entered */
	PM_EXEC_NOT_STARTED,  /* by execve(2) */
	PM_EXEC_LATE          /* it did not end in time; value: 0 */
};

/* What comes over the pipe, in one piece. The first one counts. */
struct pm_exec_report {
	int32_t step, value;
};

struct pm_exec_start {
	char *const *argv; /* argv[0]: its path */
	char *const *environment;
	const char *directory; /* NULL: the host's */
	int input;             /* its stdin */
	int report;            /* of the pipe: the end to write to */
	pid_t host;
};

/* In the child of a fork, with all signals blocked. The program gets 0, 1 and 2, no signal blocked or
 * ignored. */
void pm_exec_mind(const struct pm_exec_start *start) __attribute__((noreturn));

#endif
