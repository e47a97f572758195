/* process/guard.h: a process that ends what panicmon leaves behind if it is killed: the commands with
 * their groups at once (see process/alive.h), and those processes of its own that were to end by
 * themselves and have not. It runs no code but ours, so it does that whatever the others do.
 */
#ifndef PM_PROCESS_GUARD_H
#define PM_PROCESS_GUARD_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "process/alive.h"
#include "process/children.h"

struct pm_guard_page;

struct pm_guard {
	struct pm_child child; /* pid 0: it does not run */
	int lifeline;          /* its other end is the guard's: EOF there is our death */
	struct pm_guard_page *page; /* shared with it */
	size_t size;                /* of the page */
};

struct pm_guard_setup {
	const struct pm_alive *alive; /* the commands */
	size_t host_count;            /* of places for pm_guard_set_host() */
	int64_t grace_ms;             /* what the hosts have to end by themselves */
};

/* Forks the guard of the commands that live. It holds none of our other descriptors. */
int pm_guard_start(struct pm_guard *guard, struct pm_children *children,
		   const struct pm_guard_setup *setup, struct pm_error *error);

/* A command lives; 0: it has ended. A zeroed guard needs not be told. */
void pm_guard_set_command(struct pm_guard *guard, size_t index, pid_t pid);

/* A process that leads a group of its own and has grace_ms; 0: it was reaped. To a zeroed guard, a
 * no-op. */
void pm_guard_set_host(struct pm_guard *guard, size_t index, pid_t pid);

/* Ends it, without harm to the others, and waits until it is reaped. A zeroed guard is stopped
 * already. */
void pm_guard_stop(struct pm_guard *guard, struct pm_children *children);

#endif
