#include <config.h>

#include "executor/executor.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "event/event.h"
#include "executor/jobs.h"
#include "executor/pass.h"
#include "process/oom.h"

struct panicmon_event pm_executor_event(const struct pm_executor *executor,
					enum panicmon_event_type type)
{
	struct panicmon_event event = pm_event_make(type, executor->spawn.pid);

	if (executor->options->instance != 0)
		PM_EVENT_SET(&event, INSTANCE, instance, (int32_t)executor->options->instance);
	return event;
}

void pm_executor_emit(const struct pm_executor *executor, struct panicmon_event *event)
{
	executor->options->emit(executor->options->arg, event);
}

void pm_executor_settle(const struct pm_executor *executor)
{
	executor->options->settle(executor->options->arg);
}

static void emit_failed(const struct pm_executor *executor, int failure, int status)
{
	struct panicmon_event event = pm_executor_event(executor, PANICMON_PROCESS_FAILED);

	PM_EVENT_SET(&event, ERROR, error, failure);
	PM_EVENT_SET(&event, STATUS, status, status);
	pm_executor_emit(executor, &event);
}

static int64_t microseconds(struct timeval time)
{
	return time.tv_sec * INT64_C(1000000) + time.tv_usec;
}

/* SIGKILL tells nobody who has sent it. */
static int32_t reason_of_signal(const struct pm_executor *executor, int signal)
{
	if (signal == SIGKILL && executor->stop_enforced)
		return PANICMON_REASON_STOP_TIMEOUT;
	if (signal == SIGKILL && executor->oom_kills >= 0 && pm_oom_kills() > executor->oom_kills)
		return PANICMON_REASON_OOM_KILLED;
	return PANICMON_REASON_SIGNALED;
}

static void set_how(struct panicmon_event *event, const struct pm_executor *executor)
{
	int status = executor->outcome.status;

	if (WIFSIGNALED(status)) {
		int signal = WTERMSIG(status);

		PM_EVENT_SET(event, CODE, code, -1);
		PM_EVENT_SET(event, SIGNAL, signal, signal);
		PM_EVENT_SET(event, CORE, core, WCOREDUMP(status) ? 1 : 0);
		PM_EVENT_SET(event, STATUS, status, PM_STATUS_SIGNAL_BASE + signal);
		PM_EVENT_SET(event, REASON, reason, reason_of_signal(executor, signal));
	} else {
		PM_EVENT_SET(event, CODE, code, WEXITSTATUS(status));
		PM_EVENT_SET(event, STATUS, status, WEXITSTATUS(status));
		PM_EVENT_SET(event, REASON, reason, PANICMON_REASON_EXITED);
	}
}

static void set_who_asked(struct panicmon_event *event, const struct pm_executor *executor)
{
	PM_EVENT_SET(event, STOP_REQUESTED, stop_requested, executor->stop_requested);
	if (!executor->stop_requested)
		return;
	PM_EVENT_SET(event, STOP_SIGNAL, stop_signal, (int32_t)executor->stop.ssi_signo);
	if (!pm_signal_has_sender(&executor->stop))
		return;
	PM_EVENT_SET(event, STOP_PID, stop_pid, (int32_t)executor->stop.ssi_pid);
	PM_EVENT_SET(event, STOP_UID, stop_uid, (int32_t)executor->stop.ssi_uid);
}

static void emit_exited(struct pm_executor *executor)
{
	struct panicmon_event event = pm_executor_event(executor, PANICMON_PROCESS_EXITED);
	int64_t runtime_ns = pm_clock_monotonic() - executor->started_ns;

	if (!executor->outcome.lost)
		set_how(&event, executor);
	set_who_asked(&event, executor);
	PM_EVENT_SET(&event, RUNTIME_MS, runtime_ms, runtime_ns / PM_NS_PER_MS);
	PM_EVENT_SET(&event, CPU_USER_US, cpu_user_us, microseconds(executor->usage.ru_utime));
	PM_EVENT_SET(&event, CPU_SYSTEM_US, cpu_system_us, microseconds(executor->usage.ru_stime));
	PM_EVENT_SET(&event, MAX_RSS_KB, max_rss_kb, executor->usage.ru_maxrss);
	pm_executor_emit(executor, &event);
}

static void close_channel(struct pm_executor *executor)
{
	if (executor->spawn.channel < 0)
		return;
	pm_loop_remove(executor->run->loop, &executor->channel);
	pm_close(&executor->spawn.channel);
}

static void set_failed(struct pm_executor *executor, int failure, int status)
{
	executor->outcome.exec_errno = failure;
	executor->outcome.failed_status = status;
	executor->outcome.invoked = false;
	emit_failed(executor, failure, status);
}

/* Looks whether exec has worked; tells if it has not. */
static void look_at_channel(struct pm_executor *executor)
{
	int failure = 0;

	if (executor->spawn.channel < 0)
		return;
	enum pm_spawn_result result = pm_spawn_result(&executor->spawn, &failure);
	if (result == PM_SPAWN_PENDING)
		return;
	close_channel(executor);
	if (result != PM_SPAWN_FAILED)
		return;
	set_failed(executor, failure, pm_spawn_status(failure));
}

static void on_channel(struct pm_source *source)
{
	struct pm_executor *executor = source->owner;

	look_at_channel(executor);
	pm_executor_settle(executor);
}

static void finish(struct pm_executor *executor)
{
	struct pm_run *run = executor->run;

	/* Its last word on the channel may still be unread. */
	look_at_channel(executor);
	close_channel(executor);
	pm_timer_clear(run->loop, &executor->stop_timer);
	pm_jobs_take_terminal_back(executor);
	/* All that came in before, so that the end is the last event. */
	pm_pass_finish(run);
	if (executor->outcome.invoked)
		emit_exited(executor);
	executor->outcome.ended_ns = pm_clock_monotonic();
	executor->ended = true;
	run->living--;
	pm_executor_settle(executor);
}

static void on_ended(struct pm_child *child, int status, const struct rusage *usage)
{
	struct pm_executor *executor = child->owner;

	executor->reaped = true;
	executor->usage = *usage;
	executor->outcome.status = status;
	executor->outcome.lost = child->lost;
	if (executor->released)
		finish(executor);
}

static void on_stopped(struct pm_child *child, int signal)
{
	pm_jobs_stopped(child->owner, signal);
}

void pm_executor_refuse(const struct pm_executor_options *options, int failure)
{
	const struct pm_executor none = {.options = options};

	emit_failed(&none, failure, PM_STATUS_OWN_FAILURE);
}

int pm_executor_open(struct pm_executor *executor, struct pm_run *run,
		     const struct pm_executor_options *options, struct pm_error *error)
{
	*executor = (struct pm_executor){
		.options = options,
		.run = run,
		.spawn = {.channel = -1},
		.channel = {.ready = on_channel, .owner = executor},
		.child = {.ended = on_ended, .stopped = on_stopped, .owner = executor},
		.outcome = {.invoked = true},
		.oom_kills = -1,
	};
	if (pm_spawn_gated(&executor->spawn, &options->command, error) < 0) {
		pm_executor_refuse(options, error->code);
		return -1;
	}
	executor->child.pid = executor->spawn.pid;
	executor->channel.fd = executor->spawn.channel;
	if (pm_children_add(run->children, &executor->child, error) == 0)
		return 0;
	pm_children_forsake(&executor->child);
	executor->child.pid = 0;
	pm_close(&executor->spawn.channel);
	pm_executor_refuse(options, error->code);
	return -1;
}

void pm_executor_start(struct pm_executor *executor)
{
	struct panicmon_event event = pm_executor_event(executor, PANICMON_PROCESS_STARTED);

	executor->started = true;
	executor->started_ns = pm_clock_monotonic();
	pm_jobs_give_terminal(executor);
	pm_executor_emit(executor, &event);
}

void pm_executor_release(struct pm_executor *executor)
{
	struct pm_error ignored;

	executor->released = true;
	if (executor->reaped) { /* somebody killed it at the gate */
		finish(executor);
		return;
	}
	if (pm_spawn_release(&executor->spawn) < 0) {
		set_failed(executor, errno, PM_STATUS_OWN_FAILURE);
		pm_close(&executor->spawn.channel);
		return;
	}
	/* Should this fail: reaping tells the same, if later. */
	pm_loop_add(executor->run->loop, &executor->channel, &ignored);
}

void pm_executor_close(struct pm_executor *executor)
{
	if (executor->options == NULL) /* never opened */
		return;
	bool waits_at_gate = executor->child.pid > 0 && !executor->released && !executor->reaped;

	close_channel(executor);
	if (!waits_at_gate)
		return;
	kill(executor->child.pid, SIGKILL); /* EOF would do, but not if somebody has stopped it */
	while (!executor->reaped)
		pm_loop_turn(executor->run->loop);
}
