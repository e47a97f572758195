/* The log handler: one line an event, JSON or text, on a standard stream or in a file. */
#include <config.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <panicmon/handler.h>

#include "common/buffer.h"
#include "common/cut.h"
#include "common/names.h"
#include "json.h"
#include "sink.h"
#include "text.h"

enum { OPTION_PATH, OPTION_FORMAT, OPTION_LEVEL, OPTION_MODE, OPTION_COUNT };
enum { FORMAT_AUTO, FORMAT_TEXT, FORMAT_JSON, FORMAT_COUNT };

static const char *const formats[FORMAT_COUNT + 1] = {
	[FORMAT_AUTO] = "auto",
	[FORMAT_TEXT] = "text",
	[FORMAT_JSON] = "json",
};

static const char *const levels[] = {"debug", "info", "notice", "warning", "error", "fatal", NULL};
static const uint32_t level_severities[] = {
	PANICMON_DEBUG,   PANICMON_INFO,  PANICMON_NOTICE,
	PANICMON_WARNING, PANICMON_ERROR, PANICMON_FATAL,
};
_Static_assert(sizeof(levels) / sizeof(levels[0]) ==
		       sizeof(level_severities) / sizeof(level_severities[0]) + 1,
	       "each level has its severity");

static const struct panicmon_option options[] = {
	[OPTION_PATH] = {.name = "path",
			 .type = PANICMON_TEXT,
			 .value = "stderr",
			 .help = "stderr, stdout, or a file to append to; opened again when it is "
				 "rotated away"},
	[OPTION_FORMAT] = {.name = "format",
			   .type = PANICMON_CHOICE,
			   .value = "auto",
			   .help = "auto: text on a terminal, else one JSON object a line",
			   .choices = formats},
	[OPTION_LEVEL] = {.name = "level",
			  .type = PANICMON_CHOICE,
			  .value = "info",
			  .help = "the least severe that is written",
			  .choices = levels},
	[OPTION_MODE] = {.name = "mode",
			 .type = PANICMON_TEXT,
			 .value = "0640",
			 .help = "permissions of a new file, octal; if not given, less the umask"},
};
_Static_assert(sizeof(options) / sizeof(options[0]) == OPTION_COUNT, "each option has its index");

struct log {
	const struct panicmon_host *host;
	const char *path; /* as configured */
	struct pm_log_sink sink;
	struct pm_common_buffer record;
	uint32_t severity; /* the highest number that is written */
	bool json, colour;
	uint64_t dropped; /* since the last record that was written */
	int error;        /* why the last of those was */
};

static bool parse_mode(const char *text, mode_t *mode)
{
	char *end;
	unsigned long number;

	if (text[strspn(text, "01234567")] != '\0')
		return false;
	errno = 0;
	number = strtoul(text, &end, 8);
	*mode = (mode_t)number;
	/* Without the owner's write permission the next start could not open it. */
	return errno == 0 && end != text && number <= 0777 && (number & S_IWUSR) != 0;
}

static int check(const struct panicmon_host *host, const struct panicmon_value *values)
{
	const char *path = values[OPTION_PATH].text;
	struct stat status;
	mode_t mode;

	if (path == NULL || path[0] == '\0')
		return panicmon_fail(host, "path is empty: write stderr, stdout or a file");
	if (!parse_mode(values[OPTION_MODE].text, &mode))
		return panicmon_fail(
			host,
			"mode '%s' is not the octal permissions of a file that its owner may "
			"write: use one such as 0640",
			values[OPTION_MODE].text);
	if (!pm_log_sink_is_stream(path) && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return panicmon_fail(host, "path '%.300s' is a directory: write the name of a file",
				     path);
	return 0;
}

/* As no-color.org has it: set and not empty. */
static bool wants_colour(void)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	return (no_colour == NULL || no_colour[0] == '\0') && terminal != NULL &&
	       strcmp(terminal, "dumb") != 0;
}

static void choose_format(struct log *log, int64_t format)
{
	bool terminal = isatty(log->sink.fd) == 1;

	log->json = format == FORMAT_JSON || (format == FORMAT_AUTO && !terminal);
	log->colour = terminal && wants_colour();
}

static int open_sink(struct log *log, const struct panicmon_value *values)
{
	const char *path = log->path;
	mode_t mode;

	if (!parse_mode(values[OPTION_MODE].text, &mode))
		return panicmon_fail(log->host, "mode '%s' is not octal permissions",
				     values[OPTION_MODE].text);
	int stream = strcmp(path, "stderr") == 0 ? log->host->errors : log->host->output;
	int result =
		pm_log_sink_open(&log->sink, path, stream, mode, values[OPTION_MODE].given != 0);
	if (result == PANICMON_DONE)
		return 0;
	if (result == PANICMON_RETRY) {
		panicmon_fail(log->host, "nobody reads from '%.300s' yet", path);
		return result;
	}
	if (pm_log_sink_is_stream(path))
		return panicmon_fail(log->host, "cannot write to %s: %s", path,
				     pm_common_errno_text(errno));
	return panicmon_fail(log->host, "cannot open '%.300s' for appending: %s", path,
			     pm_common_errno_text(errno));
}

static void destroy(struct log *log)
{
	pm_log_sink_close(&log->sink);
	pm_common_buffer_free(&log->record);
	free(log);
}

static int open_log(const struct panicmon_host *host, const struct panicmon_value *values,
		    void **self)
{
	struct log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return panicmon_fail(host, "out of memory");
	log->host = host;
	log->path = values[OPTION_PATH].text;
	log->severity = level_severities[values[OPTION_LEVEL].number];
	int result = open_sink(log, values);
	if (result != 0) {
		destroy(log);
		return result;
	}
	choose_format(log, values[OPTION_FORMAT].number);
	*self = log;
	return 0;
}

/* Makes the record, smaller and smaller until the sink takes it in one piece. */
static int render(struct log *log, const struct panicmon_event *event)
{
	const size_t limit = pm_log_sink_limit(&log->sink);
	struct pm_common_buffer *record = &log->record;

	for (size_t budget = limit;;) {
		pm_common_buffer_reset(record);
		pm_common_puts(record, "\n");
		if (log->json)
			pm_log_json(record, event, budget);
		else
			pm_log_text(record, event, budget, log->colour);
		if (record->failed) {
			errno = ENOMEM;
			return PANICMON_RETRY;
		}
		if (record->length - 1 <= limit || budget == 0)
			return PANICMON_DONE;
		budget = pm_common_cut_next(budget, record->length - 1 - limit);
	}
}

static int write_record(struct log *log)
{
	int result = pm_log_sink_write(&log->sink, log->record.data, log->record.length);

	/* A record of a megabyte does not stay with an idle handler. */
	int saved = errno;
	pm_common_buffer_reset(&log->record);
	errno = saved;
	return result;
}

/* Says in the log itself what is missing from it. */
static int write_gap(struct log *log, const struct panicmon_event *event)
{
	pm_common_buffer_reset(&log->record);
	pm_common_puts(&log->record, "\n");
	if (log->json)
		pm_log_json_gap(&log->record, event, log->dropped, log->error);
	else
		pm_log_text_gap(&log->record, event, log->dropped, log->error, log->colour);
	if (log->record.failed) {
		errno = ENOMEM;
		return PANICMON_RETRY;
	}
	int result = write_record(log);
	if (result == PANICMON_DONE)
		log->dropped = 0;
	return result;
}

/* Told once in a row: panicmon counts, and what is dropped next has most likely the same reason. */
static void note_drop(struct log *log, int error)
{
	log->error = error;
	if (log->dropped++ > 0)
		return;
	panicmon_log(log->host, PANICMON_WARNING,
		     "cannot write to '%.300s': %s; events are dropped until it can be", log->path,
		     pm_common_errno_text(error));
}

static int write_event(void *self, const struct panicmon_event *event)
{
	struct log *log = self;

	if (event->severity > log->severity)
		return PANICMON_DONE;
	int result = pm_log_sink_refresh(&log->sink);
	if (result == PANICMON_DONE && log->dropped > 0)
		result = write_gap(log, event);
	if (result == PANICMON_DONE)
		result = render(log, event);
	if (result == PANICMON_DONE)
		result = write_record(log);
	if (result == PANICMON_DONE)
		return result;
	if (result == PANICMON_DROP)
		note_drop(log, errno);
	return result;
}

static void close_log(void *self, int why)
{
	struct log *log = self;
	struct timespec now = {0};

	(void)why;
	if (log->dropped > 0 && log->sink.fd >= 0) {
		clock_gettime(CLOCK_REALTIME, &now);
		write_gap(log, &(const struct panicmon_event){
				       .size = sizeof(struct panicmon_event),
				       .time_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec,
				       .name = log->host->service,
			       });
	}
	destroy(log);
}

PANICMON_HANDLER = {
	.magic = PANICMON_HANDLER_MAGIC,
	.size = sizeof(struct panicmon_handler),
	.minor = PANICMON_HANDLER_MINOR,
	.name = "log",
	.version = PACKAGE_VERSION,
	.summary = "writes a line for each event, as JSON or text",
	.options = options,
	.option_count = OPTION_COUNT,
	.option_size = sizeof(struct panicmon_option),
	.check = check,
	.open = open_log,
	.close = close_log,
	.process =
		&(const struct panicmon_process_ops){
			.size = sizeof(struct panicmon_process_ops),
			.started = write_event,
			.failed = write_event,
			.exited = write_event,
		},
	.signal =
		&(const struct panicmon_signal_ops){
			.size = sizeof(struct panicmon_signal_ops),
			.received = write_event,
			.passed = write_event,
			.failed = write_event,
		},
	.monitor =
		&(const struct panicmon_monitor_ops){
			.size = sizeof(struct panicmon_monitor_ops),
			.lost = write_event,
		},
	.flags = PANICMON_WANTS_OUTPUT,
};
