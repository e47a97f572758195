/* hostile_ways.h: what the fixture plugin `hostile` can do, by name. */
#ifndef PM_TESTS_HOSTILE_WAYS_H
#define PM_TESTS_HOSTILE_WAYS_H

#include <panicmon/handler.h>

/* In open(). */
void hostile_begin(const struct panicmon_host *host);

/* At each event. */
void hostile_keep(const struct panicmon_event *event);

/* Does not return, or does. */
void hostile_act(const char *how);

#endif
