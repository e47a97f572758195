#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "executor/run.h"
#include "library/library.h"
#include "library/signals.h"

/* All that a run needs and the executors do not keep. */
struct together {
	struct pm_loop loop;
	struct pm_children children;
	struct panicmon_executor **executors; /* those that have a command */
	struct pm_executor_options *options;
	struct pm_executor *running;
	size_t count;
	struct pm_run run;
	struct pm_library_signals signals;
	int null; /* /dev/null, -1: nobody needs it */
};

static void tell_started(struct panicmon_executor *executor)
{
	struct panicmon_event started = pm_event_make(PANICMON_PROCESS_STARTED, 0);

	executor->told = true;
	pm_library_tell(executor, &started);
}

/* What the executor says. The output is complete before the end is told. */
static void emit(void *arg, struct panicmon_event *event)
{
	struct panicmon_executor *executor = arg;

	/* Where it came to no process. */
	if (event->type == PANICMON_PROCESS_FAILED && !executor->told)
		tell_started(executor);
	if (event->type == PANICMON_PROCESS_FAILED || event->type == PANICMON_PROCESS_EXITED) {
		pm_pump_close(&executor->output);
		pm_pump_close(&executor->errors);
	}
	executor->told = true;
	pm_library_tell(executor, event);
}

static void settle(void *arg)
{
	(void)arg;
}

static void fail(struct panicmon_executor *executor, int code, const char *text)
{
	executor->failed = true;
	pm_library_refuse(&executor->error, code, "%s", text);
}

/* One that is not even forked for. */
static void refuse(struct panicmon_executor *executor, int code, const char *text)
{
	struct panicmon_event failed = pm_event_make(PANICMON_PROCESS_FAILED, 0);

	PM_EVENT_SET(&failed, ERROR, error, code);
	PM_EVENT_SET(&failed, STATUS, status, PM_STATUS_OWN_FAILURE);
	if (!executor->told)
		emit(executor, &failed);
	fail(executor, code, text);
}

static int open_null(struct together *all, struct pm_error *error)
{
	if (all->null < 0)
		all->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (all->null < 0)
		return pm_error_set(error, errno, "cannot open /dev/null");
	return 0;
}

/* *fd: what becomes the command's, -1: it keeps the program's. */
static int open_output(struct together *all, const struct panicmon_output *output,
		       struct pm_pump *pump, int *fd, struct pm_error *error)
{
	switch (output->kind) {
	case PANICMON_DISCARD:
		if (open_null(all, error) < 0)
			return -1;
		*fd = all->null;
		return 0;
	case PANICMON_DESCRIPTOR:
		*fd = output->fd;
		return 0;
	case PANICMON_WRITE:
		if (pm_pump_open(pump, &all->loop, output, error) < 0)
			return -1;
		*fd = pump->theirs;
		return 0;
	default:
		*fd = -1;
		return 0;
	}
}

static int prepare(struct together *all, size_t index, struct pm_error *error)
{
	struct panicmon_executor *executor = all->executors[index];
	struct pm_executor_options *options = &all->options[index];

	*options = (struct pm_executor_options){
		.command = {.argv = executor->argv,
			    .environment = &executor->environment,
			    .inherited = all->signals.inherited,
			    .group = PM_GROUP_INHERIT,
			    .directory = -1},
		.signals = executor->options.signals,
		.emit = emit,
		.settle = settle,
		.arg = executor,
	};
	if (open_output(all, &executor->options.output, &executor->output, &options->command.output,
			error) < 0)
		return -1;
	return open_output(all, &executor->options.errors, &executor->errors,
			   &options->command.errors, error);
}

static int open_together(struct together *all, struct pm_error *error)
{
	const struct pm_run_setup setup = {
		.loop = &all->loop,
		.children = &all->children,
		.options = all->options,
		.count = all->count,
		.guest = true,
	};

	if (pm_loop_open(&all->loop, error) < 0)
		return -1;
	pm_children_open_registered(&all->children, &all->loop);
	for (size_t i = 0; i < all->count; i++)
		if (prepare(all, i, error) < 0)
			return -1;
	if (pm_run_open(&all->run, all->running, &setup, error) < 0)
		return -1;
	for (size_t i = 0; i < all->count; i++) {
		pm_pump_started(&all->executors[i]->output);
		pm_pump_started(&all->executors[i]->errors);
	}
	return 0;
}

static void close_together(struct together *all)
{
	pm_run_close(&all->run);
	for (size_t i = 0; i < all->count; i++) {
		pm_pump_close(&all->executors[i]->output);
		pm_pump_close(&all->executors[i]->errors);
	}
	pm_close(&all->null);
	pm_loop_close(&all->loop);
}

/* From how the command ended to what panicmon_executor_status() and _error() say. */
static void conclude(struct panicmon_executor *executor, const struct pm_outcome *outcome)
{
	struct pm_error error;
	char text[64];

	if (!outcome->invoked) {
		pm_error_set(&error, outcome->exec_errno, "cannot run '%s'", executor->argv[0]);
		fail(executor, error.code, error.text);
	} else if (outcome->lost) {
		fail(executor, ECHILD,
		     "the program has waited for the command itself: its status is not known");
	} else if (WIFSIGNALED(outcome->status)) {
		executor->status = PM_STATUS_SIGNAL_BASE + WTERMSIG(outcome->status);
		fail(executor, 0, panicmon_status_text(executor->status, text, sizeof(text)));
	} else if (WEXITSTATUS(outcome->status) != 0) {
		executor->status = WEXITSTATUS(outcome->status);
		/* Not "killed by SIGTERM": it has ended by itself, with 143. */
		pm_library_refuse(&executor->error, 0, "exit status %d", executor->status);
		executor->failed = true;
	}
}

static pm_sigset signals_of_all(const struct together *all)
{
	pm_sigset signals = 0;

	for (size_t i = 0; i < all->count; i++)
		signals |= all->executors[i]->options.signals;
	return signals;
}

/* Returns how many have failed. */
static size_t run_together(struct together *all)
{
	struct pm_error error;
	size_t failed = 0;

	pm_library_signals_take(&all->signals, signals_of_all(all));
	bool opened = open_together(all, &error) == 0;
	if (opened) {
		pm_run_start(&all->run);
		pm_run_wait(&all->run);
	}
	close_together(all);
	for (size_t i = 0; i < all->count; i++) {
		if (opened)
			conclude(all->executors[i], &all->running[i].outcome);
		else
			refuse(all->executors[i], error.code, error.text);
		failed += all->executors[i]->failed;
		all->executors[i]->running = false;
	}
	pm_library_signals_give_back(&all->signals);
	return failed;
}

static void free_together(struct together *all)
{
	if (all == NULL)
		return;
	free(all->executors);
	free(all->options);
	free(all->running);
	free(all);
}

/* In memory of its own: a thread may have a small stack. */
static struct together *make_together(size_t count)
{
	struct together *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return NULL;
	all->loop.epoll = -1;
	all->null = -1;
	all->executors = calloc(count + 1, sizeof(struct panicmon_executor *));
	all->options = calloc(count + 1, sizeof(*all->options));
	all->running = calloc(count + 1, sizeof(*all->running));
	if (all->executors != NULL && all->options != NULL && all->running != NULL)
		return all;
	free_together(all);
	return NULL;
}

static void begin(struct panicmon_executor *executor)
{
	struct pm_error ignored;

	executor->status = 0;
	executor->failed = false;
	executor->told = false;
	if (pm_identity_renew(&executor->identity, &ignored) == 0)
		executor->seq = 0;
}

/* A descriptor of the program's that was closed meanwhile would next be one of ours. */
static int check_outputs(const struct panicmon_executor *executor, struct panicmon_error *error)
{
	if (pm_library_check_output(&executor->options.output, "output", error) < 0)
		return -1;
	return pm_library_check_output(&executor->options.errors, "errors", error);
}

/* Whether it is to be run with the others; else it has failed. */
static bool admit(struct panicmon_executor *executor, const struct together *all)
{
	struct panicmon_error error;

	if (executor->running)
		return false;
	begin(executor);
	if (all == NULL)
		refuse(executor, ENOMEM, "cannot run the command: no memory");
	else if (executor->argv[0] == NULL)
		refuse(executor, EINVAL, "cannot run a command without a name: argv is empty");
	else if (check_outputs(executor, &error) < 0)
		refuse(executor, error.code, error.text);
	else
		executor->running = true;
	return executor->running;
}

static void reject(struct panicmon_executor *executor)
{
	if (executor->running) /* the outer run's: it has its own end */
		return;
	begin(executor);
	refuse(executor, EBUSY, "cannot run a command from within a callback of panicmon_run()");
}

/* Of a run within a callback, the signals would go to this or that one, and its commands would find those
 * of the outer one blocked. */
static _Thread_local bool busy;

size_t panicmon_run(struct panicmon_executor *const executors[], size_t count)
{
	size_t failed = 0;

	if (busy) {
		for (size_t i = 0; i < count; i++)
			reject(executors[i]);
		return count;
	}
	busy = true; /* a refusal is told by a callback, too */
	struct together *all = make_together(count);

	for (size_t i = 0; i < count; i++)
		if (admit(executors[i], all))
			all->executors[all->count++] = executors[i];
		else
			failed++;
	if (all != NULL && all->count > 0)
		failed += run_together(all);
	busy = false;
	free_together(all);
	return failed;
}
