#include <config.h>

#include "common/clock.h"

#include <time.h>

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now = {0};

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * PM_COMMON_NS_PER_S + now.tv_nsec;
}

int64_t pm_common_realtime_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t pm_common_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int64_t pm_common_monotonic_ms(void)
{
	return pm_common_monotonic_ns() / PM_COMMON_NS_PER_MS;
}
