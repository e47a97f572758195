#include <config.h>

#include "process/guard.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/memory.h"
#include "process/spawn.h"

struct pm_guard_page {
	struct pm_alive alive;
	int64_t grace_ms;
	size_t host_count;
	_Atomic int32_t hosts[]; /* 0: none */
};

struct duty {
	int lifeline;
	const struct pm_guard_page *page;
};

static int ms_until(int64_t deadline_ns)
{
	int64_t left_ms = (deadline_ns - pm_clock_monotonic()) / PM_NS_PER_MS;

	return left_ms < 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

/* Ends what is left of a host's group, and what hangs, with those that have ended at once: later their
 * numbers may be given to others. */
static void end_as_they_end(const pid_t *pids, struct pollfd *interests, size_t count,
			    int64_t deadline_ns)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++)
		left += interests[i].fd >= 0;
	while (left > 0) {
		bool late = poll(interests, count, ms_until(deadline_ns)) <= 0;

		for (size_t i = 0; i < count; i++) {
			if (interests[i].fd < 0 || (!late && interests[i].revents == 0))
				continue;
			kill(-pids[i], SIGKILL);
			interests[i].fd = -1; /* poll(2) passes it over */
			left--;
		}
	}
}

/* By pidfd, as whoever reaps them now does not tell us. Where there is none (before Linux 5.3) a host
 * that hangs stays. */
static void end_hosts(const struct pm_guard_page *page)
{
	int64_t deadline_ns = pm_clock_monotonic() + page->grace_ms * PM_NS_PER_MS;
	struct pollfd *interests = calloc(page->host_count + 1, sizeof(*interests));
	pid_t *pids = calloc(page->host_count + 1, sizeof(*pids));

	/* At once, while they are those that panicmon knew. */
	for (size_t i = 0; interests != NULL && pids != NULL && i < page->host_count; i++) {
		pids[i] = atomic_load(&page->hosts[i]);
		interests[i].fd = pids[i] > 1 ? (int)syscall(SYS_pidfd_open, pids[i], 0) : -1;
		interests[i].events = POLLIN;
	}
	if (interests != NULL && pids != NULL)
		end_as_they_end(pids, interests, page->host_count, deadline_ns);
	free(interests);
	free(pids);
}

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
	if (recv(LIFELINE, &message, sizeof(message), 0) == 0) {
		pm_alive_kill(&duty->page->alive);
		end_hosts(duty->page);
	}
	_exit(0);
}

static void on_ended(struct pm_child *child, int status, const struct rusage *usage)
{
	(void)status;
	(void)usage;
	child->pid = 0;
}

static int share_page(struct pm_guard *guard, const struct pm_guard_setup *setup,
		      struct pm_error *error)
{
	guard->size = sizeof(*guard->page) + setup->host_count * sizeof(guard->page->hosts[0]);
	struct pm_guard_page *page = pm_memory_share(guard->size, error);

	if (page == NULL)
		return -1;
	page->grace_ms = setup->grace_ms;
	page->host_count = setup->host_count;
	atomic_store(&page->alive.groups, atomic_load(&setup->alive->groups));
	for (int i = 0; i < PM_ALIVE_MAX; i++)
		atomic_store(&page->alive.pids[i], atomic_load(&setup->alive->pids[i]));
	madvise(page, guard->size, MADV_DOFORK);
	guard->page = page;
	return 0;
}

static void unshare_page(struct pm_guard *guard)
{
	munmap(guard->page, guard->size);
	guard->page = NULL;
}

int pm_guard_start(struct pm_guard *guard, struct pm_children *children,
		   const struct pm_guard_setup *setup, struct pm_error *error)
{
	int ends[2];

	*guard = (struct pm_guard){.child = {.ended = on_ended, .owner = guard}, .lifeline = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return pm_error_set(error, errno, "cannot make a channel to the guard");
	pm_autofd ours = ends[0];
	pm_autofd theirs = ends[1];

	if (share_page(guard, setup, error) < 0)
		return -1;
	struct duty duty = {.lifeline = theirs, .page = guard->page};
	pid_t pid = pm_spawn_role(keep_guard, &duty);
	int saved = errno;
	/* No host may write there whom the guard, maybe as root, is to kill. */
	madvise(guard->page, guard->size, MADV_DONTFORK);
	errno = saved;
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

void pm_guard_set_command(struct pm_guard *guard, size_t index, pid_t pid)
{
	if (guard->page != NULL)
		atomic_store(&guard->page->alive.pids[index], pid);
}

void pm_guard_set_host(struct pm_guard *guard, size_t index, pid_t pid)
{
	if (guard->page != NULL)
		atomic_store(&guard->page->hosts[index], pid);
}

void pm_guard_stop(struct pm_guard *guard, struct pm_children *children)
{
	if (guard->page == NULL)
		return;
	if (guard->child.pid != 0)
		kill(guard->child.pid, SIGKILL); /* works on a stopped one, too */
	while (guard->child.pid != 0)
		pm_loop_turn(children->loop);
	pm_close(&guard->lifeline);
	unshare_page(guard);
}
