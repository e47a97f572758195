/* process/oom.h: whether the kernel has killed for want of memory. */
#ifndef PM_PROCESS_OOM_H
#define PM_PROCESS_OOM_H

#include <stdint.h>

/* How many processes of this process's memory cgroup the OOM killer has ended so far: `oom_kill` of
 * memory.events (cgroup v2, cgroups(7)) or memory.oom_control (v1, Linux 4.13). -1: not known. */
int64_t pm_oom_kills(void);

#endif
