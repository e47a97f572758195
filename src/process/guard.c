#include <config.h>

#include "process/guard.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "process/spawn.h"

struct duty {
	int lifeline;
	pid_t group;
};

/* In the guard: all signals are blocked, as they are in panicmon. */
static void keep_guard(void *arg)
{
	enum { LIFELINE = 0 };
	const struct duty *duty = arg;
	char message;

	setpgid(0, 0);
	prctl(PR_SET_NAME, "pm:guard");
	dup2(duty->lifeline, LIFELINE);
	pm_close_from(LIFELINE + 1);
	if (recv(LIFELINE, &message, sizeof(message), 0) == 0)
		kill(-duty->group, SIGKILL);
	_exit(0);
}

static void on_ended(struct pm_child *child, int status, const struct rusage *usage)
{
	(void)status;
	(void)usage;
	child->pid = 0;
}

int pm_guard_start(struct pm_guard *guard, struct pm_children *children, pid_t group,
		   struct pm_error *error)
{
	int ends[2];

	*guard = (struct pm_guard){.child = {.ended = on_ended}, .lifeline = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return pm_error_set(error, errno, "cannot make a channel to the guard");
	pm_autofd ours = ends[0];
	pm_autofd theirs = ends[1];
	struct duty duty = {.lifeline = theirs, .group = group};

	pid_t pid = pm_spawn_role(keep_guard, &duty);
	if (pid < 0)
		return pm_error_set(error, errno, "cannot start the guard");
	guard->child.pid = pid;
	guard->lifeline = pm_steal_fd(&ours);
	pm_children_add(children, &guard->child);
	return 0;
}

void pm_guard_stop(struct pm_guard *guard, struct pm_children *children)
{
	if (guard->child.pid == 0)
		return;
	kill(guard->child.pid, SIGKILL); /* works on a stopped one, too */
	while (guard->child.pid != 0)
		pm_loop_turn(children->loop);
	pm_close(&guard->lifeline);
}
