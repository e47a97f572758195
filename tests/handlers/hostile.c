/* hostile: does what a handler must not, in the call and in the way that its options name.
 *
 * Everything it gets is noted in the file `path` first: "SEQ TYPE ATTEMPT" for an event, else the
 * name of the call.
 */
#include "config.h"

#include <limits.h>

#include "fixture.h"
#include "hostile_ways.h"

enum { OPTION_WHERE, OPTION_HOW, OPTION_SEQ, OPTION_TIMES, OPTION_RESULT, OPTION_PATH };

static const char *const places[] = {"check", "open", "event", "flush", "close", "tick", NULL};
enum { IN_CHECK, IN_OPEN, IN_EVENT, IN_FLUSH, IN_CLOSE, IN_TICK };

static const struct panicmon_option options[] = {
	[OPTION_WHERE] = {.name = "where",
			  .type = PANICMON_CHOICE,
			  .value = "event",
			  .choices = places},
	[OPTION_HOW] = {.name = "how", .type = PANICMON_TEXT, .value = "return"},
	[OPTION_SEQ] = {.name = "seq", .type = PANICMON_NUMBER, .value = "0"}, /* 0: every event */
	[OPTION_TIMES] = {.name = "times", .type = PANICMON_NUMBER, .value = "1000000"},
	[OPTION_RESULT] = {.name = "result",
			   .type = PANICMON_NUMBER,
			   .value = "0",
			   .min = INT_MIN,
			   .max = INT_MAX},
	[OPTION_PATH] = {.name = "path", .type = PANICMON_TEXT},
};

static const struct panicmon_value *values;

static int act(int place)
{
	if (values[OPTION_WHERE].number != place)
		return 0;
	hostile_act(values[OPTION_HOW].text);
	return (int)values[OPTION_RESULT].number;
}

static int check(const struct panicmon_host *host, const struct panicmon_value *given)
{
	(void)host;
	values = given;
	return act(IN_CHECK);
}

static int open_hostile(const struct panicmon_host *host, const struct panicmon_value *given,
			void **self)
{
	static int64_t calls;

	(void)self;
	values = given;
	fixture_note(values[OPTION_PATH].text, "open");
	hostile_begin(host);
	if (values[OPTION_WHERE].number == IN_TICK)
		host->tick_in(host, 50);
	return calls++ < values[OPTION_TIMES].number ? act(IN_OPEN) : 0;
}

static int take(void *self, const struct panicmon_event *event)
{
	int64_t seq = values[OPTION_SEQ].number;

	(void)self;
	fixture_note_event(values[OPTION_PATH].text, event);
	hostile_keep(event);
	if (seq != 0 && (uint64_t)seq != event->seq)
		return PANICMON_DONE;
	if (event->attempt > values[OPTION_TIMES].number)
		return PANICMON_DONE;
	int result = act(IN_EVENT);
	/* Without an event that is held there is no flush. */
	return values[OPTION_WHERE].number == IN_FLUSH ? PANICMON_HELD : result;
}

static int flush(void *self, uint32_t budget_ms, int why)
{
	(void)self;
	(void)budget_ms;
	(void)why;
	fixture_note(values[OPTION_PATH].text, "flush");
	return act(IN_FLUSH);
}

static int tick(void *self)
{
	(void)self;
	fixture_note(values[OPTION_PATH].text, "tick");
	return act(IN_TICK);
}

static void close_hostile(void *self, int why)
{
	(void)self;
	(void)why;
	fixture_note(values[OPTION_PATH].text, "close");
	act(IN_CLOSE);
}

PANICMON_HANDLER = {
	FIXTURE_HEAD("hostile"), FIXTURE_OPTIONS(options), .check = check,
	.open = open_hostile,    .flush = flush,           .close = close_hostile,
	FIXTURE_EVENTS(take),    .tick = tick,
};
