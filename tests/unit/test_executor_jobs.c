/* The executor room: job control, at a terminal of its own: a session of three, who tell by their
 * exit status what they found. The shell starts the monitor as its job, in the foreground, and is
 * told what to do with it; the monitor runs the command, or several. */
#include <config.h>

#include "test_executor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the shell tells of the monitor, after its pid. */
struct report {
	pid_t pid;
	int status; /* of waitpid(2) */
};

struct session {
	int master;   /* ours: what is written there is typed */
	int reports;  /* from the shell */
	int orders;   /* to the shell: 'f' is fg, 'b' is bg */
	pid_t shell, monitor;
};

static struct session session;

/* ---- the monitor ---- */

static enum pm_group group;
static size_t commands = 1;
static uint8_t rewrite[PM_SIGNAL_MAX + 1];
static volatile pid_t *command_pids; /* shared with the test */

static int open_run(void)
{
	static char stay[] = "stay", empty[] = "";
	static char *argv[] = {this_program, stay, empty, NULL};
	const struct pm_run_setup setup = {
		.loop = &loop,
		.children = &children,
		.options = several_options,
		.count = commands,
		.job_control = true,
	};

	for (size_t i = 0; i < commands; i++) {
		several_options[i] = options_of(argv);
		several_options[i].command.inherited.blocked = 0;
		several_options[i].command.group = group;
		several_options[i].rewrite = rewrite;
		several_options[i].instance = (unsigned)i + 1;
	}
	if (pm_loop_open(&loop, &error) < 0 || pm_children_open(&children, &loop, &error) < 0)
		return -1;
	return pm_run_open(&together, several, &setup, &error);
}

/* A signal that the terminal sent: received and passed on once by each. 0, or what is wrong. */
static int check_told(int signal)
{
	/* With a group of its own it has the terminal, and we hear nothing. */
	const int wanted = commands == 1 && group == PM_GROUP_NEW ? 0 : 1;

	for (size_t i = 0; i < commands; i++) {
		int received = 0, passed = 0;

		for (size_t n = 0; n < told_count; n++) {
			const struct panicmon_event *event = &told[n].event;

			if (event->instance != (int)i + 1 || event->signal != signal)
				continue;
			if (event->type == PANICMON_SIGNAL_RECEIVED && event->si_code != SI_KERNEL)
				return 10;
			if (event->type == PANICMON_PROCESS_EXITED &&
			    event->stop_requested != wanted)
				return 40;
			received += event->type == PANICMON_SIGNAL_RECEIVED;
			passed += event->type == PANICMON_SIGNAL_PASSED;
		}
		if (received != wanted || passed != wanted)
			return 20 + received + 2 * passed;
		const int status = several[i].outcome.status;
		if (!WIFSIGNALED(status) || WTERMSIG(status) != signal)
			return 30;
	}
	return 0;
}

static void __attribute__((noreturn)) monitor(void)
{
	pm_sigset_block(~UINT64_C(0), NULL);
	if (open_run() < 0)
		_exit(1);
	pm_run_start(&together);
	for (size_t i = 0; i < commands; i++)
		command_pids[i] = several[i].spawn.pid;
	pm_run_wait(&together);
	pm_run_close(&together);
	_exit(check_told(SIGINT));
}

/* ---- the command ---- */

int role_stay(const char *arg)
{
	(void)arg;
	for (;;)
		pause();
}

/* ---- the shell ---- */

static int report(int to, pid_t pid, int status)
{
	const struct report said = {.pid = pid, .status = status};

	return write(to, &said, sizeof(said)) == sizeof(said) ? 0 : -1;
}

static void obey(char order, pid_t job)
{
	if (order == 'f')
		tcsetpgrp(STDIN_FILENO, job);
	kill(-job, SIGCONT);
}

static void __attribute__((noreturn)) be_shell(const char *terminal, int reports, int orders)
{
	pid_t job;
	int status;
	char order;

	alarm(100);
	setsid();
	close(STDIN_FILENO);
	if (open(terminal, O_RDWR) != STDIN_FILENO) /* a session's first becomes its terminal */
		_exit(1);
	dup2(STDIN_FILENO, STDOUT_FILENO); /* a pipe would make it part of a pipeline */
	signal(SIGTTOU, SIG_IGN);
	job = fork();
	if (job == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		tcsetpgrp(STDIN_FILENO, getpid());
		signal(SIGTTOU, SIG_DFL);
		monitor();
	}
	if (report(reports, job, 0) < 0)
		_exit(1);
	while (waitpid(job, &status, WUNTRACED) == job) {
		if (report(reports, job, status) < 0 || !WIFSTOPPED(status))
			break;
		tcsetpgrp(STDIN_FILENO, getpid());
		if (read(orders, &order, 1) != 1)
			break;
		obey(order, job);
	}
	_exit(0);
}

/* ---- the test ---- */

static struct report next_report(void)
{
	struct pollfd interest = {.fd = session.reports, .events = POLLIN};
	struct report said;

	ck_assert_int_eq(poll(&interest, 1, 60 * 1000), 1);
	ck_assert_int_eq(read(session.reports, &said, sizeof(said)), sizeof(said));
	return said;
}

static void open_session(void)
{
	int reports[2], orders[2];
	const char *terminal;

	session.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(session.master, 0);
	ck_assert_int_eq(grantpt(session.master), 0);
	ck_assert_int_eq(unlockpt(session.master), 0);
	terminal = ptsname(session.master);
	ck_assert_ptr_nonnull(terminal);
	ck_assert_int_eq(pipe2(reports, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(orders, O_CLOEXEC), 0);
	session.shell = fork();
	if (session.shell == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_shell(terminal, reports[1], orders[0]);
	}
	close(reports[1]);
	close(orders[0]);
	session.reports = reports[0];
	session.orders = orders[1];
	session.monitor = next_report().pid;
}

static pid_t foreground(void)
{
	pid_t now = -1;

	ck_assert_int_eq(ioctl(session.master, TIOCGPGRP, &now), 0);
	return now;
}

static void wait_for_foreground(pid_t wanted)
{
	while (foreground() != wanted)
		poll(NULL, 0, 1);
}

static char state_of(pid_t pid)
{
	char path[64], state = '\0';

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "re");
	if (file != NULL && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = '\0';
	if (file != NULL)
		fclose(file);
	return state;
}

static void wait_for_state(pid_t pid, char wanted)
{
	while (state_of(pid) != wanted)
		poll(NULL, 0, 1);
}

/* The monitor as well: before it has seen that it was continued, it continues what is stopped again. */
static void wait_until_all_go_on(void)
{
	for (size_t i = 0; i < commands; i++)
		wait_for_state(command_pids[i], 'S');
	wait_for_state(session.monitor, 'S');
}

static bool is_the_command(pid_t pid)
{
	static const char wanted[] = "stay";
	char path[64], words[4096];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t got = fd < 0 ? 0 : read(fd, words, sizeof(words));
	if (fd >= 0)
		close(fd);
	return got > 0 && memmem(words, (size_t)got, wanted, sizeof(wanted)) != NULL;
}

/* Until it has become the command, nothing that is typed can stop it. */
static void wait_for_commands(void)
{
	for (size_t i = 0; i < commands; i++) {
		while (command_pids[i] == 0 || !is_the_command(command_pids[i]))
			poll(NULL, 0, 1);
		wait_for_state(command_pids[i], 'S');
	}
}

static void type(char key)
{
	ck_assert_int_eq(write(session.master, &key, 1), 1);
}

static void order(char what)
{
	ck_assert_int_eq(write(session.orders, &what, 1), 1);
}

static void assert_stopped(int signal)
{
	const struct report said = next_report();

	ck_assert(WIFSTOPPED(said.status));
	ck_assert_int_eq(WSTOPSIG(said.status), signal);
	for (size_t i = 0; i < commands; i++)
		wait_for_state(command_pids[i], 'T');
}

static void assert_interrupted(void)
{
	int status;

	type(3);
	const struct report said = next_report();
	ck_assert(WIFEXITED(said.status));
	ck_assert_int_eq(WEXITSTATUS(said.status), 0);
	ck_assert_int_eq(waitpid(session.shell, &status, 0), session.shell);
	close(session.master);
	close(session.reports);
	close(session.orders);
}

/* A sole command of a group of its own, one that shares ours, and several. */
static const struct {
	enum pm_group group;
	size_t commands;
} kinds[] = {{PM_GROUP_NEW, 1}, {PM_GROUP_INHERIT, 1}, {PM_GROUP_NEW, SEVERAL}};

static void open_kind(int kind)
{
	group = kinds[kind].group;
	commands = kinds[kind].commands;
	open_session();
	wait_for_commands();
	wait_for_foreground(kind == 0 ? command_pids[0] : session.monitor);
}

/* Typed once, it comes once, to each. */
START_TEST(interrupted)
{
	open_kind(_i);
	assert_interrupted();
}
END_TEST

/* What the kernel has sent to all of the group can't be made another, nor be dropped. */
START_TEST(interrupted_though_it_is_rewritten)
{
	rewrite[SIGINT] = _i == 0 ? SIGTERM : 0;
	open_kind(1);
	assert_interrupted();
}
END_TEST

/* The shell gets its prompt; at fg all go on, and the terminal is where it was. */
START_TEST(stopped_and_continued)
{
	open_kind(_i);
	for (int i = 0; i < 3; i++) {
		type(26);
		assert_stopped(SIGTSTP);
		wait_for_foreground(session.shell);
		order('f');
		wait_until_all_go_on();
		wait_for_foreground(_i == 0 ? command_pids[0] : session.monitor);
	}
	assert_interrupted();
}
END_TEST

/* In the background it has no terminal; at fg it gets that. */
START_TEST(continued_in_the_background)
{
	open_kind(_i);
	type(26);
	assert_stopped(SIGTSTP);
	wait_for_foreground(session.shell);
	order('b');
	wait_until_all_go_on();
	ck_assert_int_eq(foreground(), session.shell);
	for (size_t n = 0; n < commands; n++)
		kill(command_pids[n], SIGTSTP);
	assert_stopped(SIGTSTP);
	order('f');
	wait_for_foreground(_i == 0 ? command_pids[0] : session.monitor);
	wait_until_all_go_on();
	assert_interrupted();
}
END_TEST

/* In the foreground it is the job that stops. One of several goes alone. */
START_TEST(stopped_by_sigstop)
{
	open_kind(_i);
	kill(command_pids[0], SIGSTOP);
	wait_for_state(command_pids[0], 'T');
	if (commands == 1) {
		assert_stopped(SIGTSTP);
		order('f');
		wait_for_foreground(_i == 0 ? command_pids[0] : session.monitor);
	} else {
		kill(command_pids[0], SIGCONT);
	}
	wait_for_state(command_pids[0], 'S');
	assert_interrupted();
}
END_TEST

static void set_up(void)
{
	void *page = mmap(NULL, SEVERAL * sizeof(*command_pids), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(page, MAP_FAILED);
	command_pids = page;
	for (int i = 0; i <= PM_SIGNAL_MAX; i++)
		rewrite[i] = (uint8_t)i;
}

void add_jobs_tests(Suite *suite)
{
	TCase *tests;
	const int count = sizeof(kinds) / sizeof(kinds[0]);

	if (is_under_valgrind()) /* it does not stop as others do */
		return;
	tests = make_case(suite, "jobs", set_up, NULL);
	tcase_add_loop_test(tests, interrupted, 0, count);
	tcase_add_loop_test(tests, interrupted_though_it_is_rewritten, 0, 2);
	tcase_add_loop_test(tests, stopped_and_continued, 0, count);
	tcase_add_loop_test(tests, continued_in_the_background, 0, count);
	tcase_add_loop_test(tests, stopped_by_sigstop, 0, count);
}
