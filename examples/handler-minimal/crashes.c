/* crashes: a handler that adds a line to a file for each crash. */
#include <stdio.h>

#include <panicmon/handler.h>

static const struct panicmon_option options[] = {
	{.name = "path", .type = PANICMON_TEXT, .required = 1, .help = "the file to append to"},
};

static int open_file(const struct panicmon_host *host, const struct panicmon_value *values, void **self)
{
	*self = fopen(values[0].text, "ae");
	return *self != NULL ? 0 : panicmon_fail(host, "cannot open '%s'", values[0].text);
}

static int exited(void *self, const struct panicmon_event *event)
{
	if (event->severity > PANICMON_FATAL)
		return PANICMON_DONE;
	fprintf(self, "%s: signal %d\n", event->name, event->signal);
	return fflush(self) == 0 ? PANICMON_DONE : PANICMON_RETRY;
}

static const struct panicmon_process_ops process = {.size = sizeof(process), .exited = exited};

PANICMON_HANDLER = {
	.magic = PANICMON_HANDLER_MAGIC,
	.size = sizeof(struct panicmon_handler),
	.minor = PANICMON_HANDLER_MINOR,
	.name = "crashes",
	.version = "1.0",
	.summary = "adds a line to a file for each crash",
	.options = options,
	.option_count = 1,
	.option_size = sizeof(options[0]),
	.open = open_file,
	.process = &process,
};
