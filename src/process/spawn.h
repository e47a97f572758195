/* process/spawn.h: the only caller of fork(2).
 *
 * The command is forked behind a gate: it waits until its start has been told, and the gate's
 * channel brings back the errno of an execve(2) that failed, or is closed by one that succeeded.
 */
#ifndef PM_PROCESS_SPAWN_H
#define PM_PROCESS_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "process/environment.h"
#include "process/signals.h"

/* What a shell shows (POSIX XCU 2.8.2; also env(1) and timeout(1)). */
enum {
	PM_STATUS_OWN_FAILURE = 125,
	PM_STATUS_NOT_INVOKED = 126,
	PM_STATUS_NOT_FOUND = 127,
	PM_STATUS_SIGNAL_BASE = 128,
};

/* The process group that the command is in. */
enum pm_group {
	PM_GROUP_NEW,     /* one of its own */
	PM_GROUP_INHERIT, /* ours */
	PM_GROUP_SESSION, /* the one of a session of its own, which has no terminal */
};

struct pm_command {
	/* NULL at the end; the first is looked up in the PATH of its own `environment`. */
	char *const *argv;
	const struct pm_environment *environment; /* NULL: ours */
	struct pm_signals_inherited inherited;
	enum pm_group group;
	int output, errors; /* become its 1 and 2; -1: ours */
	int directory;      /* it starts there; -1: in ours */
};

struct pm_spawn {
	pid_t pid;
	bool leads; /* a group of its own, with its pid as id */
	int channel; /* readable when pm_spawn_result() has an answer; close-on-exec */
};

/* Forks a child that is killed with SIGKILL when this thread ends (PR_SET_PDEATHSIG: call it on a
 * thread that lives as long as the process), and holds it at the gate. */
int pm_spawn_gated(struct pm_spawn *spawn, const struct pm_command *command,
		   struct pm_error *error);

/* Opens the gate. -1 with errno: it can't be opened, and closing the channel sends the child away.
 * One that somebody killed there is no error: reaping tells of it. */
int pm_spawn_release(const struct pm_spawn *spawn);

enum pm_spawn_result {
	PM_SPAWN_PENDING,
	PM_SPAWN_STARTED, /* or ended before it got that far: reaping will tell */
	PM_SPAWN_FAILED,  /* *exec_errno is set */
};

/* Never blocks. Once the answer is not PM_SPAWN_PENDING any more, the channel can be closed. */
enum pm_spawn_result pm_spawn_result(const struct pm_spawn *spawn, int *exec_errno);

/* Sends a signal to the command, `whole`: to all of its group. 0 or an errno(3). The group of a session
 * is there from the gate on at the latest; before that, the command is all of it. */
int pm_spawn_kill(const struct pm_spawn *spawn, bool whole, int signal);

/* The status that stands for a failed execve(2). */
int pm_spawn_status(int exec_errno);

/* Forks a process that runs role(arg) and must not return from it. Returns its pid, -1 with errno.
 * No PDEATHSIG, signals as they are. */
pid_t pm_spawn_role(void (*role)(void *arg), void *arg);

#endif
