/* run-and-report: runs a command, and tells on stderr how it ended, and who had asked for that.
 *
 *     cc -o run-and-report run-and-report.c $(pkg-config --cflags --libs libpanicmon)
 *     ./run-and-report COMMAND [ARG...]
 *
 *     $ ./run-and-report sleep 60 &
 *     $ kill %1
 *     sleep[4711]: Terminated from process 4321 (bash): passed on
 *     sleep[4711]: killed by SIGTERM after 2023 ms, as process 4321 had asked
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <panicmon/executor.h>
#include <stdio.h>
#include <string.h>

static void report_signal(const struct panicmon_event *event)
{
	fprintf(stderr, "%s[%d]: %s from ", event->name, event->pid, strsignal(event->signal));
	if (!panicmon_event_has(event, PANICMON_HAS_SENDER_PID))
		fprintf(stderr, "the kernel");
	else if (!panicmon_event_has(event, PANICMON_HAS_SENDER_COMMAND))
		fprintf(stderr, "process %d", event->sender_pid);
	else
		fprintf(stderr, "process %d (%s)", event->sender_pid, event->sender_command);
}

static int on_passed(void *self, const struct panicmon_event *event)
{
	(void)self;
	report_signal(event);
	fprintf(stderr, ": passed on\n");
	return 0;
}

static int on_not_passed(void *self, const struct panicmon_event *event)
{
	(void)self;
	report_signal(event);
	fprintf(stderr, ": not passed on: %s\n", strerror(event->error));
	return 0;
}

static int on_exited(void *self, const struct panicmon_event *event)
{
	char how[64];

	(void)self;
	fprintf(stderr, "%s[%d]: %s after %lld ms", event->name, event->pid,
		panicmon_status_text(event->status, how, sizeof(how)),
		(long long)event->runtime_ms);
	if (event->stop_requested)
		fprintf(stderr, ", as process %d had asked", event->stop_pid);
	fprintf(stderr, "\n");
	return 0;
}

static int on_failed(void *self, const struct panicmon_event *event)
{
	(void)self;
	fprintf(stderr, "%s: not started: %s\n", event->name, strerror(event->error));
	return 0;
}

int main(int argc, char **argv)
{
	const struct panicmon_process_ops process = {
		.size = sizeof(process),
		.failed = on_failed,
		.exited = on_exited,
	};
	const struct panicmon_signal_ops signals = {
		.size = sizeof(signals),
		.passed = on_passed,
		.failed = on_not_passed,
	};
	struct panicmon_options options;
	struct panicmon_error error;

	if (argc < 2) {
		fprintf(stderr, "usage: run-and-report COMMAND [ARG...]\n");
		return 125;
	}
	panicmon_options_init(&options);
	options.process = &process;
	options.signal = &signals;
	struct panicmon_executor *executor = panicmon_executor_new(&options, argv + 1, &error);
	if (executor == NULL) {
		fprintf(stderr, "run-and-report: %s\n", error.text);
		return 125;
	}
	size_t failed = panicmon_run(&executor, 1);
	int status = panicmon_executor_status(executor);
	panicmon_executor_free(executor);
	return failed > 0 && status == 0 ? 125 : status;
}
