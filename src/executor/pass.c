#include <config.h>

#include "executor/pass.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "event/event.h"
#include "process/signals.h"

/* A full queue (RLIMIT_SIGPENDING counts those of a user together, and ours shrinks as the
 * command's grows) is tried again this often, for this long, before the signal is given up. */
#define RETRY_EVERY (1 * PM_NS_PER_MS)
#define RETRY_FOR (10 * PM_NS_PER_S)

/* The sender's name for people, if it is still there. */
static void read_command(uint32_t pid, char *to, size_t size)
{
	char path[sizeof("/proc//comm") + 10];

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	pm_autofd fd = pid == 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, to, size - 1);
	to[got < 0 ? 0 : got] = '\0';
	to[strcspn(to, "\n")] = '\0';
}

/* The name of a sender is kept for one batch: a storm has few senders, and a look-up costs more
 * than passing a signal on. */
static const char *sender_command(struct pm_executor *executor, uint32_t pid)
{
	if (executor->batch_next == 0 || executor->sender.pid != pid) {
		executor->sender.pid = pid;
		read_command(pid, executor->sender.command, sizeof(executor->sender.command));
	}
	return executor->sender.command;
}

/* Only these codes say who sent the signal (sigaction(2)). */
static bool has_sender(const struct signalfd_siginfo *signal)
{
	return signal->ssi_code == SI_USER || signal->ssi_code == SI_QUEUE ||
	       signal->ssi_code == SI_TKILL || signal->ssi_code == SI_MESGQ;
}

static struct panicmon_event received_event(struct pm_executor *executor,
					    const struct signalfd_siginfo *signal)
{
	struct panicmon_event event = pm_event_make(PANICMON_SIGNAL_RECEIVED, executor->spawn.pid);

	PM_EVENT_SET(&event, SIGNAL, signal, (int32_t)signal->ssi_signo);
	PM_EVENT_SET(&event, SI_CODE, si_code, signal->ssi_code);
	if (has_sender(signal)) {
		PM_EVENT_SET(&event, SENDER_PID, sender_pid, (int32_t)signal->ssi_pid);
		PM_EVENT_SET(&event, SENDER_UID, sender_uid, (int32_t)signal->ssi_uid);
		const char *command = sender_command(executor, signal->ssi_pid);
		if (command[0] != '\0')
			PM_EVENT_SET(&event, SENDER_COMMAND, sender_command, command);
	}
	if (signal->ssi_code == SI_QUEUE || signal->ssi_code == SI_TIMER ||
	    signal->ssi_code == SI_MESGQ)
		PM_EVENT_SET(&event, VALUE, value, signal->ssi_int);
	return event;
}

static void tell(struct pm_executor *executor, const struct signalfd_siginfo *signal, int failure,
		 int64_t received_ns)
{
	const struct pm_executor_options *options = executor->options;
	struct panicmon_event event = received_event(executor, signal);

	event.time_ns = received_ns;
	options->emit(options->arg, &event);
	event.type = failure == 0 ? PANICMON_SIGNAL_PASSED : PANICMON_SIGNAL_FAILED;
	event.time_ns = pm_clock_realtime();
	PM_EVENT_SET(&event, TARGET_PID, target_pid, executor->spawn.pid);
	if (failure != 0)
		PM_EVENT_SET(&event, ERROR, error, failure);
	options->emit(options->arg, &event);
}

static bool asks_to_stop(uint32_t signal)
{
	return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
}

/* 0 or an errno(3). */
static int send_on(struct pm_executor *executor, const struct signalfd_siginfo *signal)
{
	if (signal->ssi_signo != SIGCONT)
		return pm_signal_pass(signal, executor->spawn.pid);
	pm_terminal_give(&executor->terminal, executor->spawn.pid);
	if (!executor->group_stopped)
		return pm_signal_pass(signal, executor->spawn.pid);
	/* Ctrl-Z has stopped all of the group, and the shell's SIGCONT has reached only us. */
	executor->group_stopped = false;
	return kill(-executor->spawn.pid, SIGCONT) < 0 ? errno : 0;
}

/* Whether the signal is done with; false: to be tried again. */
static bool pass_one(struct pm_executor *executor, const struct signalfd_siginfo *signal)
{
	int64_t now = pm_clock_realtime();

	if (pm_signal_is_own(signal))
		return true;
	int failure = executor->reaped ? ESRCH : send_on(executor, signal);
	if (failure == EAGAIN) {
		if (executor->retrying_since_ns == 0)
			executor->retrying_since_ns = pm_clock_monotonic();
		if (pm_clock_monotonic() - executor->retrying_since_ns < RETRY_FOR)
			return false;
	}
	executor->retrying_since_ns = 0;
	if (failure == 0 && asks_to_stop(signal->ssi_signo)) {
		executor->stop = *signal;
		executor->stop_requested = true;
	}
	tell(executor, signal, failure, now);
	return true;
}

/* Passes on what was read. The rest, if any, waits for the timer, and the next ones for the rest. */
static void pass_batch(struct pm_executor *executor)
{
	for (; executor->batch_next < executor->batch_count; executor->batch_next++) {
		if (!pass_one(executor, &executor->batch[executor->batch_next])) {
			pm_loop_pause(executor->loop, &executor->signals);
			pm_timer_set(executor->loop, &executor->retry, RETRY_EVERY);
			return;
		}
	}
}

static bool read_batch(struct pm_executor *executor)
{
	ssize_t got = read(executor->signals.fd, executor->batch, sizeof(executor->batch));

	executor->batch_next = 0;
	executor->batch_count = got <= 0 ? 0 : (size_t)got / sizeof(executor->batch[0]);
	return executor->batch_count != 0;
}

static void on_signals(struct pm_source *source)
{
	struct pm_executor *executor = source->owner;

	/* kill(2) succeeds on a zombie. Reaping first tells as failed what can't arrive any more. */
	pm_children_reap(executor->children);
	if (executor->ended || !read_batch(executor))
		return;
	pass_batch(executor);
	executor->options->settle(executor->options->arg);
}

static void on_retry(struct pm_timer *timer)
{
	struct pm_executor *executor = timer->owner;

	pm_children_reap(executor->children);
	if (executor->ended)
		return;
	pass_batch(executor);
	if (executor->batch_next == executor->batch_count)
		pm_loop_resume(executor->loop, &executor->signals);
	executor->options->settle(executor->options->arg);
}

int pm_pass_open(struct pm_executor *executor, struct pm_error *error)
{
	executor->retry = (struct pm_timer){.due = on_retry, .owner = executor};
	executor->signals = (struct pm_source){.ready = on_signals, .owner = executor};
	executor->signals.fd =
		pm_signals_descriptor(executor->options->signals & ~pm_sigset_of(SIGCHLD));
	if (executor->signals.fd < 0)
		return pm_error_set(error, errno, "cannot take signals");
	if (pm_loop_add(executor->loop, &executor->signals, error) < 0)
		return -1;
	pm_loop_pause(executor->loop, &executor->signals);
	return 0;
}

void pm_pass_start(struct pm_executor *executor)
{
	pm_loop_resume(executor->loop, &executor->signals);
}

void pm_pass_finish(struct pm_executor *executor)
{
	do {
		pass_batch(executor);
	} while (read_batch(executor));
}

void pm_pass_close(struct pm_executor *executor)
{
	pm_timer_clear(executor->loop, &executor->retry);
	if (executor->signals.fd >= 0)
		pm_loop_remove(executor->loop, &executor->signals);
	pm_close(&executor->signals.fd);
}
