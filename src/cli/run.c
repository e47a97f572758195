#include <config.h>

#include "cli/run.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "config/config.h"
#include "executor/executor.h"
#include "handler/keeper.h"
#include "process/guard.h"

static const struct pm_ending own_failure = {.status = PM_STATUS_OWN_FAILURE};

struct run {
	struct pm_loop loop;
	struct pm_children children;
	struct pm_config config;
	struct pm_identity identity;
	struct pm_keeper keeper;
	struct pm_executor_options executor_options;
	struct pm_executor executor;
	struct pm_guard guard;
	struct pm_timer guard_timer;
};

void pm_cli_print(const char *text)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	/* A full pipe must not hold up the supervisor. A pipe that is ready takes PIPE_BUF bytes. */
	if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0)
		dprintf(STDERR_FILENO, "panicmon: %s\n", text);
}

static void print_line(void *arg, const char *text)
{
	(void)arg;
	pm_cli_print(text);
}

static const char *config_file(const struct pm_cli_options *options)
{
	static const char installed[] = PM_SYSCONF_DIR "/panicmon.ini";
	const char *named = getenv("PANICMON_CONFIG");

	if (options->file != NULL)
		return options->file;
	if (named != NULL && named[0] != '\0')
		return named;
	/* One that is there but can't be read is an error to be told, not one to be passed over. */
	return access(installed, F_OK) == 0 || errno != ENOENT ? installed : NULL;
}

static int read_config(struct run *run, const struct pm_cli_options *options)
{
	const struct pm_config_sources sources = {
		.file = config_file(options),
		.overrides = options->overrides,
		.override_count = options->override_count,
	};

	return pm_config_load(&run->config, &sources, print_line, NULL) == 0 ? 0 : -1;
}

static void emit(void *arg, struct panicmon_event *event)
{
	struct run *run = arg;

	if (event->type == PANICMON_PROCESS_STARTED)
		pm_keeper_set_group(&run->keeper, event->pid);
	pm_keeper_publish(&run->keeper, event);
	/* After it was published: if we are killed in between, the hosts tell of the end. */
	if (event->type == PANICMON_PROCESS_EXITED || event->type == PANICMON_PROCESS_FAILED)
		pm_keeper_set_group(&run->keeper, 0);
}

static void settle(void *arg)
{
	struct run *run = arg;

	pm_keeper_wake(&run->keeper);
}

static struct pm_ending ending_of(const struct pm_outcome *outcome, const char *command)
{
	struct pm_error error;

	if (!outcome->invoked) {
		pm_error_set(&error, outcome->exec_errno, "cannot run '%s'", command);
		pm_cli_print(error.text);
		return (struct pm_ending){.status = pm_spawn_status(outcome->exec_errno)};
	}
	if (WIFSIGNALED(outcome->status))
		return (struct pm_ending){
			.signal = WTERMSIG(outcome->status),
			.status = PM_STATUS_SIGNAL_BASE + WTERMSIG(outcome->status),
		};
	return (struct pm_ending){.status = WEXITSTATUS(outcome->status)};
}

static int open_run(struct run *run, const struct pm_cli_options *options, struct pm_error *error)
{
	const char *name = options->name != NULL ? options->name : run->config.name;

	if (pm_loop_open(&run->loop, error) < 0 ||
	    pm_children_open(&run->children, &run->loop, error) < 0 ||
	    pm_identity_make(&run->identity, name, options->command, error) < 0 ||
	    pm_keeper_open(&run->keeper, &run->loop, &run->children, &run->config, &run->identity,
			   print_line, NULL, error) < 0)
		return -1;
	/* While the hosts load their plugins, so that the two forks take the time of one. */
	return pm_executor_open(&run->executor, &run->loop, &run->children, &run->executor_options,
				error);
}

/* A command that has ended before this needs no guard, and does not pay for one. */
#define GUARD_AFTER (100 * PM_NS_PER_MS)

static void on_guard_time(struct pm_timer *timer)
{
	struct run *run = timer->owner;
	struct pm_error error;

	if (pm_guard_start(&run->guard, &run->children, run->executor.spawn.pid, &error) < 0)
		pm_cli_print(error.text);
}

static void run_to_end(struct run *run)
{
	run->guard_timer = (struct pm_timer){.due = on_guard_time, .owner = run};
	if (run->keeper.count == 0)
		pm_timer_set(&run->loop, &run->guard_timer, GUARD_AFTER);
	pm_executor_start(&run->executor);
	pm_executor_wait(&run->executor);
	pm_timer_clear(&run->loop, &run->guard_timer);
	pm_guard_stop(&run->guard, &run->children);
}

static struct pm_ending run_command(struct run *run, const struct pm_cli_options *options)
{
	struct pm_ending ending = own_failure;
	struct pm_error error;

	if (open_run(run, options, &error) < 0) {
		pm_cli_print(error.text);
	} else if (pm_keeper_wait_ready(&run->keeper) == 0) {
		run_to_end(run);
		ending = ending_of(&run->executor.outcome, options->command[0]);
	}
	pm_executor_close(&run->executor);
	pm_keeper_drain(&run->keeper);
	return ending;
}

static void end_run(struct run *run)
{
	pm_keeper_close(&run->keeper);
	pm_identity_free(&run->identity);
	pm_children_close(&run->children);
	pm_loop_close(&run->loop);
}

struct pm_ending pm_cli_run(const struct pm_cli_options *options,
			    const struct pm_signals_inherited *inherited)
{
	/* Not on the stack: it is large. */
	static struct run run;
	struct pm_ending ending = own_failure;

	run.executor_options = (struct pm_executor_options){
		.command = {.argv = options->command, .inherited = *inherited},
		.signals = ~UINT64_C(0),
		.emit = emit,
		.settle = settle,
		.arg = &run,
	};
	if (read_config(&run, options) == 0) {
		ending = run_command(&run, options);
		end_run(&run);
	}
	pm_config_free(&run.config);
	return ending;
}
