#include <config.h>

#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

enum { GRACE_MS = 2000, STEP_MS = 50 };

/* The minder, or -1. In it, no handler of the host's may run. */
static pid_t fork_minder(const struct pm_exec_start *start)
{
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid_t minder = fork();
	if (minder == 0)
		pm_exec_mind(start);
	int saved = errno;
	if (minder > 0)
		setpgid(minder, minder); /* whoever of us comes first */
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = saved;
	return minder;
}

/* false: it has not come within timeout_ms. A step of 0: it never will. */
static bool wait_for_report(const struct pm_exec_run *run, int fd, int64_t timeout_ms,
			    struct pm_exec_report *report)
{
	int64_t end = pm_common_monotonic_ms() + timeout_ms;

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int64_t left = end - pm_common_monotonic_ms();
		int step = left > STEP_MS ? STEP_MS : left > 0 ? (int)left : 0;

		run->alive(run->arg);
		if (poll(&ready, 1, step) > 0) {
			if (read(fd, report, sizeof(*report)) != sizeof(*report))
				report->step = 0;
			return true;
		}
		if (left <= 0)
			return false;
	}
}

/* Its leader, too, whose status this is. */
static int end_group(pid_t minder)
{
	int status = 0;

	kill(-minder, SIGKILL);
	while (waitpid(minder, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

static void watch(const struct pm_exec_run *run, pid_t minder, int fd,
		  struct pm_exec_report *report)
{
	bool late = !wait_for_report(run, fd, run->timeout_ms, report);

	if (late) {
		struct pm_exec_report ignored;

		kill(-minder, SIGTERM);
		kill(-minder, SIGCONT); /* one that is stopped, too */
		wait_for_report(run, fd, GRACE_MS, &ignored);
	}
	int status = end_group(minder);
	if (late)
		*report = (struct pm_exec_report){PM_EXEC_LATE, 0};
	else if (report->step == 0) /* the program has killed its own group */
		*report = (struct pm_exec_report){PM_EXEC_ENDED, status};
}

int pm_exec_run(const struct pm_exec_run *run, struct pm_exec_report *report)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	const struct pm_exec_start start = {
		.argv = run->argv,
		.environment = run->environment,
		.directory = run->directory,
		.input = run->input,
		.report = ends[1],
		.host = getpid(),
	};
	pid_t minder = fork_minder(&start);
	int saved = errno;
	close(ends[1]);
	if (minder > 0)
		watch(run, minder, ends[0], report);
	close(ends[0]);
	errno = saved;
	return minder > 0 ? 0 : -1;
}
