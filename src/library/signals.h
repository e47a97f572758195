/* library/signals.h: what a run takes from the program, and gives back. */
#ifndef PM_LIBRARY_SIGNALS_H
#define PM_LIBRARY_SIGNALS_H

#include <signal.h>

#include "process/signals.h"

struct pm_library_signals {
	struct pm_signals_inherited inherited; /* `blocked` is this thread's mask */
	struct sigaction sigchld;              /* as it was */
	bool keeps_no_status;                  /* for which reason it was changed */
};

/* Blocks the taken on this thread, with what is blocked already. SIGCHLD leaves a status to wait
 * for from here on. */
void pm_library_signals_take(struct pm_library_signals *signals, pm_sigset taken);

/* When they have all been reaped: mask and SIGCHLD are as before. */
void pm_library_signals_give_back(const struct pm_library_signals *signals);

#endif
