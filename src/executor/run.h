/* executor/run.h: one or more commands that run together: one loop, one intake of signals.
 *
 * The signals that are passed on must be blocked in the whole process (process/signals.h). Each goes
 * to every command that takes it and has not ended.
 */
#ifndef PM_EXECUTOR_RUN_H
#define PM_EXECUTOR_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/signalfd.h>

#include "executor/executor.h"
#include "process/terminal.h"

/* How many signals are read at once. */
enum { PM_RUN_BATCH = 64 };

/* Signals on their way: read from a signalfd, and passed on to each command in turn. */
struct pm_signal_stream {
	struct pm_source source;
	struct signalfd_siginfo batch[PM_RUN_BATCH];
	size_t count;
	bool waits; /* for a queue to have room: paused until then */
};

struct pm_run {
	struct pm_loop *loop;
	struct pm_children *children;
	struct pm_terminal terminal;
	struct pm_executor *executors;
	size_t count;  /* of those that were opened */
	size_t living; /* not yet ended */
	bool guest;    /* as of the setup */
	bool stop_alone; /* a stop was sent to us, and not typed for the whole job */
	struct pm_timer later; /* continues commands that the kernel has stopped, but not us */

	/* Two, as only a real-time signal can find its target's queue full and have to wait: what is
	 * behind it must not keep a SIGTERM from passing. */
	struct pm_signal_stream classic, realtime;
	struct pm_timer retry;
	bool asked_to_end; /* a signal that asks to stop came when all had ended */
	struct {
		uint32_t pid;
		int64_t read_ns;  /* CLOCK_MONOTONIC */
		char command[32]; /* empty: not known */
	} sender;                 /* of the signal before */
};

struct pm_run_setup {
	struct pm_loop *loop;
	struct pm_children *children;
	const struct pm_executor_options *options; /* `count` of them, as long as the run */
	size_t count;
	bool job_control; /* if there is a terminal */
	/* Within a program that is not ours: what that sends to itself is passed on, too, and what
	 * comes when all have ended is left to it. */
	bool guest;
};

/* Forks the commands and holds them at their gates, so that whatever else is to be made ready can be
 * made ready beside it. executors[0..setup->count) are the caller's. -1: one could not even be forked
 * and its process.failed was emitted; the run is to be closed. */
int pm_run_open(struct pm_run *run, struct pm_executor *executors,
		const struct pm_run_setup *setup, struct pm_error *error);

/* Tells of the commands and lets them run. */
void pm_run_start(struct pm_run *run);

/* Turns the loop until all have ended. */
void pm_run_wait(struct pm_run *run);

/* What came before is no longer passed on. A zeroed run is closed already. */
void pm_run_close(struct pm_run *run);

#endif
