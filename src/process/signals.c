#include <config.h>

#include "process/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void pm_signals_take(struct pm_signals_inherited *inherited)
{
	struct sigaction chld;

	*inherited = (struct pm_signals_inherited){0};
	pm_sigset_block(~UINT64_C(0), &inherited->blocked);
	sigaction(SIGCHLD, NULL, &chld);
	inherited->ignored_sigchld = chld.sa_handler == SIG_IGN;
	inherited->has_handlers = false;
	if (inherited->ignored_sigchld)
		signal(SIGCHLD, SIG_DFL);
}

/* As execve(2) does; but it comes after the mask is given back, and a handler that runs in between
 * would take a signal that is meant for the command. */
static void drop_handlers(void)
{
	for (int number = 1; number <= PM_SIGNAL_MAX; number++) {
		struct sigaction action;

		if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN &&
		    action.sa_handler != SIG_DFL)
			signal(number, SIG_DFL);
	}
}

void pm_signals_give_back(const struct pm_signals_inherited *inherited)
{
	if (inherited->has_handlers)
		drop_handlers();
	if (inherited->ignored_sigchld)
		signal(SIGCHLD, SIG_IGN);
	pm_sigset_block(inherited->blocked, NULL);
}

int pm_signals_descriptor(pm_sigset set)
{
	/* Not signalfd(3): its sigset_t cannot hold 32 and 33. */
	return (int)syscall(SYS_signalfd4, -1, &set, sizeof(set), SFD_CLOEXEC | SFD_NONBLOCK);
}

bool pm_signal_is_own(const struct signalfd_siginfo *signal)
{
	const pm_sigset own = pm_sigset_of(SIGPIPE) | pm_sigset_of(SIGXFSZ) |
			      pm_sigset_of(SIGTSTP) | pm_sigset_of(SIGTTIN) |
			      pm_sigset_of(SIGTTOU);

	return pm_sigset_has(own, (int)signal->ssi_signo) && signal->ssi_code <= 0 &&
	       signal->ssi_pid == (uint32_t)getpid();
}

static int result(long returned)
{
	return returned < 0 ? errno : 0;
}

bool pm_signal_has_sender(const struct signalfd_siginfo *signal)
{
	return signal->ssi_code == SI_USER || signal->ssi_code == SI_QUEUE ||
	       signal->ssi_code == SI_TKILL || signal->ssi_code == SI_MESGQ;
}

/* The kernel refuses a forged si_code >= 0, the mark of kill(2) and of the kernel itself, and
 * SI_TKILL; of the others these carry a value. */
bool pm_signal_carries_value(const struct signalfd_siginfo *signal)
{
	return signal->ssi_code == SI_QUEUE || signal->ssi_code == SI_MESGQ ||
	       signal->ssi_code == SI_TIMER;
}

int pm_signal_pass(const struct signalfd_siginfo *signal, int as, pid_t pid)
{
	siginfo_t info = {
		.si_signo = as,
		.si_code = signal->ssi_code,
	};

	if (!pm_signal_carries_value(signal))
		return result(kill(pid, as));
	info.si_value.sival_ptr = (void *)(uintptr_t)signal->ssi_ptr;
	if (signal->ssi_code == SI_TIMER) {
		info.si_timerid = (int)signal->ssi_tid;
		info.si_overrun = (int)signal->ssi_overrun;
	} else {
		info.si_pid = (pid_t)signal->ssi_pid;
		info.si_uid = signal->ssi_uid;
	}
	return result(syscall(SYS_rt_sigqueueinfo, pid, as, &info));
}

void pm_signal_die_by(int signal_number)
{
	struct rlimit none = {0, 0};

	/* The core, if any, is the command's; the limit has no say where cores go to a pipe. */
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
	signal(signal_number, SIG_DFL);
	kill(getpid(), signal_number);
	/* The others stay blocked: one that came in the meantime must not end us first. */
	pm_sigset_block(~pm_sigset_of(signal_number), NULL);
}
