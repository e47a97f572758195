/* The log handler: a record for each event, in one of several formats, on a stream, in a file, to syslog
 * or to journald. */
#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include <panicmon/handler.h>

#include "address.h"
#include "common/buffer.h"
#include "common/clock.h"
#include "common/cut.h"
#include "common/names.h"
#include "format.h"
#include "sink.h"

enum {
	OPTION_PATH,
	OPTION_FORMAT,
	OPTION_LEVEL,
	OPTION_MODE,
	OPTION_ADDRESS,
	OPTION_FACILITY,
	OPTION_COUNT
};
enum {
	FORMAT_AUTO,
	FORMAT_TEXT,
	FORMAT_LOGFMT,
	FORMAT_JSON,
	FORMAT_ECS,
	FORMAT_OTEL,
	FORMAT_COUNT
};

static const char *const formats[FORMAT_COUNT + 1] = {
	[FORMAT_AUTO] = "auto", [FORMAT_TEXT] = "text", [FORMAT_LOGFMT] = "logfmt",
	[FORMAT_JSON] = "json", [FORMAT_ECS] = "ecs",   [FORMAT_OTEL] = "otel",
};

static pm_log_format_put *const format_puts[FORMAT_COUNT] = {
	[FORMAT_AUTO] = NULL, /* what the sink is for decides */
	[FORMAT_TEXT] = pm_log_text, [FORMAT_LOGFMT] = pm_log_logfmt, [FORMAT_JSON] = pm_log_json,
	[FORMAT_ECS] = pm_log_ecs,   [FORMAT_OTEL] = pm_log_otel,
};

/* Those of syslog(3) that may be meant of a service. */
static const char *const facilities[] = {"user",   "daemon", "auth",   "cron",   "local0",
					 "local1", "local2", "local3", "local4", "local5",
					 "local6", "local7", NULL};
static const int facility_codes[] = {
	LOG_USER,   LOG_DAEMON, LOG_AUTH,   LOG_CRON,   LOG_LOCAL0, LOG_LOCAL1,
	LOG_LOCAL2, LOG_LOCAL3, LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7,
};
_Static_assert(sizeof(facilities) / sizeof(facilities[0]) ==
		       sizeof(facility_codes) / sizeof(facility_codes[0]) + 1,
	       "each facility has its code");

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
			 .help = "stderr, stdout, journald, syslog, or a file to append to; opened "
				 "again when it is rotated away"},
	[OPTION_FORMAT] = {.name = "format",
			   .type = PANICMON_CHOICE,
			   .value = "auto",
			   .help = "auto: text on a terminal and for syslog, else json",
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
	[OPTION_ADDRESS] = {.name = "address",
			    .type = PANICMON_TEXT,
			    .value = PM_LOG_ADDRESS_LOCAL,
			    .help = "of syslog or journald: local, /SOCKET, and of syslog "
				    "udp://HOST[:PORT] or tcp://HOST[:PORT]"},
	[OPTION_FACILITY] = {.name = "facility",
			     .type = PANICMON_CHOICE,
			     .value = "daemon",
			     .help = "of syslog or journald: who is said to have sent it",
			     .choices = facilities},
};
_Static_assert(sizeof(options) / sizeof(options[0]) == OPTION_COUNT, "each option has its index");

struct log {
	const struct panicmon_host *host;
	const char *path; /* as configured */
	struct pm_log_sink *sink;
	pm_log_format_put *format;
	struct pm_common_buffer record;
	uint32_t severity; /* the highest number that is written */
	bool colour;
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

/* 0, or -1 after host->fail(). */
static int read_target(struct pm_log_target *target, const struct panicmon_host *host,
		       const struct panicmon_value *values)
{
	const char *mode = values[OPTION_MODE].text;

	*target = (struct pm_log_target){
		.host = host,
		.path = values[OPTION_PATH].text,
		.address = values[OPTION_ADDRESS].text,
		.facility = facility_codes[values[OPTION_FACILITY].number] >> 3,
		.exact_mode = values[OPTION_MODE].given != 0,
	};
	if (target->path == NULL || target->path[0] == '\0')
		return panicmon_fail(
			host, "path is empty: write stderr, stdout, journald, syslog or a file");
	if (!parse_mode(mode, &target->mode))
		return panicmon_fail(
			host,
			"mode '%s' is not the octal permissions of a file that its owner may "
			"write: use one such as 0640",
			mode);
	return 0;
}

static int check(const struct panicmon_host *host, const struct panicmon_value *values)
{
	int64_t format = values[OPTION_FORMAT].number;
	struct pm_log_target target;

	if (read_target(&target, host, values) < 0 || pm_log_sink_check(&target) < 0)
		return -1;
	if (strcmp(target.path, "journald") == 0 && format != FORMAT_AUTO)
		return panicmon_fail(host,
				     "format '%s' has no meaning with path = journald, which takes "
				     "fields: leave it out",
				     formats[format]);
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
	if (format == FORMAT_AUTO)
		format = log->sink->people ? FORMAT_TEXT : FORMAT_JSON;
	log->format = format_puts[format];
	log->colour = log->sink->terminal && wants_colour();
}

static void destroy(struct log *log)
{
	if (log->sink != NULL)
		log->sink->ops->close(log->sink);
	pm_common_buffer_free(&log->record);
	free(log);
}

static int open_log(const struct panicmon_host *host, const struct panicmon_value *values,
		    void **self)
{
	struct pm_log_target target;
	struct log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return panicmon_fail(host, "out of memory");
	log->host = host;
	log->path = values[OPTION_PATH].text;
	log->severity = level_severities[values[OPTION_LEVEL].number];
	int result = read_target(&target, host, values);
	if (result == 0)
		result = pm_log_sink_open(&log->sink, &target);
	if (result != 0) {
		destroy(log);
		return result;
	}
	choose_format(log, values[OPTION_FORMAT].number);
	*self = log;
	return 0;
}

/* Makes the record, smaller and smaller until the sink takes it in one piece. */
static int render(struct log *log, struct pm_log_record *what)
{
	const size_t limit = log->sink->ops->limit(log->sink);
	struct pm_common_buffer *record = &log->record;

	what->colour = log->colour;
	what->budget = limit;
	for (;;) {
		pm_common_buffer_reset(record);
		log->sink->ops->put(log->sink, record, what, log->format);
		if (record->failed) {
			errno = ENOMEM;
			return PANICMON_RETRY;
		}
		if (record->length <= limit || what->budget == 0)
			return PANICMON_DONE;
		what->budget = pm_common_cut_next(what->budget, record->length - limit);
	}
}

static int write_record(struct log *log, struct pm_log_record what)
{
	int result = render(log, &what);

	if (result != PANICMON_DONE)
		return result;
	result = log->sink->ops->write(log->sink, log->record.data, log->record.length);
	/* A record of a megabyte does not stay with an idle handler. */
	int saved = errno;
	pm_common_buffer_reset(&log->record);
	errno = saved;
	return result;
}

/* Says in the log itself what is missing from it. */
static int write_gap(struct log *log, const struct panicmon_event *event)
{
	int result = write_record(log, (struct pm_log_record){.event = event,
							      .dropped = log->dropped,
							      .error = log->error});

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
	int result = log->sink->ops->refresh(log->sink);
	if (result == PANICMON_DONE && log->dropped > 0)
		result = write_gap(log, event);
	if (result == PANICMON_DONE)
		result = write_record(log, (struct pm_log_record){.event = event});
	if (result == PANICMON_DROP)
		note_drop(log, errno);
	return result;
}

static void close_log(void *self, int why)
{
	struct log *log = self;

	(void)why;
	if (log->dropped > 0 && log->sink->ops->refresh(log->sink) == PANICMON_DONE)
		write_gap(log, &(const struct panicmon_event){
				       .size = sizeof(struct panicmon_event),
				       .time_ns = pm_common_realtime_ns(),
				       .name = log->host->service,
			       });
	destroy(log);
}

PANICMON_HANDLER = {
	.magic = PANICMON_HANDLER_MAGIC,
	.size = sizeof(struct panicmon_handler),
	.minor = PANICMON_HANDLER_MINOR,
	.name = "log",
	.version = PACKAGE_VERSION,
	.summary = "writes a line for each event, to a stream, a file, syslog or journald",
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
