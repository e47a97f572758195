#include <config.h>

#include "process/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/signals.h"

/* All signals are blocked in panicmon, SIGTTOU too: tcsetpgrp from the background then works. */

static bool is_pipe(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

void pm_terminal_open(struct pm_terminal *terminal)
{
	terminal->shared = is_pipe(STDIN_FILENO) || is_pipe(STDOUT_FILENO);
	/* Not one of 0 to 2: with all of them redirected, Ctrl-C still goes to the foreground. */
	terminal->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

void pm_terminal_close(struct pm_terminal *terminal)
{
	pm_close(&terminal->fd);
}

bool pm_terminal_is_ours(const struct pm_terminal *terminal)
{
	return pm_terminal_has(terminal, getpgrp());
}

static void hand_over(const struct pm_terminal *terminal, pid_t from, pid_t to)
{
	if (terminal->fd >= 0 && tcgetpgrp(terminal->fd) == from)
		tcsetpgrp(terminal->fd, to);
}

void pm_terminal_give(const struct pm_terminal *terminal, pid_t group)
{
	hand_over(terminal, getpgrp(), group);
}

void pm_terminal_take_back(const struct pm_terminal *terminal, pid_t group)
{
	hand_over(terminal, group, getpgrp());
}

bool pm_terminal_has(const struct pm_terminal *terminal, pid_t group)
{
	return terminal->fd >= 0 && tcgetpgrp(terminal->fd) == group;
}

bool pm_terminal_stop(int signal, bool whole)
{
	sigset_t pending;
	pm_sigset blocked;

	kill(whole ? 0 : getpid(), signal);
	/* Here we stop, until somebody sends SIGCONT, which stays blocked and pending. */
	pm_sigset_block(~pm_sigset_of(signal), &blocked);
	pm_sigset_block(blocked, NULL);
	sigpending(&pending);
	return sigismember(&pending, SIGCONT) == 1;
}
