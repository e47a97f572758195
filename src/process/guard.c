#include <config.h>

#include "process/guard.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "process/spawn.h"

struct duty {
	int lifeline;
	const struct pm_alive *alive;
};

/* In the guard: all signals are blocked, as they are in panicmon. */
static void keep_guard(void *arg)
{
	enum { LIFELINE = 0 };
	const struct duty *duty = arg;
	char message;

	setpgid(0, 0);
	prctl(PR_SET_NAME, "pm-guard");
	dup2(duty->lifeline, LIFELINE);
	pm_close_from(LIFELINE + 1);
	if (recv(LIFELINE, &message, sizeof(message), 0) == 0)
		pm_alive_kill(duty->alive);
	_exit(0);
}

static void on_ended(struct pm_child *child, int status, const struct rusage *usage)
{
	(void)status;
	(void)usage;
	child->pid = 0;
}

/* A copy of `alive` that panicmon and the guard share. */
static struct pm_alive *share(const struct pm_alive *alive, struct pm_error *error)
{
	struct pm_alive *shared = pm_memory_share(sizeof(*shared), error);

	if (shared == NULL)
		return NULL;
	atomic_store(&shared->groups, atomic_load(&alive->groups));
	for (int i = 0; i < PM_ALIVE_MAX; i++)
		atomic_store(&shared->pids[i], atomic_load(&alive->pids[i]));
	madvise(shared, sizeof(*shared), MADV_DOFORK);
	return shared;
}

static void unshare_page(struct pm_guard *guard)
{
	munmap(guard->alive, sizeof(*guard->alive));
	guard->alive = NULL;
}

int pm_guard_start(struct pm_guard *guard, struct pm_children *children,
		   const struct pm_alive *alive, struct pm_error *error)
{
	int ends[2];

	*guard = (struct pm_guard){.child = {.ended = on_ended, .owner = guard}, .lifeline = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return pm_error_set(error, errno, "cannot make a channel to the guard");
	pm_autofd ours = ends[0];
	pm_autofd theirs = ends[1];

	guard->alive = share(alive, error);
	if (guard->alive == NULL)
		return -1;
	struct duty duty = {.lifeline = theirs, .alive = guard->alive};
	pid_t pid = pm_spawn_role(keep_guard, &duty);
	if (pid < 0) {
		unshare_page(guard);
		return pm_error_set(error, errno, "cannot start the guard");
	}
	guard->child.pid = pid;
	if (pm_children_add(children, &guard->child, error) < 0) {
		pm_children_forsake(&guard->child);
		guard->child.pid = 0;
		unshare_page(guard);
		return -1;
	}
	guard->lifeline = pm_steal_fd(&ours);
	return 0;
}

void pm_guard_forget(struct pm_guard *guard, unsigned index)
{
	if (guard->alive != NULL)
		atomic_store(&guard->alive->pids[index], 0);
}

void pm_guard_stop(struct pm_guard *guard, struct pm_children *children)
{
	if (guard->alive == NULL)
		return;
	if (guard->child.pid != 0)
		kill(guard->child.pid, SIGKILL); /* works on a stopped one, too */
	while (guard->child.pid != 0)
		pm_loop_turn(children->loop);
	pm_close(&guard->lifeline);
	unshare_page(guard);
}
