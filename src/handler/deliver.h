/* handler/deliver.h: from the journal to the plugin, one event at a time. In a host only. */
#ifndef PM_HANDLER_DELIVER_H
#define PM_HANDLER_DELIVER_H

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
	uint64_t held;     /* sequence number of the last event HELD, 0: none */
	bool monitor_died; /* EOF on the socket */
	bool dropping;     /* the event before was given up, and that was told */
	uint64_t added;    /* events that are told beyond the journal's last */
	uint64_t exited;   /* of page->alive.pids: a bit for each whose end was read */
};

/* Delivers until the run has ended, or panicmon has, and closes the plugin. Returns the state to
 * leave behind. */
enum pm_host_state pm_delivery_run(struct pm_delivery *delivery);

/* Waits for a message, or for timeout_ms (-1: for ever). Notices panicmon's death. */
void pm_delivery_wait(struct pm_delivery *delivery, int timeout_ms);

/* How long to wait after the n-th failure in a row (0, 1, 2...): 100 ms doubling to 30 s. */
int pm_backoff_ms(unsigned failures);

#endif
