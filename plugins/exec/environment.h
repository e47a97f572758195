/* environment.h: what a program finds of an event in its environment. */
#ifndef PM_EXEC_ENVIRONMENT_H
#define PM_EXEC_ENVIRONMENT_H

#include <stddef.h>

#include <panicmon/event.h>

/* The variables of base, less those that belong to an event or to descriptors that are not handed on,
 * and those of the event: PANICMON_NAME for each member of its JSON, and what systemd.exec(5) tells
 * the programs of ExecStopPost=. At most about `budget` bytes of the event's strings are kept; if
 * some are cut there is PANICMON_TRUNCATED=1. NULL at the end; NULL: out of memory. */
char **pm_exec_environment_make(const char *const *base, const struct panicmon_event *event,
				size_t budget);
void pm_exec_environment_free(char **environment);

#endif
