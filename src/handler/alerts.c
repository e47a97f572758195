#include <config.h>

#include "handler/alerts.h"

#include <stdio.h>

#include "event/codec.h"

enum phase {
	CALM,   /* no incident */
	TOLD,   /* all failures are told */
	SILENT, /* some are not, and the window still runs */
	OWING,  /* some are not, and it is time */
	PHASES
};

static const enum pm_alerts_action actions[PHASES][PM_ALERTS_CAUSES] = {
	[CALM] = {PM_ALERTS_NOTHING, PM_ALERTS_NOTHING, PM_ALERTS_NOTHING},
	/* A failure that finds all told was told itself, and its host died before it could say so. */
	[TOLD] = {PM_ALERTS_NOTHING, PM_ALERTS_NOTHING, PM_ALERTS_NOTHING},
	[SILENT] = {PM_ALERTS_WITHHOLD, PM_ALERTS_NOTHING, PM_ALERTS_ALERT},
	[OWING] = {PM_ALERTS_ALERT, PM_ALERTS_ALERT, PM_ALERTS_ALERT},
};

/* A clock that was set back shows a time before the last alert: one more is better than none. */
static bool is_in_window(const struct pm_alerts *alerts, const struct pm_alerts_now *now)
{
	int64_t since = now->real_ns - alerts->incident.alerted_ns;

	return alerts->incident.alerted_ns != 0 && since >= 0 && since < alerts->window_ns;
}

static enum phase phase_of(const struct pm_alerts *alerts, const struct pm_alerts_now *now)
{
	if (alerts->incident.total == 0)
		return CALM;
	if (alerts->incident.owed == 0)
		return TOLD;
	return is_in_window(alerts, now) ? SILENT : OWING;
}

bool pm_alerts_is_failure(const struct panicmon_event *event)
{
	return event->type == PANICMON_PROCESS_FAILED ||
	       (event->type == PANICMON_PROCESS_EXITED && event->severity <= PANICMON_ERROR);
}

static void keep_failure(struct pm_incident *incident, const struct panicmon_event *event)
{
	struct panicmon_event small = *event;

	small.present &= ~(UINT64_C(1) << PANICMON_HAS_STDERR_TAIL);
	snprintf(incident->run, sizeof(incident->run), "%s", event->run);
	incident->seq = event->seq;
	incident->record_length =
		(uint32_t)pm_event_encode(&small, incident->record, sizeof(incident->record));
}

static void note_end(struct pm_alerts_run *run, const struct panicmon_event *event)
{
	run->running -= run->running > 0;
	run->failed |= pm_alerts_is_failure(event);
	if (run->running == 0 && run->failed == 0) {
		run->ended = 1;
		run->begun_seq = event->seq;
	}
}

bool pm_alerts_note(struct pm_alerts *alerts, const struct panicmon_event *event, bool counts,
		    const struct pm_alerts_now *now)
{
	struct pm_alerts_run *run = &alerts->run;

	if (event->seq <= run->seen)
		return false;
	run->seen = event->seq;
	if (event->type == PANICMON_PROCESS_STARTED) {
		run->running++;
		run->ended = 0;
		run->begun_ns = now->mono_ns;
		run->begun_seq = event->seq;
		run->pid = event->pid;
	} else if (event->type == PANICMON_PROCESS_EXITED ||
		   event->type == PANICMON_PROCESS_FAILED) {
		note_end(run, event);
	}
	if (!counts || !pm_alerts_is_failure(event))
		return false;
	run->given_up = 0;
	alerts->incident.total++;
	alerts->incident.owed++;
	keep_failure(&alerts->incident, event);
	return true;
}

static bool can_become_stable(const struct pm_alerts_run *run)
{
	return run->running > 0 && run->failed == 0;
}

static bool is_over(const struct pm_alerts *alerts, const struct pm_alerts_now *now)
{
	const struct pm_alerts_run *run = &alerts->run;

	return run->ended != 0 ||
	       (can_become_stable(run) && now->mono_ns - run->begun_ns >= alerts->stable_ns);
}

/* Without an event of its own to deliver. */
static bool can_alert(const struct pm_alerts *alerts)
{
	return alerts->run.given_up == 0 && alerts->incident.record_length > 0;
}

enum pm_alerts_action pm_alerts_decide(const struct pm_alerts *alerts, enum pm_alerts_cause cause,
				       const struct pm_alerts_now *now)
{
	enum phase phase = phase_of(alerts, now);
	bool new_one = cause == PM_ALERTS_FAILURE;

	if (phase != CALM && !new_one && is_over(alerts, now))
		return PM_ALERTS_RECOVER;
	if (!new_one && !can_alert(alerts))
		return PM_ALERTS_NOTHING;
	return actions[phase][cause];
}

int64_t pm_alerts_next_ns(const struct pm_alerts *alerts, const struct pm_alerts_now *now)
{
	const struct pm_alerts_run *run = &alerts->run;
	enum phase phase = phase_of(alerts, now);
	int64_t next = INT64_MAX;

	if (phase == CALM)
		return next;
	if (is_over(alerts, now))
		return now->mono_ns;
	if (can_become_stable(run))
		next = run->begun_ns + alerts->stable_ns;
	if (phase == SILENT && can_alert(alerts)) {
		int64_t left_ns = alerts->incident.alerted_ns + alerts->window_ns - now->real_ns;

		if (now->mono_ns + left_ns < next)
			next = now->mono_ns + left_ns;
	}
	if (phase == OWING && can_alert(alerts))
		next = now->mono_ns;
	return next;
}

void pm_alerts_told(struct pm_alerts *alerts, uint64_t count, const struct pm_alerts_now *now)
{
	struct pm_incident *incident = &alerts->incident;

	incident->owed -= count < incident->owed ? count : incident->owed;
	incident->alerted_ns = now->real_ns;
}

void pm_alerts_gave_up(struct pm_alerts *alerts)
{
	alerts->run.given_up = 1;
}

void pm_alerts_recovered(struct pm_alerts *alerts)
{
	alerts->incident = (struct pm_incident){0};
}
