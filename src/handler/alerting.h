/* handler/alerting.h: the rule of alerts.h at work: between the journal and a plugin that calls people.
 * In a host only. */
#ifndef PM_HANDLER_ALERTING_H
#define PM_HANDLER_ALERTING_H

#include <stdbool.h>
#include <stdint.h>

#include "handler/alerts.h"

struct pm_delivery;

/* process.recovered is in no journal: its number is this + that of the event it comes after. Numbers
 * up to 2^53 are exact wherever JSON is read. */
#define PM_ALERTING_SEQ (UINT64_C(1) << 52)

struct pm_alerting {
	bool on; /* else all of this does nothing */
	struct pm_alerts rule;
	char *key;           /* `incident` of the events */
	int folder;          /* where the incident is kept; -1: nowhere but on the page */
	int claim;           /* see pm_alerts_file_claim(); -1: none */
	bool unsaved;        /* it was not, which has been told */
	bool alerts;         /* the event in the plugin's hands is an alert, */
	uint64_t stands_for; /* for so many failures, */
	bool recovers;       /* or process.recovered */
	bool held;           /* the plugin has HELD it */
	unsigned retries;    /* of one that is in no journal, */
	int64_t retry_at_ns; /* CLOCK_MONOTONIC: which is not to be tried before; or, without any,
			      * when to look whether another panicmon has called */
};

/* Before events are delivered. folder: becomes the delivery's; -1: there is none. */
void pm_alerting_open(struct pm_delivery *delivery, int folder);

/* An event is to be delivered. False: not this one, now; it is withheld. */
bool pm_alerting_take(struct pm_delivery *delivery, struct panicmon_event *event);

/* What became of it; and of what was held. */
void pm_alerting_settle(struct pm_delivery *delivery, int result);
void pm_alerting_flushed(struct pm_delivery *delivery, bool delivered);

/* It is to be tried again, and others of this service are to know that somebody still does. */
void pm_alerting_goes_on(const struct pm_delivery *delivery);

/* Delivers what the clock, or the end of the run, asks for. False: the handler is finished. */
bool pm_alerting_turn(struct pm_delivery *delivery, bool end);

/* CLOCK_MONOTONIC: when to turn again; INT64_MAX: not before an event. */
int64_t pm_alerting_next_ns(const struct pm_delivery *delivery);

#endif
