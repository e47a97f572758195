#include <config.h>

#include "process/alive.h"

#include <signal.h>
#include <stdbool.h>

void pm_alive_kill(const struct pm_alive *alive)
{
	bool groups = atomic_load(&alive->groups) != 0;

	for (int i = 0; i < PM_ALIVE_MAX; i++) {
		int32_t pid = atomic_load(&alive->pids[i]);

		/* What a plugin may have written there must not become "all processes". */
		if (pid <= 1)
			continue;
		if (groups)
			kill(-pid, SIGKILL);
		kill(pid, SIGKILL); /* it may have left its group to others */
	}
}
