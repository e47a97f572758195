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

/* At the end: somebody who goes on sending must not hold up the exit. */
#define FINISH_WITHIN (100 * PM_NS_PER_MS)

enum { FIRST_REALTIME = 32 };

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
	if (executor->sender.pid != pid) {
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

/* A full queue is no failure until it has been full for a while; from then on it is at once. */
static bool is_to_wait(struct pm_executor *executor, int failure)
{
	if (failure == 0)
		executor->refused_since_ns = 0;
	if (failure != EAGAIN)
		return false;

	int64_t now = pm_clock_monotonic();
	if (executor->refused_since_ns == 0)
		executor->refused_since_ns = now;
	return now - executor->refused_since_ns < RETRY_FOR;
}

/* Whether the signal is done with; false: to be tried again. */
static bool pass_one(struct pm_executor *executor, const struct signalfd_siginfo *signal)
{
	int64_t now = pm_clock_realtime();

	if (pm_signal_is_own(signal))
		return true;
	int failure = executor->reaped ? ESRCH : send_on(executor, signal);
	if (is_to_wait(executor, failure))
		return false;
	if (failure == 0 && asks_to_stop(signal->ssi_signo)) {
		executor->stop = *signal;
		executor->stop_requested = true;
	}
	tell(executor, signal, failure, now);
	return true;
}

/* Passes on what was read. The rest, if any, waits for the timer, and what comes for the rest. */
static void pass_batch(struct pm_executor *executor, struct pm_signal_stream *stream)
{
	for (; stream->next < stream->count; stream->next++) {
		if (!pass_one(executor, &stream->batch[stream->next])) {
			pm_loop_pause(executor->loop, &stream->source);
			pm_timer_set(executor->loop, &executor->retry, RETRY_EVERY);
			return;
		}
	}
}

static bool read_batch(struct pm_executor *executor, struct pm_signal_stream *stream)
{
	ssize_t got = read(stream->source.fd, stream->batch, sizeof(stream->batch));

	executor->sender.pid = 0;
	stream->next = 0;
	stream->count = got <= 0 ? 0 : (size_t)got / sizeof(stream->batch[0]);
	return stream->count != 0;
}

static void serve(struct pm_executor *executor, struct pm_signal_stream *stream)
{
	/* kill(2) succeeds on a zombie. Reaping first tells as failed what can't arrive any more. */
	pm_children_reap(executor->children);
	if (executor->ended || !read_batch(executor, stream))
		return;
	pass_batch(executor, stream);
	executor->options->settle(executor->options->arg);
}

static void on_classic(struct pm_source *source)
{
	struct pm_executor *executor = source->owner;

	serve(executor, &executor->classic);
}

static void on_realtime(struct pm_source *source)
{
	struct pm_executor *executor = source->owner;

	serve(executor, &executor->realtime);
}

static void on_retry(struct pm_timer *timer)
{
	struct pm_executor *executor = timer->owner;
	struct pm_signal_stream *stream = &executor->realtime;

	pm_children_reap(executor->children);
	if (executor->ended)
		return;
	pass_batch(executor, stream);
	if (stream->next == stream->count)
		pm_loop_resume(executor->loop, &stream->source);
	executor->options->settle(executor->options->arg);
}

static int open_stream(struct pm_executor *executor, struct pm_signal_stream *stream,
		       pm_sigset signals, void (*ready)(struct pm_source *), struct pm_error *error)
{
	stream->source = (struct pm_source){
		.fd = pm_signals_descriptor(signals),
		.ready = ready,
		.owner = executor,
	};
	if (stream->source.fd < 0)
		return pm_error_set(error, errno, "cannot take signals");
	if (pm_loop_add(executor->loop, &stream->source, error) < 0)
		return -1;
	pm_loop_pause(executor->loop, &stream->source);
	return 0;
}

int pm_pass_open(struct pm_executor *executor, struct pm_error *error)
{
	pm_sigset classic = pm_sigset_of(FIRST_REALTIME) - 1;
	pm_sigset signals = executor->options->signals & ~pm_sigset_of(SIGCHLD);

	executor->retry = (struct pm_timer){.due = on_retry, .owner = executor};
	if (open_stream(executor, &executor->classic, signals & classic, on_classic, error) < 0)
		return -1;
	return open_stream(executor, &executor->realtime, signals & ~classic, on_realtime, error);
}

void pm_pass_start(struct pm_executor *executor)
{
	pm_loop_resume(executor->loop, &executor->classic.source);
	pm_loop_resume(executor->loop, &executor->realtime.source);
}

static void drain_stream(struct pm_executor *executor, struct pm_signal_stream *stream,
			 int64_t deadline)
{
	do {
		pass_batch(executor, stream);
	} while (pm_clock_monotonic() < deadline && read_batch(executor, stream));
}

void pm_pass_finish(struct pm_executor *executor)
{
	int64_t deadline = pm_clock_monotonic() + FINISH_WITHIN;

	drain_stream(executor, &executor->classic, deadline);
	drain_stream(executor, &executor->realtime, deadline);
}

static void close_stream(struct pm_executor *executor, struct pm_signal_stream *stream)
{
	if (stream->source.fd < 0)
		return;
	pm_loop_remove(executor->loop, &stream->source);
	pm_close(&stream->source.fd);
}

void pm_pass_close(struct pm_executor *executor)
{
	pm_timer_clear(executor->loop, &executor->retry);
	close_stream(executor, &executor->classic);
	close_stream(executor, &executor->realtime);
}
