/* The executor room: what signals are passed on as, to whom, and a command that does not stop. */
#include <config.h>

#include "test_executor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

/* ---- passed on as another ---- */

static const uint8_t *rewrite_to(int from, uint8_t to)
{
	static uint8_t rewrite[PM_SIGNAL_MAX + 1];

	for (int i = 0; i <= PM_SIGNAL_MAX; i++)
		rewrite[i] = (uint8_t)i;
	rewrite[from] = to;
	return rewrite;
}

/* The first one has it rewritten, the others do not. */
static void open_rewritten(int from, int to)
{
	prepare_several();
	several_options[0].rewrite = rewrite_to(from, (uint8_t)to);
	open_several();
	start();
}

static const struct {
	int from, to;
	bool queued;
} rewritten[] = {
	{SIGHUP, SIGQUIT, false}, {SIGHUP, 64, false},  {34, SIGUSR1, false},
	{40, 41, true},           {SIGUSR2, 43, true},  {42, SIGUSR1, true},
	{SIGTERM, SIGTERM, true}, {SIGUSR1, SIGCONT, false},
};

START_TEST(rewritten_to_another)
{
	const int from = rewritten[_i].from, to = rewritten[_i].to;

	if (is_under_valgrind() && to == PM_SIGNAL_MAX)
		return; /* it keeps this for itself */
	open_rewritten(from, to);
	send_signal(from, rewritten[_i].queued, 1);
	turn_until_told(SEVERAL + 2 * SEVERAL);
	for (int i = 0; i < SEVERAL; i++) {
		const struct heard heard = hear(i);
		const int wanted = i == 0 ? to : from;

		ASSERT_TOLD_OF(i, PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED,
			       PANICMON_SIGNAL_PASSED);
		ck_assert_int_eq(told_of(i, 1)->signal, from);
		ck_assert_int_eq(told_of(i, 2)->signal, wanted);
		ck_assert_int_eq(heard.signal, wanted);
		ck_assert_int_eq(heard.code, rewritten[_i].queued ? SI_QUEUE : SI_USER);
	}
	end_several();
}
END_TEST

START_TEST(rewritten_with_its_values)
{
	enum { COUNT = PM_RUN_BATCH + 5 };

	open_rewritten(40, 41);
	send_signal(40, true, COUNT);
	turn_until_told(SEVERAL + 2 * SEVERAL * COUNT);
	for (int i = 0; i < SEVERAL; i++) {
		for (int n = 0; n < COUNT; n++) {
			const struct heard heard = hear(i);

			ck_assert_int_eq(heard.signal, i == 0 ? 41 : 40);
			ck_assert_int_eq(heard.value, n);
		}
	}
	end_several();
}
END_TEST

START_TEST(dropped)
{
	open_rewritten(SIGTERM, 0);
	send_signal(SIGTERM, false, 1);
	turn_until_told(SEVERAL + 1 + 2 * (SEVERAL - 1));
	ASSERT_TOLD_OF(0, PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED);
	ck_assert_int_eq(told_of(0, 1)->signal, SIGTERM);
	/* What comes after it shows that it has not come. */
	send_signal(SIGUSR1, false, 1);
	turn_until_told(SEVERAL + 1 + 2 * (SEVERAL - 1) + 2 * SEVERAL);
	ck_assert_int_eq(hear(0).signal, SIGUSR1);
	for (int i = 1; i < SEVERAL; i++)
		ck_assert_int_eq(hear(i).signal + hear(i).signal, SIGTERM + SIGUSR1);
	end_several();
	ck_assert_int_eq(told_of(0, 4)->stop_requested, 0);
	ck_assert_int_eq(told_of(1, 5)->stop_requested, 1);
}
END_TEST

/* Asked to stop by what came, or by what it was made: told as it came. */
START_TEST(rewritten_asks_to_stop)
{
	const int from = _i == 0 ? SIGHUP : SIGTERM, to = _i == 0 ? SIGTERM : SIGUSR1;

	open_rewritten(from, to);
	send_signal(from, false, 1);
	turn_until_told(SEVERAL + 2 * SEVERAL);
	end_several();
	ck_assert_int_eq(told_of(0, 3)->stop_requested, 1);
	ck_assert_int_eq(told_of(0, 3)->stop_signal, from);
	ck_assert_int_eq(told_of(1, 3)->stop_requested, _i == 1);
}
END_TEST

/* ---- to a group ---- */

/* The first two have a family; only that of the first one is to have signals. */
static void open_families(pid_t members[2])
{
	char arg[16];

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	prepare_several();
	for (int i = 0; i < 2; i++) {
		snprintf(arg, sizeof(arg), "%s", several_options[i].command.argv[2]);
		give_role(i, "family", arg);
	}
	several_options[0].signal_group = true;
	open_several();
	start();
	for (int i = 0; i < 2; i++) {
		members[i] = hear(i).pid;
		ck_assert_int_eq(getpgid(members[i]), several[i].spawn.pid);
	}
}

static void end_families(const pid_t members[2])
{
	for (int i = 0; i < 2; i++)
		kill(members[i], SIGKILL);
	end_several();
	for (int i = 0; i < 2; i++)
		while (kill(members[i], 0) == 0)
			pm_loop_turn(&loop);
}

/* A value reaches a process only. */
START_TEST(to_the_group)
{
	pid_t members[2];

	open_families(members);
	send_signal(_i == 0 ? SIGUSR1 : 40, _i == 1, 1);
	turn_until_told(SEVERAL + 2 * SEVERAL);
	const struct heard one = hear(0), other = hear(0);
	ck_assert_int_ne(one.pid, other.pid);
	ck_assert_int_eq(one.pid + other.pid, several[0].spawn.pid + members[0]);
	ck_assert_int_eq(one.code, SI_USER);
	ck_assert_int_eq(other.code, SI_USER);
	ck_assert_int_eq(hear(1).pid, several[1].spawn.pid);
	ck_assert_int_eq(told_of(0, 2)->target_pid, several[0].spawn.pid);
	for (int i = 0; i < SEVERAL; i++)
		ASSERT_TOLD_OF(i, PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED,
			       PANICMON_SIGNAL_PASSED);
	ck_assert(!has_heard(0) && !has_heard(1));
	end_families(members);
}
END_TEST

/* ---- a command that does not stop ---- */

enum { TIMEOUT_MS = 50 };

static void open_stubborn(int64_t timeout_ms)
{
	prepare_several();
	several_options[0].stop_timeout_ms = timeout_ms;
	open_several();
	start();
}

static const int stops[] = {SIGTERM, SIGINT, SIGQUIT};

START_TEST(killed_after_the_timeout)
{
	const int64_t before = pm_clock_monotonic();

	open_stubborn(TIMEOUT_MS);
	send_signal(stops[_i], false, 1);
	turn_until_told(SEVERAL + 2 * SEVERAL + 2);
	ck_assert_int_ge(pm_clock_monotonic() - before, TIMEOUT_MS * PM_NS_PER_MS);
	ASSERT_TOLD_OF(0, PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED,
		       PANICMON_SIGNAL_PASSED, PANICMON_SIGNAL_PASSED, PANICMON_PROCESS_EXITED);
	const struct panicmon_event *event = told_of(0, 3);
	ck_assert_int_eq(event->signal, SIGKILL);
	ck_assert_int_eq(event->si_code, SI_USER);
	ck_assert_int_eq(event->sender_pid, getpid());
	ck_assert_int_eq(event->sender_uid, (int32_t)getuid());
	ck_assert_int_eq(event->target_pid, several[0].spawn.pid);
	ck_assert(!panicmon_event_has(event, PANICMON_HAS_ERROR));
	event = told_of(0, 4);
	ck_assert_int_eq(event->signal, SIGKILL);
	ck_assert_int_eq(event->stop_requested, 1);
	ck_assert_int_eq(event->stop_signal, stops[_i]);
	for (int i = 1; i < SEVERAL; i++)
		ASSERT_TOLD_OF(i, PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED,
			       PANICMON_SIGNAL_PASSED);
	end_several();
}
END_TEST

START_TEST(killed_with_its_group)
{
	pid_t members[2];

	open_families(members);
	several_options[1].stop_timeout_ms = TIMEOUT_MS;
	send_signal(SIGTERM, false, 1);
	turn_until_told(SEVERAL + 2 * SEVERAL + 2);
	ASSERT_TOLD_OF(1, PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED,
		       PANICMON_SIGNAL_PASSED, PANICMON_SIGNAL_PASSED, PANICMON_PROCESS_EXITED);
	while (kill(members[1], 0) == 0)
		pm_loop_turn(&loop);
	end_families(members);
}
END_TEST

START_TEST(not_postponed)
{
	open_stubborn(3600 * 1000);
	ck_assert(!several[0].stop_timer.set);
	send_signal(SIGTERM, false, 1);
	turn_until_told(SEVERAL + 2 * SEVERAL);
	ck_assert(several[0].stop_timer.set);
	const int64_t at = several[0].stop_timer.at;
	send_signal(SIGINT, false, 1);
	turn_until_told(SEVERAL + 4 * SEVERAL);
	ck_assert(several[0].stop_timer.set);
	ck_assert_int_eq(several[0].stop_timer.at, at);
	end_several();
	ck_assert(!several[0].stop_timer.set);
	ck_assert_int_eq(told_of(0, 5)->stop_signal, SIGINT);
}
END_TEST

static const struct {
	int64_t timeout_ms;
	int rewritten_to, signal;
	pm_sigset taken;
	bool set;
} timers[] = {
	{0, SIGTERM, SIGTERM, ~UINT64_C(0), false},
	{1000 * 1000, SIGTERM, SIGTERM, ~UINT64_C(0), true},
	{1000 * 1000, SIGTERM, SIGHUP, ~UINT64_C(0), false},
	{1000 * 1000, SIGTERM, SIGUSR1, ~UINT64_C(0), false},
	{1000 * 1000, 0, SIGTERM, ~UINT64_C(0), false},
	{1000 * 1000, SIGHUP, SIGTERM, ~UINT64_C(0), true},
	{1000 * 1000, SIGTERM, SIGTERM, UINT64_C(1) << (SIGHUP - 1), false},
};

START_TEST(when_the_time_begins)
{
	prepare_several();
	several_options[0].stop_timeout_ms = timers[_i].timeout_ms;
	several_options[0].rewrite = rewrite_to(SIGTERM, (uint8_t)timers[_i].rewritten_to);
	several_options[0].signals = timers[_i].taken;
	open_several();
	start();
	send_signal(timers[_i].signal, false, 1);
	while (told_count_of(1) < 3)
		pm_loop_turn(&loop);
	ck_assert_int_eq(several[0].stop_timer.set, timers[_i].set);
	end_several();
}
END_TEST

/* The signal never arrived, so nobody is waited for. */
START_TEST(not_after_a_failed_signal)
{
	siginfo_t info;

	open_stubborn(1000 * 1000);
	kill(several[0].spawn.pid, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)several[0].spawn.pid, &info, WEXITED | WNOWAIT), 0);
	send_signal(SIGTERM, false, 1);
	while (!several[0].ended)
		pm_loop_turn(&loop);
	ck_assert(!several[0].stop_timer.set);
	end_several();
}
END_TEST

/* As the time is over, it turns out that it has ended just now. */
START_TEST(not_killed_if_it_has_ended)
{
	siginfo_t info;

	open_stubborn(1000 * 1000);
	send_signal(SIGTERM, false, 1);
	turn_until_told(SEVERAL + 2 * SEVERAL);
	pm_loop_pause(&loop, &children.source);
	kill(several[0].spawn.pid, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)several[0].spawn.pid, &info, WEXITED | WNOWAIT), 0);
	several[0].stop_timer.at = 0;
	turn_until_told(SEVERAL + 2 * SEVERAL + 1);
	ASSERT_TOLD_OF(0, PANICMON_PROCESS_STARTED, PANICMON_SIGNAL_RECEIVED,
		       PANICMON_SIGNAL_PASSED, PANICMON_PROCESS_EXITED);
	pm_loop_resume(&loop, &children.source);
	end_several();
}
END_TEST

/* Nobody has that number. */
START_TEST(kill_fails)
{
	open_stubborn(1000 * 1000);
	send_signal(SIGTERM, false, 1);
	turn_until_told(SEVERAL + 2 * SEVERAL);
	const pid_t pid = several[0].spawn.pid;
	several[0].spawn.pid = INT32_MAX;
	several[0].stop_timer.at = 0;
	turn_until_told(SEVERAL + 2 * SEVERAL + 1);
	several[0].spawn.pid = pid;
	const struct panicmon_event *event = told_of(0, 3);
	ck_assert_uint_eq(event->type, PANICMON_SIGNAL_FAILED);
	ck_assert_int_eq(event->signal, SIGKILL);
	ck_assert_int_eq(event->error, ESRCH);
	ck_assert_int_eq(event->sender_pid, getpid());
	end_several();
}
END_TEST

void add_stop_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "stop");

	tcase_add_loop_test(tests, rewritten_to_another, 0,
			    sizeof(rewritten) / sizeof(rewritten[0]));
	tcase_add_test(tests, rewritten_with_its_values);
	tcase_add_test(tests, dropped);
	tcase_add_loop_test(tests, rewritten_asks_to_stop, 0, 2);
	tcase_add_loop_test(tests, to_the_group, 0, 2);
	tcase_add_loop_test(tests, killed_after_the_timeout, 0, 3);
	tcase_add_test(tests, killed_with_its_group);
	tcase_add_test(tests, not_postponed);
	tcase_add_loop_test(tests, when_the_time_begins, 0, sizeof(timers) / sizeof(timers[0]));
	tcase_add_test(tests, not_after_a_failed_signal);
	tcase_add_test(tests, not_killed_if_it_has_ended);
	tcase_add_test(tests, kill_fails);
}
