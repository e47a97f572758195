/* The executor room: several commands: signals, to each of them. */
#include <config.h>

#include "test_executor.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

static void open_and_start(void)
{
	prepare_several();
	open_several();
	start();
}

START_TEST(each_to_each)
{
	enum { COUNT = 3 };
	static const struct to_send what[] = {
		{.signal = 40, .queued = true, .count = COUNT},
		{.signal = SIGUSR1, .count = 1},
	};

	open_and_start();
	struct sender sender = send_signals(what, 2);
	turn_until_told(SEVERAL + 2 * SEVERAL * (COUNT + 1));
	close(sender.pipe);
	for (int i = 0; i < SEVERAL; i++) {
		ASSERT_TOLD_OF(i, PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED,
			       PANICMON_SIGNAL_PASSED, PANICMON_SIGNAL_RECEIVED,
			       PANICMON_SIGNAL_PASSED, PANICMON_SIGNAL_RECEIVED,
			       PANICMON_SIGNAL_PASSED, PANICMON_SIGNAL_RECEIVED,
			       PANICMON_SIGNAL_PASSED);
		for (size_t n = 1; n < 9; n++) {
			const struct panicmon_event *event = told_of(i, n);

			ck_assert_int_eq(event->sender_pid, sender.pid);
			ck_assert(panicmon_event_has(event, PANICMON_HAS_TARGET_PID) ==
				  (event->type == PANICMON_SIGNAL_PASSED));
			if (event->type == PANICMON_SIGNAL_PASSED)
				ck_assert_int_eq(event->target_pid, several[i].spawn.pid);
		}
		/* sigwaitinfo(3) gives the lower number first, whatever came first. */
		for (int n = 0; n < COUNT + 1; n++) {
			const struct heard heard = hear(i);

			ck_assert_int_eq(heard.pid, several[i].spawn.pid);
			if (heard.signal != SIGUSR1)
				ck_assert_int_eq(heard.signal, 40);
		}
		ck_assert(!has_heard(i));
	}
	end_several();
}
END_TEST

START_TEST(each_has_signals_of_its_own)
{
	sigset_t pending;

	prepare_several();
	several_options[0].signals = pm_sigset_of(SIGHUP) | pm_sigset_of(SIGTERM);
	several_options[1].signals = pm_sigset_of(SIGHUP) | pm_sigset_of(40);
	several_options[2].signals = 0;
	open_several();
	start();
	send_signal(SIGUSR1, false, 1);
	send_signal(SIGHUP, false, 1);
	send_signal(SIGTERM, false, 1);
	send_signal(40, true, 1);
	turn_until_told(SEVERAL + 2 * 4);
	ASSERT_TOLD_OF(0, PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED,
		       PANICMON_SIGNAL_PASSED, PANICMON_SIGNAL_RECEIVED, PANICMON_SIGNAL_PASSED);
	ASSERT_TOLD_OF(1, PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED,
		       PANICMON_SIGNAL_PASSED, PANICMON_SIGNAL_RECEIVED, PANICMON_SIGNAL_PASSED);
	ASSERT_TOLD_OF(2, PANICMON_PROCESS_STARTED);
	ck_assert_int_eq(hear(0).signal + hear(0).signal, SIGHUP + SIGTERM);
	ck_assert_int_eq(hear(1).signal + hear(1).signal, SIGHUP + 40);
	/* That nobody takes stays where it is. */
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGUSR1), 1);
	end_several();
	ck_assert_int_eq(told_of(0, 5)->stop_requested, 1);
	ck_assert_int_eq(told_of(0, 5)->stop_signal, SIGTERM);
	ck_assert_int_eq(told_of(1, 5)->stop_requested, 0);
	ck_assert_int_eq(told_of(2, 1)->stop_requested, 0);
	ck_assert(!has_heard(2));
}
END_TEST

START_TEST(the_others_go_on)
{
	open_and_start();
	kill(several[_i].spawn.pid, SIGKILL);
	turn_until_told(SEVERAL + 1);
	send_signal(SIGUSR1, false, 1);
	turn_until_told(SEVERAL + 1 + 4);
	send_signal(40, true, 2);
	turn_until_told(SEVERAL + 1 + 4 + 8);
	ASSERT_TOLD_OF(_i, PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
	for (int i = 0; i < SEVERAL; i++) {
		for (int n = 0; i != _i && n < 3; n++)
			hear(i);
		ck_assert(!has_heard(i));
	}
	end_several();
}
END_TEST

/* Dead, but not reaped when the signal comes: told as failed for that one, and nobody else. */
START_TEST(one_is_gone)
{
	open_and_start();
	kill(several[1].spawn.pid, SIGKILL);
	wait_for_zombie(several[1].spawn.pid);
	pm_loop_pause(&loop, &children.source);
	send_signal(SIGUSR1, false, 1);
	turn_until_told(SEVERAL + 2 * SEVERAL + 1);
	ASSERT_TOLD_OF(0, PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED,
		       PANICMON_SIGNAL_PASSED);
	ASSERT_TOLD_OF(1, PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED,
		       PANICMON_SIGNAL_FAILED, PANICMON_PROCESS_EXITED);
	ASSERT_TOLD_OF(2, PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED,
		       PANICMON_SIGNAL_PASSED);
	ck_assert_int_eq(told_of(1, 2)->error, ESRCH);
	pm_loop_resume(&loop, &children.source);
	end_several();
}
END_TEST

/* ---- the queue of one is full ---- */

enum { QUEUED = 2, TO_OTHERS = 2 * (SEVERAL - 1) * QUEUED /* events */ };

static void wait_for_retry(void)
{
	while (!together.retry.set)
		pm_loop_turn(&loop);
}

/* Two signals are sent; both wait for that command, and the others have them already. */
static void fill_queue_of(int index)
{
	prepare_several();
	open_several();
	close_the_queue(&several[index]);
	start();
	send_signal(37, true, QUEUED);
	wait_for_retry();
	ck_assert_uint_eq(told_count, SEVERAL + TO_OTHERS);
}

static void assert_heard_in_order(int index)
{
	for (int n = 0; n < QUEUED; n++) {
		const struct heard heard = hear(index);

		ck_assert_int_eq(heard.signal, 37);
		ck_assert_int_eq(heard.code, SI_QUEUE);
		ck_assert_int_eq(heard.value, n);
	}
	ck_assert(!has_heard(index));
}

static void assert_passed_in_order(int index)
{
	for (size_t n = 0; n < QUEUED; n++) {
		const struct panicmon_event *event = told_of(index, 2 + 2 * n);

		ck_assert_uint_eq(event->type, PANICMON_SIGNAL_PASSED);
		ck_assert_int_eq(event->value, (int)n);
	}
	assert_heard_in_order(index);
}

/* The others do not get them again. */
START_TEST(full_queue_is_tried_again)
{
	fill_queue_of(_i);
	for (int i = 0; i < 5; i++) {
		wait_for_retry();
		pm_loop_turn(&loop);
	}
	ck_assert_uint_eq(told_count, SEVERAL + TO_OTHERS);
	open_the_queue(&several[_i]);
	turn_until_told(SEVERAL + 2 * SEVERAL * QUEUED);
	for (int i = 0; i < SEVERAL; i++)
		assert_passed_in_order(i);
	end_several();
}
END_TEST

/* What needs no place in a queue goes to all, and is no sign that there is one. */
START_TEST(full_queue_holds_up_no_other_kind)
{
	fill_queue_of(0);
	const int64_t since = several[0].refused_since_ns;
	ck_assert_int_ne(since, 0);
	send_signal(SIGUSR1, false, 1);
	turn_until_told(SEVERAL + TO_OTHERS + 2 * SEVERAL);
	for (int i = 0; i < SEVERAL; i++) {
		int heard = 0;

		/* One that is slow takes the lower number first. */
		for (int n = 0; n < (i > 0 ? QUEUED : 0) + 1; n++)
			heard += hear(i).signal == SIGUSR1;
		ck_assert_int_eq(heard, 1);
	}
	ck_assert_int_eq(several[0].refused_since_ns, since);
	end_several();
}
END_TEST

/* Not for ever: it has been full for long enough, and what comes now fails at once. */
START_TEST(full_queue_is_given_up)
{
	fill_queue_of(_i);
	several[_i].refused_since_ns -= 60 * PM_NS_PER_S;
	turn_until_told(SEVERAL + 2 * SEVERAL * QUEUED);
	for (int i = 0; i < SEVERAL; i++) {
		if (i != _i) {
			assert_passed_in_order(i);
			continue;
		}
		ASSERT_TOLD_OF(i, PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED,
			       PANICMON_SIGNAL_FAILED, PANICMON_SIGNAL_RECEIVED,
			       PANICMON_SIGNAL_FAILED);
		ck_assert_int_eq(told_of(i, 2)->error, EAGAIN);
		ck_assert_int_eq(told_of(i, 4)->error, EAGAIN);
		ck_assert(!has_heard(i));
	}
	open_the_queue(&several[_i]);
	send_signal(38, true, 1);
	turn_until_told(SEVERAL + 2 * SEVERAL * (QUEUED + 1));
	for (int i = 0; i < SEVERAL; i++)
		ck_assert_int_eq(hear(i).signal, 38);
	ck_assert_int_eq(several[_i].refused_since_ns, 0);
	end_several();
}
END_TEST

/* The one that has them waits no longer: the others get theirs. */
START_TEST(full_queue_until_it_ends)
{
	fill_queue_of(_i);
	kill(several[_i].spawn.pid, SIGKILL);
	/* The kernel takes any signal for one that is dying, and drops it. */
	wait_for_zombie(several[_i].spawn.pid);
	turn_until_told(SEVERAL + 2 * SEVERAL * QUEUED + 1);
	ASSERT_TOLD_OF(_i, PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED,
		       PANICMON_SIGNAL_FAILED, PANICMON_SIGNAL_RECEIVED, PANICMON_SIGNAL_FAILED,
		       PANICMON_PROCESS_EXITED);
	for (int i = 0; i < SEVERAL; i++)
		if (i != _i)
			assert_passed_in_order(i);
	end_several();
}
END_TEST

/* Another one ends while the signals wait: it has had its own. */
START_TEST(full_queue_and_another_ends)
{
	const int full = _i / SEVERAL, ending = _i % SEVERAL;

	if (full == ending)
		return;
	fill_queue_of(full);
	kill(several[ending].spawn.pid, SIGKILL);
	while (!several[ending].ended)
		pm_loop_turn(&loop);
	ASSERT_TOLD_OF(ending, PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED,
		       PANICMON_SIGNAL_PASSED, PANICMON_SIGNAL_RECEIVED, PANICMON_SIGNAL_PASSED,
		       PANICMON_PROCESS_EXITED);
	open_the_queue(&several[full]);
	turn_until_told(SEVERAL + 2 * SEVERAL * QUEUED + 1);
	for (int i = 0; i < SEVERAL; i++)
		if (i != ending)
			assert_passed_in_order(i);
	end_several();
}
END_TEST

/* The end of another is found as the signals are about to be read: that reads them first. */
START_TEST(full_queue_as_another_ends)
{
	prepare_several();
	open_several();
	close_the_queue(&several[0]);
	start();
	pm_loop_pause(&loop, &children.source);
	send_signal(37, true, QUEUED);
	kill(several[1].spawn.pid, SIGKILL);
	wait_for_zombie(several[1].spawn.pid);
	while (!several[1].ended)
		pm_loop_turn(&loop);
	open_the_queue(&several[0]);
	while (together.retry.set)
		pm_loop_turn(&loop);
	ck_assert_uint_eq(told_count, SEVERAL + 2 * SEVERAL * QUEUED + 1);
	assert_passed_in_order(0);
	assert_passed_in_order(2);
	pm_loop_resume(&loop, &children.source);
	end_several();
}
END_TEST

/* ---- after the end ---- */

static const struct {
	int signal;
	bool asks;
} last[] = {{SIGTERM, true}, {SIGINT, true}, {SIGQUIT, true}, {SIGHUP, false}, {40, false}};

START_TEST(asked_to_end)
{
	open_and_start();
	send_signal(SIGTERM, false, 1);
	turn_until_told(SEVERAL + 2 * SEVERAL);
	end_several();
	ck_assert(!together.asked_to_end); /* that one was for the commands */
	const size_t count = told_count;
	send_signal(last[_i].signal, false, 1);
	together.classic.count = together.realtime.count = 0;
	while (together.classic.count + together.realtime.count == 0)
		pm_loop_turn(&loop);
	ck_assert_int_eq(together.asked_to_end, last[_i].asks);
	ck_assert_uint_eq(told_count, count);
}
END_TEST

/* Signals are taken after the end, too, where they had to wait before it. */
START_TEST(asked_to_end_after_a_full_queue)
{
	static uint8_t rewrite[PM_SIGNAL_MAX + 1];

	for (int i = 0; i <= PM_SIGNAL_MAX; i++)
		rewrite[i] = (uint8_t)i;
	rewrite[SIGHUP] = 37;
	prepare_several();
	for (int i = 0; i < SEVERAL; i++)
		several_options[i].rewrite = rewrite;
	open_several();
	close_the_queue(&several[0]);
	start();
	send_signal(SIGHUP, true, 1);
	wait_for_retry();
	ck_assert(together.classic.waits);
	end_several();
	while (together.retry.set)
		pm_loop_turn(&loop);
	ck_assert(!together.classic.waits);
	send_signal(SIGTERM, false, 1);
	while (!together.asked_to_end)
		pm_loop_turn(&loop);
}
END_TEST

void add_several_pass_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "several_pass");

	tcase_add_test(tests, each_to_each);
	tcase_add_test(tests, each_has_signals_of_its_own);
	tcase_add_loop_test(tests, the_others_go_on, 0, SEVERAL);
	tcase_add_test(tests, one_is_gone);
	tcase_add_loop_test(tests, full_queue_is_tried_again, 0, SEVERAL);
	tcase_add_test(tests, full_queue_holds_up_no_other_kind);
	tcase_add_loop_test(tests, full_queue_is_given_up, 0, SEVERAL);
	tcase_add_loop_test(tests, full_queue_until_it_ends, 0, SEVERAL);
	tcase_add_loop_test(tests, full_queue_and_another_ends, 0, SEVERAL * SEVERAL);
	tcase_add_test(tests, full_queue_as_another_ends);
	tcase_add_loop_test(tests, asked_to_end, 0, sizeof(last) / sizeof(last[0]));
	tcase_add_test(tests, asked_to_end_after_a_full_queue);
}
