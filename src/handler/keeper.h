/* handler/keeper.h: panicmon's side of the handlers: starts a host for each, feeds them through the
 * journal, starts those again that fall, and drains them at the end.
 *
 * Runs in the supervising process, so it trusts nothing that comes from a host and never waits for
 * one but in start and drain, each with a deadline.
 */
#ifndef PM_HANDLER_KEEPER_H
#define PM_HANDLER_KEEPER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/loop.h"
#include "config/config.h"
#include "event/event.h"
#include "handler/host.h"
#include "handler/output.h"
#include "handler/page.h"
#include "journal/journal.h"
#include "process/children.h"
#include "process/guard.h"

/* Takes a line for people, without a newline; of a handler, NULL: of panicmon itself. */
typedef void pm_keeper_report(void *arg, const char *handler, const char *text);

/* What the hosts are to do. */
struct pm_keeper_mode {
	enum pm_host_purpose purpose;
	bool test;   /* their answers are wanted: each has one try, for one event */
	size_t room; /* bytes for a host beside its page, whole pages of memory */
};

struct pm_keeper;

/* One handler, over the lives of its hosts. */
struct pm_keeper_slot {
	struct pm_keeper *keeper;
	const struct pm_config_handler *config;
	struct pm_host_page *page;
	struct pm_child child;
	struct pm_source socket;
	struct pm_timer storm;     /* while too many messages are not listened to */
	int64_t messages_since_ns; /* CLOCK_MONOTONIC */
	unsigned messages;         /* since then */
	struct pm_output output;
	struct pm_timer backoff;
	struct pm_timer watch;   /* runs while the host is not asleep */
	unsigned stuck_looks;    /* in a row that saw it in one call, or not to wake up */
	uint64_t stuck_at;       /* the page's `calls` and `delivered` then */
	int64_t started_ns;      /* of the host, CLOCK_MONOTONIC */
	unsigned failures;       /* deaths in a row */
	uint64_t delivered_seen; /* `page->delivered` at the last death */
	struct pm_timer losses;  /* after one was noticed, until there were none for a second */
	uint64_t lost_told, dropped_told;
	bool running, gone; /* gone: no host is to be started any more */
	bool has_worked;    /* a host of it was ready once */
	bool late;          /* its host was killed for having taken too long */
	int status;         /* of its last host, as of wait4(2) */
};

struct pm_keeper {
	struct pm_loop *loop;
	struct pm_children *children;
	const struct pm_config *config;
	const struct pm_identity *identity;
	struct pm_keeper_mode mode;
	pm_keeper_report *report;
	void *report_arg;
	struct pm_journal journal;
	void *pages;
	size_t page_size;
	struct pm_keeper_slot *slots;
	size_t count;
	size_t refused; /* required handlers that cannot work */
	bool starting, draining;
	uint64_t told;          /* events that tell of losses, of those published */
	struct pm_guard *guard; /* NULL: there is none */

	/* When the hosts are to be woken: see pm_keeper_wake(). */
	struct pm_source lull; /* a timerfd(2) */
	bool waits_for_lull;
	unsigned lull_waited;    /* how often it has been put off */
	uint64_t lull_published; /* `journal.published` when it was set last, */
	uint64_t woken_at;       /* and when the hosts were woken last */

	uint8_t *record; /* an event being encoded */
	int state_dir;   /* a descriptor; -1: there is none */
};

/* Starts a host for each handler of the config. With none, this and all the rest is a no-op. */
int pm_keeper_open(struct pm_keeper *keeper, struct pm_loop *loop, struct pm_children *children,
		   const struct pm_config *config, const struct pm_identity *identity,
		   struct pm_keeper_mode mode, pm_keeper_report *report, void *report_arg,
		   struct pm_error *error);

/* Turns the loop until every handler is ready, waits for something slow, or was refused; at most
 * for start_timeout. Returns the number of required handlers that were refused (each was reported):
 * other than 0, the command must not be started.
 * With another purpose than to deliver, until each is loaded and looked at, and all that were refused
 * count; with that and of a test, what takes longer is reported and killed. */
size_t pm_keeper_wait_ready(struct pm_keeper *keeper);

/* Numbers and records an event. The hosts are not woken yet. */
void pm_keeper_publish(struct pm_keeper *keeper, struct panicmon_event *event);

/* Wakes the hosts as soon as nothing was published for a millisecond, so that they take no processor
 * from the command while signals reach it; at the latest after a tenth of a second, or when half of
 * what the journal holds is new. */
void pm_keeper_wake(struct pm_keeper *keeper);

/* Of a test: turns the loop until every handler has answered the event that was published, or fell. */
void pm_keeper_wait_answers(struct pm_keeper *keeper);

/* What a host has left on its page: lines of text, without control characters; and beside it: any bytes. */
void pm_slot_message(const struct pm_keeper_slot *slot, char *text, size_t size);
char *pm_slot_room(const struct pm_keeper_slot *slot);
/* How its last host ended: "was killed by SIGSEGV". */
void pm_slot_describe_end(const struct pm_keeper_slot *slot, char *text, size_t size);

/* Ends all hosts at once, with all that they have forked. */
void pm_keeper_kill(struct pm_keeper *keeper);

/* Reports a line; for slot.c. */
void pm_keeper_say(const struct pm_keeper *keeper, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For the hosts, should panicmon be killed: how many commands there are, and whether each leads a group
 * of its own; then, as it begins, the pid of one of them, 0: it has ended. */
void pm_keeper_expect(struct pm_keeper *keeper, unsigned commands, bool groups);
void pm_keeper_set_alive(struct pm_keeper *keeper, unsigned index, int32_t pid);

/* Has `guard`, which runs from now on, look after the hosts. */
void pm_keeper_set_guard(struct pm_keeper *keeper, struct pm_guard *guard);

/* Turns the loop until every handler has everything, at most for drain_timeout; then kills what is
 * left, and reports what was not delivered. With another purpose than to deliver, kills at once. */
void pm_keeper_drain(struct pm_keeper *keeper);

/* A zeroed keeper is closed already. */
void pm_keeper_close(struct pm_keeper *keeper);

#endif
