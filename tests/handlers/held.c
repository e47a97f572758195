/* held: keeps events in a batch, and writes "SEQ TYPE ATTEMPT" of each to the file `path` when it is
 * flushed. At the event with the number `crash` it crashes, each time. */
#include "config.h"

#include <string.h>

#include "fixture.h"

enum { OPTION_PATH, OPTION_CRASH };

static const struct panicmon_option options[] = {
	[OPTION_PATH] = {.name = "path", .type = PANICMON_TEXT, .required = 1, .help = "a file"},
	[OPTION_CRASH] = {.name = "crash", .type = PANICMON_NUMBER, .value = "0"},
};

static const struct panicmon_value *values;
static char batch[1 << 20];
static size_t used;

static int open_held(const struct panicmon_host *host, const struct panicmon_value *given,
		     void **self)
{
	(void)host;
	(void)self;
	values = given;
	return 0;
}

static int hold(void *self, const struct panicmon_event *event)
{
	(void)self;
	if ((uint64_t)values[OPTION_CRASH].number == event->seq)
		fixture_crash();
	if (used + 64 > sizeof(batch))
		return PANICMON_RETRY;
	used += (size_t)snprintf(batch + used, sizeof(batch) - used, "%llu %u %u\n",
				 (unsigned long long)event->seq, event->type, event->attempt);
	return PANICMON_HELD;
}

static int flush(void *self, uint32_t budget_ms, int why)
{
	(void)self;
	(void)budget_ms;
	(void)why;
	if (used > 0) {
		batch[used - 1] = '\0'; /* fixture_note() ends the line */
		fixture_note(values[OPTION_PATH].text, batch);
	}
	used = 0;
	return PANICMON_DONE;
}

PANICMON_HANDLER = {
	FIXTURE_HEAD("held"), FIXTURE_OPTIONS(options), .open = open_held,
	.flush = flush,       FIXTURE_EVENTS(hold),
};
