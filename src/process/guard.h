/* process/guard.h: a process that ends the commands and their groups if panicmon is killed (see
 * process/alive.h). The handlers' hosts do so, too, but there may be none, or none that lives.
 */
#ifndef PM_PROCESS_GUARD_H
#define PM_PROCESS_GUARD_H

#include "base/error.h"
#include "process/alive.h"
#include "process/children.h"

struct pm_guard {
	struct pm_child child; /* pid 0: it does not run */
	int lifeline;          /* its other end is the guard's: EOF there is our death */
	struct pm_alive *alive; /* a page shared with it */
};

/* Forks the guard of the commands that live. It holds none of our other descriptors. */
int pm_guard_start(struct pm_guard *guard, struct pm_children *children,
		   const struct pm_alive *alive, struct pm_error *error);

/* A command has ended. A zeroed guard needs not be told. */
void pm_guard_forget(struct pm_guard *guard, unsigned index);

/* Ends it, without harm to the groups, and waits until it is reaped. A zeroed guard is stopped
 * already. */
void pm_guard_stop(struct pm_guard *guard, struct pm_children *children);

#endif
