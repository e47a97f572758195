/* process/environment.h: the environment that the command gets.
 *
 * Ours, but for what the config changes, and for variables that hold panicmon's own pid because
 * whoever started it meant the process that it becomes: a service manager writes LISTEN_PID
 * (sd_listen_fds(3)) and WATCHDOG_PID (sd_watchdog_enabled(3)), and a command that does not find its
 * own pid there takes neither the sockets nor the watchdog for its own.
 */
#ifndef PM_PROCESS_ENVIRONMENT_H
#define PM_PROCESS_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct pm_variable {
	char *name, *value;
};

struct pm_environment {
	char **variables; /* NULL at the end; NULL: nothing is changed, the command gets ours */
	char *texts;      /* one allocation for those that are not ours */
	char *own_pid[2]; /* within texts: where the command's pid belongs, NULL: nowhere */
};

struct pm_environment_changes {
	bool clear; /* begin with none */
	const struct pm_variable *set;
	size_t count;
	const char *const *hide; /* names that are ours alone, unless `set` has them */
	size_t hide_count;
	unsigned instance; /* PANICMON_INSTANCE; 0: it is not set */
};

/* Freed by pm_environment_free(), also after an error. Until then `environ` must stay as it is. */
int pm_environment_make(struct pm_environment *environment,
			const struct pm_environment_changes *changes, struct pm_error *error);
void pm_environment_free(struct pm_environment *environment);

/* In the command's process, before exec: writes its pid where it belongs and makes it this process's
 * environment. NULL changes nothing. Async-signal-safe. */
void pm_environment_enter(const struct pm_environment *environment);

#endif
