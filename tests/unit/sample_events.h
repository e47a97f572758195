/* Events to give to a handler. */
#ifndef PM_TESTS_UNIT_SAMPLE_EVENTS_H
#define PM_TESTS_UNIT_SAMPLE_EVENTS_H

#include <panicmon/event.h>

/* Of "api", pid 1234, at 2026-11-22T20:14:45.123456789Z, with the arguments ./api --port 80. */
struct panicmon_event make_event(uint32_t type);

/* With all that panicmon knows of an end by SIGSEGV after 61.007 s. */
struct panicmon_event make_crash(void);

/* An optional member, which is there now. */
#define SET(event, FIELD, member, ...)                                                             \
	((event)->present |= UINT64_C(1) << PANICMON_HAS_##FIELD, (event)->member = __VA_ARGS__)

#endif
