/* sample_1_0: a handler as somebody may have written it for panicmon 1.0, with all that the ABI has.
 *
 * sample_1_0.so beside it was built from it with the headers of 1.0, and is loaded by the tests of each
 * later version, on x86-64: it is never built again. How it was:
 *
 *     cc -std=c11 -Os -fPIC -shared -s -Wl,-z,relro,-z,now -I include -o sample_1_0.so sample_1_0.c
 *
 * Writes a line for each call to the file `path`.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <panicmon/handler.h>

enum { PATH, FLAG, COUNT, WAIT, ROOM, COLOUR };

static const char *const colours[] = {"red", "green", NULL};
static const struct panicmon_option options[] = {
	[PATH] = {.name = "path", .type = PANICMON_TEXT, .required = 1, .help = "a file"},
	[FLAG] = {.name = "flag", .type = PANICMON_BOOL, .value = "yes"},
	[COUNT] = {.name = "count", .type = PANICMON_NUMBER, .value = "7", .min = -10, .max = 10},
	[WAIT] = {.name = "wait", .type = PANICMON_DURATION, .value = "20ms", .min = 1, .max = 1000},
	[ROOM] = {.name = "room", .type = PANICMON_SIZE, .value = "64k"},
	[COLOUR] = {.name = "colour", .type = PANICMON_CHOICE, .value = "green", .choices = colours},
};

struct sample {
	const struct panicmon_host *host;
	const char *path;
	int retried, ticks;
};

static void write_line(const char *path, const char *format, ...)
{
	char line[512];
	va_list args;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		abort();
	close(fd);
}

static int check(const struct panicmon_host *host, const struct panicmon_value *values)
{
	if (values[COUNT].number == 3)
		return panicmon_fail(host, "count = %s is not for %s", values[COUNT].text, host->handler);
	return 0;
}

static int start(const struct panicmon_host *host, const struct panicmon_value *values, void **self)
{
	static struct sample sample;

	sample.host = host;
	sample.path = values[PATH].text;
	*self = &sample;
	write_line(sample.path, "open %s %s %d %lld %lld %lld %lld %lld %u %d\n", host->handler, host->service,
		   host->major, (long long)values[FLAG].number, (long long)values[COUNT].number,
		   (long long)values[WAIT].number, (long long)values[ROOM].number,
		   (long long)values[COLOUR].number, values[PATH].given + values[COLOUR].given,
		   host->output >= 0 && host->errors >= 0);
	host->tick_in(host, (uint32_t)values[WAIT].number);
	return 0;
}

static int tick(void *self)
{
	struct sample *sample = self;

	if (sample->ticks++ == 0)
		write_line(sample->path, "tick\n");
	return PANICMON_DONE;
}

static int started(void *self, const struct panicmon_event *event)
{
	struct sample *sample = self;

	sample->host->alive(sample->host);
	if (sample->retried++ == 0) {
		sample->host->retry_in(sample->host, 1);
		return PANICMON_RETRY;
	}
	write_line(sample->path, "started %u %u %d %s\n", event->attempt, event->argc, (int)strlen(event->run),
		   event->args[0]);
	return PANICMON_DONE;
}

static int failed(void *self, const struct panicmon_event *event)
{
	struct sample *sample = self;

	write_line(sample->path, "failed %d %d\n", event->error, event->status);
	return PANICMON_DONE;
}

static int exited(void *self, const struct panicmon_event *event)
{
	struct sample *sample = self;

	write_line(sample->path, "exited %d %d %d %d %d %d\n", event->code, event->signal, event->status,
		   event->reason, event->stop_requested, event->stop_signal);
	panicmon_log(sample->host, PANICMON_NOTICE, "%s has ended", event->name);
	return PANICMON_HELD;
}

static int received(void *self, const struct panicmon_event *event)
{
	struct sample *sample = self;

	write_line(sample->path, "received %d %d\n", event->signal, panicmon_event_has(event, PANICMON_HAS_SENDER_PID));
	return PANICMON_DONE;
}

static int passed(void *self, const struct panicmon_event *event)
{
	struct sample *sample = self;

	write_line(sample->path, "passed %d %d\n", event->signal, event->target_pid == event->pid);
	panicmon_fail(sample->host, "a reason");
	return PANICMON_DROP;
}

static int not_passed(void *self, const struct panicmon_event *event)
{
	struct sample *sample = self;

	write_line(sample->path, "not passed %d %d\n", event->signal, event->error);
	return PANICMON_DONE;
}

static int lost(void *self, const struct panicmon_event *event)
{
	struct sample *sample = self;

	write_line(sample->path, "lost %s %lld %lld\n", event->handler, (long long)event->lost,
		   (long long)event->dropped);
	return PANICMON_DONE;
}

static int flush(void *self, uint32_t budget_ms, int why)
{
	struct sample *sample = self;

	write_line(sample->path, "flush %u %d\n", budget_ms, why == PANICMON_BATCH || why == PANICMON_DRAIN);
	return PANICMON_DONE;
}

static void end(void *self, int why)
{
	struct sample *sample = self;

	write_line(sample->path, "close %d\n", why);
}

PANICMON_HANDLER = {
	.magic = PANICMON_HANDLER_MAGIC,
	.size = sizeof(struct panicmon_handler),
	.minor = 0,
	.name = "sample",
	.version = "1.0",
	.summary = "what a handler of 1.0 can be",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.option_size = sizeof(options[0]),
	.check = check,
	.open = start,
	.flush = flush,
	.close = end,
	.process = &(const struct panicmon_process_ops){sizeof(struct panicmon_process_ops), started, failed, exited},
	.signal = &(const struct panicmon_signal_ops){sizeof(struct panicmon_signal_ops), received, passed, not_passed},
	.tick = tick,
	.monitor = &(const struct panicmon_monitor_ops){sizeof(struct panicmon_monitor_ops), lost},
	.flags = PANICMON_WANTS_OUTPUT,
};
