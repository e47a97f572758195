/* clock.h: the two clocks. Read from the vDSO: no system call. */
#ifndef PM_COMMON_CLOCK_H
#define PM_COMMON_CLOCK_H

#include <stdint.h>

#define PM_COMMON_NS_PER_MS INT64_C(1000000)
#define PM_COMMON_NS_PER_S INT64_C(1000000000)

int64_t pm_common_realtime_ns(void);
int64_t pm_common_monotonic_ns(void);
int64_t pm_common_monotonic_ms(void);

#endif
