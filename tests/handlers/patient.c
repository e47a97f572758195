/* patient: takes its time, and asks panicmon for it. Notes what it gets in the file `path`: "SEQ TYPE
 * ATTEMPT" of an event; of handler.lost "lost NAME LOST GIVEN-UP"; "flush WHY BUDGET", "tick", "close".
 */
#include "config.h"

#include <time.h>

#include "fixture.h"

enum {
	OPTION_PATH,
	OPTION_SLOW,
	OPTION_ALIVE,
	OPTION_SEQ,
	OPTION_RETRIES,
	OPTION_RETRY_IN,
	OPTION_HOLD,
	OPTION_FLUSH_RETRIES,
	OPTION_TICK,
	OPTION_TICKS,
	OPTION_SLOW_CLOSE,
	OPTION_OPEN_RETRIES,
	OPTION_DROPS
};

static const struct panicmon_option options[] = {
	[OPTION_PATH] = {.name = "path", .type = PANICMON_TEXT, .required = 1, .help = "a file"},
	/* How long a call takes, and whether it says that it is alive meanwhile. */
	[OPTION_SLOW] = {.name = "slow", .type = PANICMON_DURATION, .value = "0"},
	[OPTION_ALIVE] = {.name = "alive", .type = PANICMON_BOOL, .value = "no"},
	/* The event that is not taken so many times; 0: each. */
	[OPTION_SEQ] = {.name = "seq", .type = PANICMON_NUMBER, .value = "0"},
	[OPTION_RETRIES] = {.name = "retries", .type = PANICMON_NUMBER, .value = "0"},
	[OPTION_RETRY_IN] = {.name = "retry_in", .type = PANICMON_DURATION},
	[OPTION_HOLD] = {.name = "hold", .type = PANICMON_BOOL, .value = "no"},
	[OPTION_FLUSH_RETRIES] = {.name = "flush_retries", .type = PANICMON_NUMBER, .value = "0"},
	/* 0: none; the last of `ticks` is DEAD, if that is not 0. */
	[OPTION_TICK] = {.name = "tick", .type = PANICMON_DURATION, .value = "0"},
	[OPTION_TICKS] = {.name = "ticks", .type = PANICMON_NUMBER, .value = "0"},
	[OPTION_SLOW_CLOSE] = {.name = "slow_close", .type = PANICMON_DURATION, .value = "0"},
	[OPTION_OPEN_RETRIES] = {.name = "open_retries", .type = PANICMON_NUMBER, .value = "0"},
	/* Gives every other batch up. */
	[OPTION_DROPS] = {.name = "drops", .type = PANICMON_BOOL, .value = "no"},
};

struct patient {
	const struct panicmon_host *host;
	const struct panicmon_value *values;
	int64_t flushes, ticks;
};

static struct patient patient;

static void note(const char *text)
{
	fixture_note(patient.values[OPTION_PATH].text, text);
}

static int open_patient(const struct panicmon_host *host, const struct panicmon_value *values,
			void **self)
{
	static int64_t calls;

	patient = (struct patient){.host = host, .values = values};
	if (values[OPTION_TICK].number > 0)
		host->tick_in(host, (uint32_t)values[OPTION_TICK].number);
	if (calls++ < values[OPTION_OPEN_RETRIES].number)
		return PANICMON_RETRY;
	*self = &patient;
	if (calls > 1)
		note("open");
	return 0;
}

static void take_time(const struct patient *self, int option)
{
	for (int64_t left = self->values[option].number; left > 0; left -= 10) {
		nanosleep(&(const struct timespec){.tv_nsec = 10000000}, NULL);
		if (self->values[OPTION_ALIVE].number != 0)
			self->host->alive(self->host);
	}
}

static int retry(const struct patient *self)
{
	if (self->values[OPTION_RETRY_IN].given != 0)
		self->host->retry_in(self->host, (uint32_t)self->values[OPTION_RETRY_IN].number);
	return PANICMON_RETRY;
}

static int take(void *arg, const struct panicmon_event *event)
{
	struct patient *self = arg;
	uint64_t seq = (uint64_t)self->values[OPTION_SEQ].number;

	fixture_note_event(self->values[OPTION_PATH].text, event);
	take_time(self, OPTION_SLOW);
	if ((seq == 0 || seq == event->seq) && event->attempt <= self->values[OPTION_RETRIES].number)
		return retry(self);
	return self->values[OPTION_HOLD].number != 0 ? PANICMON_HELD : PANICMON_DONE;
}

static int flush(void *arg, uint32_t budget_ms, int why)
{
	struct patient *self = arg;
	char line[64];

	snprintf(line, sizeof(line), "flush %d %u", why, budget_ms);
	note(line);
	take_time(self, OPTION_SLOW);
	if (++self->flushes <= self->values[OPTION_FLUSH_RETRIES].number)
		return retry(self);
	if (self->values[OPTION_DROPS].number != 0 && self->flushes % 2 != 0)
		return PANICMON_DROP;
	return PANICMON_DONE;
}

static int tick(void *arg)
{
	struct patient *self = arg;

	note("tick");
	if (++self->ticks == self->values[OPTION_TICKS].number)
		return PANICMON_DEAD;
	self->host->tick_in(self->host, (uint32_t)self->values[OPTION_TICK].number);
	return PANICMON_DONE;
}

static int hear_of_losses(void *self, const struct panicmon_event *event)
{
	char line[128];

	(void)self;
	snprintf(line, sizeof(line), "lost %s %lld %lld", event->handler, (long long)event->lost,
		 (long long)event->dropped);
	note(line);
	return PANICMON_DONE;
}

static void close_patient(void *self, int why)
{
	(void)why;
	note("close");
	take_time(self, OPTION_SLOW_CLOSE);
}

PANICMON_HANDLER = {
	FIXTURE_HEAD("patient"),
	FIXTURE_OPTIONS(options),
	.open = open_patient,
	.flush = flush,
	.close = close_patient,
	FIXTURE_EVENTS(take),
	.tick = tick,
	.monitor =
		&(const struct panicmon_monitor_ops){
			.size = sizeof(struct panicmon_monitor_ops),
			.lost = hear_of_losses,
		},
};
