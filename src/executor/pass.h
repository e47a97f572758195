/* executor/pass.h: signals in, signals out; part of the executor. */
#ifndef PM_EXECUTOR_PASS_H
#define PM_EXECUTOR_PASS_H

#include "executor/executor.h"

/* From here on signals are kept for us; passed on from pm_pass_start(). */
int pm_pass_open(struct pm_executor *executor, struct pm_error *error);
void pm_pass_start(struct pm_executor *executor);
void pm_pass_close(struct pm_executor *executor);

/* The command is gone: whatever is still waiting is told as signal.failed. */
void pm_pass_finish(struct pm_executor *executor);

#endif
