/* handler/deliver.h: from the journal to the plugin, one event at a time. In a host only. */
#ifndef PM_HANDLER_DELIVER_H
#define PM_HANDLER_DELIVER_H

#include "handler/alerting.h"
#include "handler/host.h"
#include "handler/module.h"
#include "journal/journal.h"

struct pm_delivery {
	const struct pm_host_setup *setup;
	struct pm_module *module;
	const struct panicmon_host *host;
	struct panicmon_value *values; /* the plugin may keep pointers to them */
	void *self;                    /* the plugin's */
	char *reason; /* what the plugin gave to host->fail() in the call before, else empty */
	struct pm_journal_reader reader;
	uint64_t held; /* all up to here goes with what is HELD; a sequence number, 0: nothing */
	uint64_t held_count; /* of events, but for those that tell of losses */
	int64_t flush_at_ns; /* CLOCK_MONOTONIC: flush() is not to be called before */
	unsigned flush_failures;
	int64_t tick_at_ns;  /* 0: no tick was asked for */
	int64_t retry_in_ms; /* what the call before has asked for; -1: nothing */
	int64_t entered_ns;  /* of a test: CLOCK_MONOTONIC, when the last call began */
	bool monitor_died;   /* EOF on the socket */
	bool finished;       /* a tick was DEAD */
	bool dropping;       /* the event before was given up, and that was told */
	bool about_losses;   /* the event is one that tells of losses */
	int64_t nudged_ns;   /* when panicmon was told last that events were missed */
	uint64_t added;      /* events that are told beyond the journal's last */
	uint64_t exited;     /* of page->alive.pids: a bit for each whose end was read */
	struct pm_alerting alerting;
};

/* Delivers until the run has ended, or panicmon has, and closes the plugin. Returns the state to
 * leave behind. */
enum pm_host_state pm_delivery_run(struct pm_delivery *delivery);

/* ---- for host.c and the files of the delivery ---- */

/* Around each call into the plugin: the time limit runs while it is in there. */
void pm_delivery_enter(struct pm_delivery *delivery);
void pm_delivery_leave(struct pm_delivery *delivery);

/* After a call: for people who try the handler out. `answer` is the one on the page. */
void pm_delivery_note(struct pm_delivery *delivery, _Atomic int32_t *answer, int result);

#define PM_NEVER INT64_MAX
/* Waits for a message, or until until_ns (CLOCK_MONOTONIC; PM_NEVER), or until it is time for a tick.
 * True: a message came. Notices panicmon's death. */
bool pm_delivery_sleep(struct pm_delivery *delivery, int64_t until_ns);

/* The same, but calls tick() meanwhile and waits on. */
void pm_delivery_wait(struct pm_delivery *delivery, int64_t until_ns);

/* As long as the plugin has asked for, or longer with each failure (0, 1, 2...); not so long at the end of
 * a run, when the deadline is near. */
void pm_delivery_wait_to_retry(struct pm_delivery *delivery, unsigned failures);
int64_t pm_delivery_retry_at(struct pm_delivery *delivery, unsigned failures);

/* Calls tick() if it is due. */
void pm_delivery_tick(struct pm_delivery *delivery);

/* Whether the plugin is called for it: it has a function for it, and its section lets it through. */
bool pm_delivery_wants(const struct pm_delivery *delivery, const struct panicmon_event *event);

/* Delivers an event that is in no journal, between two that are: tries once, so that those that follow
 * are not held up. failures: how often that was RETRY before. False: the handler is finished. */
bool pm_delivery_made(struct pm_delivery *delivery, struct panicmon_event *event,
		      unsigned failures);

/* All events up to this one are done. */
void pm_delivery_advance(struct pm_delivery *delivery, uint64_t sequence);

/* `count` events up to this one are given up. Tells the first of several in a row: a storm on a full
 * disk must not become one of messages. A handler that gave no reason has told people itself. */
void pm_delivery_drop(struct pm_delivery *delivery, uint64_t sequence, uint64_t count,
		      const char *why);

/* An event, or flush(), that killed its host this often is set aside. */
enum { PM_DEATHS_MAX = 3 };

/* Sends what is held if it is time for that; false: the handler is finished. */
bool pm_held_flush_if_due(struct pm_delivery *delivery);

/* Sends what is held, however long that takes; false: the handler is finished. */
bool pm_held_flush(struct pm_delivery *delivery, enum panicmon_why why);

/* How long to wait after the n-th failure in a row (0, 1, 2...): 100 ms doubling to 30 s. */
int pm_backoff_ms(unsigned failures);

#endif
