/* base/clock.h: the two clocks, in nanoseconds (clock_gettime(2)). */
#ifndef PM_BASE_CLOCK_H
#define PM_BASE_CLOCK_H

#include <stdint.h>

#define PM_NS_PER_MS INT64_C(1000000)
#define PM_NS_PER_S INT64_C(1000000000)

int64_t pm_clock_realtime(void);
int64_t pm_clock_monotonic(void);

#endif
