/* executor/executor.h: one command: start, signals passed on, exited.
 *
 * Every step is told as an event. The executor knows nothing of handlers, journals or configs, and
 * after the command was started nothing it does can fail early. It is one of those that run together
 * (executor/run.h), and lives in their one thread and loop.
 *
 * Order of events: process.started (the pid is known, exec is about to come), process.failed if
 * exec did not work; signal.received before the signal.passed or signal.failed of the same signal;
 * process.exited is the last.
 */
#ifndef PM_EXECUTOR_EXECUTOR_H
#define PM_EXECUTOR_EXECUTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/signalfd.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/signals.h"
#include "panicmon/event.h"
#include "process/children.h"
#include "process/spawn.h"

struct pm_executor_options {
	struct pm_command command;
	pm_sigset signals; /* those to pass on; SIGCHLD, SIGKILL and SIGSTOP can't be */
	/* By signal: what it is passed on as, 0: it is not. NULL: each as it came. */
	const uint8_t *rewrite;
	bool signal_group;       /* to all of the command's group */
	int64_t stop_timeout_ms; /* from the first signal that asks to stop to SIGKILL; 0: never */
	unsigned instance;       /* 1, 2...: it is one of several; 0: it is not */

	/* Takes an event; everything but seq and what the whole run has in common is set. */
	void (*emit)(void *arg, struct panicmon_event *event);
	/* A batch of events is over and the command has been served: a moment for slow work. */
	void (*settle)(void *arg);
	void *arg;
};

/* How it ended. */
struct pm_outcome {
	bool invoked; /* false: exec_errno says why not */
	int exec_errno;
	int failed_status; /* then: what stands for that, see process/spawn.h */
	bool lost;  /* somebody else has waited for it: nothing is known (process/children.h) */
	int status; /* of wait4(2), while invoked */
	int64_t ended_ns; /* CLOCK_MONOTONIC */
};

struct pm_run;

struct pm_executor {
	const struct pm_executor_options *options;
	struct pm_run *run;

	struct pm_spawn spawn;
	struct pm_source channel; /* to the gate, until exec */
	struct pm_child child;
	bool started, released; /* told of; the gate was opened */
	int64_t started_ns; /* CLOCK_MONOTONIC */
	int64_t oom_kills;  /* in our cgroup before it ran; -1: not known */
	bool reaped;
	bool stopped; /* by job control, with all of its group */
	struct rusage usage;

	size_t next_classic, next_realtime; /* of the batches read, what it is to get next */
	int64_t refused_since_ns; /* its queue has been full since then; 0: it took the last one */
	struct signalfd_siginfo stop; /* the last signal passed on that asks to stop */
	bool stop_requested;
	bool stop_enforced; /* SIGKILL was sent, as it had not stopped in time */
	struct pm_timer stop_timer;

	bool ended; /* the last event was emitted, *outcome is set */
	struct pm_outcome outcome;
};

/* ---- for executor/run.h ---- */

/* Forks the command and holds it at the gate. *options must live as long as the executor. -1: it could
 * not even be forked; process.failed was emitted. */
int pm_executor_open(struct pm_executor *executor, struct pm_run *run,
		     const struct pm_executor_options *options, struct pm_error *error);

/* A command that can't be run at all: tells of that. failure: an errno(3). */
void pm_executor_refuse(const struct pm_executor_options *options, int failure);

/* Tells of the command, and lets it run. Of several, all are told of before the first one runs. */
void pm_executor_start(struct pm_executor *executor);
void pm_executor_release(struct pm_executor *executor);

/* A command that was never started goes without a word. A zeroed executor is closed already. */
void pm_executor_close(struct pm_executor *executor);

/* ---- for the room ---- */

struct panicmon_event pm_executor_event(const struct pm_executor *executor,
					enum panicmon_event_type type);
void pm_executor_emit(const struct pm_executor *executor, struct panicmon_event *event);
void pm_executor_settle(const struct pm_executor *executor);

#endif
