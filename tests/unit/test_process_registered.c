/* The process room: the one who reaps in a program that has children of its own. */
#include <config.h>

#include "test_process_watched.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int descriptors;

/* SIGCHLD is the program's. */
static void set_up(void)
{
	ck_assert_int_eq(pm_loop_open(&loop, &error), 0);
	pm_children_open_registered(&children, &loop);
	descriptors = open_descriptors();
}

static void turn_until_ended(int count)
{
	while (ended_count < count)
		pm_loop_turn(&loop);
	ck_assert_int_eq(ended_count, count);
}

static void assert_nothing_left(void)
{
	assert_no_children();
	ck_assert_int_eq(open_descriptors(), descriptors);
}

/* The child of somebody else keeps its status for them, though it ended first. */
START_TEST(only_the_registered)
{
	const pid_t foreign = fork_exiting(5);

	wait_for_zombie(foreign);
	watch(0, fork_exiting(6));
	ck_assert_int_eq(fcntl(watched[0].child.pidfd.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	turn_until_ended(1);
	ck_assert_int_eq(WEXITSTATUS(watched[0].status), 6);
	ck_assert(!watched[0].lost);
	ck_assert_int_gt(watched[0].max_rss, 0);
	pm_children_reap(&children);
	ck_assert_int_eq(end_of(foreign), 5);
	assert_nothing_left();
}
END_TEST

static volatile sig_atomic_t heard;

static void hear(int signal)
{
	(void)signal;
	heard = 1;
}

START_TEST(sigchld_is_left_alone)
{
	const struct sigaction action = {.sa_handler = hear};
	struct sigaction now;

	sigaction(SIGCHLD, &action, NULL);
	watch(0, fork_exiting(0));
	turn_until_ended(1);
	ck_assert_int_eq(heard, 1);
	sigaction(SIGCHLD, NULL, &now);
	ck_assert(now.sa_handler == hear);
	assert_nothing_left();
}
END_TEST

START_TEST(all_that_have_ended)
{
	watch_all_end();
	assert_nothing_left();
}
END_TEST

START_TEST(one_after_the_other)
{
	watch_each_end();
	assert_nothing_left();
}
END_TEST

START_TEST(ended_before_it_is_registered)
{
	const pid_t pid = fork_exiting(9);

	wait_for_zombie(pid);
	watch(0, pid);
	turn_until_ended(1);
	ck_assert_int_eq(WEXITSTATUS(watched[0].status), 9);
	assert_nothing_left();
}
END_TEST

/* ---- somebody else was faster ---- */

START_TEST(lost)
{
	watch(0, fork_staying());
	watch(1, fork_exiting(7));
	ck_assert_int_eq(end_of(watched[1].child.pid), 7);
	turn_until_ended(1);
	ck_assert_int_eq(watched[1].ended, 1);
	ck_assert(watched[1].lost);
	ck_assert_int_eq(watched[1].status, 0);
	ck_assert_int_eq(watched[1].max_rss, 0);
	kill(watched[0].child.pid, SIGKILL);
	turn_until_ended(2);
	ck_assert(!watched[0].lost);
	ck_assert_int_eq(WTERMSIG(watched[0].status), SIGKILL);
	assert_nothing_left();
}
END_TEST

/* The kernel was (wait(2)). */
START_TEST(lost_to_an_ignored_sigchld)
{
	signal(SIGCHLD, SIG_IGN);
	watch(0, fork_staying());
	kill(watched[0].child.pid, SIGKILL);
	turn_until_ended(1);
	ck_assert(watched[0].lost);
	assert_nothing_left();
}
END_TEST

/* ---- registered by another's end ---- */

static void start_another(struct watched_child *here)
{
	watch((int)(here - watched) + 1, fork_exiting(20));
}

START_TEST(registered_again_by_ended)
{
	watched[0].then = start_again;
	watched[1].then = start_another;
	watch(0, fork_exiting(0));
	watch(1, fork_exiting(0));
	watch(3, fork_exiting(30));
	turn_until_ended(3 + 1 + 1 + 1);
	ck_assert_int_eq(watched[0].ended, 3);
	ck_assert_int_eq(WEXITSTATUS(watched[0].status), 2);
	ck_assert_int_eq(watched[2].ended, 1);
	ck_assert_int_eq(WEXITSTATUS(watched[2].status), 20);
	assert_nothing_left();
}
END_TEST

/* Nobody is told of it, and it is no end. */
START_TEST(stopped)
{
	siginfo_t info;

	watch(0, fork_staying());
	kill(watched[0].child.pid, SIGSTOP);
	ck_assert_int_eq(waitid(P_PID, (id_t)watched[0].child.pid, &info, WSTOPPED | WNOWAIT), 0);
	pm_children_reap(&children);
	ck_assert_int_eq(watched[0].stopped, 0);
	ck_assert_int_eq(watched[0].continued, 0);
	ck_assert_int_eq(watched[0].ended, 0);
	kill(watched[0].child.pid, SIGKILL);
	turn_until_ended(1);
	assert_nothing_left();
}
END_TEST

/* ---- what can't be registered ---- */

START_TEST(no_descriptors_left)
{
	struct rlimit limit, none = {0, 0};

	watch(0, fork_staying());
	prepare(1, fork_staying());
	getrlimit(RLIMIT_NOFILE, &limit);
	none.rlim_max = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	const int result = pm_children_add(&children, &watched[1].child, &error);
	setrlimit(RLIMIT_NOFILE, &limit);
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(error.code, EMFILE);
	ck_assert_ptr_eq(children.first, &watched[0].child);
	ck_assert_ptr_null(watched[0].child.next);
	pm_children_forsake(&watched[1].child);
	ck_assert_int_eq(kill(watched[1].child.pid, 0), -1);
	ck_assert_int_eq(watched[1].ended, 0);
	ck_assert_int_eq(watched[0].ended, 0);
	kill(watched[0].child.pid, SIGKILL);
	turn_until_ended(1);
	assert_nothing_left();
}
END_TEST

START_TEST(no_loop)
{
	const int epoll = loop.epoll;

	prepare(0, fork_staying());
	loop.epoll = -1;
	ck_assert_int_eq(pm_children_add(&children, &watched[0].child, &error), -1);
	loop.epoll = epoll;
	ck_assert_int_eq(error.code, EBADF);
	pm_children_forsake(&watched[0].child);
	assert_nothing_left();
}
END_TEST

START_TEST(gone_already)
{
	prepare(0, fork_exiting(0));
	ck_assert_int_eq(end_of(watched[0].child.pid), 0);
	ck_assert_int_eq(pm_children_add(&children, &watched[0].child, &error), -1);
	ck_assert_int_eq(error.code, ESRCH);
	assert_nothing_left();
}
END_TEST

static const int hard[] = {0, SIGSTOP, SIGKILL};

/* Stopped, or dead already. */
START_TEST(forsaken)
{
	prepare(0, fork_staying());
	kill(watched[0].child.pid, hard[_i]);
	if (hard[_i] == SIGKILL)
		wait_for_zombie(watched[0].child.pid);
	pm_children_forsake(&watched[0].child);
	ck_assert_int_eq(watched[0].ended, 0);
	assert_nothing_left();
}
END_TEST

START_TEST(closed)
{
	struct pm_children none = {0};

	pm_children_close(&none);
	pm_children_close(&children);
	pm_children_close(&children);
	pm_children_reap(&children);
	assert_nothing_left();
}
END_TEST

void add_registered_tests(Suite *suite)
{
	TCase *tests;

	if (is_under_valgrind()) /* it does not know pidfd_open(2) */
		return;
	tests = make_case(suite, "registered", set_up, close_children);
	tcase_add_test(tests, only_the_registered);
	tcase_add_test(tests, sigchld_is_left_alone);
	tcase_add_test(tests, all_that_have_ended);
	tcase_add_test(tests, one_after_the_other);
	tcase_add_test(tests, ended_before_it_is_registered);
	tcase_add_test(tests, lost);
	tcase_add_test(tests, lost_to_an_ignored_sigchld);
	tcase_add_test(tests, registered_again_by_ended);
	tcase_add_test(tests, stopped);
	tcase_add_test(tests, no_descriptors_left);
	tcase_add_test(tests, no_loop);
	tcase_add_test(tests, gone_already);
	tcase_add_loop_test(tests, forsaken, 0, sizeof(hard) / sizeof(hard[0]));
	tcase_add_test(tests, closed);
}
