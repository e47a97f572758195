/* base/signals.h: names and sets of the signals 1 to 64.
 *
 * Sets are the kernel's own: one bit a signal. glibc's sigset_t functions leave out 32 and 33,
 * which it keeps for its threads; a supervisor must pass those on as well.
 */
#ifndef PM_BASE_SIGNALS_H
#define PM_BASE_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PM_SIGNAL_MAX = 64 };

typedef uint64_t pm_sigset;

static inline pm_sigset pm_sigset_of(int signal)
{
	return UINT64_C(1) << (signal - 1);
}

static inline bool pm_sigset_has(pm_sigset set, int signal)
{
	return (set & pm_sigset_of(signal)) != 0;
}

/* sigprocmask(2) for all 64. `before` may be NULL. Async-signal-safe. */
int pm_sigset_block(pm_sigset set, pm_sigset *before);

/* "SIGTERM", "SIGRTMIN+3", "SIG32". The text is the thread's. signal is 1 to 64. */
const char *pm_signal_name(int signal);

/* The number for "TERM", "SIGTERM", "sigterm", "RTMIN+3", "RTMAX-1" or "15"; -1 if there is none. */
int pm_signal_number(const char *name);

#endif
