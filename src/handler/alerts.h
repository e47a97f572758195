/* handler/alerts.h: the rule for a handler that calls people (PANICMON_ALERTS): the first failure at
 * once, those after it as one in each window, and then that it is over.
 *
 * An incident begins with a failure and ends when a run has been stable, or has ended well. A supervisor
 * starts panicmon again after each failure, so what is to be remembered of an incident is apart, and is
 * carried from one run to the next (handler/alerts_file.h). No clock is read here, nothing is written
 * or delivered.
 */
#ifndef PM_HANDLER_ALERTS_H
#define PM_HANDLER_ALERTS_H

#include <stdbool.h>
#include <stdint.h>

#include "panicmon/event.h"

/* What is kept of a failure that was withheld: without what may be long. */
enum { PM_ALERTS_RECORD_MAX = 512 };

/* All that is remembered of an incident. Zeroed: there is none. */
struct pm_incident {
	uint64_t total;     /* failures in it */
	uint64_t owed;      /* of those, the ones that no alert has stood for yet */
	int64_t alerted_ns; /* CLOCK_REALTIME, when an alert was delivered last; 0: none was */
	/* The last failure, which can still be delivered by its own id in a later run. */
	char run[33];
	uint64_t seq;
	uint32_t record_length; /* 0: there is no record */
	uint8_t record[PM_ALERTS_RECORD_MAX];
};

/* What is remembered of this run; the hosts of a handler hand it on. Zeroed at the start. */
struct pm_alerts_run {
	uint64_t seen;      /* all events up to this are in here, and in the incident */
	uint64_t begun_seq; /* of the last process.started, or of the end that was the last */
	int64_t begun_ns;   /* CLOCK_MONOTONIC, of the last process.started */
	uint32_t running;   /* commands */
	uint32_t failed;    /* one of this run has: it cannot become a stable one */
	uint32_t ended;     /* the last of them has, and well */
	uint32_t given_up;  /* the handler has dropped an alert: only a new failure makes another */
	int32_t pid;        /* of the last process.started */
};

struct pm_alerts {
	int64_t window_ns, stable_ns;
	struct pm_incident incident;
	struct pm_alerts_run run;
};

struct pm_alerts_now {
	int64_t real_ns, mono_ns;
};

/* What asks for an alert. */
enum pm_alerts_cause {
	PM_ALERTS_FAILURE, /* one is to be delivered */
	PM_ALERTS_CLOCK,   /* it is time to look */
	PM_ALERTS_END,     /* the run is over, and nothing is carried on */
	PM_ALERTS_CAUSES
};

enum pm_alerts_action {
	PM_ALERTS_NOTHING,
	PM_ALERTS_WITHHOLD, /* it is counted, and that is all */
	PM_ALERTS_ALERT,  /* the last failure is to be delivered: it stands for all that are owed */
	PM_ALERTS_RECOVER /* process.recovered is to be */
};

/* A failure that people are to be called for. */
bool pm_alerts_is_failure(const struct panicmon_event *event);

/* Takes in an event of this run, once: one that comes again changes nothing. counts: whether a failure is
 * one of the incident. Returns whether the incident has changed. */
bool pm_alerts_note(struct pm_alerts *alerts, const struct panicmon_event *event, bool counts,
		    const struct pm_alerts_now *now);

enum pm_alerts_action pm_alerts_decide(const struct pm_alerts *alerts, enum pm_alerts_cause cause,
				       const struct pm_alerts_now *now);

/* CLOCK_MONOTONIC: when to decide again because of the clock; INT64_MAX: not before an event. */
int64_t pm_alerts_next_ns(const struct pm_alerts *alerts, const struct pm_alerts_now *now);

/* An alert that stood for `count` failures was delivered; or was given up for good. */
void pm_alerts_told(struct pm_alerts *alerts, uint64_t count, const struct pm_alerts_now *now);
void pm_alerts_gave_up(struct pm_alerts *alerts);

/* process.recovered was delivered. */
void pm_alerts_recovered(struct pm_alerts *alerts);

#endif
