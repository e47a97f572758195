/* The base room: the loop. No test sleeps: the loop itself waits, and Check ends what hangs. */
#include <config.h>

#include "test_base.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"

enum { SOURCES = 3 };

/* A pipe of which the loop watches the read end. */
struct watched {
	struct pm_source source;
	int write_end;
	int calls;
	void (*then)(struct watched *watched);
};

static struct pm_loop loop;
static struct pm_error error;
static struct watched watched[SOURCES];

static void on_ready(struct pm_source *source)
{
	struct watched *here = source->owner;

	here->calls++;
	if (here->then != NULL)
		here->then(here);
}

static void set_up(void)
{
	ck_assert_int_eq(pm_loop_open(&loop, &error), 0);
	for (int i = 0; i < SOURCES; i++) {
		int ends[2];

		ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
		watched[i] = (struct watched){
			.source = {.fd = ends[0], .ready = on_ready, .owner = &watched[i]},
			.write_end = ends[1],
		};
		ck_assert_int_eq(pm_loop_add(&loop, &watched[i].source, &error), 0);
	}
}

static void tear_down(void)
{
	for (int i = 0; i < SOURCES; i++) {
		close(watched[i].source.fd);
		close(watched[i].write_end);
	}
	pm_loop_close(&loop);
	ck_assert_int_eq(loop.epoll, -1);
}

/* Nobody reads it: ready in every turn from now on. */
static void make_ready(int i)
{
	ck_assert_int_eq(write(watched[i].write_end, "x", 1), 1);
}

/* ---- timers ---- */

struct alarm_clock {
	struct pm_timer timer;
	int calls;
	int64_t rang_at;
	int order; /* 1: it was the first to ring */
	void (*then)(struct alarm_clock *alarm_clock);
};

static int rung;

static void on_due(struct pm_timer *timer)
{
	struct alarm_clock *here = timer->owner;

	ck_assert(!timer->set);
	here->calls++;
	here->rang_at = pm_clock_monotonic();
	here->order = ++rung;
	if (here->then != NULL)
		here->then(here);
}

static struct alarm_clock alarms[4];

static void set_alarm(int i, int64_t delay_ns)
{
	alarms[i].timer.due = on_due;
	alarms[i].timer.owner = &alarms[i];
	pm_timer_set(&loop, &alarms[i].timer, delay_ns);
}

static void turn_until_rung(int count)
{
	while (rung < count)
		pm_loop_turn(&loop);
}

START_TEST(timer_rings_once_and_not_early)
{
	const int64_t delay = 3 * PM_NS_PER_MS + 1;
	const int64_t start = pm_clock_monotonic();

	set_alarm(0, delay);
	turn_until_rung(1);
	ck_assert_int_ge(alarms[0].rang_at, start + delay);
	ck_assert(!alarms[0].timer.set);
	set_alarm(1, PM_NS_PER_MS);
	turn_until_rung(2);
	ck_assert_int_eq(alarms[0].calls, 1);
	ck_assert_int_eq(alarms[1].calls, 1);
}
END_TEST

/* Waiting ends when the timer is due, not a moment earlier only to begin again. */
START_TEST(timer_rings_in_one_turn)
{
	for (int i = 1; i <= 5; i++) {
		set_alarm(0, PM_NS_PER_MS + i * 173 * 1000);
		pm_loop_turn(&loop);
		ck_assert_int_eq(rung, i);
	}
}
END_TEST

START_TEST(timers_ring_in_order)
{
	set_alarm(2, 6 * PM_NS_PER_MS);
	set_alarm(0, 2 * PM_NS_PER_MS);
	set_alarm(3, 8 * PM_NS_PER_MS);
	set_alarm(1, 4 * PM_NS_PER_MS);
	turn_until_rung(4);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(alarms[i].order, i + 1);
}
END_TEST

/* Descriptors that are always ready must not hold timers back. */
START_TEST(timers_ring_in_a_storm)
{
	make_ready(0);
	make_ready(1);
	for (int i = 0; i < 4; i++)
		set_alarm(i, PM_NS_PER_MS);
	while (pm_clock_monotonic() < alarms[3].timer.at)
		pm_loop_turn(&loop);
	const int calls = watched[0].calls + watched[1].calls;
	for (int i = 0; i < 4; i++)
		pm_loop_turn(&loop);
	ck_assert_int_eq(rung, 4);
	/* Nor timers the descriptors. */
	ck_assert_int_eq(watched[0].calls + watched[1].calls, calls + 4);
}
END_TEST

START_TEST(timer_that_is_late_rings_at_once)
{
	set_alarm(0, -PM_NS_PER_S);
	set_alarm(1, 0);
	pm_loop_turn(&loop);
	pm_loop_turn(&loop);
	ck_assert_int_eq(alarms[0].order, 1);
	ck_assert_int_eq(alarms[1].order, 2);
}
END_TEST

START_TEST(timer_is_rearmed)
{
	set_alarm(0, 3600 * PM_NS_PER_S);
	set_alarm(0, PM_NS_PER_MS);
	set_alarm(1, PM_NS_PER_MS);
	set_alarm(1, 2 * PM_NS_PER_MS);
	set_alarm(2, 4 * PM_NS_PER_MS);
	turn_until_rung(3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(alarms[i].calls, 1);
	ck_assert_ptr_null(loop.timers);
}
END_TEST

START_TEST(timer_is_cleared)
{
	for (int i = 0; i < 4; i++)
		set_alarm(i, (i + 1) * PM_NS_PER_MS);
	pm_timer_clear(&loop, &alarms[1].timer); /* amid the list */
	pm_timer_clear(&loop, &alarms[1].timer);
	pm_timer_clear(&loop, &alarms[3].timer); /* the one set last */
	pm_timer_clear(&loop, &alarms[0].timer); /* and first */
	turn_until_rung(1);
	ck_assert_int_eq(alarms[2].calls, 1);
	ck_assert_ptr_null(loop.timers);
}
END_TEST

static void set_again(struct alarm_clock *here)
{
	if (here->calls < 5)
		pm_timer_set(&loop, &here->timer, PM_NS_PER_MS);
}

START_TEST(timer_sets_itself_again)
{
	alarms[0].then = set_again;
	set_alarm(0, PM_NS_PER_MS);
	turn_until_rung(5);
	ck_assert_ptr_null(loop.timers);
}
END_TEST

static void clear_the_next(struct alarm_clock *here)
{
	pm_timer_clear(&loop, &here[1].timer);
}

START_TEST(timer_clears_another_that_is_due)
{
	alarms[0].then = clear_the_next;
	set_alarm(0, -2);
	set_alarm(1, -1);
	set_alarm(2, PM_NS_PER_MS);
	turn_until_rung(2);
	ck_assert_int_eq(alarms[1].calls, 0);
	ck_assert_int_eq(alarms[2].calls, 1);
}
END_TEST

static void clear_and_set(struct watched *here)
{
	(void)here;
	pm_timer_clear(&loop, &alarms[0].timer);
	set_alarm(1, -PM_NS_PER_S);
}

/* What is due is looked up after ready(), which may have cleared a timer and set another. */
START_TEST(timer_cleared_by_a_source)
{
	make_ready(0);
	watched[0].then = clear_and_set;
	set_alarm(0, -1);
	pm_loop_turn(&loop);
	ck_assert_int_eq(watched[0].calls, 1);
	ck_assert_int_eq(alarms[0].calls, 0);
	ck_assert_int_eq(alarms[1].calls, 1);
}
END_TEST

/* The loop waits it out: nothing is called early, nothing gets lost. */
static void on_alarm_signal(int number)
{
	(void)number;
}

START_TEST(interrupted_waiting)
{
	const struct sigaction action = {.sa_handler = on_alarm_signal};
	const struct itimerval often = {.it_interval = {0, 500}, .it_value = {0, 500}};
	const struct itimerval never = {.it_value = {0, 0}};
	const int64_t start = pm_clock_monotonic();

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	set_alarm(0, 20 * PM_NS_PER_MS);
	turn_until_rung(1);
	setitimer(ITIMER_REAL, &never, NULL);
	ck_assert_int_ge(alarms[0].rang_at, start + 20 * PM_NS_PER_MS);
	ck_assert_int_eq(watched[0].calls, 0);
}
END_TEST

/* ---- sources ---- */

START_TEST(sources_take_turns)
{
	for (int i = 0; i < SOURCES; i++)
		make_ready(i);
	for (int i = 0; i < 30 * SOURCES; i++)
		pm_loop_turn(&loop);
	for (int i = 0; i < SOURCES; i++)
		ck_assert_int_ge(watched[i].calls, 20);
}
END_TEST

START_TEST(source_at_its_end)
{
	close(watched[1].write_end);
	watched[1].write_end = -1;
	pm_loop_turn(&loop);
	ck_assert_int_eq(watched[1].calls, 1);
}
END_TEST

/* Turns the loop a few times without waiting. */
static void turn_at_once(void)
{
	for (int i = 0; i < 3 * SOURCES; i++) {
		set_alarm(3, 0);
		pm_loop_turn(&loop);
	}
}

START_TEST(pause_and_resume)
{
	make_ready(0);
	pm_loop_pause(&loop, &watched[0].source);
	make_ready(1);
	pm_loop_pause(&loop, &watched[1].source);
	turn_at_once();
	ck_assert_int_eq(watched[0].calls + watched[1].calls, 0);
	pm_loop_resume(&loop, &watched[0].source);
	pm_loop_turn(&loop);
	ck_assert_int_eq(watched[0].calls, 1);
	turn_at_once();
	ck_assert_int_gt(watched[0].calls, 1);
	ck_assert_int_eq(watched[1].calls, 0);
}
END_TEST

static void remove_itself(struct watched *here)
{
	pm_loop_remove(&loop, &here->source);
	close(here->source.fd);
	here->source.fd = -1;
}

START_TEST(remove_itself_within_ready)
{
	make_ready(0);
	watched[0].then = remove_itself;
	turn_at_once();
	ck_assert_int_eq(watched[0].calls, 1);
}
END_TEST

static void remove_all_others(struct watched *here)
{
	for (int i = 0; i < SOURCES; i++)
		if (&watched[i] != here && watched[i].source.fd >= 0)
			remove_itself(&watched[i]);
}

/* The others are ready too, but gone: they must not be called. */
START_TEST(remove_others_within_ready)
{
	for (int i = 0; i < SOURCES; i++) {
		make_ready(i);
		watched[i].then = remove_all_others;
	}
	turn_at_once();
	int called = 0;
	for (int i = 0; i < SOURCES; i++)
		called += watched[i].calls > 0;
	ck_assert_int_eq(called, 1);
}
END_TEST

/* As after a fork: the open file outlives the descriptor. */
START_TEST(removed_though_open_elsewhere)
{
	int same = dup(watched[0].source.fd);

	make_ready(0);
	remove_itself(&watched[0]);
	turn_at_once();
	ck_assert_int_eq(watched[0].calls, 0);
	close(same);
}
END_TEST

START_TEST(what_cannot_be_added)
{
	struct pm_source closed = {.fd = 9999, .ready = on_ready};

	memset(&error, 0, sizeof(error));
	ck_assert_int_eq(pm_loop_add(&loop, &closed, &error), -1);
	ck_assert_int_eq(error.code, EBADF);
	ck_assert_ptr_nonnull(strstr(error.text, "9999"));
	ck_assert_int_eq(pm_loop_add(&loop, &watched[0].source, &error), -1);
	ck_assert_int_eq(error.code, EEXIST);
}
END_TEST

START_TEST(epoll_is_not_inherited)
{
	ck_assert_int_eq(fcntl(loop.epoll, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}
END_TEST

void add_loop_tests(Suite *suite)
{
	TCase *timers = make_case(suite, "timers", set_up, tear_down);
	TCase *sources = make_case(suite, "sources", set_up, tear_down);

	tcase_add_test(timers, timer_rings_once_and_not_early);
	tcase_add_test(timers, timer_rings_in_one_turn);
	tcase_add_test(timers, timers_ring_in_order);
	tcase_add_test(timers, timers_ring_in_a_storm);
	tcase_add_test(timers, timer_that_is_late_rings_at_once);
	tcase_add_test(timers, timer_is_rearmed);
	tcase_add_test(timers, timer_is_cleared);
	tcase_add_test(timers, timer_sets_itself_again);
	tcase_add_test(timers, timer_clears_another_that_is_due);
	tcase_add_test(timers, timer_cleared_by_a_source);
	tcase_add_test(timers, interrupted_waiting);

	tcase_add_test(sources, sources_take_turns);
	tcase_add_test(sources, source_at_its_end);
	tcase_add_test(sources, pause_and_resume);
	tcase_add_test(sources, remove_itself_within_ready);
	tcase_add_test(sources, remove_others_within_ready);
	tcase_add_test(sources, removed_though_open_elsewhere);
	tcase_add_test(sources, what_cannot_be_added);
	tcase_add_test(sources, epoll_is_not_inherited);
}
