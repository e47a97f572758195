#include <config.h>

#include "base/clock.h"

#include <time.h>

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * PM_NS_PER_S + now.tv_nsec;
}

int64_t pm_clock_realtime(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t pm_clock_monotonic(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}
