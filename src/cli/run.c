#include <config.h>

#include "cli/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/loop.h"
#include "cli/command.h"
#include "cli/notify.h"
#include "config/config.h"
#include "executor/run.h"
#include "front/options.h"
#include "front/print.h"
#include "front/process.h"
#include "handler/keeper.h"
#include "process/guard.h"
#include "process/leftovers.h"

/* What a session has left behind gets SIGKILL after this, unless stop_timeout says otherwise. */
enum { KILL_AFTER_MS = 5000 };

static const struct pm_ending own_failure = {.status = PM_STATUS_OWN_FAILURE};

struct run {
	struct pm_loop loop;
	struct pm_children children;
	struct pm_config config;
	struct pm_identity identity;
	struct pm_keeper keeper;
	struct pm_commands commands;
	struct pm_executor executors[PM_CONFIG_INSTANCES_MAX];
	struct pm_run run;
	struct pm_alive alive;
	struct pm_leftovers leftovers;
	struct pm_guard guard;
	struct pm_timer look;
};

_Static_assert((int)PM_CONFIG_INSTANCES_MAX <= (int)PM_ALIVE_MAX, "a place for each");

static void print_mistake(void *arg, const char *text)
{
	(void)arg;
	pm_front_print(text);
}

static void print_report(void *arg, const char *handler, const char *text)
{
	(void)arg;
	pm_front_print_of(handler, text);
}

static int read_config(struct run *run, const struct pm_cli_options *options)
{
	return pm_front_config_read(&run->config, &options->front, print_mistake, NULL) == 0 ? 0
											     : -1;
}

static void set_alive(struct run *run, unsigned index, int32_t pid)
{
	atomic_store(&run->alive.pids[index], pid);
	pm_keeper_set_alive(&run->keeper, index, pid);
	pm_guard_set_command(&run->guard, index, pid);
}

static void emit(void *arg, struct panicmon_event *event)
{
	struct run *run = arg;
	bool several = panicmon_event_has(event, PANICMON_HAS_INSTANCE);
	unsigned index = several ? (unsigned)event->instance - 1 : 0;
	struct pm_error error;

	if (event->type == PANICMON_PROCESS_STARTED) {
		set_alive(run, index, event->pid);
		if (run->config.process.notify_mainpid && index == 0 &&
		    pm_notify_mainpid(event->pid, &error) < 0)
			pm_front_print(error.text);
	}
	pm_keeper_publish(&run->keeper, event);
	/* After it was published: if we are killed in between, the hosts tell of the end. */
	if (event->type == PANICMON_PROCESS_EXITED || event->type == PANICMON_PROCESS_FAILED)
		set_alive(run, index, 0);
	if (event->type == PANICMON_PROCESS_EXITED &&
	    run->config.process.group == PM_GROUP_SESSION)
		pm_leftovers_end(&run->leftovers, event->pid);
}

static void settle(void *arg)
{
	struct run *run = arg;

	pm_keeper_wake(&run->keeper);
}

static int take_orphans(const struct pm_config_process *config, struct pm_error *error)
{
	if (pm_front_orphans_check(config, error) < 0)
		return -1;
	if (config->subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return pm_error_set(error, errno, "[process] subreaper: cannot become one");
	return 0;
}

static int open_commands(struct run *run, const struct pm_executor_options *common,
			 struct pm_error *error)
{
	const struct pm_config_process *config = &run->config.process;

	if (pm_commands_make(&run->commands, &run->config, common, error) < 0)
		return -1;
	pm_leftovers_open(&run->leftovers, &run->loop,
			  config->stop_timeout_ms > 0 ? config->stop_timeout_ms : KILL_AFTER_MS);
	atomic_store(&run->alive.groups, config->group != PM_GROUP_INHERIT);
	pm_keeper_expect(&run->keeper, run->commands.count, config->group != PM_GROUP_INHERIT);
	const struct pm_run_setup setup = {
		.loop = &run->loop,
		.children = &run->children,
		.options = run->commands.options,
		.count = run->commands.count,
		.job_control = config->group != PM_GROUP_SESSION,
	};
	return pm_run_open(&run->run, run->executors, &setup, error);
}

static int open_run(struct run *run, const struct pm_cli_options *options,
		    const struct pm_signals_inherited *inherited, struct pm_error *error)
{
	const struct pm_executor_options common = {
		.command = {.argv = options->command, .inherited = *inherited},
		.emit = emit,
		.settle = settle,
		.arg = run,
	};
	const char *name = options->name != NULL ? options->name : run->config.name;

	if (take_orphans(&run->config.process, error) < 0 || pm_loop_open(&run->loop, error) < 0 ||
	    pm_children_open(&run->children, &run->loop, error) < 0 ||
	    pm_identity_make(&run->identity, name, options->command, &run->config.redact,
			     error) < 0 ||
	    pm_keeper_open(&run->keeper, &run->loop, &run->children, &run->config, &run->identity,
			   (struct pm_keeper_mode){0}, print_report, NULL, error) < 0)
		return -1;
	/* While the hosts load their plugins, so that the two forks take the time of one. */
	return open_commands(run, &common, error);
}

/* A command that has ended before this needs no looking after, and does not pay for it. */
#define LOOK_AFTER (100 * PM_NS_PER_MS)

/* sudo(8) and its like: the kernel has cleared PDEATHSIG, and nobody of ours may signal it. */
static void warn_of_privilege(const struct run *run)
{
	char text[256];

	for (size_t i = 0; i < run->run.count; i++) {
		const struct pm_executor *executor = &run->executors[i];

		if (executor->ended || kill(executor->spawn.pid, 0) == 0 || errno != EPERM)
			continue;
		snprintf(text, sizeof(text),
			 "process %d has changed to another user: signals cannot be passed on to "
			 "it, and it stays if panicmon is killed; start panicmon as that user",
			 (int)executor->spawn.pid);
		pm_front_print(text);
	}
}

/* What is killed with us, by the kernel or by the hosts, ends by then; else the guard does it. */
static int64_t grace_ms(const struct run *run)
{
	enum { LATER = 1500 }; /* see pm_host_monitor_died() */

	return run->config.drain_timeout_ms + LATER;
}

static void on_look(struct pm_timer *timer)
{
	struct run *run = timer->owner;
	struct pm_error error;
	const struct pm_guard_setup setup = {
		.alive = &run->alive,
		.host_count = run->keeper.count,
		.grace_ms = grace_ms(run),
	};

	warn_of_privilege(run);
	if (run->guard.page != NULL)
		return;
	if (pm_guard_start(&run->guard, &run->children, &setup, &error) < 0)
		pm_front_print(error.text);
	pm_keeper_set_guard(&run->keeper, &run->guard);
}

/* When the commands have ended, and the handlers have heard of it. */
static void wait_for_leftovers(struct run *run)
{
	const struct pm_config_process *config = &run->config.process;

	if (config->wait_orphans_ms > 0 &&
	    !pm_orphans_wait(&run->children, config->wait_orphans_ms, &run->run.asked_to_end))
		pm_front_print("orphans of the command are left");
	pm_leftovers_wait(&run->leftovers);
}

/* They are the commands' now: a pipe or a socket that those close must not be held open here. 1 and 2 are
 * needed for messages, and by hosts that are started again. */
static void release_descriptors(void)
{
	pm_autofd null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null >= 0)
		dup3(null, STDIN_FILENO, O_CLOEXEC);
	pm_close_inheritable(STDERR_FILENO + 1);
}

static void run_to_end(struct run *run)
{
	pm_timer_set(&run->loop, &run->look, LOOK_AFTER);
	pm_run_start(&run->run);
	release_descriptors();
	pm_run_wait(&run->run);
	wait_for_leftovers(run);
}

/* A handler that holds this up may have to be ended already. */
static bool wait_ready(struct run *run)
{
	run->look = (struct pm_timer){.due = on_look, .owner = run};
	pm_timer_set(&run->loop, &run->look, LOOK_AFTER);
	return pm_keeper_wait_ready(&run->keeper) == 0;
}

static void report_not_invoked(const struct run *run, const char *command)
{
	struct pm_error error;

	for (size_t i = 0; i < run->run.count; i++) {
		if (run->executors[i].outcome.invoked)
			continue;
		pm_error_set(&error, run->executors[i].outcome.exec_errno, "cannot run '%s'",
			     command);
		pm_front_print(error.text);
		return;
	}
}

static struct pm_ending run_command(struct run *run, const struct pm_cli_options *options,
				    const struct pm_signals_inherited *inherited)
{
	struct pm_ending ending = own_failure;
	struct pm_error error;

	if (open_run(run, options, inherited, &error) < 0) {
		pm_front_print(error.text);
	} else if (wait_ready(run)) {
		run_to_end(run);
		report_not_invoked(run, options->command[0]);
		ending = pm_ending_of(&run->run, &run->config.process);
	}
	pm_run_close(&run->run);
	/* The timer runs on: a handler can hold this up, and the guard is there for those. */
	pm_keeper_drain(&run->keeper);
	pm_timer_clear(&run->loop, &run->look);
	pm_guard_stop(&run->guard, &run->children);
	return ending;
}

static void end_run(struct run *run)
{
	pm_keeper_close(&run->keeper);
	pm_commands_free(&run->commands);
	pm_identity_free(&run->identity);
	pm_children_close(&run->children);
	pm_loop_close(&run->loop);
}

struct pm_ending pm_cli_run(const struct pm_cli_options *options,
			    const struct pm_signals_inherited *inherited)
{
	/* Not on the stack: it is large. */
	static struct run run = {
		.loop = {.epoll = -1},
		.commands = {.output = -1, .errors = -1, .directory = -1},
	};
	struct pm_ending ending = own_failure;

	if (read_config(&run, options) == 0) {
		ending = run_command(&run, options, inherited);
		end_run(&run);
	}
	pm_config_free(&run.config);
	return ending;
}
