/* The exec handler: runs a program for each event. */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <panicmon/handler.h>

#include "common/names.h"
#include "environment.h"
#include "input.h"
#include "run.h"
#include "words.h"

enum { OPTION_COMMAND, OPTION_DIRECTORY, OPTION_STDIN, OPTION_RUN_TIMEOUT, OPTION_COUNT };
enum { STDIN_JSON, STDIN_NONE, STDIN_COUNT };

static const char *const inputs[STDIN_COUNT + 1] = {
	[STDIN_JSON] = "json",
	[STDIN_NONE] = "none",
};

static const struct panicmon_option options[] = {
	[OPTION_COMMAND] =
		{.name = "command",
		 .type = PANICMON_TEXT,
		 .required = 1,
		 .help = "the program, by its absolute path, and its arguments; quotes as "
			 "in a shell, but there is none"},
	[OPTION_DIRECTORY] = {.name = "directory",
			      .type = PANICMON_TEXT,
			      .help = "where it is run; if not given, in panicmon's own folder"},
	[OPTION_STDIN] = {.name = "stdin",
			  .type = PANICMON_CHOICE,
			  .value = "json",
			  .help = "json: the event as one object; none: nothing",
			  .choices = inputs},
	[OPTION_RUN_TIMEOUT] =
		{.name = "run_timeout",
		 .type = PANICMON_DURATION,
		 .value = "30s",
		 .help = "the longest that a run may take; then it is ended, and the "
			 "event given up",
		 .min = 10,
		 .max = INT64_C(24) * 60 * 60 * 1000},
};
_Static_assert(sizeof(options) / sizeof(options[0]) == OPTION_COUNT, "each option has its index");

struct exec {
	const struct panicmon_host *host;
	char **argv;
	const char *directory; /* NULL: ours */
	int64_t timeout_ms;
	bool stdin_json;
	bool retrying; /* told of it */
};

static int check_program(const struct panicmon_host *host, const char *path)
{
	struct stat status;

	if (path[0] != '/')
		return panicmon_fail(
			host, "command '%.300s': write the absolute path of the program", path);
	if (stat(path, &status) < 0)
		return panicmon_fail(host, "command '%.300s': %s", path,
				     pm_common_errno_text(errno));
	if (S_ISDIR(status.st_mode))
		return panicmon_fail(host, "command '%.300s' is a directory: write a program",
				     path);
	if (!S_ISREG(status.st_mode))
		return panicmon_fail(host, "command '%.300s' is not a file: write a program", path);
	if (eaccess(path, X_OK) < 0)
		return panicmon_fail(host,
				     "command '%.300s' cannot be executed by this user: %s; see "
				     "chmod(1)",
				     path, pm_common_errno_text(errno));
	return 0;
}

static int check_directory(const struct panicmon_host *host, const char *path)
{
	struct stat status;

	if (path == NULL)
		return 0;
	if (stat(path, &status) < 0)
		return panicmon_fail(host, "directory '%.300s': %s", path,
				     pm_common_errno_text(errno));
	if (!S_ISDIR(status.st_mode))
		return panicmon_fail(host, "directory '%.300s' is not a directory", path);
	if (eaccess(path, X_OK) < 0)
		return panicmon_fail(host, "directory '%.300s' cannot be entered by this user: %s",
				     path, pm_common_errno_text(errno));
	return 0;
}

/* NULL after host->fail(). */
static char **split_command(const struct panicmon_host *host, const char *command)
{
	const char *problem;
	char **argv = pm_exec_words_split(command, &problem);

	if (argv != NULL)
		return argv;
	if (problem != NULL)
		panicmon_fail(host, "command '%.300s' %s", command, problem);
	else
		panicmon_fail(host, "out of memory");
	return NULL;
}

static int check(const struct panicmon_host *host, const struct panicmon_value *values)
{
	char **argv = split_command(host, values[OPTION_COMMAND].text);

	if (argv == NULL)
		return -1;
	int result = check_program(host, argv[0]);
	free(argv);
	return result != 0 ? result : check_directory(host, values[OPTION_DIRECTORY].text);
}

static int open_exec(const struct panicmon_host *host, const struct panicmon_value *values,
		     void **self)
{
	char **argv = split_command(host, values[OPTION_COMMAND].text);
	struct exec *exec = argv != NULL ? calloc(1, sizeof(*exec)) : NULL;

	if (argv == NULL)
		return -1;
	if (exec == NULL) {
		free(argv);
		return panicmon_fail(host, "out of memory");
	}
	*exec = (struct exec){
		.host = host,
		.argv = argv,
		.directory = values[OPTION_DIRECTORY].text,
		.timeout_ms = values[OPTION_RUN_TIMEOUT].number,
		.stdin_json = values[OPTION_STDIN].number == STDIN_JSON,
	};
	*self = exec;
	return 0;
}

static void close_exec(void *self, int why)
{
	struct exec *exec = self;

	(void)why;
	free(exec->argv);
	free(exec);
}

static void alive(void *arg)
{
	const struct exec *exec = arg;

	exec->host->alive(exec->host);
}

static int run_with(struct exec *exec, const struct panicmon_event *event, size_t budget, int input,
		    struct pm_exec_report *report)
{
	char **environment = pm_exec_environment_make((const char *const *)environ, event, budget);

	if (environment == NULL) {
		errno = ENOMEM;
		return -1;
	}
	const struct pm_exec_run run = {
		.argv = exec->argv,
		.environment = environment,
		.directory = exec->directory,
		.input = input,
		.timeout_ms = exec->timeout_ms,
		.alive = alive,
		.arg = exec,
	};
	int result = pm_exec_run(&run, report);
	int saved = errno;
	pm_exec_environment_free(environment);
	errno = saved;
	return result;
}

/* Panicmon's own environment may be nearly as large as one may be: then the event's part shrinks. */
static int run_to_fit(struct exec *exec, const struct panicmon_event *event, int input,
		      struct pm_exec_report *report)
{
	/* Quoted and in UTF-8 it is at most four times that, below MAX_ARG_STRLEN of execve(2). */
	enum { BUDGET = 16 * 1024, SHRINK = 16 };

	for (size_t budget = BUDGET;; budget /= SHRINK) {
		int result = run_with(exec, event, budget, input, report);

		if (result < 0 || report->step != PM_EXEC_NOT_STARTED || report->value != E2BIG ||
		    budget == 0)
			return result;
	}
}

static int run(struct exec *exec, const struct panicmon_event *event, struct pm_exec_report *report)
{
	int input = exec->stdin_json ? pm_exec_input_event(event) : pm_exec_input_none();

	if (input < 0)
		return -1;
	int result = run_to_fit(exec, event, input, report);
	int saved = errno;
	close(input);
	errno = saved;
	return result;
}

/* What nobody mends by replacing or allowing a file, or by waiting. */
static bool is_final(int error)
{
	return error == E2BIG || error == EINVAL || error == ELIBBAD || error == ENOEXEC;
}

static int judge(const struct pm_exec_report *report)
{
	if (report->step == PM_EXEC_LATE)
		return PANICMON_DROP;
	if (report->step != PM_EXEC_ENDED)
		return is_final(report->value) ? PANICMON_DROP : PANICMON_RETRY;
	if (!WIFEXITED(report->value))
		return PANICMON_DROP;
	switch (WEXITSTATUS(report->value)) {
	case EX_OK:
		return PANICMON_DONE;
	case EX_TEMPFAIL:
		return PANICMON_RETRY;
	default:
		return PANICMON_DROP;
	}
}

static void describe_end(const char *path, int status, char *text, size_t size)
{
	char name[PM_COMMON_NAME_SIZE];

	if (WIFSIGNALED(status))
		snprintf(text, size, "'%.300s' was killed by %s", path,
			 pm_common_signal_name(WTERMSIG(status), name));
	else
		snprintf(text, size, "'%.300s' ended with exit status %d", path,
			 WEXITSTATUS(status));
}

static void describe(const struct exec *exec, const struct pm_exec_report *report, char *text,
		     size_t size)
{
	const char *path = exec->argv[0];

	if (report->step == PM_EXEC_ENDED)
		describe_end(path, report->value, text, size);
	else if (report->step == PM_EXEC_LATE)
		snprintf(text, size, "'%.300s' had not ended after %" PRId64 " ms", path,
			 exec->timeout_ms);
	else if (report->step == PM_EXEC_NO_DIRECTORY)
		snprintf(text, size, "cannot enter '%.300s': %s", exec->directory,
			 pm_common_errno_text(report->value));
	else
		snprintf(text, size, "cannot run '%.300s': %s", path,
			 pm_common_errno_text(report->value));
}

/* Once in a row: panicmon itself tells people of what is given up only. */
static void tell_retry(struct exec *exec, const struct panicmon_event *event, const char *why)
{
	if (!exec->retrying)
		panicmon_log(exec->host, PANICMON_WARNING,
			     "%s; event %" PRIu64 " will be tried again", why, event->seq);
	exec->retrying = true;
}

static int run_program(void *self, const struct panicmon_event *event)
{
	struct exec *exec = self;
	struct pm_exec_report report = {0};
	char why[512];

	if (run(exec, event, &report) < 0)
		report = (struct pm_exec_report){PM_EXEC_NOT_FORKED, errno};
	int result = judge(&report);
	if (result != PANICMON_RETRY)
		exec->retrying = false;
	if (result == PANICMON_DONE)
		return result;
	describe(exec, &report, why, sizeof(why));
	exec->host->fail(exec->host, why);
	if (result == PANICMON_RETRY)
		tell_retry(exec, event, why);
	return result;
}

PANICMON_HANDLER = {
	.magic = PANICMON_HANDLER_MAGIC,
	.size = sizeof(struct panicmon_handler),
	.minor = PANICMON_HANDLER_MINOR,
	.name = "exec",
	.version = PACKAGE_VERSION,
	.summary = "runs a program for each event",
	.options = options,
	.option_count = OPTION_COUNT,
	.option_size = sizeof(struct panicmon_option),
	.check = check,
	.open = open_exec,
	.close = close_exec,
	.process =
		&(const struct panicmon_process_ops){
			.size = sizeof(struct panicmon_process_ops),
			.started = run_program,
			.failed = run_program,
			.exited = run_program,
			.recovered = run_program,
		},
	.signal =
		&(const struct panicmon_signal_ops){
			.size = sizeof(struct panicmon_signal_ops),
			.received = run_program,
			.passed = run_program,
			.failed = run_program,
		},
	.monitor =
		&(const struct panicmon_monitor_ops){
			.size = sizeof(struct panicmon_monitor_ops),
			.lost = run_program,
		},
	.flags = PANICMON_ALERTS,
};
