/* process/guard.h: a process that ends the command's group if panicmon is killed.
 *
 * PDEATHSIG ends the command itself, but not what it has forked. With handlers, their hosts see to
 * that; this is for a run without any.
 */
#ifndef PM_PROCESS_GUARD_H
#define PM_PROCESS_GUARD_H

#include "base/error.h"
#include "process/children.h"

struct pm_guard {
	struct pm_child child; /* pid 0: it does not run */
	int lifeline;          /* its other end is the guard's: EOF there is our death */
};

/* Forks the guard of a process group. It holds none of our other descriptors. */
int pm_guard_start(struct pm_guard *guard, struct pm_children *children, pid_t group,
		   struct pm_error *error);

/* Ends it, without harm to the group, and waits until it is reaped. A zeroed guard is stopped already. */
void pm_guard_stop(struct pm_guard *guard, struct pm_children *children);

#endif
