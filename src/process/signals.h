/* process/signals.h: taking signals in and passing them on.
 *
 * Signals are blocked and read from a signalfd(2), never handled: nothing interrupts panicmon, and
 * dispositions stay as they were inherited, so that the command inherits them too. A signal that is
 * ignored is still queued while it is blocked (signal(7)), so an ignored one is passed on as well.
 */
#ifndef PM_PROCESS_SIGNALS_H
#define PM_PROCESS_SIGNALS_H

#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/types.h>

#include "base/signals.h"

/* What to give back to the command. */
struct pm_signals_inherited {
	pm_sigset blocked;
	bool ignored_sigchld; /* taken back to the default: with SIG_IGN there is nothing to reap */
	bool has_handlers;    /* the program's own, which must not run in the child */
};

/* Blocks all signals. The first thing that a main() does, so that none is lost. */
void pm_signals_take(struct pm_signals_inherited *inherited);

/* In a child, before exec: as panicmon found it. Async-signal-safe. */
void pm_signals_give_back(const struct pm_signals_inherited *inherited);

/* A non-blocking, close-on-exec signalfd for a set; -1 with errno. */
int pm_signals_descriptor(pm_sigset set);

/* Whether it is this process's own business: SIGPIPE or SIGXFSZ of an own write, or a stop for job
 * control. What a program has sent to itself before it became us by execve(2) is the command's. */
bool pm_signal_is_own(const struct signalfd_siginfo *signal);

/* Whether it says who sent it (sigaction(2)): one of the kernel, as for Ctrl-C, does not. */
bool pm_signal_has_sender(const struct signalfd_siginfo *signal);

/* Whether it comes with a value, and so needs a place in the queue of whoever gets it. */
bool pm_signal_carries_value(const struct signalfd_siginfo *signal);

/* Sends it to a process, as the number `as`, with sender and value where the kernel allows that for a
 * signal of its kind (rt_sigqueueinfo(2): those of sigqueue(3), message queues and POSIX timers), else
 * by kill(2). 0, or an errno: ESRCH, EPERM, EAGAIN (the target's queue is full, RLIMIT_SIGPENDING). */
int pm_signal_pass(const struct signalfd_siginfo *signal, int as, pid_t pid);

/* Ends this process by the signal as another process was ended by it, without a core of its own.
 * Returns only where the kernel refuses, as it does for PID 1 of a pid namespace. */
void pm_signal_die_by(int signal);

#endif
