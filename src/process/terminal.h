/* process/terminal.h: the foreground of the controlling terminal (credentials(7), tcsetpgrp(3)).
 *
 * The command has a process group of its own, so that what is typed reaches it once and not
 * panicmon as well. If panicmon was in the foreground, the command's group takes its place; without
 * a controlling terminal nothing is touched.
 */
#ifndef PM_PROCESS_TERMINAL_H
#define PM_PROCESS_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

struct pm_terminal {
	int fd;      /* -1: there is no controlling terminal */
	bool shared; /* we are part of a pipeline, of which others may want the terminal */
};

void pm_terminal_open(struct pm_terminal *terminal);
void pm_terminal_close(struct pm_terminal *terminal);

bool pm_terminal_is_ours(const struct pm_terminal *terminal);

/* Puts a group into the foreground in our place, if that is where we are. */
void pm_terminal_give(const struct pm_terminal *terminal, pid_t group);

/* Takes the foreground back from that group, if it has it. */
void pm_terminal_take_back(const struct pm_terminal *terminal, pid_t group);

/* Whether that group is in the foreground. */
bool pm_terminal_has(const struct pm_terminal *terminal, pid_t group);

/* Stops us by a signal of job control, `whole`: with our group, so that the calling shell gets its
 * prompt. Returns when SIGCONT has come, with SIGCONT pending; or at once, false, where the kernel does
 * not stop us: there is nobody who could continue us (our group is orphaned, setpgid(2)), or the signal
 * is ignored. */
bool pm_terminal_stop(int signal, bool whole);

#endif
