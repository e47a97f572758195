/* process/children.h: the one place that reaps (wait4(2)), and tells by pid whose child it was.
 *
 * Whoever forks registers the child; what nobody registered was an orphan that the kernel gave to
 * us as PID 1 or subreaper. SIGCHLD comes through a signalfd of its own: it coalesces, so each one
 * is taken as "look until there is nothing left".
 *
 * Within a program that is not ours (the library) others have children and a SIGCHLD of their own:
 * there, each registered child is waited for by a pidfd (Linux 5.3), and nobody else is reaped.
 * Where there is no pidfd to be had (a seccomp filter, valgrind before 3.21), a timer looks after
 * it.
 */
#ifndef PM_PROCESS_CHILDREN_H
#define PM_PROCESS_CHILDREN_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/loop.h"

/* Owned by the one who forked; stays where it is until `ended` was called. */
struct pm_child {
	pid_t pid;
	/* status as of wait4(2), WIFEXITED or WIFSIGNALED; the child is no longer registered. */
	void (*ended)(struct pm_child *child, int status, const struct rusage *usage);
	/* A signal stopped it; 0: SIGCONT has continued it. May be NULL. Not told of the registered
	 * alone. */
	void (*stopped)(struct pm_child *child, int signal);
	void *owner;
	struct pm_child *next;
	struct pm_source pidfd;
	bool lost; /* as `ended` is called: somebody else has waited for it, and status is 0 */
};

struct pm_children {
	struct pm_child *first;
	struct pm_loop *loop;
	struct pm_source source; /* -1: the registered alone */
	struct pm_timer look;    /* for those of them that have no pidfd */
};

/* SIGCHLD must be blocked already (process/signals.h). */
int pm_children_open(struct pm_children *children, struct pm_loop *loop, struct pm_error *error);
/* Leaves all but the registered ones, and SIGCHLD, to the rest of the program; SIGCHLD must not be
 * ignored (wait4(2): there would be nothing to wait for). */
void pm_children_open_registered(struct pm_children *children, struct pm_loop *loop);
/* A zeroed one is closed already. */
void pm_children_close(struct pm_children *children);

/* Fails only among the registered alone: the child must then be reaped by pm_children_forsake(). */
int pm_children_add(struct pm_children *children, struct pm_child *child, struct pm_error *error);

/* Kills a child that could not be added, and waits for it. */
void pm_children_forsake(const struct pm_child *child);

/* Whether there is a child that nobody registered: an orphan. Needs CONFIG_PROC_CHILDREN, without
 * which there is none. */
bool pm_children_has_orphan(const struct pm_children *children);

/* Reaps all that has ended, for a program that ignores SIGCHLD: nobody else waits for what ended
 * while that was taken back. None of the registered may be left. */
void pm_children_reap_ignored(void);

/* Dispatches all that has ended or stopped by now. The loop calls it at each SIGCHLD. */
void pm_children_reap(struct pm_children *children);

#endif
