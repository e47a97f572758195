#include <config.h>

#include "handler/alerting.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/codec.h"
#include "handler/alerts_file.h"
#include "handler/deliver.h"

static struct pm_alerts_now now(void)
{
	return (struct pm_alerts_now){pm_clock_realtime(), pm_clock_monotonic()};
}

/* Against another panicmon of this service, from load() to keep(). One that does not let go, as it was
 * stopped, is not waited for, nor is a file system that locks no folders, such as NFS: at worst a failure is
 * not counted. */
static void lock(const struct pm_delivery *delivery)
{
	const struct timespec pause = {.tv_nsec = 5 * PM_NS_PER_MS};

	for (int tries = 200; delivery->alerting.folder >= 0 && tries > 0; tries--) {
		if (flock(delivery->alerting.folder, LOCK_EX | LOCK_NB) == 0 ||
		    errno != EWOULDBLOCK)
			return;
		nanosleep(&pause, NULL);
	}
}

static void unlock(const struct pm_delivery *delivery)
{
	if (delivery->alerting.folder >= 0)
		flock(delivery->alerting.folder, LOCK_UN);
}

static void say(const struct pm_delivery *delivery, const char *what, const char *why)
{
	char text[1200];

	snprintf(text, sizeof(text), "%s: %s", what, why);
	delivery->host->log(delivery->host, PANICMON_WARNING, text);
}

static void save(struct pm_delivery *delivery)
{
	struct pm_alerting *alerting = &delivery->alerting;
	struct pm_error error;

	if (alerting->folder < 0)
		return;
	bool saved = pm_alerts_file_save(alerting->folder, &alerting->rule.incident, &error) == 0;
	if (!saved && !alerting->unsaved)
		say(delivery, "what is known of failures cannot be kept for the next run",
		    error.text);
	alerting->unsaved = !saved;
}

/* What another panicmon of this service has written meanwhile counts, too. */
static void load(struct pm_delivery *delivery)
{
	struct pm_alerting *alerting = &delivery->alerting;
	struct pm_incident found;
	struct pm_error error;

	if (alerting->folder < 0 || alerting->unsaved)
		return;
	int result = pm_alerts_file_load(alerting->folder, &found, &error);
	if (result < 0) {
		say(delivery, "what is known of earlier failures is lost; it begins anew",
		    error.text);
		/* Or it would be told at each look. */
		save(delivery);
	} else {
		alerting->rule.incident = result > 0 ? found : (struct pm_incident){0};
	}
}

/* On the page in any case: the next host of this run is to know which events are in it. */
static void keep(struct pm_delivery *delivery, bool changed)
{
	struct pm_alerting *alerting = &delivery->alerting;

	if (changed)
		save(delivery);
	pm_alerts_copy_write(delivery->setup->page->alerts, &alerting->rule, alerting->unsaved);
}

/* Between lock() and unlock(). False: another panicmon of this service is calling people just now, and what
 * is owed is told when that has come to nothing, or when the window is over. */
static bool claim(struct pm_delivery *delivery, enum pm_alerts_claim what,
		  const struct pm_alerts_now *at)
{
	struct pm_alerting *alerting = &delivery->alerting;
	int64_t window_ns = alerting->rule.window_ns;

	if (alerting->folder < 0 || alerting->claim >= 0 ||
	    pm_alerts_file_claim(alerting->folder, what, window_ns > 0 ? window_ns : INT64_MAX,
				 &alerting->claim))
		return true;
	alerting->retry_at_ns = at->mono_ns + PM_NS_PER_S;
	return false;
}

static void release(struct pm_alerting *alerting)
{
	if (alerting->claim >= 0)
		close(alerting->claim);
	alerting->claim = -1;
}

/* Likewise, for a failure that is to be told. Without a window each is, whoever calls meanwhile. */
static bool claim_failure(struct pm_delivery *delivery, const struct pm_alerts_now *at)
{
	struct pm_alerting *alerting = &delivery->alerting;

	alerting->stands_for = alerting->rule.incident.owed;
	if (claim(delivery, PM_ALERTS_CLAIM_FAILURE, at))
		return true;
	if (alerting->rule.window_ns > 0)
		return false;
	alerting->stands_for = 1;
	alerting->retry_at_ns = 0;
	/* Its own failure is nobody else's to tell, so it is told even if this is refused. */
	claim(delivery, PM_ALERTS_CLAIM_BESIDE, at);
	return true;
}

void pm_alerting_open(struct pm_delivery *delivery, int folder)
{
	struct pm_alerting *alerting = &delivery->alerting;
	const struct pm_host_setup *setup = delivery->setup;
	const struct pm_alerts_copy *copy = pm_alerts_copy_newest(setup->page->alerts);

	*alerting = (struct pm_alerting){
		.on = (delivery->module->handler.flags & PANICMON_ALERTS) != 0,
		.rule = {.window_ns = setup->config->alert_window_ms * PM_NS_PER_MS,
			 .stable_ns = setup->config->stable_after_ms * PM_NS_PER_MS},
		.folder = folder,
		.claim = -1,
	};
	if (!alerting->on)
		return;
	if (asprintf(&alerting->key, "%s@%s", setup->identity->name, setup->identity->host) < 0)
		alerting->key = strdup(setup->identity->host);
	if (copy != NULL) {
		alerting->rule.incident = copy->incident;
		alerting->rule.run = copy->run;
		alerting->unsaved = copy->unsaved != 0;
	}
	if (!setup->test)
		load(delivery);
}

static void sign(struct pm_delivery *delivery, struct panicmon_event *event, uint64_t crashes)
{
	PM_EVENT_SET(event, INCIDENT, incident, delivery->alerting.key);
	PM_EVENT_SET(event, CRASHES, crashes, (int64_t)crashes);
}

/* The event is no failure that has happened. */
static void take_test(struct pm_delivery *delivery, struct panicmon_event *event)
{
	if (event->type == PANICMON_PROCESS_RECOVERED || pm_alerts_is_failure(event))
		sign(delivery, event, 1);
}

bool pm_alerting_take(struct pm_delivery *delivery, struct panicmon_event *event)
{
	struct pm_alerting *alerting = &delivery->alerting;

	if (!alerting->on)
		return true;
	if (delivery->setup->test) {
		take_test(delivery, event);
		return true;
	}
	if (!pm_event_is_lifecycle(event->type))
		return true;
	bool counts = pm_alerts_is_failure(event) && pm_delivery_wants(delivery, event);
	/* One thing at a time: what becomes of the last one says what is to become of this. */
	if (counts && alerting->held && !pm_held_flush(delivery, PANICMON_BATCH)) {
		delivery->finished = true;
		return false;
	}
	lock(delivery);
	load(delivery);
	const struct pm_alerts_now at = now();
	keep(delivery, pm_alerts_note(&alerting->rule, event, counts, &at));
	bool alerts =
		counts &&
		pm_alerts_decide(&alerting->rule, PM_ALERTS_FAILURE, &at) == PM_ALERTS_ALERT &&
		claim_failure(delivery, &at);
	unlock(delivery);
	if (!alerts)
		return !counts;
	alerting->alerts = true;
	sign(delivery, event, alerting->stands_for);
	return true;
}

static void conclude(struct pm_delivery *delivery, bool delivered)
{
	struct pm_alerting *alerting = &delivery->alerting;
	const struct pm_alerts_now at = now();

	if (!alerting->alerts && !alerting->recovers)
		return;
	lock(delivery);
	load(delivery);
	if (alerting->recovers) /* or it would be made for ever */
		pm_alerts_recovered(&alerting->rule);
	else if (delivered)
		pm_alerts_told(&alerting->rule, alerting->stands_for, &at);
	else
		pm_alerts_gave_up(&alerting->rule);
	alerting->alerts = alerting->recovers = alerting->held = false;
	alerting->retries = 0;
	alerting->retry_at_ns = 0;
	keep(delivery, true);
	release(alerting);
	unlock(delivery);
}

void pm_alerting_settle(struct pm_delivery *delivery, int result)
{
	struct pm_alerting *alerting = &delivery->alerting;

	/* Of what is held, flush() says what became. */
	if (alerting->held || (!alerting->alerts && !alerting->recovers))
		return;
	if (result == PANICMON_HELD) {
		alerting->held = true;
	} else if (result == PANICMON_RETRY) {
		alerting->alerts = alerting->recovers = false;
		release(alerting);
		alerting->retry_at_ns = pm_delivery_retry_at(delivery, alerting->retries++);
	} else if (result != PANICMON_DEAD) {
		conclude(delivery, result == PANICMON_DONE);
	}
}

void pm_alerting_flushed(struct pm_delivery *delivery, bool delivered)
{
	if (delivery->alerting.held)
		conclude(delivery, delivered);
}

void pm_alerting_goes_on(const struct pm_delivery *delivery)
{
	if (delivery->alerting.claim >= 0)
		pm_alerts_file_claim_again(delivery->alerting.claim);
}

/* The last failure, by the id it has had since it happened. */
static bool deliver_owed(struct pm_delivery *delivery)
{
	struct pm_alerting *alerting = &delivery->alerting;
	/* A copy: the incident may be another one before the event is delivered. */
	const struct pm_incident incident = alerting->rule.incident;
	struct panicmon_event event;

	if (pm_event_decode(incident.record, incident.record_length, &event) < 0) {
		pm_alerts_gave_up(&alerting->rule);
		release(alerting);
		return true;
	}
	pm_identity_sign(delivery->setup->identity, &event);
	event.seq = incident.seq;
	event.run = incident.run;
	sign(delivery, &event, incident.owed);
	alerting->alerts = true;
	alerting->stands_for = incident.owed;
	return pm_delivery_made(delivery, &event, alerting->retries);
}

static bool deliver_recovered(struct pm_delivery *delivery)
{
	struct pm_alerting *alerting = &delivery->alerting;
	const struct pm_alerts *rule = &alerting->rule;
	struct panicmon_event event = pm_event_make(PANICMON_PROCESS_RECOVERED, rule->run.pid);

	event.severity = pm_event_severity(&event);
	event.seq = PM_ALERTING_SEQ + rule->run.begun_seq;
	pm_identity_sign(delivery->setup->identity, &event);
	sign(delivery, &event, rule->incident.total);
	/* It stands for what is owed as well, but to one that does not take it. */
	if (!pm_delivery_wants(delivery, &event) && rule->incident.owed > 0 &&
	    rule->incident.record_length > 0 && rule->run.given_up == 0)
		return deliver_owed(delivery);
	alerting->recovers = true;
	return pm_delivery_made(delivery, &event, alerting->retries);
}

/* What is to be done now. What this host remembers may be old: before it calls, it looks at what others of
 * this service have done. */
static enum pm_alerts_action decide(struct pm_delivery *delivery, enum pm_alerts_cause cause)
{
	const struct pm_alerts *rule = &delivery->alerting.rule;
	struct pm_alerts_now at = now();
	enum pm_alerts_action action = pm_alerts_decide(rule, cause, &at);

	if (action == PM_ALERTS_NOTHING)
		return action;
	lock(delivery);
	load(delivery);
	/* The time of before that may be earlier than that of their call: as if the clock were set back. */
	at = now();
	action = pm_alerts_decide(rule, cause, &at);
	if (action != PM_ALERTS_NOTHING && !claim(delivery, PM_ALERTS_CLAIM_OWED, &at))
		action = PM_ALERTS_NOTHING;
	unlock(delivery);
	return action;
}

bool pm_alerting_turn(struct pm_delivery *delivery, bool end)
{
	struct pm_alerting *alerting = &delivery->alerting;
	/* What is kept can be told by the next run. */
	bool last = end && (alerting->folder < 0 || alerting->unsaved);
	bool goes_on = true;

	if (!alerting->on || delivery->setup->test)
		return true;
	while (goes_on && !alerting->held && !delivery->finished) {
		bool early = pm_clock_monotonic() < alerting->retry_at_ns;

		if (early && !end)
			break;
		/* For another panicmon the end does not wait. */
		if (early && alerting->retries > 0) {
			pm_delivery_wait(delivery, alerting->retry_at_ns);
			continue;
		}
		enum pm_alerts_action action =
			decide(delivery, last ? PM_ALERTS_END : PM_ALERTS_CLOCK);

		if (action == PM_ALERTS_ALERT)
			goes_on = deliver_owed(delivery);
		else if (action == PM_ALERTS_RECOVER)
			goes_on = deliver_recovered(delivery);
		else
			break;
	}
	return goes_on && !delivery->finished;
}

int64_t pm_alerting_next_ns(const struct pm_delivery *delivery)
{
	const struct pm_alerting *alerting = &delivery->alerting;

	if (!alerting->on || alerting->held || delivery->setup->test)
		return INT64_MAX;
	const struct pm_alerts_now at = now();
	int64_t next = pm_alerts_next_ns(&alerting->rule, &at);
	return next < alerting->retry_at_ns ? alerting->retry_at_ns : next;
}
