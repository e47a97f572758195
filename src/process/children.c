#include <config.h>

#include "process/children.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
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

void pm_children_close(struct pm_children *children)
{
	if (children->loop == NULL)
		return;
	pm_loop_remove(children->loop, &children->source);
	pm_close(&children->source.fd);
}

void pm_children_add(struct pm_children *children, struct pm_child *child)
{
	child->next = children->first;
	children->first = child;
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
	if (WIFSTOPPED(status)) {
		if (child->stopped != NULL)
			child->stopped(child, WSTOPSIG(status));
		return;
	}
	*link = child->next;
	child->ended(child, status, usage);
}

void pm_children_reap(struct pm_children *children)
{
	for (;;) {
		struct rusage usage;
		int status;
		pid_t pid = wait4(-1, &status, WNOHANG | WUNTRACED, &usage);

		/* 0: none is ready; -1: there are none at all. errno says nothing after 0. */
		if (pid <= 0)
			return;
		dispatch(children, pid, status, &usage);
	}
}
