/* executor/pass.h: signals in, signals out; part of the run. */
#ifndef PM_EXECUTOR_PASS_H
#define PM_EXECUTOR_PASS_H

#include "executor/run.h"

/* From here on signals are kept for us; passed on from pm_pass_start(). */
int pm_pass_open(struct pm_run *run, const struct pm_run_setup *setup, struct pm_error *error);
void pm_pass_start(struct pm_run *run);
void pm_pass_close(struct pm_run *run);

/* A command was reaped: whatever is still waiting goes to the others, as far as they have room for it,
 * and is told as signal.failed for this one. */
void pm_pass_finish(struct pm_run *run);

#endif
