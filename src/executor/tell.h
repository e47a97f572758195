/* executor/tell.h: the events of signals; part of the run. */
#ifndef PM_EXECUTOR_TELL_H
#define PM_EXECUTOR_TELL_H

#include <stdint.h>

#include "executor/run.h"

/* signal.received; then, unless it was to be passed on as `as` 0, signal.passed, or signal.failed if
 * `failure` is an errno(3). Times are of CLOCK_REALTIME. */
void pm_tell_signal(struct pm_executor *executor, const struct signalfd_siginfo *signal,
		    int64_t received_ns, int64_t passed_ns, int as, int failure);

/* signal.passed or signal.failed of one that came from nobody but us. */
void pm_tell_own_signal(struct pm_executor *executor, int signal, int failure);

#endif
