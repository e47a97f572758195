#include <config.h>

#include "base/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NAME_SIZE = 16, FIRST_REALTIME = 32 /* of the kernel */ };

int pm_sigset_block(pm_sigset set, pm_sigset *before)
{
	return (int)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, before, sizeof(set));
}

const char *pm_signal_name(int signal)
{
	static _Thread_local char names[PM_SIGNAL_MAX + 1][NAME_SIZE];
	char *name = names[signal];

	if (name[0] != '\0')
		return name;
	const char *abbreviation = sigabbrev_np(signal);
	if (abbreviation != NULL)
		snprintf(name, NAME_SIZE, "SIG%s", abbreviation);
	else if (signal == SIGRTMIN)
		snprintf(name, NAME_SIZE, "SIGRTMIN");
	else if (signal > SIGRTMIN)
		snprintf(name, NAME_SIZE, "SIGRTMIN+%d", signal - SIGRTMIN);
	else
		snprintf(name, NAME_SIZE, "SIG%d", signal);
	return name;
}

static int number_in_range(const char *text, long low, long high)
{
	char *end;

	errno = 0;
	long number = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || number < low || number > high)
		return -1;
	return (int)number;
}

static int realtime_number(const char *name)
{
	int span = SIGRTMAX - SIGRTMIN;
	int offset;

	if (strcasecmp(name, "RTMIN") == 0)
		return SIGRTMIN;
	if (strcasecmp(name, "RTMAX") == 0)
		return SIGRTMAX;
	if (strncasecmp(name, "RTMIN+", 6) == 0) {
		offset = number_in_range(name + 6, 0, span);
		return offset < 0 ? -1 : SIGRTMIN + offset;
	}
	if (strncasecmp(name, "RTMAX-", 6) == 0) {
		offset = number_in_range(name + 6, 0, span);
		return offset < 0 ? -1 : SIGRTMAX - offset;
	}
	return -1;
}

static int classic_number(const char *name)
{
	for (int signal = 1; signal < SIGRTMIN; signal++) {
		const char *abbreviation = sigabbrev_np(signal);

		if (abbreviation != NULL && strcasecmp(name, abbreviation) == 0)
			return signal;
	}
	return -1;
}

int pm_signal_number(const char *name)
{
	int number = number_in_range(name, 1, PM_SIGNAL_MAX);

	if (number > 0)
		return number;
	if (strncasecmp(name, "SIG", 3) == 0) {
		name += 3;
		/* Those that the C library keeps have no name but this. */
		number = number_in_range(name, FIRST_REALTIME, SIGRTMIN - 1);
	}
	if (number < 0)
		number = classic_number(name);
	return number < 0 ? realtime_number(name) : number;
}
