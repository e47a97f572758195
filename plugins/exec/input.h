/* input.h: what a program reads from its stdin. */
#ifndef PM_EXEC_INPUT_H
#define PM_EXEC_INPUT_H

#include <panicmon/event.h>

/* The event as a line of JSON in a file that has no name and that nobody can change: whether the
 * program reads it, or all of it, holds up nobody, and breaks no pipe. -1 with errno. */
int pm_exec_input_event(const struct panicmon_event *event);

/* Nothing. -1 with errno. */
int pm_exec_input_none(void);

#endif
