/* The handler room: when the keeper wakes its hosts. All else of it is tested end to end. */
#include <config.h>

#include "test_handler.h"

#include "base/signals.h"
#include "handler/keeper.h"

static struct pm_loop loop;
static struct pm_children children;
static struct pm_identity identity;
static struct pm_keeper keeper;

/* It is refused, which makes its slot neither better nor worse to wake. */
static struct pm_config_handler handler = {
	.name = (char[]){"none"},
	.plugin = (char[]){"/nonexistent/none.so"},
	.where = (char[]){"test.ini:1"},
};
static const struct pm_config config = {
	.handlers = &handler,
	.handler_count = 1,
	.start_timeout_ms = 20000,
	.drain_timeout_ms = 20000,
};

static void ignore(void *arg, const char *whose, const char *text)
{
	(void)whose;
	(void)arg, (void)text;
}

static void set_up(void)
{
	struct pm_error error;

	pm_sigset_block(~UINT64_C(0), NULL);
	ck_assert_int_eq(pm_loop_open(&loop, &error), 0);
	ck_assert_int_eq(pm_children_open(&children, &loop, &error), 0);
	ck_assert_int_eq(
		pm_keeper_open(&keeper, &loop, &children, &config, &identity,
			       (struct pm_keeper_mode){0}, ignore, NULL, &error),
		0);
	while (!keeper.slots[0].gone)
		pm_loop_turn(&loop);
}

static void tear_down(void)
{
	pm_keeper_drain(&keeper);
	pm_keeper_close(&keeper);
	pm_children_close(&children);
	pm_loop_close(&loop);
}

static void publish(size_t count)
{
	while (count-- > 0) {
		struct panicmon_event event = pm_event_make(PANICMON_SIGNAL_RECEIVED, 1);

		pm_keeper_publish(&keeper, &event);
	}
}

/* How often the loop turns, with more events in each turn, until the hosts are woken. */
static size_t turns_of_a_storm(size_t events)
{
	size_t turns = 0;

	for (; keeper.woken_at == 0; turns++) {
		publish(events);
		pm_keeper_wake(&keeper);
		publish(events);
		pm_loop_turn(&loop);
	}
	return turns;
}

START_TEST(a_lull)
{
	publish(3);
	pm_keeper_wake(&keeper);
	ck_assert_uint_eq(keeper.woken_at, 0);
	pm_loop_turn(&loop);
	ck_assert_uint_eq(keeper.woken_at, 3);
	/* Nothing new: nobody is woken. */
	pm_keeper_wake(&keeper);
	ck_assert(!keeper.waits_for_lull);
}
END_TEST

START_TEST(a_storm)
{
	/* A turn is a millisecond. */
	ck_assert_uint_eq(turns_of_a_storm(1), 100);
}
END_TEST

START_TEST(a_storm_that_fills_the_journal)
{
	ck_assert_uint_eq(turns_of_a_storm(10000), 2);
}
END_TEST

void add_keeper_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "keeper", set_up, tear_down);

	tcase_set_timeout(tests, 240); /* valgrind: a host closes each descriptor that there could be */
	tcase_add_test(tests, a_lull);
	tcase_add_test(tests, a_storm);
	tcase_add_test(tests, a_storm_that_fills_the_journal);
}
