/* alert: calls people (PANICMON_ALERTS). Writes "TYPE CRASHES INCIDENT RUN SEQ ATTEMPT" of each event to the
 * file `path`, CRASHES and INCIDENT "-" where there are none, once it is delivered: at once, or with
 * `hold` when it is flushed. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fixture.h"

enum {
	OPTION_PATH,
	OPTION_HOLD,
	OPTION_FLUSH_AFTER,
	OPTION_DROP,
	OPTION_CRASH,
	OPTION_MARK,
	OPTION_RETRY
};

static const struct panicmon_option options[] = {
	[OPTION_PATH] = {.name = "path", .type = PANICMON_TEXT, .required = 1, .help = "a file"},
	[OPTION_HOLD] = {.name = "hold", .type = PANICMON_BOOL, .value = "no"},
	/* Held, it is flushed when so many have been; before that flush() is RETRY. */
	[OPTION_FLUSH_AFTER] = {.name = "flush_after", .type = PANICMON_NUMBER, .value = "1"},
	/* So many failures are given up, the first ones of this host. */
	[OPTION_DROP] = {.name = "drop", .type = PANICMON_NUMBER, .value = "0"},
	/* Crashes at a failure, or in flush(), as long as the file `mark` is there: once. */
	[OPTION_CRASH] = {.name = "crash", .type = PANICMON_BOOL, .value = "no"},
	[OPTION_MARK] = {.name = "mark", .type = PANICMON_TEXT},
	/* What has an incident is not taken as long as the file `mark` is there. */
	[OPTION_RETRY] = {.name = "retry", .type = PANICMON_BOOL, .value = "no"},
};

static const struct panicmon_host *the_host;
static const struct panicmon_value *values;
static char batch[1 << 16];
static size_t used, held;

static int open_alert(const struct panicmon_host *host, const struct panicmon_value *given,
		      void **self)
{
	(void)self;
	the_host = host;
	values = given;
	return 0;
}

static void crash_once(void)
{
	if (values[OPTION_CRASH].number != 0 && unlink(values[OPTION_MARK].text) == 0)
		fixture_crash();
}

static int take(void *self, const struct panicmon_event *event)
{
	static int64_t dropped;
	bool failure = panicmon_event_has(event, PANICMON_HAS_INCIDENT);
	char crashes[32] = "-", line[512];

	(void)self;
	if (panicmon_event_has(event, PANICMON_HAS_CRASHES))
		snprintf(crashes, sizeof(crashes), "%lld", (long long)event->crashes);
	snprintf(line, sizeof(line), "%u %s %s %s %llu %u", event->type, crashes,
		 failure ? event->incident : "-", event->run, (unsigned long long)event->seq,
		 event->attempt);
	if (failure && values[OPTION_HOLD].number == 0)
		crash_once();
	if (failure && values[OPTION_RETRY].number != 0 &&
	    access(values[OPTION_MARK].text, F_OK) == 0)
		return PANICMON_RETRY;
	if (failure && dropped < values[OPTION_DROP].number) {
		dropped++;
		return PANICMON_DROP;
	}
	if (values[OPTION_HOLD].number == 0) {
		fixture_note(values[OPTION_PATH].text, line);
		return PANICMON_DONE;
	}
	used += (size_t)snprintf(batch + used, sizeof(batch) - used, "%s\n", line);
	held++;
	return PANICMON_HELD;
}

static int flush(void *self, uint32_t budget_ms, int why)
{
	(void)self;
	(void)budget_ms;
	if (why == PANICMON_BATCH && (int64_t)held < values[OPTION_FLUSH_AFTER].number) {
		the_host->retry_in(the_host, 20);
		return PANICMON_RETRY;
	}
	crash_once();
	if (used > 0) {
		batch[used - 1] = '\0'; /* fixture_note() ends the line */
		fixture_note(values[OPTION_PATH].text, batch);
	}
	used = held = 0;
	return PANICMON_DONE;
}

PANICMON_HANDLER = {
	FIXTURE_HEAD("alert"),
	FIXTURE_OPTIONS(options),
	.open = open_alert,
	.flush = flush,
	.process =
		&(const struct panicmon_process_ops){
			.size = sizeof(struct panicmon_process_ops),
			.started = take,
			.failed = take,
			.exited = take,
			.recovered = take,
		},
	.flags = PANICMON_ALERTS,
};
