/* executor/executor.h: runs one command: start, pass signals on, exited.
 *
 * Every step is told as an event. The executor knows nothing of handlers, journals or configs, and
 * after the command was started nothing it does can fail early. It lives in one thread's loop; the
 * signals that it passes on must be blocked in the whole process (process/signals.h).
 *
 * Order of events: process.started (the pid is known, exec is about to come), process.failed if
 * exec did not work; signal.received before the signal.passed or signal.failed of the same signal;
 * process.exited is the last.
 */
#ifndef PM_EXECUTOR_EXECUTOR_H
#define PM_EXECUTOR_EXECUTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/signalfd.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/signals.h"
#include "panicmon/event.h"
#include "process/children.h"
#include "process/spawn.h"
#include "process/terminal.h"

struct pm_executor_options {
	struct pm_command command;
	pm_sigset signals; /* those to pass on; SIGCHLD, SIGKILL and SIGSTOP can't be */

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
	int status; /* of wait4(2), while invoked */
};

/* How many signals are read at once. */
enum { PM_EXECUTOR_BATCH = 64 };

/* Signals on their way: read from a signalfd, [next..count) still to be passed on. */
struct pm_signal_stream {
	struct pm_source source;
	struct signalfd_siginfo batch[PM_EXECUTOR_BATCH];
	size_t count, next;
};

struct pm_executor {
	const struct pm_executor_options *options;
	struct pm_loop *loop;
	struct pm_children *children;
	struct pm_terminal terminal;

	struct pm_spawn spawn;
	struct pm_source channel; /* to the gate, until exec */
	struct pm_child child;
	bool started;       /* the gate was opened */
	int64_t started_ns; /* CLOCK_MONOTONIC */
	int64_t oom_kills;  /* in our cgroup before it ran; -1: not known */
	bool reaped;
	bool group_stopped; /* by job control, all of it: so it is continued */
	struct rusage usage;

	/* Two, as only a real-time signal can find its target's queue full and have to wait: what is
	 * behind it must not keep a SIGTERM from passing. */
	struct pm_signal_stream classic, realtime;
	struct pm_timer retry;
	int64_t refused_since_ns; /* the queue has been full since then; 0: it took the last one */
	struct {
		uint32_t pid;
		char command[32]; /* empty: not known */
	} sender;                 /* of the signal before, in the same batch */

	struct signalfd_siginfo stop; /* the last signal passed on that asks to stop */
	bool stop_requested;

	bool ended; /* the last event was emitted, *outcome is set */
	struct pm_outcome outcome;
};

/* Forks the command and holds it at the gate, so that whatever else is to be made ready can be made
 * ready beside it. *options must live as long as the executor. -1: it could not even be forked;
 * process.failed was emitted, and the executor is to be closed. */
int pm_executor_open(struct pm_executor *executor, struct pm_loop *loop,
		     struct pm_children *children, const struct pm_executor_options *options,
		     struct pm_error *error);

/* Tells of the command and lets it run. */
void pm_executor_start(struct pm_executor *executor);

/* Turns the loop until the command has ended. */
void pm_executor_wait(struct pm_executor *executor);

/* A command that was never started goes without a word. A zeroed executor is closed already. */
void pm_executor_close(struct pm_executor *executor);

#endif
