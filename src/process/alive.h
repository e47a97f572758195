/* process/alive.h: which commands live, for those who outlive panicmon.
 *
 * Stands in memory that panicmon shares with a handler's host or the guard: PDEATHSIG ends a command
 * with panicmon, but not what that has forked, nor one that has changed its user (prctl(2)). An entry
 * is cleared when the end of its command was told, a moment after it was reaped: later the kernel may
 * have given the number to others.
 */
#ifndef PM_PROCESS_ALIVE_H
#define PM_PROCESS_ALIVE_H

#include <stdatomic.h>
#include <stdint.h>

enum { PM_ALIVE_MAX = 64 };

struct pm_alive {
	_Atomic uint32_t count;  /* of commands that the run has */
	_Atomic uint32_t groups; /* 1: each leads a process group of its own */
	_Atomic int32_t pids[PM_ALIVE_MAX]; /* 0: it has not begun, or has ended */
};

/* Ends those that live, with their groups. Async-signal-safe. */
void pm_alive_kill(const struct pm_alive *alive);

#endif
