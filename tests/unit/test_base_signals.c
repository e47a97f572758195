/* The base room: names, numbers and sets of signals. */
#include <config.h>

#include "test_base.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/signals.h"

START_TEST(names_of_the_standard_signals)
{
	/* signal(7), "Standard signals", the numbers of x86 and ARM. */
	static const char *const names[] = {
		NULL,      "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",    "SIGTRAP", "SIGABRT",
		"SIGBUS",  "SIGFPE",  "SIGKILL",   "SIGUSR1", "SIGSEGV",   "SIGUSR2", "SIGPIPE",
		"SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",
		"SIGTTIN", "SIGTTOU", "SIGURG",    "SIGXCPU", "SIGXFSZ",   "SIGVTALRM", "SIGPROF",
		"SIGWINCH", "SIGPOLL", "SIGPWR",   "SIGSYS",  "SIG32",     "SIG33",   "SIGRTMIN",
	};

	for (int signal = 1; signal < (int)(sizeof(names) / sizeof(names[0])); signal++)
		ck_assert_str_eq(pm_signal_name(signal), names[signal]);
	ck_assert_str_eq(pm_signal_name(35), "SIGRTMIN+1");
	ck_assert_str_eq(pm_signal_name(64), "SIGRTMIN+30");
}
END_TEST

/* A name that was given out stays as it is whatever is asked next. */
START_TEST(names_are_distinct_and_stay)
{
	const char *names[PM_SIGNAL_MAX + 1];

	for (int i = 1; i <= PM_SIGNAL_MAX; i++)
		names[i] = pm_signal_name(i);
	for (int i = 1; i <= PM_SIGNAL_MAX; i++) {
		ck_assert_int_eq(strncmp(names[i], "SIG", 3), 0);
		ck_assert_ptr_eq(pm_signal_name(i), names[i]);
		for (int j = 1; j < i; j++)
			ck_assert_str_ne(names[i], names[j]);
	}
}
END_TEST

/* What panicmon prints can be written into its config. */
START_TEST(numbers_of_all_names)
{
	for (int i = 1; i <= PM_SIGNAL_MAX; i++) {
		ck_assert_msg(pm_signal_number(pm_signal_name(i)) == i, "%s is taken for %d",
			      pm_signal_name(i), pm_signal_number(pm_signal_name(i)));
	}
}
END_TEST

START_TEST(numbers_of_digits)
{
	char text[16];

	for (int i = 1; i <= PM_SIGNAL_MAX; i++) {
		snprintf(text, sizeof(text), "%d", i);
		ck_assert_int_eq(pm_signal_number(text), i);
	}
}
END_TEST

START_TEST(numbers_in_any_case)
{
	ck_assert_int_eq(pm_signal_number("TERM"), SIGTERM);
	ck_assert_int_eq(pm_signal_number("SIGTERM"), SIGTERM);
	ck_assert_int_eq(pm_signal_number("sigterm"), SIGTERM);
	ck_assert_int_eq(pm_signal_number("SigTerm"), SIGTERM);
	ck_assert_int_eq(pm_signal_number("term"), SIGTERM);
	ck_assert_int_eq(pm_signal_number("SIGRTMIN"), SIGRTMIN);
	ck_assert_int_eq(pm_signal_number("rtmax"), SIGRTMAX);
}
END_TEST

START_TEST(numbers_of_realtime_signals)
{
	char text[32];

	for (int i = 0; i <= SIGRTMAX - SIGRTMIN; i++) {
		snprintf(text, sizeof(text), "RTMIN+%d", i);
		ck_assert_int_eq(pm_signal_number(text), SIGRTMIN + i);
		snprintf(text, sizeof(text), "SIGRTMAX-%d", i);
		ck_assert_int_eq(pm_signal_number(text), SIGRTMAX - i);
	}
}
END_TEST

static const char *const no_signals[] = {
	"", " ", "SIG", "sig", "0", "-1", "65", "99999999999999999999", "15x", "1 5", "0x0f",
	"TERMX", "XTERM", "SIGSIGTERM", "TER", "SIG TERM", "TERM ", "RT", "RTMIN+", "RTMIN+31",
	"RTMIN-1", "RTMAX-31", "RTMAX+1", "RTMAX-", "RTMIN+x", "RTMIN+1x", "RTMIN+-1", "RTMAX--1",
	"RTMIN+99999999999999999999", "RTMID", "SIGRTMIN+31",
};

START_TEST(no_numbers)
{
	ck_assert_msg(pm_signal_number(no_signals[_i]) == -1, "'%s' is taken for %d",
		      no_signals[_i], pm_signal_number(no_signals[_i]));
}
END_TEST

START_TEST(sets_have_64_bits)
{
	pm_sigset all = 0;

	for (int i = 1; i <= PM_SIGNAL_MAX; i++) {
		ck_assert_uint_eq(pm_sigset_of(i), UINT64_C(1) << (i - 1));
		ck_assert(!pm_sigset_has(all, i));
		all |= pm_sigset_of(i);
		ck_assert(pm_sigset_has(all, i));
	}
	ck_assert_uint_eq(all, UINT64_MAX);
}
END_TEST

/* Not sigprocmask(3), which says nothing of 32 and 33. */
static pm_sigset blocked_now(void)
{
	pm_sigset set = 0;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &set, sizeof(set));
	return set;
}

START_TEST(block_takes_all)
{
	const pm_sigset never = pm_sigset_of(SIGKILL) | pm_sigset_of(SIGSTOP);
	const pm_sigset at_start = blocked_now();
	pm_sigset before = 0;

	ck_assert_int_eq(pm_sigset_block(UINT64_MAX, &before), 0);
	ck_assert_uint_eq(before, at_start);
	ck_assert_uint_eq(blocked_now(), ~never);
	for (int i = 1; i <= PM_SIGNAL_MAX; i++) {
		if (pm_sigset_has(never, i))
			continue;
		ck_assert_int_eq(pm_sigset_block(pm_sigset_of(i), NULL), 0);
		ck_assert_uint_eq(blocked_now(), pm_sigset_of(i));
	}
	ck_assert_int_eq(pm_sigset_block(0, &before), 0);
	ck_assert_uint_eq(before, pm_sigset_of(PM_SIGNAL_MAX));
	ck_assert_uint_eq(blocked_now(), 0);
}
END_TEST

void add_signal_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "signals", NULL, NULL);

	tcase_add_test(tests, names_of_the_standard_signals);
	tcase_add_test(tests, names_are_distinct_and_stay);
	tcase_add_test(tests, numbers_of_all_names);
	tcase_add_test(tests, numbers_of_digits);
	tcase_add_test(tests, numbers_in_any_case);
	tcase_add_test(tests, numbers_of_realtime_signals);
	tcase_add_loop_test(tests, no_numbers, 0, sizeof(no_signals) / sizeof(no_signals[0]));
	tcase_add_test(tests, sets_have_64_bits);
	tcase_add_test(tests, block_takes_all);
}
