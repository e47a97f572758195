#include <config.h>

#include "process/children.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "process/signals.h"

static void on_sigchld(struct pm_source *source)
{
	struct signalfd_siginfo info;

	while (read(source->fd, &info, sizeof(info)) > 0)
		continue;
	pm_children_reap(source->owner);
}

int pm_children_open(struct pm_children *children, struct pm_loop *loop, struct pm_error *error)
{
	*children = (struct pm_children){
		.loop = loop,
		.source = {.ready = on_sigchld, .owner = children},
	};
	children->source.fd = pm_signals_descriptor(pm_sigset_of(SIGCHLD));
	if (children->source.fd < 0)
		return pm_error_set(error, errno, "cannot wait for children");
	return pm_loop_add(loop, &children->source, error);
}

/* How late the end of a child without a pidfd may be noticed. */
#define LOOK_EVERY (10 * PM_NS_PER_MS)

static void on_look(struct pm_timer *timer)
{
	struct pm_children *children = timer->owner;

	/* Before: whoever is told may make another child. */
	for (const struct pm_child *child = children->first; child != NULL; child = child->next)
		if (child->pidfd.fd < 0)
			pm_timer_set(children->loop, timer, LOOK_EVERY);
	pm_children_reap(children);
}

void pm_children_open_registered(struct pm_children *children, struct pm_loop *loop)
{
	*children = (struct pm_children){
		.loop = loop,
		.source = {.fd = -1},
		.look = {.due = on_look, .owner = children},
	};
}

void pm_children_close(struct pm_children *children)
{
	if (children->loop == NULL || children->source.fd < 0)
		return;
	pm_loop_remove(children->loop, &children->source);
	pm_close(&children->source.fd);
}

static void on_pidfd(struct pm_source *source)
{
	pm_children_reap(source->owner);
}

static int open_pidfd(struct pm_children *children, struct pm_child *child, struct pm_error *error)
{
	child->pidfd = (struct pm_source){.ready = on_pidfd, .owner = children};
	/* No glibc before 2.36 has a function for it. Always close-on-exec. */
	child->pidfd.fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (child->pidfd.fd < 0 && (errno == ENOSYS || errno == EPERM)) {
		pm_timer_set(children->loop, &children->look, LOOK_EVERY);
		return 0;
	}
	if (child->pidfd.fd < 0)
		return pm_error_set(error, errno, "cannot wait for process %d", (int)child->pid);
	if (pm_loop_add(children->loop, &child->pidfd, error) == 0)
		return 0;
	pm_close(&child->pidfd.fd);
	return -1;
}

int pm_children_add(struct pm_children *children, struct pm_child *child, struct pm_error *error)
{
	if (children->source.fd < 0 && open_pidfd(children, child, error) < 0)
		return -1;
	child->next = children->first;
	children->first = child;
	return 0;
}

void pm_children_forsake(const struct pm_child *child)
{
	kill(child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

static struct pm_child **find(struct pm_children *children, pid_t pid)
{
	struct pm_child **link = &children->first;

	while (*link != NULL && (*link)->pid != pid)
		link = &(*link)->next;
	return link;
}

static void dispatch(struct pm_children *children, pid_t pid, int status,
		     const struct rusage *usage)
{
	struct pm_child **link = find(children, pid);
	struct pm_child *child = *link;

	if (child == NULL)
		return;
	if (WIFSTOPPED(status) || WIFCONTINUED(status)) {
		if (child->stopped != NULL)
			child->stopped(child, WIFSTOPPED(status) ? WSTOPSIG(status) : 0);
		return;
	}
	*link = child->next;
	if (children->source.fd < 0 && child->pidfd.fd >= 0) {
		pm_loop_remove(children->loop, &child->pidfd);
		pm_close(&child->pidfd.fd);
	}
	child->ended(child, status, usage);
}

/* The first of the registered that has ended; false: there is none. */
static bool reap_registered(struct pm_children *children)
{
	for (struct pm_child *child = children->first; child != NULL; child = child->next) {
		struct rusage usage = {0};
		int status = 0;
		pid_t pid = wait4(child->pid, &status, WNOHANG, &usage);

		child->lost = pid < 0 && errno == ECHILD;
		if (pid <= 0 && !child->lost)
			continue;
		dispatch(children, child->pid, status, &usage);
		return true;
	}
	return false;
}

static bool reap_any(struct pm_children *children)
{
	struct rusage usage;
	int status;
	pid_t pid = wait4(-1, &status, WNOHANG | WUNTRACED | WCONTINUED, &usage);

	/* 0: none is ready; -1: there are none at all. errno says nothing after 0. */
	if (pid <= 0)
		return false;
	dispatch(children, pid, status, &usage);
	return true;
}

void pm_children_reap(struct pm_children *children)
{
	while (children->source.fd < 0 ? reap_registered(children) : reap_any(children))
		continue;
}

void pm_children_reap_ignored(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

bool pm_children_has_orphan(const struct pm_children *children)
{
	pm_autofile FILE *list = fopen("/proc/thread-self/children", "re");
	size_t registered = 0, all = 0;
	int pid;

	for (const struct pm_child *child = children->first; child != NULL; child = child->next)
		registered++;
	while (list != NULL && fscanf(list, "%d", &pid) == 1)
		all++;
	return all > registered;
}
