#include <config.h>

#include "executor/executor.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "event/event.h"
#include "executor/pass.h"
#include "process/oom.h"

static void emit(struct pm_executor *executor, struct panicmon_event *event)
{
	executor->options->emit(executor->options->arg, event);
}

static void emit_failed(struct pm_executor *executor, int failure, int status)
{
	struct panicmon_event event = pm_event_make(PANICMON_PROCESS_FAILED, executor->spawn.pid);

	PM_EVENT_SET(&event, ERROR, error, failure);
	PM_EVENT_SET(&event, STATUS, status, status);
	emit(executor, &event);
}

static int64_t microseconds(struct timeval time)
{
	return time.tv_sec * INT64_C(1000000) + time.tv_usec;
}

static bool was_oom_killed(const struct pm_executor *executor)
{
	int status = executor->outcome.status;

	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && executor->oom_kills >= 0 &&
	       pm_oom_kills() > executor->oom_kills;
}

static void set_how(struct panicmon_event *event, int status)
{
	if (WIFSIGNALED(status)) {
		PM_EVENT_SET(event, CODE, code, -1);
		PM_EVENT_SET(event, SIGNAL, signal, WTERMSIG(status));
		PM_EVENT_SET(event, CORE, core, WCOREDUMP(status) ? 1 : 0);
		PM_EVENT_SET(event, STATUS, status, PM_STATUS_SIGNAL_BASE + WTERMSIG(status));
		PM_EVENT_SET(event, REASON, reason, PANICMON_REASON_SIGNALED);
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
	PM_EVENT_SET(event, STOP_PID, stop_pid, (int32_t)executor->stop.ssi_pid);
	PM_EVENT_SET(event, STOP_UID, stop_uid, (int32_t)executor->stop.ssi_uid);
}

static void emit_exited(struct pm_executor *executor)
{
	struct panicmon_event event = pm_event_make(PANICMON_PROCESS_EXITED, executor->spawn.pid);
	int64_t runtime_ns = pm_clock_monotonic() - executor->started_ns;

	set_how(&event, executor->outcome.status);
	if (was_oom_killed(executor))
		event.reason = PANICMON_REASON_OOM_KILLED;
	set_who_asked(&event, executor);
	PM_EVENT_SET(&event, RUNTIME_MS, runtime_ms, runtime_ns / PM_NS_PER_MS);
	PM_EVENT_SET(&event, CPU_USER_US, cpu_user_us, microseconds(executor->usage.ru_utime));
	PM_EVENT_SET(&event, CPU_SYSTEM_US, cpu_system_us, microseconds(executor->usage.ru_stime));
	PM_EVENT_SET(&event, MAX_RSS_KB, max_rss_kb, executor->usage.ru_maxrss);
	emit(executor, &event);
}

static void close_channel(struct pm_executor *executor)
{
	if (executor->spawn.channel < 0)
		return;
	pm_loop_remove(executor->loop, &executor->channel);
	pm_close(&executor->spawn.channel);
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
	executor->outcome.exec_errno = failure;
	executor->outcome.invoked = false;
	emit_failed(executor, failure, pm_spawn_status(failure));
}

static void on_channel(struct pm_source *source)
{
	struct pm_executor *executor = source->owner;

	look_at_channel(executor);
	executor->options->settle(executor->options->arg);
}

static void finish(struct pm_executor *executor)
{
	/* Its last word on the channel may still be unread. */
	look_at_channel(executor);
	close_channel(executor);
	pm_terminal_take_back(&executor->terminal, executor->spawn.pid);
	/* All that came in before, so that the end is the last event. */
	pm_pass_finish(executor);
	if (executor->outcome.invoked)
		emit_exited(executor);
	executor->ended = true;
	executor->options->settle(executor->options->arg);
}

static void on_ended(struct pm_child *child, int status, const struct rusage *usage)
{
	struct pm_executor *executor = child->owner;

	executor->reaped = true;
	executor->usage = *usage;
	executor->outcome.status = status;
	if (executor->started)
		finish(executor);
}

static void on_stopped(struct pm_child *child, int signal)
{
	struct pm_executor *executor = child->owner;

	if (executor->terminal.fd < 0 || signal == SIGSTOP)
		return;
	/* If the kernel does not let us stop, the command must not either: nobody would wake it. */
	/* It wanted the terminal in the moment when the shell gave that to us, without a SIGCONT: a job
	 * that ran in the background is no stopped one. */
	if (signal != SIGTSTP && pm_terminal_is_ours(&executor->terminal)) {
		pm_terminal_give(&executor->terminal, child->pid);
		kill(-child->pid, SIGCONT);
		return;
	}
	executor->group_stopped = true;
	if (!pm_terminal_stop_with(&executor->terminal, child->pid, signal)) {
		pm_terminal_give(&executor->terminal, child->pid);
		executor->group_stopped = false;
		kill(-child->pid, SIGCONT);
	}
}

int pm_executor_open(struct pm_executor *executor, struct pm_loop *loop,
		     struct pm_children *children, const struct pm_executor_options *options,
		     struct pm_error *error)
{
	*executor = (struct pm_executor){
		.options = options,
		.loop = loop,
		.children = children,
		.spawn = {.channel = -1},
		.channel = {.ready = on_channel, .owner = executor},
		.classic = {.source = {.fd = -1}},
		.realtime = {.source = {.fd = -1}},
		.child = {.ended = on_ended, .stopped = on_stopped, .owner = executor},
		.outcome = {.invoked = true},
		.oom_kills = -1,
	};
	pm_terminal_open(&executor->terminal);
	if (pm_pass_open(executor, error) < 0 ||
	    pm_spawn_gated(&executor->spawn, &options->command, error) < 0) {
		emit_failed(executor, error->code, PM_STATUS_OWN_FAILURE);
		return -1;
	}
	executor->child.pid = executor->spawn.pid;
	executor->channel.fd = executor->spawn.channel;
	pm_children_add(children, &executor->child);
	return 0;
}

void pm_executor_start(struct pm_executor *executor)
{
	struct panicmon_event event = pm_event_make(PANICMON_PROCESS_STARTED, executor->spawn.pid);
	struct pm_error ignored;

	executor->started = true;
	executor->started_ns = pm_clock_monotonic();
	pm_terminal_give(&executor->terminal, executor->spawn.pid);
	emit(executor, &event);
	if (executor->reaped) { /* somebody killed it at the gate */
		finish(executor);
		return;
	}
	if (pm_spawn_release(&executor->spawn) < 0) {
		executor->outcome.exec_errno = errno;
		executor->outcome.invoked = false;
		emit_failed(executor, executor->outcome.exec_errno, PM_STATUS_OWN_FAILURE);
		pm_close(&executor->spawn.channel);
		return;
	}
	/* Should this fail: reaping tells the same, if later. */
	pm_loop_add(executor->loop, &executor->channel, &ignored);
	pm_pass_start(executor);
	executor->options->settle(executor->options->arg);
	/* Only now, when it holds nobody up: the command is still far from using memory. */
	executor->oom_kills = pm_oom_kills();
}

void pm_executor_wait(struct pm_executor *executor)
{
	while (!executor->ended)
		pm_loop_turn(executor->loop);
}

void pm_executor_close(struct pm_executor *executor)
{
	if (executor->options == NULL) /* never opened */
		return;
	bool waits_at_gate = executor->child.pid > 0 && !executor->started;

	pm_pass_close(executor);
	close_channel(executor);
	if (waits_at_gate) /* EOF would do, but not if somebody has stopped it */
		kill(executor->child.pid, SIGKILL);
	while (waits_at_gate && !executor->reaped)
		pm_loop_turn(executor->loop);
	pm_terminal_close(&executor->terminal);
}
