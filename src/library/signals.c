#include <config.h>

#include "library/signals.h"

#include "process/children.h"

/* With SIGCHLD ignored, or SA_NOCLDWAIT, the kernel keeps no status (wait(2)). */
static void keep_statuses(struct pm_library_signals *signals)
{
	struct sigaction keeping;

	sigaction(SIGCHLD, NULL, &signals->sigchld);
	signals->inherited.ignored_sigchld = signals->sigchld.sa_handler == SIG_IGN;
	signals->keeps_no_status = signals->inherited.ignored_sigchld ||
				   (signals->sigchld.sa_flags & SA_NOCLDWAIT) != 0;
	if (!signals->keeps_no_status)
		return;
	keeping = signals->sigchld;
	keeping.sa_flags &= ~SA_NOCLDWAIT;
	if (signals->inherited.ignored_sigchld)
		keeping.sa_handler = SIG_DFL;
	sigaction(SIGCHLD, &keeping, NULL);
}

void pm_library_signals_take(struct pm_library_signals *signals, pm_sigset taken)
{
	signals->inherited.has_handlers = true;
	/* What the mask is can't be asked without setting one. */
	pm_sigset_block(~UINT64_C(0), &signals->inherited.blocked);
	pm_sigset_block(signals->inherited.blocked | taken, NULL);
	keep_statuses(signals);
}

void pm_library_signals_give_back(const struct pm_library_signals *signals)
{
	if (signals->keeps_no_status) {
		sigaction(SIGCHLD, &signals->sigchld, NULL);
		/* Only now: from here on the kernel keeps no more of them. */
		pm_children_reap_ignored();
	}
	pm_sigset_block(signals->inherited.blocked, NULL);
}
