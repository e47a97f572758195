/* The process room: the guard, who ends the commands' groups when panicmon was killed. */
#include <config.h>

#include "test_process_watched.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/guard.h"

enum { GROUPS = 3 };

static struct pm_guard guard;
static struct pm_alive alive;
static const struct pm_guard_setup setup = {.alive = &alive};

/* ---- who is signalled ---- */

/* Whoever calls kill(2) for anybody but that one and its group is killed himself: if it were for -1, all would
 * be. */
static void allow_kill_of(pid_t pid)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)pid, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)-pid, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof(steps) / sizeof(steps[0]), steps};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(3);
}

/* A process that leads a group, and stays. */
static pid_t fork_leader(void)
{
	const pid_t pid = fork_staying();

	setpgid(pid, pid);
	return pid;
}

/* That one, and nobody else. */
static void assert_kills(pid_t leader)
{
	const pid_t pid = fork_child();

	if (pid == 0) {
		allow_kill_of(leader);
		pm_alive_kill(&alive);
		_exit(0);
	}
	ck_assert_int_eq(end_of(pid), 0);
	ck_assert_int_eq(end_of(leader), -SIGKILL);
}

/* The numbers that mean "all", "my group", or nobody. */
START_TEST(garbage_is_not_signalled)
{
	static const int32_t garbage[] = {0, 1, -1, -2, INT32_MIN, INT32_MIN + 1};
	pid_t leader;

	if (is_under_valgrind()) /* it has a kill(2) of its own */
		return;
	leader = fork_leader();
	atomic_store(&alive.groups, 1);
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
		atomic_store(&alive.pids[10 * i], garbage[i]);
	atomic_store(&alive.pids[PM_ALIVE_MAX - 1], leader);
	assert_kills(leader);
}
END_TEST

/* One that shares our group is ended alone: PDEATHSIG may have been cleared. */
START_TEST(no_groups)
{
	const pid_t leader = fork_leader();

	if (is_under_valgrind())
		return;
	atomic_store(&alive.pids[1], leader);
	assert_kills(leader);
}
END_TEST

/* ---- a monitor that is killed ---- */

/* Two of a group that hold a pipe. One writes as it gets SIGUSR1. */
struct group {
	int read_end, write_end;
	pid_t pid;
};

static void __attribute__((noreturn)) live(int fd)
{
	sigset_t usr1;
	int got;

	setpgid(0, 0); /* before the other one is there */
	pm_sigset_block(~pm_sigset_of(SIGALRM), NULL);
	alarm(100);
	if (fork() == 0)
		for (;;)
			pause();
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	if (write(fd, "r", 1) == 1 && sigwait(&usr1, &got) == 0 && write(fd, "u", 1) == 1)
		for (;;)
			pause();
	_exit(1);
}

/* In the monitor, which it outlives: only a command itself has a PDEATHSIG. It holds no pipe but
 * its own. */
static int open_group(struct group *groups, int index)
{
	groups[index].pid = fork();
	if (groups[index].pid == 0) {
		for (int i = 0; i < GROUPS; i++)
			if (i != index)
				close(groups[i].write_end);
		live(groups[index].write_end);
	}
	return groups[index].pid < 0 ? -1 : 0;
}

struct monitor {
	pid_t pid;
	struct group groups[GROUPS];
};

/* The monitor of three commands, with a guard, which was told that one has ended; -1: none. */
static int monitor_them(struct group *groups, int forgotten)
{
	for (int i = 0; i < GROUPS; i++) {
		if (open_group(groups, i) < 0)
			return 1;
		atomic_store(&alive.pids[i], groups[i].pid);
	}
	atomic_store(&alive.groups, 1);
	if (pm_guard_start(&guard, &children, &setup, &error) < 0)
		return 2;
	if (forgotten >= 0)
		pm_guard_set_command(&guard, (size_t)forgotten, 0);
	return 0;
}

static void open_monitor(struct monitor *monitor, int forgotten)
{
	int ends[2];
	pid_t pids[GROUPS];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	for (int i = 0; i < GROUPS; i++) {
		int its[2];

		ck_assert_int_eq(pipe2(its, O_CLOEXEC), 0);
		monitor->groups[i] = (struct group){.read_end = its[0], .write_end = its[1]};
	}
	monitor->pid = fork_child();
	if (monitor->pid == 0) {
		const int failed = monitor_them(monitor->groups, forgotten);

		for (int i = 0; i < GROUPS; i++)
			pids[i] = failed == 0 ? monitor->groups[i].pid : -failed;
		if (write(ends[1], pids, sizeof(pids)) == sizeof(pids))
			for (;;)
				pause();
		_exit(1);
	}
	ck_assert_int_eq(read(ends[0], pids, sizeof(pids)), sizeof(pids));
	close(ends[0]);
	close(ends[1]);
	for (int i = 0; i < GROUPS; i++) {
		ck_assert_int_gt(pids[i], 0);
		monitor->groups[i].pid = pids[i];
		close(monitor->groups[i].write_end);
		ck_assert_int_eq(read_mark(monitor->groups[i].read_end), 'r');
	}
}

/* Only what still lives says so. */
static void assert_lives(const struct group *group)
{
	kill(group->pid, SIGUSR1);
	ck_assert_int_eq(read_mark(group->read_end), 'u');
	kill(-group->pid, SIGKILL);
	ck_assert_int_eq(read_mark(group->read_end), -1);
	close(group->read_end);
}

static void assert_dead(const struct group *group)
{
	ck_assert_int_eq(read_mark(group->read_end), -1);
	close(group->read_end);
}

START_TEST(groups_die_with_the_monitor)
{
	struct monitor monitor;

	open_monitor(&monitor, -1);
	kill(monitor.pid, SIGKILL);
	ck_assert_int_eq(end_of(monitor.pid), -SIGKILL);
	for (int i = 0; i < GROUPS; i++)
		assert_dead(&monitor.groups[i]);
}
END_TEST

/* Its number may be another's by now. It is signalled before the last, if at all. */
START_TEST(forgotten_ones_are_spared)
{
	struct monitor monitor;

	open_monitor(&monitor, _i);
	kill(monitor.pid, SIGKILL);
	ck_assert_int_eq(end_of(monitor.pid), -SIGKILL);
	for (int i = 0; i < GROUPS; i++)
		if (i != _i)
			assert_dead(&monitor.groups[i]);
	assert_lives(&monitor.groups[_i]);
}
END_TEST

/* ---- the guard itself ---- */

static void start_guard(pid_t leader)
{
	atomic_store(&alive.groups, 1);
	atomic_store(&alive.pids[0], leader);
	ck_assert_int_eq(pm_guard_start(&guard, &children, &setup, &error), 0);
	ck_assert_int_gt(guard.child.pid, 0);
}

static bool is_open_in(pid_t pid, int fd)
{
	char path[64], name[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	return readlink(path, name, sizeof(name)) >= 0;
}

/* None of what others wait for the end of, be it closed now or later. */
START_TEST(holds_no_descriptors)
{
	const pid_t leader = fork_leader();
	const int ours = fcntl(STDIN_FILENO, F_DUPFD, 100);
	char path[64], name[32] = "";

	start_guard(leader);
	const pid_t pid = guard.child.pid;
	while (is_open_in(pid, ours) || is_open_in(pid, guard.lifeline) || is_open_in(pid, 1))
		sched_yield();
	ck_assert(is_open_in(pid, STDIN_FILENO));
	ck_assert_int_eq(getpgid(pid), pid);
	ck_assert_int_eq(fcntl(guard.lifeline, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	FILE *comm = fopen(path, "re");
	ck_assert_ptr_nonnull(comm);
	ck_assert_ptr_nonnull(fgets(name, sizeof(name), comm));
	ck_assert_str_eq(name, "pm-guard\n");
	fclose(comm);
	pm_guard_stop(&guard, &children);
	kill(leader, SIGKILL);
	end_of(leader);
	close(ours);
}
END_TEST

static const int states[] = {0, SIGSTOP, SIGKILL};

/* As it is, stopped, or killed by somebody; without harm to the group. */
START_TEST(stop)
{
	const int descriptors = open_descriptors();
	const pid_t leader = fork_child();

	if (leader == 0) {
		sigset_t usr1;
		int got;

		sigemptyset(&usr1);
		sigaddset(&usr1, SIGUSR1);
		_exit(sigwait(&usr1, &got) == 0 ? 42 : 1);
	}
	setpgid(leader, leader);
	start_guard(leader);
	const pid_t pid = guard.child.pid;
	kill(pid, states[_i]);
	while (states[_i] == SIGKILL && guard.child.pid != 0)
		pm_loop_turn(&loop);
	pm_guard_stop(&guard, &children);
	ck_assert_int_eq(guard.child.pid, 0);
	ck_assert_ptr_null(guard.page);
	ck_assert_ptr_null(children.first);
	ck_assert_int_eq(kill(pid, 0), -1);
	ck_assert_int_eq(open_descriptors(), descriptors);
	pm_guard_stop(&guard, &children);
	pm_guard_set_command(&guard, 0, 0);
	kill(leader, SIGUSR1);
	ck_assert_int_eq(end_of(leader), 42);
}
END_TEST

START_TEST(zeroed)
{
	pm_guard_set_command(&guard, PM_ALIVE_MAX - 1, 0);
	pm_guard_stop(&guard, &children);
	ck_assert_ptr_null(guard.page);
}
END_TEST

/* One descriptor more each time, until there are enough: nothing is left of those that failed. */
START_TEST(cannot_be_started)
{
	struct rlimit limit, few;
	int result = -1, failures = 0;

	if (is_under_valgrind())
		return;
	pm_children_close(&children);
	pm_children_open_registered(&children, &loop);
	atomic_store(&alive.groups, 1);
	const int descriptors = open_descriptors();
	getrlimit(RLIMIT_NOFILE, &limit);
	few.rlim_max = limit.rlim_max;
	for (few.rlim_cur = 3; result < 0; few.rlim_cur++) {
		setrlimit(RLIMIT_NOFILE, &few);
		result = pm_guard_start(&guard, &children, &setup, &error);
		setrlimit(RLIMIT_NOFILE, &limit);
		if (result == 0)
			break;
		failures++;
		ck_assert_int_eq(error.code, EMFILE);
		pm_guard_stop(&guard, &children);
		ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
		ck_assert_int_eq(open_descriptors(), descriptors);
	}
	ck_assert_int_ge(failures, 3); /* the lifeline's two, and the page's */
	pm_guard_stop(&guard, &children);
	ck_assert_int_eq(open_descriptors(), descriptors);
}
END_TEST

/* It is there, but nobody could be told of its end. */
START_TEST(cannot_be_watched)
{
	const int epoll = loop.epoll;
	const int descriptors = open_descriptors();

	if (is_under_valgrind()) /* it does not know pidfd_open(2) */
		return;
	pm_children_close(&children);
	pm_children_open_registered(&children, &loop);
	loop.epoll = -1;
	ck_assert_int_eq(pm_guard_start(&guard, &children, &setup, &error), -1);
	loop.epoll = epoll;
	ck_assert_int_eq(error.code, EBADF);
	pm_guard_set_command(&guard, 0, 0);
	pm_guard_stop(&guard, &children);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(open_descriptors(), descriptors - 1);
}
END_TEST

void add_guard_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "guard", open_children, close_children);

	tcase_add_test(tests, garbage_is_not_signalled);
	tcase_add_test(tests, no_groups);
	tcase_add_test(tests, groups_die_with_the_monitor);
	tcase_add_loop_test(tests, forgotten_ones_are_spared, 0, GROUPS - 1);
	tcase_add_loop_test(tests, stop, 0, sizeof(states) / sizeof(states[0]));
	tcase_add_test(tests, holds_no_descriptors);
	tcase_add_test(tests, zeroed);
	tcase_add_test(tests, cannot_be_started);
	tcase_add_test(tests, cannot_be_watched);
}
