#include <config.h>

#include "process/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Puts a copy of `fd` in the place of `target`. -1: nothing to do. */
static int put(int fd, int target)
{
	if (fd < 0)
		return 0;
	if (fd == target) /* dup2(2) would leave it close-on-exec */
		return fcntl(fd, F_SETFD, 0);
	return dup2(fd, target) < 0 ? -1 : 0;
}

static int redirect(const struct pm_command *command)
{
	int errors = command->errors;

	if (command->directory >= 0 && fchdir(command->directory) < 0)
		return -1;
	if (errors == STDOUT_FILENO) { /* the two may change places */
		errors = fcntl(errors, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (errors < 0)
			return -1;
	}
	return put(command->output, STDOUT_FILENO) < 0 ? -1 : put(errors, STDERR_FILENO);
}

/* Waits until the gate is opened. False: panicmon is gone, at the latest before the prctl(2) that has it
 * noticed from then on: its end of the channel is closed, or we have another parent. (0 is one in another
 * pid namespace.) It may have opened the gate as its last deed. */
static bool pass_gate(int channel, pid_t monitor)
{
	char go;

	if (recv(channel, &go, sizeof(go), 0) != sizeof(go) ||
	    recv(channel, &go, sizeof(go), MSG_PEEK | MSG_DONTWAIT) == 0)
		return false;
	pid_t parent = getppid();
	return parent == monitor || parent == 0;
}

/* Between fork and exec: async-signal-safe calls only. execvp(3) is, since glibc 2.24 (it no
 * longer allocates). */
static void __attribute__((noreturn))
run_command(const struct pm_command *command, int channel, pid_t monitor)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (command->group == PM_GROUP_SESSION)
		setsid();
	if (!pass_gate(channel, monitor))
		_exit(PM_STATUS_OWN_FAILURE);
	pm_environment_enter(command->environment);
	if (redirect(command) == 0) {
		pm_signals_give_back(&command->inherited);
		execvp(command->argv[0], command->argv);
	}

	int failure = errno;
	/* Not write(2): the reader may be gone, and SIGPIPE's mask is the command's by now. */
	send(channel, &failure, sizeof(failure), MSG_NOSIGNAL);
	_exit(pm_spawn_status(failure));
}

/* The command's end must not be in the way of its 0 to 2, where a program without them would get
 * it; and what such a program writes to its 1 or 2 must not get into ours. */
static int above_stdio(int fd)
{
	int above = fd > STDERR_FILENO ? fd : fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (above != fd)
		close(fd);
	return above;
}

int pm_spawn_gated(struct pm_spawn *spawn, const struct pm_command *command, struct pm_error *error)
{
	int ends[2];
	pm_sigset blocked;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return pm_error_set(error, errno, "cannot make a channel to the command");
	pm_autofd ours = above_stdio(ends[0]);
	pm_autofd theirs = above_stdio(ends[1]);
	if (ours < 0 || theirs < 0)
		return pm_error_set(error, errno, "cannot make a channel to the command");

	/* A program's handlers are not for the child, nor may they interrupt it at the gate. */
	pm_sigset_block(~UINT64_C(0), &blocked);
	pid_t monitor = getpid();
	pid_t pid = fork();
	if (pid != 0)
		pm_sigset_block(blocked, NULL);
	if (pid < 0)
		return pm_error_set(error, errno, "cannot fork");
	if (pid == 0) {
		/* With our end open, it would not see EOF when panicmon dies. */
		close(ours);
		run_command(command, theirs, monitor);
	}
	/* While it is at the gate, so that it needs no call of its own and there is no race. */
	if (command->group == PM_GROUP_NEW)
		setpgid(pid, pid);
	spawn->pid = pid;
	spawn->leads = command->group != PM_GROUP_INHERIT;
	spawn->channel = pm_steal_fd(&ours);
	return 0;
}

int pm_spawn_kill(const struct pm_spawn *spawn, bool whole, int signal)
{
	bool done = whole && spawn->leads && kill(-spawn->pid, signal) == 0;
	int failure = whole && spawn->leads && !done ? errno : ESRCH;

	/* The command may have left its group to others: what ends all is for it, too. */
	if (done && signal != SIGKILL)
		return 0;
	if (!done && failure != ESRCH)
		return failure;
	return kill(spawn->pid, signal) == 0 || done ? 0 : errno;
}

int pm_spawn_release(const struct pm_spawn *spawn)
{
	if (send(spawn->channel, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
		return 0;
	return errno == EPIPE || errno == ECONNRESET ? 0 : -1;
}

enum pm_spawn_result pm_spawn_result(const struct pm_spawn *spawn, int *exec_errno)
{
	int failure;
	ssize_t got = recv(spawn->channel, &failure, sizeof(failure), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return PM_SPAWN_PENDING;
	if (got != sizeof(failure))
		return PM_SPAWN_STARTED;
	*exec_errno = failure;
	return PM_SPAWN_FAILED;
}

int pm_spawn_status(int exec_errno)
{
	return exec_errno == ENOENT || exec_errno == ENOTDIR ? PM_STATUS_NOT_FOUND
							     : PM_STATUS_NOT_INVOKED;
}

pid_t pm_spawn_role(void (*role)(void *arg), void *arg)
{
	pid_t pid = fork();

	if (pid == 0) {
		role(arg);
		abort();
	}
	return pid;
}
