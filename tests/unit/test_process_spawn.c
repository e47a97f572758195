/* The process room: a command behind its gate. */
#include <config.h>

#include "test_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/spawn.h"

struct pm_command command_of(char *const *argv)
{
	return (struct pm_command){
		.argv = argv,
		.inherited = {.blocked = blocked_now()},
		.output = -1,
		.errors = -1,
		.directory = -1,
	};
}

struct pm_spawn spawn_gated(char *const *argv)
{
	const struct pm_command command = command_of(argv);
	struct pm_spawn spawn;

	ck_assert_msg(pm_spawn_gated(&spawn, &command, &error) == 0, "%s", error.text);
	ck_assert_int_gt(spawn.pid, 0);
	return spawn;
}

enum pm_spawn_result result_of(const struct pm_spawn *spawn, int *failure)
{
	struct pollfd interest = {.fd = spawn->channel, .events = POLLIN};

	ck_assert_int_eq(poll(&interest, 1, 60 * 1000), 1);
	return pm_spawn_result(spawn, failure);
}

void open_marked(struct marked *marked, const char *then)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(fcntl(ends[0], F_SETFD, FD_CLOEXEC), 0);
	marked->read_end = ends[0];
	snprintf(marked->write_end, sizeof(marked->write_end), "%d", ends[1]);
	marked->argv[0] = this_program;
	marked->argv[1] = strdup("mark");
	marked->argv[2] = marked->write_end;
	marked->argv[3] = strdup(then);
	marked->argv[4] = NULL;
}

void let_go(const struct marked *marked)
{
	close(atoi(marked->write_end));
}

void close_marked(struct marked *marked)
{
	close(marked->read_end);
	free(marked->argv[1]);
	free(marked->argv[3]);
}

bool has_mark(const struct marked *marked)
{
	struct pollfd interest = {.fd = marked->read_end, .events = POLLIN};

	return poll(&interest, 1, 0) == 1;
}

START_TEST(gate_holds_and_opens)
{
	struct marked marked;
	int failure = -1;

	open_marked(&marked, "7");
	struct pm_spawn spawn = spawn_gated(marked.argv);
	let_go(&marked);
	ck_assert_int_eq(fcntl(spawn.channel, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(getpgid(spawn.pid), spawn.pid);
	ck_assert_int_eq(pm_spawn_result(&spawn, &failure), PM_SPAWN_PENDING);
	ck_assert_int_eq(waitpid(spawn.pid, NULL, WNOHANG), 0);
	ck_assert(!has_mark(&marked));

	pm_spawn_release(&spawn);
	ck_assert_int_eq(read_mark(marked.read_end), 'm');
	ck_assert_int_eq(result_of(&spawn, &failure), PM_SPAWN_STARTED);
	ck_assert_int_eq(end_of(spawn.pid), 7);
	ck_assert_int_eq(failure, -1);
	close(spawn.channel);
	close_marked(&marked);
}
END_TEST

/* A long-running command answers too: by exec, which closes its end of the channel. */
START_TEST(started_while_it_runs)
{
	struct marked marked;
	int failure;

	open_marked(&marked, "stay");
	struct pm_spawn spawn = spawn_gated(marked.argv);
	let_go(&marked);
	pm_spawn_release(&spawn);
	ck_assert_int_eq(result_of(&spawn, &failure), PM_SPAWN_STARTED);
	ck_assert_int_eq(waitpid(spawn.pid, NULL, WNOHANG), 0);
	ck_assert_int_eq(read_mark(marked.read_end), 'm');
	kill(spawn.pid, SIGKILL);
	ck_assert_int_eq(end_of(spawn.pid), -SIGKILL);
	close(spawn.channel);
	close_marked(&marked);
}
END_TEST

START_TEST(end_of_file_sends_it_away)
{
	struct marked marked;

	open_marked(&marked, "0");
	struct pm_spawn spawn = spawn_gated(marked.argv);
	let_go(&marked);
	close(spawn.channel);
	ck_assert_int_eq(end_of(spawn.pid), PM_STATUS_OWN_FAILURE);
	ck_assert_int_eq(read_mark(marked.read_end), -1);
	close_marked(&marked);
}
END_TEST

/* Neither a broken channel nor its SIGPIPE is a reason for us to fall. */
START_TEST(killed_at_the_gate)
{
	char *argv[] = {this_program, NULL};
	int failure = -1;

	signal(SIGPIPE, SIG_DFL);
	struct pm_spawn spawn = spawn_gated(argv);
	kill(spawn.pid, SIGKILL);
	wait_for_zombie(spawn.pid);
	pm_spawn_release(&spawn);
	ck_assert_int_eq(result_of(&spawn, &failure), PM_SPAWN_STARTED);
	ck_assert_int_eq(failure, -1);
	ck_assert_int_eq(end_of(spawn.pid), -SIGKILL);
	close(spawn.channel);
}
END_TEST

/* ---- the monitor dies ---- */

/* A monitor that spawns the command and is killed, either at once or when the command runs. The pipe
 * is at its end when nobody is left who holds it. */
static void assert_dies_with_monitor(bool release)
{
	struct marked marked;

	open_marked(&marked, "stay");
	const pid_t monitor = fork_child();
	if (monitor == 0) {
		const struct pm_command command = command_of(marked.argv);
		struct pm_spawn spawn;

		if (pm_spawn_gated(&spawn, &command, &error) < 0)
			_exit(1);
		let_go(&marked);
		if (release)
			pm_spawn_release(&spawn);
		else
			kill(getpid(), SIGKILL);
		for (;;)
			pause();
	}
	let_go(&marked);
	if (release) {
		ck_assert_int_eq(read_mark(marked.read_end), 'm');
		kill(monitor, SIGKILL);
	}
	ck_assert_int_eq(end_of(monitor), -SIGKILL);
	ck_assert_int_eq(read_mark(marked.read_end), -1);
	close_marked(&marked);
}

START_TEST(dies_with_the_monitor)
{
	assert_dies_with_monitor(true);
}
END_TEST

START_TEST(dies_with_the_monitor_at_the_gate)
{
	assert_dies_with_monitor(false);
}
END_TEST

/* ---- exec fails ---- */

static char huge[256 * 1024];

static const struct {
	const char *command;
	bool huge_argument;
	int wanted_errno, wanted_status;
} failures[] = {
	{"/nonexistent/command", false, ENOENT, 127},
	{"panicmon-no-such-command", false, ENOENT, 127},
	{"", false, ENOENT, 127},
	{"/proc/self/status/x", false, ENOTDIR, 127},
	{"/", false, EACCES, 126},
	{"/proc/self/status", false, EACCES, 126},
	{"/bin/sh", true, E2BIG, 126},
};

START_TEST(exec_fails)
{
	int failure = 0;

	if (failures[_i].huge_argument && is_under_valgrind())
		return;
	char *argv[] = {strdup(failures[_i].command), failures[_i].huge_argument ? huge : NULL, NULL};
	memset(huge, 'x', sizeof(huge) - 1);
	setenv("PATH", "/usr/bin:/bin", 1); /* a folder that we may not search would be EACCES */
	struct pm_spawn spawn = spawn_gated(argv);
	ck_assert_int_eq(pm_spawn_result(&spawn, &failure), PM_SPAWN_PENDING);
	pm_spawn_release(&spawn);
	ck_assert_int_eq(result_of(&spawn, &failure), PM_SPAWN_FAILED);
	ck_assert_int_eq(failure, failures[_i].wanted_errno);
	ck_assert_int_eq(pm_spawn_status(failure), failures[_i].wanted_status);
	ck_assert_int_eq(end_of(spawn.pid), failures[_i].wanted_status);
	close(spawn.channel);
	free(argv[0]);
}
END_TEST

START_TEST(statuses)
{
	ck_assert_int_eq(pm_spawn_status(ENOENT), 127);
	ck_assert_int_eq(pm_spawn_status(ENOTDIR), 127);
	static const int others[] = {EACCES, EPERM,  ENOEXEC, E2BIG, ENOMEM, ELOOP,
				     EIO,    ETXTBSY, EINVAL, EISDIR, ENAMETOOLONG};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_int_eq(pm_spawn_status(others[i]), 126);
	ck_assert_int_eq(PM_STATUS_OWN_FAILURE, 125);
	ck_assert_int_eq(PM_STATUS_SIGNAL_BASE, 128);
}
END_TEST

START_TEST(no_descriptors_left)
{
	char *argv[] = {this_program, NULL};
	const struct pm_command command = command_of(argv);
	struct rlimit limit, none = {0, 0};
	struct pm_spawn spawn = {.pid = -7, .channel = -7};

	if (is_under_valgrind())
		return;
	getrlimit(RLIMIT_NOFILE, &limit);
	none.rlim_max = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	const int result = pm_spawn_gated(&spawn, &command, &error);
	setrlimit(RLIMIT_NOFILE, &limit);
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(error.code, EMFILE);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

/* ---- signals, as the command finds them ---- */

START_TEST(command_gets_signals_back)
{
	static const pm_sigset masks[] = {0, UINT64_C(3) << 31 | 1, UINT64_C(0x5555555555515455)};
	const pm_sigset mask = masks[_i / 2];
	const bool ignored = _i % 2 == 1;
	char text[32], state[] = "state", how[16];
	char *argv[] = {this_program, state, text, how, NULL};
	struct pm_command command = command_of(argv);
	struct pm_spawn spawn;

	snprintf(text, sizeof(text), "%llx", (unsigned long long)mask);
	snprintf(how, sizeof(how), "%s", ignored ? "ignored" : "default");
	pm_sigset_block(mask, NULL);
	signal(SIGCHLD, ignored ? SIG_IGN : SIG_DFL);
	pm_signals_take(&command.inherited);
	ck_assert_int_eq(pm_spawn_gated(&spawn, &command, &error), 0);
	pm_spawn_release(&spawn);
	ck_assert_int_eq(end_of(spawn.pid), 0);
	close(spawn.channel);
}
END_TEST

/* ---- a program with handlers of its own ---- */

static void on_signal(int number)
{
	(void)number;
	_exit(77);
}

/* It does not run in the child, be it at the gate or on the way to exec: the signal is the
 * command's. */
START_TEST(handlers_are_not_for_the_command)
{
	struct marked marked;
	const struct sigaction action = {.sa_handler = on_signal};
	struct pm_spawn spawn;

	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	open_marked(&marked, "stay");
	struct pm_command command = command_of(marked.argv);
	command.inherited.has_handlers = true;
	ck_assert_int_eq(pm_spawn_gated(&spawn, &command, &error), 0);
	ck_assert_uint_eq(blocked_now(), 0);
	let_go(&marked);
	kill(spawn.pid, SIGUSR1);
	ck_assert_int_eq(pm_spawn_release(&spawn), 0);
	ck_assert_int_eq(end_of(spawn.pid), -SIGUSR1);
	close(spawn.channel);
	close_marked(&marked);
}
END_TEST

/* ---- roles ---- */

static void leave(void *arg)
{
	_exit(*(int *)arg);
}

static void come_back(void *arg)
{
	(void)arg;
}

START_TEST(roles)
{
	int status = 42;
	pid_t pid = pm_spawn_role(leave, &status);

	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(end_of(pid), 42);
	/* One that returns must not go on as a second panicmon. */
	pid = pm_spawn_role(come_back, NULL);
	ck_assert_int_eq(end_of(pid), -SIGABRT);
}
END_TEST

void add_spawn_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "spawn", NULL, NULL);

	tcase_add_test(tests, gate_holds_and_opens);
	tcase_add_test(tests, started_while_it_runs);
	tcase_add_test(tests, end_of_file_sends_it_away);
	tcase_add_test(tests, killed_at_the_gate);
	tcase_add_test(tests, dies_with_the_monitor);
	tcase_add_test(tests, dies_with_the_monitor_at_the_gate);
	tcase_add_loop_test(tests, exec_fails, 0, sizeof(failures) / sizeof(failures[0]));
	tcase_add_test(tests, statuses);
	tcase_add_test(tests, no_descriptors_left);
	tcase_add_loop_test(tests, command_gets_signals_back, 0, 6);
	tcase_add_test(tests, handlers_are_not_for_the_command);
	tcase_add_test(tests, roles);
}
