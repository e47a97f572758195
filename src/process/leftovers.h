/* process/leftovers.h: what commands leave behind: their orphans, and the rest of their groups. */
#ifndef PM_PROCESS_LEFTOVERS_H
#define PM_PROCESS_LEFTOVERS_H

#include <stdbool.h>
#include <stdint.h>

#include "process/alive.h"
#include "process/children.h"

/* Turns the loop until no orphan of ours is left: as PID 1 or subreaper, they are our children. At most
 * for timeout_ms, and until *enough. Returns whether none is left. */
bool pm_orphans_wait(struct pm_children *children, int64_t timeout_ms, const bool *enough);

/* Process groups whose leader has ended, and that are to follow it. */
struct pm_leftovers {
	struct pm_loop *loop;
	int64_t timeout_ns;
	struct pm_timer look;
	unsigned looks;
	unsigned count;
	struct {
		pid_t group;
		int64_t deadline_ns; /* CLOCK_MONOTONIC */
	} groups[PM_ALIVE_MAX];
};

/* What is still there timeout_ms after its SIGTERM gets SIGKILL. */
void pm_leftovers_open(struct pm_leftovers *leftovers, struct pm_loop *loop, int64_t timeout_ms);

/* Sends a group SIGTERM, and looks after the rest as the loop turns. Soon after its leader was reaped:
 * the number may some day belong to others. At most PM_ALIVE_MAX at a time. */
void pm_leftovers_end(struct pm_leftovers *leftovers, pid_t group);

/* Turns the loop until all have ended or got SIGKILL. */
void pm_leftovers_wait(struct pm_leftovers *leftovers);

#endif
