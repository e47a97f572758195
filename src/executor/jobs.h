/* executor/jobs.h: job control: commands that are stopped and continued at a terminal; part of the
 * run.
 *
 * A sole command that has its own group takes our place in the foreground; in a pipeline, where
 * another part may be the one that reads what is typed, only when it asks for it. Several, or one
 * that shares our group, leave it where it is.
 */
#ifndef PM_EXECUTOR_JOBS_H
#define PM_EXECUTOR_JOBS_H

#include "executor/run.h"

void pm_jobs_give_terminal(struct pm_executor *executor);
void pm_jobs_take_terminal_back(struct pm_executor *executor);

/* The command was stopped by a signal (0: continued by somebody): with the last one we stop, too, so
 * that the calling shell gets its prompt. */
void pm_jobs_stopped(struct pm_executor *executor, int signal);

/* SIGCONT has come, for us or to be passed on. Whether the command has been continued with that. */
bool pm_jobs_continue(struct pm_executor *executor);

/* A signal comes in: whether one that stops the command is meant for the whole job, or for it alone. */
void pm_jobs_note(struct pm_run *run, const struct signalfd_siginfo *signal);

/* Before the run is closed. */
void pm_jobs_close(struct pm_run *run);

#endif
