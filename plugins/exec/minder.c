#include <config.h>

#include "minder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A host inherits nothing and its own are all closed by exec, but what a library opens may not be. */
enum { REPORT = STDERR_FILENO + 1, FIRST_FREE };

/* Of the host. Never delivered, as all signals are blocked: waited for. */
#define DEATH SIGUSR1

static void report(enum pm_exec_step step, int value)
{
	const struct pm_exec_report text = {(int32_t)step, value};

	/* Less than PIPE_BUF, into an empty pipe. Without a reader there is nobody to tell. */
	if (write(REPORT, &text, sizeof(text)) < 0)
		return;
}

static void close_from(int first)
{
	if (close_range((unsigned)first, ~0U, 0) == 0)
		return;
	/* Linux before 5.9. */
	long limit = sysconf(_SC_OPEN_MAX);
	for (int fd = first; fd < limit; fd++)
		close(fd);
}

/* Not a session of its own: the kernel gives each of those an equal share of the processor
 * (sched_autogroup), and a storm of events would take it from the command. But without the command's
 * terminal, where a program could ask for a password and wait for ever. */
static void lead_group(void)
{
	setpgid(0, 0);
	int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (terminal >= 0)
		ioctl(terminal, TIOCNOTTY);
}

static void arrange_descriptors(const struct pm_exec_start *start)
{
	dup2(start->input, STDIN_FILENO);
	if (start->report != REPORT)
		dup3(start->report, REPORT, O_CLOEXEC);
	close_from(FIRST_FREE);
}

/* Those of the C library as well, which signal(2) refuses: glibc's posix_spawn(3) leaves them ignored in
 * what it starts, such as a panicmon started by make(1). */
static void reset_signals(void)
{
	/* The kernel's own struct, of any machine: all bits 0 are SIG_DFL and no flags. */
	static const unsigned long by_default[16];

	for (int number = 1; number <= SIGRTMAX; number++)
		syscall(SYS_rt_sigaction, number, by_default, NULL, (SIGRTMAX + 7) / 8);
}

static void __attribute__((noreturn)) become_program(const struct pm_exec_start *start)
{
	sigset_t none;

	/* Should the minder be killed alone, by the kernel for its memory or by a mistaken hand. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (start->directory != NULL && chdir(start->directory) < 0) {
		report(PM_EXEC_NO_DIRECTORY, errno);
		_exit(127);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(start->argv[0], start->argv, start->environment);
	report(PM_EXEC_NOT_STARTED, errno);
	_exit(127);
}

/* Until the host kills us with the whole group, or dies. */
static void __attribute__((noreturn)) watch(pid_t program, pid_t host)
{
	sigset_t waited;
	int status;

	sigemptyset(&waited);
	sigaddset(&waited, SIGCHLD);
	sigaddset(&waited, DEATH);
	for (;;) {
		if (getppid() != host)
			kill(0, SIGKILL);
		if (program > 0 && waitpid(program, &status, WNOHANG) == program) {
			program = 0;
			report(PM_EXEC_ENDED, status);
		}
		sigwaitinfo(&waited, NULL);
	}
}

void pm_exec_mind(const struct pm_exec_start *start)
{
	lead_group();
	reset_signals();
	prctl(PR_SET_PDEATHSIG, DEATH);
	arrange_descriptors(start);
	pid_t program = fork();
	if (program == 0)
		become_program(start);
	if (program < 0)
		report(PM_EXEC_NOT_FORKED, errno);
	watch(program, start->host);
}
