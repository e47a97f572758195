#include <config.h>

#include "process/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/signals.h"

/* All signals are blocked in panicmon, SIGTTOU too: tcsetpgrp from the background then works. */

void pm_terminal_open(struct pm_terminal *terminal)
{
	/* Not one of 0 to 2: with all of them redirected, Ctrl-C still goes to the foreground. */
	terminal->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

void pm_terminal_close(struct pm_terminal *terminal)
{
	pm_close(&terminal->fd);
}

bool pm_terminal_is_ours(const struct pm_terminal *terminal)
{
	return terminal->fd >= 0 && tcgetpgrp(terminal->fd) == getpgrp();
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

bool pm_terminal_stop_with(const struct pm_terminal *terminal, pid_t group, int signal)
{
	sigset_t pending;
	pm_sigset blocked;

	pm_terminal_take_back(terminal, group);
	kill(0, signal);
	/* Here we stop, until somebody sends SIGCONT, which stays blocked and pending. */
	pm_sigset_block(~pm_sigset_of(signal), &blocked);
	pm_sigset_block(blocked, NULL);
	sigpending(&pending);
	return sigismember(&pending, SIGCONT) == 1;
}
