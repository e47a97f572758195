/* ctl/sample.h: events that tell of nothing that has happened. */
#ifndef PM_CTL_SAMPLE_H
#define PM_CTL_SAMPLE_H

#include "base/error.h"
#include "panicmon/event.h"

/* One of the type of that name, such as "process.exited" (which is a crash), marked as a test, with all
 * members that a real one may have. */
int pm_ctl_sample(const char *name, struct panicmon_event *event, struct pm_error *error);

#endif
