/* process/children.h: the one place that reaps (wait4(2)), and tells by pid whose child it was.
 *
 * Whoever forks registers the child; what nobody registered was an orphan that the kernel gave to
 * us as PID 1 or subreaper. SIGCHLD comes through a signalfd of its own: it coalesces, so each one
 * is taken as "look until there is nothing left".
 */
#ifndef PM_PROCESS_CHILDREN_H
#define PM_PROCESS_CHILDREN_H

#include <sys/resource.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/loop.h"

/* Owned by the one who forked; stays where it is until `ended` was called. */
struct pm_child {
	pid_t pid;
	/* status as of wait4(2), WIFEXITED or WIFSIGNALED; the child is no longer registered. */
	void (*ended)(struct pm_child *child, int status, const struct rusage *usage);
	/* Job control stopped it; may be NULL. */
	void (*stopped)(struct pm_child *child, int signal);
	void *owner;
	struct pm_child *next;
};

struct pm_children {
	struct pm_child *first;
	struct pm_loop *loop;
	struct pm_source source;
};

/* SIGCHLD must be blocked already (process/signals.h). */
int pm_children_open(struct pm_children *children, struct pm_loop *loop, struct pm_error *error);
/* A zeroed one is closed already. */
void pm_children_close(struct pm_children *children);

void pm_children_add(struct pm_children *children, struct pm_child *child);

/* Dispatches all that has ended or stopped by now. The loop calls it at each SIGCHLD. */
void pm_children_reap(struct pm_children *children);

#endif
