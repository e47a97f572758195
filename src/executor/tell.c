#include <config.h>

#include "executor/tell.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "event/event.h"
#include "process/signals.h"

#define SENDER_KEPT_FOR (100 * PM_NS_PER_MS)

/* The sender's name for people, if it is still there. */
static void read_command(uint32_t pid, char *to, size_t size)
{
	char path[sizeof("/proc//comm") + 10];

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	pm_autofd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, to, size - 1);
	to[got < 0 ? 0 : got] = '\0';
	to[strcspn(to, "\n")] = '\0';
}

/* A look-up costs more than passing a signal on, and holds up the next one: the name of a sender is
 * kept for a while. A pid does not come back that soon. */
static const char *sender_command(struct pm_run *run, uint32_t pid)
{
	int64_t now = pm_clock_monotonic();

	if (pid == 0) /* outside our pid namespace */
		return "";
	if (run->sender.pid != pid || now - run->sender.read_ns > SENDER_KEPT_FOR) {
		run->sender.pid = pid;
		run->sender.read_ns = now;
		read_command(pid, run->sender.command, sizeof(run->sender.command));
	}
	return run->sender.command;
}

static struct panicmon_event received_event(struct pm_executor *executor,
					    const struct signalfd_siginfo *signal)
{
	struct panicmon_event event = pm_executor_event(executor, PANICMON_SIGNAL_RECEIVED);

	PM_EVENT_SET(&event, SIGNAL, signal, (int32_t)signal->ssi_signo);
	PM_EVENT_SET(&event, SI_CODE, si_code, signal->ssi_code);
	if (pm_signal_has_sender(signal)) {
		PM_EVENT_SET(&event, SENDER_PID, sender_pid, (int32_t)signal->ssi_pid);
		PM_EVENT_SET(&event, SENDER_UID, sender_uid, (int32_t)signal->ssi_uid);
		const char *command = sender_command(executor->run, signal->ssi_pid);
		if (command[0] != '\0')
			PM_EVENT_SET(&event, SENDER_COMMAND, sender_command, command);
	}
	if (pm_signal_carries_value(signal))
		PM_EVENT_SET(&event, VALUE, value, signal->ssi_int);
	return event;
}

/* Makes it the event of what became of the signal. */
static void tell_result(const struct pm_executor *executor, struct panicmon_event *event,
			int64_t time_ns, int failure)
{
	event->type = failure == 0 ? PANICMON_SIGNAL_PASSED : PANICMON_SIGNAL_FAILED;
	event->time_ns = time_ns;
	PM_EVENT_SET(event, TARGET_PID, target_pid, executor->spawn.pid);
	if (failure != 0)
		PM_EVENT_SET(event, ERROR, error, failure);
	pm_executor_emit(executor, event);
}

void pm_tell_signal(struct pm_executor *executor, const struct signalfd_siginfo *signal,
		    int64_t received_ns, int64_t passed_ns, int as, int failure)
{
	struct panicmon_event event = received_event(executor, signal);

	event.time_ns = received_ns;
	pm_executor_emit(executor, &event);
	if (as == 0)
		return;
	event.signal = as;
	tell_result(executor, &event, passed_ns, failure);
}

void pm_tell_own_signal(struct pm_executor *executor, int number, int failure)
{
	const struct signalfd_siginfo signal = {
		.ssi_signo = (uint32_t)number,
		.ssi_code = SI_USER,
		.ssi_pid = (uint32_t)getpid(),
		.ssi_uid = getuid(),
	};
	struct panicmon_event event = received_event(executor, &signal);

	tell_result(executor, &event, pm_clock_realtime(), failure);
}
