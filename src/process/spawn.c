#include <config.h>

#include "process/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Between fork and exec: async-signal-safe calls only. execvp(3) is, since glibc 2.24 (it no
 * longer allocates). */
static void __attribute__((noreturn)) run_command(const struct pm_command *command, int channel)
{
	char go;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* EOF: panicmon is gone. If it went before the prctl, this is how we learn of it. */
	if (recv(channel, &go, sizeof(go), 0) != sizeof(go))
		_exit(PM_STATUS_OWN_FAILURE);
	pm_signals_give_back(&command->inherited);
	execvp(command->argv[0], command->argv);

	int failure = errno;
	/* Not write(2): the reader may be gone, and SIGPIPE's mask is the command's by now. */
	send(channel, &failure, sizeof(failure), MSG_NOSIGNAL);
	_exit(pm_spawn_status(failure));
}

int pm_spawn_gated(struct pm_spawn *spawn, const struct pm_command *command, struct pm_error *error)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return pm_error_set(error, errno, "cannot make a channel to the command");
	pm_autofd ours = ends[0];
	pm_autofd theirs = ends[1];

	pid_t pid = fork();
	if (pid < 0)
		return pm_error_set(error, errno, "cannot fork");
	if (pid == 0) {
		/* With our end open, it would not see EOF when panicmon dies. */
		close(ours);
		run_command(command, theirs);
	}
	/* While it is at the gate, so that it needs no call of its own and there is no race. */
	setpgid(pid, pid);
	spawn->pid = pid;
	spawn->channel = pm_steal_fd(&ours);
	return 0;
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
