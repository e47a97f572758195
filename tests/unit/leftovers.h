/* Processes that a failed test leaves behind: main() inherits them, and ends them when all is over. They
 * would hold the output of `make check` open, and nobody else knows of them. */
#ifndef PM_TESTS_UNIT_LEFTOVERS_H
#define PM_TESTS_UNIT_LEFTOVERS_H

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static inline void inherit_leftovers(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static inline void end_leftovers(void)
{
	char path[64];
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	/* The children of those that end come next. */
	while (waitpid(-1, NULL, WNOHANG) >= 0) {
		FILE *children = fopen(path, "re");

		if (children == NULL)
			return;
		while (fscanf(children, "%d", &pid) == 1)
			kill(pid, SIGKILL);
		fclose(children);
		waitpid(-1, NULL, 0);
	}
}

#endif
