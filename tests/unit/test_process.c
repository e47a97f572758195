/* The process room: what its tests share, and the command that they start. */
#include <config.h>

#include "test_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct pm_error error;

pm_sigset blocked_now(void)
{
	pm_sigset set = 0;

	/* Not sigprocmask(3), which says nothing of 32 and 33. */
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &set, sizeof(set));
	return set;
}

pid_t fork_child(void)
{
	const pid_t parent = getpid();
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(99);
		alarm(100);
	}
	return pid;
}

pid_t fork_exiting(int status)
{
	const pid_t pid = fork_child();

	if (pid == 0)
		_exit(status);
	return pid;
}

pid_t fork_staying(void)
{
	const pid_t pid = fork_child();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

int end_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid)
		ck_assert_int_eq(errno, EINTR);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int read_mark(int fd)
{
	struct pollfd interest = {.fd = fd, .events = POLLIN};
	unsigned char mark;

	ck_assert_int_eq(poll(&interest, 1, 60 * 1000), 1);
	return read(fd, &mark, 1) == 1 ? mark : -1;
}

/* ---- the command's side: main() of `this_program ROLE ARG...` ---- */

static int role_state(char **args)
{
	struct sigaction chld;
	const pm_sigset wanted = strtoull(args[0], NULL, 16);
	const bool ignored = strcmp(args[1], "ignored") == 0;

	sigaction(SIGCHLD, NULL, &chld);
	if (blocked_now() != wanted)
		return 1;
	return (chld.sa_handler == SIG_IGN) == ignored ? 0 : 2;
}

/* Writes a mark to a descriptor and ends, or waits to be killed. */
static int role_mark(char **args)
{
	if (write(atoi(args[0]), "m", 1) != 1)
		return 90;
	if (strcmp(args[1], "stay") == 0)
		for (;;)
			pause();
	return atoi(args[1]);
}

/* Two of a group, who stay; the other's pid comes after the mark. */
static int role_family(char **args)
{
	const int fd = atoi(args[0]);
	const pid_t member = fork();

	if (member > 0 && (write(fd, "m", 1) != 1 ||
			   write(fd, &member, sizeof(member)) != sizeof(member)))
		return 90;
	for (;;)
		pause();
}

static int play(int argc, char **argv)
{
	alarm(100);
	if (argc == 4 && strcmp(argv[1], "state") == 0)
		return role_state(argv + 2);
	if (argc == 4 && strcmp(argv[1], "mark") == 0)
		return role_mark(argv + 2);
	if (argc == 4 && strcmp(argv[1], "family") == 0)
		return role_family(argv + 2);
	return 91;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return play(argc, argv);
	return RUN_SUITE("process", add_signal_tests, add_spawn_tests, add_command_tests,
			 add_children_tests, add_registered_tests, add_environment_tests,
			 add_leftovers_tests, add_guard_tests);
}
