/* The executor room: signals that come in, and what becomes of them. */
#include <config.h>

#include "test_executor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/signals.h"

static void assert_signal_event(const struct panicmon_event *event, const struct sender *sender,
				int signal)
{
	ck_assert_int_eq(event->pid, executor.spawn.pid);
	ck_assert(panicmon_event_has(event, PANICMON_HAS_SIGNAL));
	ck_assert_int_eq(event->signal, signal);
	ck_assert(panicmon_event_has(event, PANICMON_HAS_SI_CODE));
	ck_assert(panicmon_event_has(event, PANICMON_HAS_SENDER_PID));
	ck_assert_int_eq(event->sender_pid, sender->pid);
	ck_assert(panicmon_event_has(event, PANICMON_HAS_SENDER_UID));
	ck_assert_int_eq(event->sender_uid, (int32_t)getuid());
	ck_assert(panicmon_event_has(event, PANICMON_HAS_SENDER_COMMAND));
	ck_assert_str_eq(event->sender_command, "the-sender");
	if (event->type == PANICMON_SIGNAL_RECEIVED) {
		ck_assert(!panicmon_event_has(event, PANICMON_HAS_TARGET_PID));
	} else {
		ck_assert(panicmon_event_has(event, PANICMON_HAS_TARGET_PID));
		ck_assert_int_eq(event->target_pid, executor.spawn.pid);
	}
	ck_assert_int_eq(panicmon_event_has(event, PANICMON_HAS_ERROR),
			 event->type == PANICMON_SIGNAL_FAILED);
}

static void run(void)
{
	start();
	pm_run_wait(&together);
}

/* ---- passed ---- */

/* From before the start: none of them is lost in the fork window. */
START_TEST(passed_with_value_and_sender)
{
	static const struct to_send what = {.signal = 35, .queued = true, .count = 3};

	open_role("take", "3");
	struct sender sender = send_signals(&what, 1);
	run();
	close(sender.pipe);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED, PANICMON_SIGNAL_PASSED,
		    PANICMON_SIGNAL_RECEIVED, PANICMON_SIGNAL_PASSED, PANICMON_SIGNAL_RECEIVED,
		    PANICMON_SIGNAL_PASSED, PANICMON_PROCESS_EXITED);
	for (size_t i = 1; i < 7; i++) {
		assert_signal_event(&told[i].event, &sender, 35);
		ck_assert_int_eq(told[i].event.si_code, SI_QUEUE);
		ck_assert(panicmon_event_has(&told[i].event, PANICMON_HAS_VALUE));
		ck_assert_int_eq(told[i].event.value, (int32_t)(i - 1) / 2);
		ck_assert_int_ge(told[i].event.time_ns, told[i - 1].event.time_ns);
	}
	ck_assert_int_eq(told[7].event.code, 0); /* the values reached the command */
	ck_assert_int_eq(told[7].event.stop_requested, 0);
}
END_TEST

static const int plain[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGSEGV, SIGPIPE, SIGCONT, SIGWINCH,
			    SIGTSTP, 32, 33, 34, 64};

START_TEST(passed_by_kill)
{
	const struct to_send what = {.signal = plain[_i], .count = 1};

	if (is_under_valgrind() && (plain[_i] == SIGSEGV || plain[_i] == PM_SIGNAL_MAX))
		return; /* it keeps these for itself */
	open_role("wait", "");
	struct sender sender = send_signals(&what, 1);
	/* sigwaitinfo(3) leaves out 32 and 33; nobody else ends the command then. */
	const bool ends_it = plain[_i] != 32 && plain[_i] != 33;
	start();
	while (told_count < 3)
		pm_loop_turn(&loop);
	if (!ends_it)
		kill(executor.spawn.pid, SIGKILL);
	pm_run_wait(&together);
	close(sender.pipe);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED, PANICMON_SIGNAL_PASSED,
		    PANICMON_PROCESS_EXITED);
	for (size_t i = 1; i < 3; i++) {
		assert_signal_event(&told[i].event, &sender, plain[_i]);
		ck_assert_int_eq(told[i].event.si_code, SI_USER);
		ck_assert(!panicmon_event_has(&told[i].event, PANICMON_HAS_VALUE));
	}
	if (ends_it)
		ck_assert_int_eq(told[3].event.code, plain[_i]);
}
END_TEST

/* Many more than are read at once: in pairs, in their order, with their values. */
START_TEST(storm)
{
	enum { COUNT = 5 * PM_RUN_BATCH + 7 };
	static const struct to_send what = {.signal = 40, .queued = true, .count = COUNT};
	char text[16];

	snprintf(text, sizeof(text), "%d", COUNT);
	open_role("take", text);
	struct sender sender = send_signals(&what, 1);
	run();
	close(sender.pipe);
	ck_assert_uint_eq(told_count, 2 + 2 * COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		ck_assert_uint_eq(told[1 + 2 * i].event.type, PANICMON_SIGNAL_RECEIVED);
		ck_assert_uint_eq(told[2 + 2 * i].event.type, PANICMON_SIGNAL_PASSED);
		ck_assert_int_eq(told[1 + 2 * i].event.value, (int32_t)i);
		assert_signal_event(&told[2 + 2 * i].event, &sender, 40);
	}
	ck_assert_int_eq(only(PANICMON_PROCESS_EXITED)->code, 0);
}
END_TEST

/* SIGPIPE of an own write, or a stop of our own: the command never sees it. */
START_TEST(own_signals_are_not_passed)
{
	open_role("wait", "");
	kill(getpid(), SIGPIPE);
	kill(getpid(), SIGTSTP);
	start();
	for (size_t before = settled; settled == before;)
		pm_loop_turn(&loop);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED);
	kill(executor.spawn.pid, SIGUSR1);
	pm_run_wait(&together);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_PROCESS_EXITED);
	ck_assert_int_eq(told[1].event.code, SIGUSR1);
}
END_TEST

/* What a program sends to itself and then becomes panicmon: it is pending over execve(2). */
START_TEST(what_we_have_sent_ourselves_before_is_passed)
{
	open_role("wait", "");
	kill(getpid(), SIGUSR2);
	run();
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED, PANICMON_SIGNAL_PASSED,
		    PANICMON_PROCESS_EXITED);
	ck_assert_int_eq(told[3].event.code, SIGUSR2);
}
END_TEST

static const int stops[] = {SIGTERM, SIGINT, SIGQUIT};

START_TEST(who_asked_to_stop)
{
	const struct to_send what = {.signal = stops[_i], .count = 1};

	open_role("wait", "");
	struct sender sender = send_signals(&what, 1);
	run();
	close(sender.pipe);
	const struct panicmon_event *event = only(PANICMON_PROCESS_EXITED);
	ck_assert_int_eq(event->stop_requested, 1);
	ck_assert(panicmon_event_has(event, PANICMON_HAS_STOP_SIGNAL));
	ck_assert_int_eq(event->stop_signal, stops[_i]);
	ck_assert_int_eq(event->stop_pid, sender.pid);
	ck_assert_int_eq(event->stop_uid, (int32_t)getuid());
}
END_TEST

START_TEST(who_did_not_ask_to_stop)
{
	static const struct to_send what = {.signal = SIGHUP, .count = 1};

	open_role("wait", "");
	struct sender sender = send_signals(&what, 1);
	run();
	close(sender.pipe);
	const struct panicmon_event *event = only(PANICMON_PROCESS_EXITED);
	ck_assert(panicmon_event_has(event, PANICMON_HAS_STOP_REQUESTED));
	ck_assert_int_eq(event->stop_requested, 0);
	ck_assert(!panicmon_event_has(event, PANICMON_HAS_STOP_SIGNAL));
}
END_TEST

/* ---- in the moment of the end ---- */

/* The command is dead, but not reaped: kill(2) would succeed, and nobody would get it. */
START_TEST(failed_before_exited)
{
	static const struct to_send what[] = {
		{.signal = SIGTERM, .count = 1},
		{.signal = 36, .queued = true, .count = PM_RUN_BATCH + 3},
	};
	enum { SIGNALS = 1 + PM_RUN_BATCH + 3 };

	open_role("exit", "5");
	start();
	wait_for_zombie(executor.spawn.pid);
	struct sender sender = send_signals(what, 2);
	pm_run_wait(&together);
	close(sender.pipe);
	ck_assert_uint_eq(told_count, 2 + 2 * SIGNALS);
	for (size_t i = 0; i < SIGNALS; i++) {
		const struct panicmon_event *received = &told[1 + 2 * i].event;
		const struct panicmon_event *failed = &told[2 + 2 * i].event;

		ck_assert_uint_eq(received->type, PANICMON_SIGNAL_RECEIVED);
		ck_assert_uint_eq(failed->type, PANICMON_SIGNAL_FAILED);
		assert_signal_event(failed, &sender, i == 0 ? SIGTERM : 36);
		ck_assert_int_eq(failed->error, ESRCH);
	}
	const struct panicmon_event *last = &told[told_count - 1].event;
	ck_assert_uint_eq(last->type, PANICMON_PROCESS_EXITED);
	ck_assert_int_eq(last->code, 5);
	ck_assert_int_eq(last->stop_requested, 0); /* it never got that far */
}
END_TEST

/* ---- a full queue ---- */

/* Starts, and turns the loop until the first signal was refused by the kernel, and again a few times:
 * meanwhile nothing is told, and no other signal is read. */
static void start_and_retry(void)
{
	start();
	for (int i = 0; i < 5; i++) {
		while (!together.retry.set)
			pm_loop_turn(&loop);
		ASSERT_TOLD(PANICMON_PROCESS_STARTED);
		pm_loop_turn(&loop);
	}
}

START_TEST(full_queue_is_tried_again)
{
	enum { COUNT = PM_RUN_BATCH + 9 };
	static const struct to_send what = {.signal = 37, .queued = true, .count = COUNT};
	char text[16];

	snprintf(text, sizeof(text), "%d", COUNT);
	open_role("take", text);
	close_the_queue(&executor);
	struct sender sender = send_signals(&what, 1);
	start_and_retry();
	open_the_queue(&executor);
	pm_run_wait(&together);
	close(sender.pipe);
	ck_assert_uint_eq(told_count, 2 + 2 * COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		ck_assert_uint_eq(told[1 + 2 * i].event.type, PANICMON_SIGNAL_RECEIVED);
		ck_assert_uint_eq(told[2 + 2 * i].event.type, PANICMON_SIGNAL_PASSED);
		ck_assert_int_eq(told[2 + 2 * i].event.value, (int32_t)i);
	}
	ck_assert_int_eq(only(PANICMON_PROCESS_EXITED)->code, 0);
}
END_TEST

/* Reaped while a signal waits for its place: that one has failed. */
START_TEST(full_queue_to_the_end)
{
	static const struct to_send what = {.signal = 37, .queued = true, .count = 2};

	open_role("take", "2");
	close_the_queue(&executor);
	struct sender sender = send_signals(&what, 1);
	start_and_retry();
	kill(executor.spawn.pid, SIGKILL);
	wait_for_zombie(executor.spawn.pid); /* the kernel takes any signal for one that is dying, and drops it */
	pm_run_wait(&together);
	close(sender.pipe);
	ASSERT_TOLD(PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED, PANICMON_SIGNAL_FAILED,
		    PANICMON_SIGNAL_RECEIVED, PANICMON_SIGNAL_FAILED, PANICMON_PROCESS_EXITED);
	ck_assert_int_eq(told[2].event.error, ESRCH);
	ck_assert_int_eq(told[5].event.signal, SIGKILL);
}
END_TEST

/* It is the real-time signals that have to wait, not the one that ends the command. */
START_TEST(full_queue_does_not_hold_up_a_stop)
{
	static const struct to_send queued = {.signal = 37, .queued = true, .count = 2};
	static const struct to_send stop = {.signal = SIGTERM, .count = 1};

	open_role("wait", "");
	close_the_queue(&executor);
	struct sender sender = send_signals(&queued, 1);
	start_and_retry();
	struct sender stopper = send_signals(&stop, 1);
	pm_run_wait(&together);
	close(sender.pipe);
	close(stopper.pipe);
	ck_assert_uint_eq(told_count, 8);
	assert_signal_event(&told[1].event, &stopper, SIGTERM);
	ck_assert_uint_eq(told[2].event.type, PANICMON_SIGNAL_PASSED);
	assert_signal_event(&told[2].event, &stopper, SIGTERM);
	/* The kernel takes the others for one that is dying, or they have failed. */
	assert_signal_event(&told[3].event, &sender, 37);
	const struct panicmon_event *event = &told[7].event;
	ck_assert_uint_eq(event->type, PANICMON_PROCESS_EXITED);
	ck_assert_int_eq(event->code, SIGTERM);
	ck_assert_int_eq(event->stop_requested, 1);
	ck_assert_int_eq(event->stop_pid, stopper.pid);
}
END_TEST

/* Sends for ever, and faster than it can be told: the end comes all the same. */
START_TEST(endless_sender)
{
	const pid_t target = getpid();
	struct rlimit queue;

	/* All processes of a user share the places: leave the rest to other tests. */
	ck_assert_int_eq(getrlimit(RLIMIT_SIGPENDING, &queue), 0);
	queue.rlim_cur = queue.rlim_cur < 2000 ? queue.rlim_cur : 2000;
	ck_assert_int_eq(setrlimit(RLIMIT_SIGPENDING, &queue), 0);
	const pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == target)
			sigqueue(target, 38, (union sigval){.sival_int = 0});
		_exit(0);
	}
	telling_takes_ns = 200 * 1000;
	open_role("exit", "6");
	run();
	ck_assert_uint_eq(told[told_count - 1].event.type, PANICMON_PROCESS_EXITED);
	ck_assert_int_eq(told[told_count - 1].event.code, 6);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	/* Throws away what is pending: a full queue leaves no room for the timers of Check itself. */
	signal(38, SIG_IGN);
}
END_TEST

void add_pass_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "pass");

	tcase_add_test(tests, passed_with_value_and_sender);
	tcase_add_loop_test(tests, passed_by_kill, 0, sizeof(plain) / sizeof(plain[0]));
	tcase_add_test(tests, storm);
	tcase_add_test(tests, own_signals_are_not_passed);
	tcase_add_test(tests, what_we_have_sent_ourselves_before_is_passed);
	tcase_add_loop_test(tests, who_asked_to_stop, 0, 3);
	tcase_add_test(tests, who_did_not_ask_to_stop);
	tcase_add_test(tests, failed_before_exited);
	tcase_add_test(tests, full_queue_is_tried_again);
	tcase_add_test(tests, full_queue_to_the_end);
	tcase_add_test(tests, full_queue_does_not_hold_up_a_stop);
	tcase_add_test(tests, endless_sender);
}
