/* The process room: the one who reaps. */
#include <config.h>

#include "test_process_watched.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ends the first, when it is the only one that is left. */
static void end_the_first(void)
{
	const int before = ended_count;

	kill(watched[0].child.pid, SIGKILL);
	while (watched[0].ended == 0)
		pm_loop_turn(&loop);
	ck_assert_int_eq(ended_count, before + 1);
	assert_no_children();
}

START_TEST(coalesced)
{
	watch_all_end();
	assert_no_children();
}
END_TEST

START_TEST(one_after_the_other)
{
	watch_each_end();
	assert_no_children();
}
END_TEST

START_TEST(unknown_children_are_reaped)
{
	watch(0, fork_staying());
	const pid_t unknown = fork_exiting(3);
	wait_for_zombie(unknown);
	pm_loop_turn(&loop);
	ck_assert_int_eq(kill(unknown, 0), -1);
	ck_assert_int_eq(errno, ESRCH);
	ck_assert_int_eq(ended_count, 0);
	end_the_first();
}
END_TEST

/* What the command leaves behind comes to us, as PID 1 or as subreaper. */
START_TEST(orphans_are_reaped)
{
	int ends[2];
	pid_t orphan;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	const pid_t pid = fork_child();
	if (pid == 0) {
		const pid_t grandchild = fork();

		if (grandchild == 0)
			_exit(0);
		_exit(write(ends[1], &grandchild, sizeof(grandchild)) < 0);
	}
	watch(0, pid);
	ck_assert_int_eq(read(ends[0], &orphan, sizeof(orphan)), sizeof(orphan));
	wait_for_zombie(pid);
	wait_for_zombie(orphan);
	pm_children_reap(&children);
	ck_assert_int_eq(kill(orphan, 0), -1);
	ck_assert_int_eq(errno, ESRCH);
	ck_assert_int_eq(watched[0].ended, 1);
	ck_assert_int_eq(ended_count, 1);
	assert_no_children();
	close(ends[0]);
	close(ends[1]);
}
END_TEST

static pid_t fork_stopping(int signal)
{
	const pid_t pid = fork_child();

	if (pid == 0) {
		kill(getpid(), signal);
		_exit(7);
	}
	return pid;
}

START_TEST(stopped_is_not_ended)
{
	if (_i == 1 && is_under_valgrind())
		return;
	pm_sigset_block(~pm_sigset_of(SIGTSTP), NULL);
	watch(0, fork_stopping(_i == 0 ? SIGSTOP : SIGTSTP));
	while (watched[0].stopped == 0)
		pm_loop_turn(&loop);
	ck_assert_int_eq(watched[0].signal, _i == 0 ? SIGSTOP : SIGTSTP);
	ck_assert_int_eq(watched[0].ended, 0);
	ck_assert_ptr_eq(children.first, &watched[0].child);
	kill(watched[0].child.pid, SIGCONT);
	while (watched[0].ended == 0)
		pm_loop_turn(&loop);
	ck_assert_int_eq(WEXITSTATUS(watched[0].status), 7);
	ck_assert_int_eq(watched[0].stopped, 1);
	assert_no_children();
}
END_TEST

START_TEST(continued)
{
	watch(0, fork_staying());
	for (int i = 1; i <= 3; i++) {
		kill(watched[0].child.pid, SIGSTOP);
		while (watched[0].stopped < i)
			pm_loop_turn(&loop);
		ck_assert_int_eq(watched[0].continued, i - 1);
		kill(watched[0].child.pid, SIGCONT);
		while (watched[0].continued < i)
			pm_loop_turn(&loop);
		ck_assert_int_eq(watched[0].stopped, i);
	}
	ck_assert_int_eq(watched[0].ended, 0);
	end_the_first();
}
END_TEST

/* Registered ones are none, dead or alive; others are, until they are reaped. */
START_TEST(orphans_are_found)
{
	ck_assert(!pm_children_has_orphan(&children));
	watch(0, fork_staying());
	watch(1, fork_exiting(0));
	wait_for_zombie(watched[1].child.pid);
	ck_assert(!pm_children_has_orphan(&children));
	const pid_t unknown = fork_staying();
	ck_assert(pm_children_has_orphan(&children));
	pm_children_reap(&children);
	ck_assert(pm_children_has_orphan(&children));
	kill(unknown, SIGKILL);
	wait_for_zombie(unknown);
	ck_assert(pm_children_has_orphan(&children));
	pm_children_reap(&children);
	ck_assert(!pm_children_has_orphan(&children));
	end_the_first();
	ck_assert(!pm_children_has_orphan(&children));
}
END_TEST

START_TEST(stopped_and_nobody_cares)
{
	siginfo_t info;

	watch(0, fork_stopping(SIGSTOP));
	watched[0].child.stopped = NULL;
	ck_assert_int_eq(waitid(P_PID, (id_t)watched[0].child.pid, &info, WSTOPPED | WNOWAIT), 0);
	pm_children_reap(&children);
	ck_assert_int_eq(watched[0].ended, 0);
	kill(watched[0].child.pid, SIGCONT);
	while (watched[0].ended == 0)
		pm_loop_turn(&loop);
	assert_no_children();
}
END_TEST

/* As a keeper that restarts its host. */
START_TEST(registered_again_by_ended)
{
	watched[1].then = start_again;
	watch(0, fork_staying());
	watch(1, fork_exiting(0));
	while (watched[1].ended < 3)
		pm_loop_turn(&loop);
	ck_assert_int_eq(WEXITSTATUS(watched[1].status), 2);
	end_the_first();
}
END_TEST

/* errno says nothing when nobody is ready: it must not be taken for an end, nor be waited for. */
START_TEST(nobody_is_ready)
{
	pm_children_reap(&children);
	watch(0, fork_staying());
	errno = ECHILD;
	pm_children_reap(&children);
	ck_assert_int_eq(ended_count, 0);
	end_the_first();
}
END_TEST

void add_children_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "children", open_children, close_children);

	tcase_add_test(tests, coalesced);
	tcase_add_test(tests, one_after_the_other);
	tcase_add_test(tests, unknown_children_are_reaped);
	tcase_add_test(tests, orphans_are_reaped);
	tcase_add_loop_test(tests, stopped_is_not_ended, 0, 2);
	tcase_add_test(tests, continued);
	tcase_add_test(tests, orphans_are_found);
	tcase_add_test(tests, stopped_and_nobody_cares);
	tcase_add_test(tests, registered_again_by_ended);
	tcase_add_test(tests, nobody_is_ready);
}
