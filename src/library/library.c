#include <config.h>

#include "library/library.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/signals.h"
#include "process/spawn.h"

/* A copy of a list of texts that ends with NULL; in one allocation. */
static char **copy_texts(char *const *texts)
{
	size_t count = 0, bytes = 0;

	for (; texts != NULL && texts[count] != NULL; count++)
		bytes += strlen(texts[count]) + 1;
	char **copy = malloc((count + 1) * sizeof(*copy) + bytes);
	if (copy == NULL)
		return NULL;
	char *text = (char *)(copy + count + 1);
	for (size_t i = 0; i < count; i++) {
		copy[i] = text;
		text = stpcpy(text, texts[i]) + 1;
	}
	copy[count] = NULL;
	return copy;
}

static int fill(struct panicmon_executor *executor, char *const argv[])
{
	struct panicmon_options *options = &executor->options;
	struct pm_error ignored;

	if (options->process != NULL)
		pm_memory_copy_sized(&executor->process, sizeof(executor->process),
				     options->process, options->process->size);
	if (options->signal != NULL)
		pm_memory_copy_sized(&executor->signal, sizeof(executor->signal), options->signal,
				     options->signal->size);
	executor->argv = copy_texts(argv);
	if (executor->argv == NULL)
		return -1;
	if (options->environment != NULL) {
		executor->environment.variables = copy_texts(options->environment);
		if (executor->environment.variables == NULL)
			return -1;
	}
	return pm_identity_make(&executor->identity, options->name, executor->argv, NULL, &ignored);
}

struct panicmon_executor *panicmon_executor_new(const struct panicmon_options *options,
						char *const argv[], struct panicmon_error *error)
{
	if (panicmon_options_validate(options, error) < 0)
		return NULL;
	struct panicmon_executor *executor = calloc(1, sizeof(*executor));
	if (executor != NULL) {
		pm_memory_copy_sized(&executor->options, sizeof(executor->options), options,
				     options->size);
		if (fill(executor, argv) == 0)
			return executor;
	}
	panicmon_executor_free(executor);
	pm_library_refuse(error, ENOMEM, "cannot keep the command: %s", strerror(ENOMEM));
	return NULL;
}

void panicmon_executor_free(struct panicmon_executor *executor)
{
	if (executor == NULL)
		return;
	pm_identity_free(&executor->identity);
	pm_environment_free(&executor->environment);
	free(executor->argv);
	free(executor);
}

int panicmon_executor_status(const struct panicmon_executor *executor)
{
	return executor->status;
}

const struct panicmon_error *panicmon_executor_error(const struct panicmon_executor *executor)
{
	return executor->failed ? &executor->error : NULL;
}

typedef int tell_fn(void *self, const struct panicmon_event *event);

void pm_library_tell(struct panicmon_executor *executor, struct panicmon_event *event)
{
	tell_fn *const slots[] = {
		[PANICMON_PROCESS_STARTED] = executor->process.started,
		[PANICMON_PROCESS_FAILED] = executor->process.failed,
		[PANICMON_PROCESS_EXITED] = executor->process.exited,
		[PANICMON_SIGNAL_RECEIVED] = executor->signal.received,
		[PANICMON_SIGNAL_PASSED] = executor->signal.passed,
		[PANICMON_SIGNAL_FAILED] = executor->signal.failed,
	};

	event->seq = ++executor->seq;
	event->attempt = 1;
	event->severity = pm_event_severity(event);
	pm_identity_sign(&executor->identity, event);
	if (slots[event->type] != NULL)
		slots[event->type](executor->options.self, event);
}

const char *panicmon_status_text(int status, char *text, size_t size)
{
	int number = status - PM_STATUS_SIGNAL_BASE;

	if (status == 0)
		snprintf(text, size, "success");
	else if (number >= 1 && number <= PM_SIGNAL_MAX)
		snprintf(text, size, "killed by %s", pm_signal_name(number));
	else
		snprintf(text, size, "exit status %d", status);
	return text;
}
