#include <config.h>

#include "executor/pass.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "executor/jobs.h"
#include "executor/tell.h"
#include "process/signals.h"

/* A full queue (RLIMIT_SIGPENDING counts those of a user together, and ours shrinks as the
 * command's grows) is tried again this often, for this long, before the signal is given up. */
#define RETRY_EVERY (1 * PM_NS_PER_MS)
#define RETRY_FOR (10 * PM_NS_PER_S)

/* At the end: somebody who goes on sending must not hold up the exit. */
#define FINISH_WITHIN (100 * PM_NS_PER_MS)

enum { FIRST_REALTIME = 32 };

static bool asks_to_stop(uint32_t signal)
{
	return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
}

/* What is typed, or a new size of the window: the kernel sends it to all of the foreground's group. */
static bool is_of_terminal(const struct signalfd_siginfo *signal)
{
	const pm_sigset set = pm_sigset_of(SIGINT) | pm_sigset_of(SIGQUIT) | pm_sigset_of(SIGTSTP) |
			      pm_sigset_of(SIGTTIN) | pm_sigset_of(SIGTTOU) |
			      pm_sigset_of(SIGWINCH);

	return signal->ssi_code == SI_KERNEL && pm_sigset_has(set, (int)signal->ssi_signo);
}

/* So a command in our group has it, too. When the terminal is hung up, the session's leader alone gets
 * SIGHUP and SIGCONT; all others get them with their group. */
static bool came_to_group(const struct pm_executor *executor, const struct signalfd_siginfo *signal)
{
	bool of_hangup = signal->ssi_code == SI_KERNEL &&
			 (signal->ssi_signo == SIGHUP || signal->ssi_signo == SIGCONT);

	return executor->options->command.group == PM_GROUP_INHERIT &&
	       (is_of_terminal(signal) || (of_hangup && getsid(0) != getpid()));
}

/* 0 or an errno(3). */
static int send_on(struct pm_executor *executor, const struct signalfd_siginfo *signal, int as)
{
	if (executor->reaped)
		return ESRCH;
	if (as == 0)
		return 0;
	if (is_of_terminal(signal)) {
		/* The shell gave us the foreground for a job that was running: SIGCONT would have told
		 * us. What is typed is for the whole job. */
		pm_jobs_give_terminal(executor);
		return pm_spawn_kill(&executor->spawn, true, as);
	}
	if (executor->options->signal_group)
		return pm_spawn_kill(&executor->spawn, true, as);
	return pm_signal_pass(signal, as, executor->spawn.pid);
}

/* Whether it needs a place in the target's queue: what kill(2) sends arrives without one. */
static bool is_queued(const struct pm_executor *executor, const struct signalfd_siginfo *signal,
		      int as)
{
	return as >= FIRST_REALTIME && pm_signal_carries_value(signal) &&
	       !executor->options->signal_group;
}

/* A full queue is no failure until it has been full for a while; from then on it is at once. */
static bool is_to_wait(struct pm_executor *executor, const struct signalfd_siginfo *signal, int as,
		       int failure)
{
	if (failure == 0 && is_queued(executor, signal, as))
		executor->refused_since_ns = 0;
	if (failure != EAGAIN)
		return false;

	int64_t now = pm_clock_monotonic();
	if (executor->refused_since_ns == 0)
		executor->refused_since_ns = now;
	return now - executor->refused_since_ns < RETRY_FOR;
}

static void on_stop_timeout(struct pm_timer *timer)
{
	struct pm_executor *executor = timer->owner;

	pm_children_reap(executor->run->children);
	if (executor->reaped)
		return;
	int failure = pm_spawn_kill(&executor->spawn, true, SIGKILL);
	executor->stop_enforced = failure == 0;
	pm_tell_own_signal(executor, SIGKILL, failure);
	pm_executor_settle(executor);
}

static void note_stop(struct pm_executor *executor, const struct signalfd_siginfo *signal)
{
	int64_t timeout_ms = executor->options->stop_timeout_ms;

	if (!executor->stop_requested && timeout_ms > 0) {
		executor->stop_timer =
			(struct pm_timer){.due = on_stop_timeout, .owner = executor};
		pm_timer_set(executor->run->loop, &executor->stop_timer,
			     timeout_ms * PM_NS_PER_MS);
	}
	executor->stop = *signal;
	executor->stop_requested = true;
}

/* Not meant for a command. SIGPIPE is from a write of the program also where we are a guest. */
static bool is_own(const struct pm_run *run, const struct signalfd_siginfo *signal)
{
	return pm_signal_is_own(signal) && (!run->guest || signal->ssi_signo == SIGPIPE);
}

/* What became of a signal. */
struct passed {
	bool told; /* it is to be: the command takes it */
	int as, failure;
	int64_t time_ns; /* CLOCK_REALTIME */
};

/* Whether the command is done with the signal; false: to be tried again. */
static bool pass_one(struct pm_executor *executor, const struct signalfd_siginfo *signal,
		     struct passed *passed)
{
	const struct pm_executor_options *options = executor->options;
	int number = (int)signal->ssi_signo;

	passed->told = false;
	if (is_own(executor->run, signal))
		return true;
	pm_jobs_note(executor->run, signal);
	/* What asks a command to stop that has ended by now asks us not to wait any longer. */
	executor->run->asked_to_end |= executor->reaped && asks_to_stop(signal->ssi_signo);
	bool continued = number == SIGCONT && !executor->reaped && pm_jobs_continue(executor);
	if (!pm_sigset_has(options->signals, number))
		return true;
	/* One that it has by itself has arrived as it is, even if it was the end of it by now. */
	bool arrived = came_to_group(executor, signal);
	int as = arrived || options->rewrite == NULL ? number : options->rewrite[number];
	arrived = arrived || (continued && as == number);
	int failure = arrived ? 0 : send_on(executor, signal, as);
	if (is_to_wait(executor, signal, as, failure))
		return false;
	if (failure == 0 && as != 0 && (asks_to_stop(signal->ssi_signo) || asks_to_stop((uint32_t)as)))
		note_stop(executor, signal);
	*passed = (struct passed){.told = true, .as = as, .failure = failure};
	return true;
}

/* Passes on what this command has not got of the batch, and only then tells of it: the command does not
 * wait for our words, and is woken once. Whether it has got all. */
static bool pass_to(struct pm_executor *executor, const struct pm_signal_stream *stream,
		    size_t *next)
{
	struct passed passed[PM_RUN_BATCH];
	const size_t first = *next;
	int64_t received_ns = pm_clock_realtime();

	for (; *next < stream->count; ++*next) {
		if (!pass_one(executor, &stream->batch[*next], &passed[*next]))
			break;
		passed[*next].time_ns = pm_clock_realtime();
	}
	for (size_t i = first; i < *next; received_ns = passed[i++].time_ns)
		if (passed[i].told)
			pm_tell_signal(executor, &stream->batch[i], received_ns, passed[i].time_ns,
				       passed[i].as, passed[i].failure);
	return *next == stream->count;
}

static size_t *position(struct pm_executor *executor, const struct pm_signal_stream *stream)
{
	return stream == &executor->run->classic ? &executor->next_classic
						 : &executor->next_realtime;
}

/* To each command what was read. If one has to wait for room in its queue, so does what comes next. */
static void pass_batch(struct pm_run *run, struct pm_signal_stream *stream)
{
	bool all = true;

	for (size_t i = 0; i < run->count; i++) {
		struct pm_executor *executor = &run->executors[i];

		if (!executor->ended && !pass_to(executor, stream, position(executor, stream)))
			all = false;
	}
	if (all)
		return;
	stream->waits = true;
	pm_loop_pause(run->loop, &stream->source);
	pm_timer_set(run->loop, &run->retry, RETRY_EVERY);
}

static bool read_batch(struct pm_run *run, struct pm_signal_stream *stream)
{
	ssize_t got = read(stream->source.fd, stream->batch, sizeof(stream->batch));

	stream->count = got <= 0 ? 0 : (size_t)got / sizeof(stream->batch[0]);
	for (size_t i = 0; i < run->count; i++)
		*position(&run->executors[i], stream) = 0;
	return stream->count != 0;
}

/* All have ended; what comes now can only be meant for us. */
static void note_end(struct pm_run *run, struct pm_signal_stream *stream)
{
	for (size_t i = 0; i < stream->count; i++)
		run->asked_to_end |= asks_to_stop(stream->batch[i].ssi_signo);
}

static void settle(struct pm_run *run)
{
	for (size_t i = 0; i < run->count; i++)
		pm_executor_settle(&run->executors[i]);
}

static void serve(struct pm_run *run, struct pm_signal_stream *stream)
{
	/* kill(2) succeeds on a zombie. Reaping first tells as failed what can't arrive any more. */
	pm_children_reap(run->children);
	/* For one that has ended just now, signals were read, and those may have to wait for another. */
	if (stream->waits || (run->guest && run->living == 0) || !read_batch(run, stream))
		return;
	if (run->living == 0) {
		note_end(run, stream);
		return;
	}
	pass_batch(run, stream);
	settle(run);
}

static void on_classic(struct pm_source *source)
{
	struct pm_run *run = source->owner;

	serve(run, &run->classic);
}

static void on_realtime(struct pm_source *source)
{
	struct pm_run *run = source->owner;

	serve(run, &run->realtime);
}

static void try_again(struct pm_run *run, struct pm_signal_stream *stream)
{
	if (!stream->waits)
		return;
	stream->waits = false;
	pass_batch(run, stream);
	if (!stream->waits)
		pm_loop_resume(run->loop, &stream->source);
}

static void on_retry(struct pm_timer *timer)
{
	struct pm_run *run = timer->owner;

	pm_children_reap(run->children);
	/* Also when all have ended: the streams are still listened to (note_end()). */
	try_again(run, &run->classic);
	try_again(run, &run->realtime);
	settle(run);
}

static int open_stream(struct pm_run *run, struct pm_signal_stream *stream, pm_sigset signals,
		       void (*ready)(struct pm_source *), struct pm_error *error)
{
	stream->source = (struct pm_source){
		.fd = pm_signals_descriptor(signals),
		.ready = ready,
		.owner = run,
	};
	if (stream->source.fd < 0)
		return pm_error_set(error, errno, "cannot take signals");
	if (pm_loop_add(run->loop, &stream->source, error) < 0)
		return -1;
	pm_loop_pause(run->loop, &stream->source);
	return 0;
}

int pm_pass_open(struct pm_run *run, const struct pm_run_setup *setup, struct pm_error *error)
{
	pm_sigset classic = pm_sigset_of(FIRST_REALTIME) - 1;
	pm_sigset signals = run->terminal.fd >= 0 ? pm_sigset_of(SIGCONT) : 0;

	for (size_t i = 0; i < setup->count; i++)
		signals |= setup->options[i].signals;
	signals &= ~pm_sigset_of(SIGCHLD);
	run->retry = (struct pm_timer){.due = on_retry, .owner = run};
	if (open_stream(run, &run->classic, signals & classic, on_classic, error) < 0)
		return -1;
	return open_stream(run, &run->realtime, signals & ~classic, on_realtime, error);
}

void pm_pass_start(struct pm_run *run)
{
	pm_loop_resume(run->loop, &run->classic.source);
	pm_loop_resume(run->loop, &run->realtime.source);
}

/* Nothing keeps the one that is gone waiting; the others get what they have room for. */
static void drain_stream(struct pm_run *run, struct pm_signal_stream *stream, int64_t deadline)
{
	do {
		pass_batch(run, stream);
	} while (!stream->waits && pm_clock_monotonic() < deadline && read_batch(run, stream));
}

void pm_pass_finish(struct pm_run *run)
{
	int64_t deadline = pm_clock_monotonic() + FINISH_WITHIN;

	drain_stream(run, &run->classic, deadline);
	drain_stream(run, &run->realtime, deadline);
}

static void close_stream(struct pm_run *run, struct pm_signal_stream *stream)
{
	if (stream->source.fd < 0)
		return;
	pm_loop_remove(run->loop, &stream->source);
	pm_close(&stream->source.fd);
}

void pm_pass_close(struct pm_run *run)
{
	pm_timer_clear(run->loop, &run->retry);
	close_stream(run, &run->classic);
	close_stream(run, &run->realtime);
}
