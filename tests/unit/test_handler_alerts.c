/* The handler room: the rule of alerts and the filter, with a clock that the tests set. */
#include <config.h>

#include "test_handler.h"

#include <signal.h>
#include <string.h>

#include "event/codec.h"
#include "event/event.h"
#include "handler/alerts.h"
#include "handler/filter.h"

enum { WINDOW = 300, STABLE = 60 };
#define SECOND INT64_C(1000000000)
#define BEGIN (INT64_C(1700000000) * SECOND)

static struct pm_alerts alerts;
static struct pm_alerts_now now;
static uint64_t seq;
static const char *run_id;

static void set_up(void)
{
	alerts = (struct pm_alerts){.window_ns = WINDOW * SECOND, .stable_ns = STABLE * SECOND};
	now = (struct pm_alerts_now){BEGIN, 1000 * SECOND};
	seq = 0;
	run_id = "00000000000000000000000000000001";
}

static void pass(int64_t seconds)
{
	now.real_ns += seconds * SECOND;
	now.mono_ns += seconds * SECOND;
}

static struct panicmon_event event_of(enum panicmon_event_type type, int32_t code)
{
	struct panicmon_event event = pm_event_make(type, 4711);

	if (type == PANICMON_PROCESS_EXITED) {
		PM_EVENT_SET(&event, CODE, code, code);
		PM_EVENT_SET(&event, REASON, reason, PANICMON_REASON_EXITED);
		PM_EVENT_SET(&event, STDERR_TAIL, stderr_tail, "the end");
	}
	event.severity = pm_event_severity(&event);
	event.run = run_id;
	return event;
}

static bool note(enum panicmon_event_type type, int32_t code)
{
	struct panicmon_event event = event_of(type, code);

	event.seq = ++seq;
	return pm_alerts_note(&alerts, &event, true, &now);
}

static enum pm_alerts_action decide(enum pm_alerts_cause cause)
{
	return pm_alerts_decide(&alerts, cause, &now);
}

/* panicmon is started again: what is remembered of its run is gone. */
static void next_run(void)
{
	alerts.run = (struct pm_alerts_run){0};
	seq = 0;
	run_id = "00000000000000000000000000000002";
}

static void start(void)
{
	next_run();
	ck_assert(!note(PANICMON_PROCESS_STARTED, 0));
}

/* A failure after a start; returns how many the alert stands for, 0: it is withheld. */
static uint64_t crash(void)
{
	start();
	ck_assert(note(PANICMON_PROCESS_EXITED, 1));
	if (decide(PM_ALERTS_FAILURE) != PM_ALERTS_ALERT) {
		ck_assert_int_eq(decide(PM_ALERTS_FAILURE), PM_ALERTS_WITHHOLD);
		return 0;
	}
	uint64_t owed = alerts.incident.owed;
	pm_alerts_told(&alerts, owed, &now);
	return owed;
}

START_TEST(what_is_a_failure)
{
	struct panicmon_event event;

	event = event_of(PANICMON_PROCESS_FAILED, 0);
	ck_assert(pm_alerts_is_failure(&event));
	event = event_of(PANICMON_PROCESS_EXITED, 1);
	ck_assert(pm_alerts_is_failure(&event));
	event = event_of(PANICMON_PROCESS_EXITED, 0);
	ck_assert(!pm_alerts_is_failure(&event));
	event = event_of(PANICMON_SIGNAL_FAILED, 0);
	ck_assert(!pm_alerts_is_failure(&event));
	event = event_of(PANICMON_PROCESS_RECOVERED, 0);
	ck_assert(!pm_alerts_is_failure(&event));
	/* A stop that was asked for, and a crash. */
	event = event_of(PANICMON_PROCESS_EXITED, -1);
	PM_EVENT_SET(&event, REASON, reason, PANICMON_REASON_SIGNALED);
	PM_EVENT_SET(&event, SIGNAL, signal, SIGTERM);
	event.severity = pm_event_severity(&event);
	ck_assert(pm_alerts_is_failure(&event));
	PM_EVENT_SET(&event, STOP_REQUESTED, stop_requested, 1);
	event.severity = pm_event_severity(&event);
	ck_assert(!pm_alerts_is_failure(&event));
}
END_TEST

START_TEST(once_then_one_a_window)
{
	ck_assert_uint_eq(crash(), 1);
	for (int i = 1; i < WINDOW / 10; i++) {
		pass(10);
		ck_assert_uint_eq(crash(), 0);
	}
	pass(10);
	ck_assert_uint_eq(crash(), WINDOW / 10);
	pass(WINDOW - 1);
	ck_assert_uint_eq(crash(), 0);
	pass(1);
	ck_assert_uint_eq(crash(), 2);
	ck_assert_uint_eq(alerts.incident.total, WINDOW / 10 + 3);
}
END_TEST

START_TEST(the_clock)
{
	crash();
	ck_assert_int_eq(pm_alerts_next_ns(&alerts, &now), INT64_MAX);
	pass(10);
	crash();
	next_run();
	ck_assert_int_eq(decide(PM_ALERTS_CLOCK), PM_ALERTS_NOTHING);
	ck_assert_int_eq(pm_alerts_next_ns(&alerts, &now), now.mono_ns + (WINDOW - 10) * SECOND);
	pass(WINDOW - 10);
	ck_assert_int_eq(pm_alerts_next_ns(&alerts, &now), now.mono_ns);
	ck_assert_int_eq(decide(PM_ALERTS_CLOCK), PM_ALERTS_ALERT);
	pm_alerts_told(&alerts, alerts.incident.owed, &now);
	ck_assert_int_eq(decide(PM_ALERTS_CLOCK), PM_ALERTS_NOTHING);
	ck_assert_int_eq(pm_alerts_next_ns(&alerts, &now), INT64_MAX);
}
END_TEST

START_TEST(stable)
{
	crash();
	start();
	ck_assert_int_eq(pm_alerts_next_ns(&alerts, &now), now.mono_ns + STABLE * SECOND);
	pass(STABLE - 1);
	ck_assert_int_eq(decide(PM_ALERTS_CLOCK), PM_ALERTS_NOTHING);
	pass(1);
	ck_assert_int_eq(decide(PM_ALERTS_CLOCK), PM_ALERTS_RECOVER);
	ck_assert_int_eq(pm_alerts_next_ns(&alerts, &now), now.mono_ns);
	pm_alerts_recovered(&alerts);
	ck_assert_int_eq(decide(PM_ALERTS_CLOCK), PM_ALERTS_NOTHING);
	ck_assert_int_eq(pm_alerts_next_ns(&alerts, &now), INT64_MAX);
	/* Another incident, within the window of the last alert. */
	ck_assert_uint_eq(crash(), 1);
}
END_TEST

START_TEST(a_good_end)
{
	crash();
	start();
	ck_assert(!note(PANICMON_PROCESS_EXITED, 0));
	ck_assert_int_eq(decide(PM_ALERTS_CLOCK), PM_ALERTS_RECOVER);
	ck_assert_uint_eq(alerts.run.begun_seq, 2);
	ck_assert_int_eq(decide(PM_ALERTS_END), PM_ALERTS_RECOVER);
}
END_TEST

START_TEST(without_an_incident)
{
	start();
	note(PANICMON_PROCESS_EXITED, 0);
	ck_assert_int_eq(decide(PM_ALERTS_CLOCK), PM_ALERTS_NOTHING);
	ck_assert_int_eq(decide(PM_ALERTS_END), PM_ALERTS_NOTHING);
	ck_assert_int_eq(pm_alerts_next_ns(&alerts, &now), INT64_MAX);
}
END_TEST

/* All are well, or none. */
START_TEST(several_instances)
{
	crash();
	start();
	note(PANICMON_PROCESS_STARTED, 0);
	note(PANICMON_PROCESS_EXITED, 0);
	ck_assert_int_eq(decide(PM_ALERTS_CLOCK), PM_ALERTS_NOTHING);
	note(PANICMON_PROCESS_EXITED, 0);
	ck_assert_int_eq(decide(PM_ALERTS_CLOCK), PM_ALERTS_RECOVER);
	start();
	note(PANICMON_PROCESS_STARTED, 0);
	ck_assert(note(PANICMON_PROCESS_EXITED, 1));
	pass(2 * STABLE);
	ck_assert_int_eq(decide(PM_ALERTS_CLOCK), PM_ALERTS_NOTHING);
	note(PANICMON_PROCESS_EXITED, 0);
	ck_assert_int_eq(decide(PM_ALERTS_CLOCK), PM_ALERTS_NOTHING);
}
END_TEST

START_TEST(an_event_that_comes_again)
{
	struct panicmon_event event = event_of(PANICMON_PROCESS_EXITED, 1);

	event.seq = 7;
	ck_assert(pm_alerts_note(&alerts, &event, true, &now));
	ck_assert(!pm_alerts_note(&alerts, &event, true, &now));
	ck_assert_uint_eq(alerts.incident.total, 1);
	ck_assert_int_eq(decide(PM_ALERTS_FAILURE), PM_ALERTS_ALERT);
	pm_alerts_told(&alerts, 1, &now);
	/* Its host died before it could say that it was told. */
	ck_assert_int_eq(decide(PM_ALERTS_FAILURE), PM_ALERTS_NOTHING);
}
END_TEST

START_TEST(a_failure_that_is_left_out)
{
	struct panicmon_event event = event_of(PANICMON_PROCESS_EXITED, 1);

	crash();
	start();
	event.seq = 2;
	ck_assert(!pm_alerts_note(&alerts, &event, false, &now));
	ck_assert_uint_eq(alerts.incident.total, 1);
	ck_assert_int_eq(decide(PM_ALERTS_CLOCK), PM_ALERTS_NOTHING); /* and the run not well */
}
END_TEST

START_TEST(given_up)
{
	start();
	note(PANICMON_PROCESS_EXITED, 1);
	pm_alerts_gave_up(&alerts);
	/* The clock does not try it again and again, */
	ck_assert_int_eq(decide(PM_ALERTS_CLOCK), PM_ALERTS_NOTHING);
	ck_assert_int_eq(decide(PM_ALERTS_END), PM_ALERTS_NOTHING);
	ck_assert_int_eq(pm_alerts_next_ns(&alerts, &now), INT64_MAX);
	/* but the next failure stands for it, too, and so does the next run. */
	note(PANICMON_PROCESS_EXITED, 1);
	ck_assert_int_eq(decide(PM_ALERTS_FAILURE), PM_ALERTS_ALERT);
	ck_assert_uint_eq(alerts.incident.owed, 2);
	pm_alerts_gave_up(&alerts);
	next_run();
	ck_assert_int_eq(decide(PM_ALERTS_CLOCK), PM_ALERTS_ALERT);
}
END_TEST

START_TEST(the_end_of_what_is_not_kept)
{
	crash();
	ck_assert_int_eq(decide(PM_ALERTS_END), PM_ALERTS_NOTHING);
	crash();
	ck_assert_int_eq(decide(PM_ALERTS_END), PM_ALERTS_ALERT);
}
END_TEST

START_TEST(a_clock_that_is_set)
{
	crash();
	now.real_ns -= 3600 * SECOND;
	ck_assert_uint_eq(crash(), 1);
	ck_assert_uint_eq(crash(), 0);
	now.real_ns += 7200 * SECOND;
	ck_assert_uint_eq(crash(), 2);
}
END_TEST

START_TEST(no_window)
{
	alerts.window_ns = 0;
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(crash(), 1);
	ck_assert_uint_eq(alerts.incident.total, 3);
}
END_TEST

/* With the id that it had, but without what may be long. */
START_TEST(the_last_failure_is_kept)
{
	struct panicmon_event back;

	crash();
	start();
	ck_assert(note(PANICMON_PROCESS_EXITED, 9));
	ck_assert_str_eq(alerts.incident.run, run_id);
	ck_assert_uint_eq(alerts.incident.seq, 2);
	ck_assert_int_eq(
		pm_event_decode(alerts.incident.record, alerts.incident.record_length, &back), 0);
	ck_assert_int_eq(back.code, 9);
	ck_assert_int_eq(back.pid, 4711);
	ck_assert(!panicmon_event_has(&back, PANICMON_HAS_STDERR_TAIL));
}
END_TEST

/* ---- the filter ---- */

START_TEST(the_filter)
{
	struct pm_config_handler config = {.events.types = 1U << PANICMON_PROCESS_EXITED |
							   1U << PANICMON_PROCESS_RECOVERED |
							   1U << PANICMON_SIGNAL_FAILED};
	struct panicmon_event started = event_of(PANICMON_PROCESS_STARTED, 0),
			      good = event_of(PANICMON_PROCESS_EXITED, 0),
			      bad = event_of(PANICMON_PROCESS_EXITED, 1),
			      lost = event_of(PANICMON_SIGNAL_FAILED, 0),
			      over = event_of(PANICMON_PROCESS_RECOVERED, 0);

	ck_assert_int_eq(pm_filter_look(&config, &started), PM_FILTER_EVENTS);
	ck_assert_int_eq(pm_filter_look(&config, &good), PM_FILTER_PASSES);
	config.failures_only = true;
	ck_assert_int_eq(pm_filter_look(&config, &started), PM_FILTER_EVENTS);
	ck_assert_int_eq(pm_filter_look(&config, &good), PM_FILTER_WHEN);
	ck_assert_int_eq(pm_filter_look(&config, &bad), PM_FILTER_PASSES);
	ck_assert_int_eq(pm_filter_look(&config, &lost), PM_FILTER_PASSES);
	ck_assert_int_eq(pm_filter_look(&config, &over), PM_FILTER_PASSES);
	config.events.types = 0;
	ck_assert_int_eq(pm_filter_look(&config, &over), PM_FILTER_EVENTS);
	bad.type = UINT32_MAX;
	ck_assert_int_eq(pm_filter_look(&config, &bad), PM_FILTER_EVENTS);
}
END_TEST

void add_alerts_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "alerts", set_up, NULL);

	tcase_add_test(tests, what_is_a_failure);
	tcase_add_test(tests, once_then_one_a_window);
	tcase_add_test(tests, the_clock);
	tcase_add_test(tests, stable);
	tcase_add_test(tests, a_good_end);
	tcase_add_test(tests, without_an_incident);
	tcase_add_test(tests, several_instances);
	tcase_add_test(tests, an_event_that_comes_again);
	tcase_add_test(tests, a_failure_that_is_left_out);
	tcase_add_test(tests, given_up);
	tcase_add_test(tests, the_end_of_what_is_not_kept);
	tcase_add_test(tests, a_clock_that_is_set);
	tcase_add_test(tests, no_window);
	tcase_add_test(tests, the_last_failure_is_kept);
	tcase_add_test(tests, the_filter);
}
