/* names.h: the words for the numbers of an event. */
#ifndef PM_COMMON_NAMES_H
#define PM_COMMON_NAMES_H

#include <stdint.h>

enum { PM_COMMON_NAME_SIZE = 24, PM_COMMON_TIME_SIZE = 40 };

const char *pm_common_event_name(uint32_t type);
const char *pm_common_reason_name(int32_t reason);

/* "info"; what is more severe than PANICMON_FATAL is "fatal". */
const char *pm_common_severity_name(uint32_t severity);

/* Each fills in and returns `out`: "SIGTERM", "SIGRTMIN+3", "SIG32"; "ENOENT", "E4095". */
const char *pm_common_signal_name(int32_t signal, char out[PM_COMMON_NAME_SIZE]);
const char *pm_common_errno_name(int32_t code, char out[PM_COMMON_NAME_SIZE]);

/* Of errno(3), in English whatever the locale. */
const char *pm_common_errno_text(int32_t code);

/* RFC 3339 in UTC with so many digits (0 to 9) of the second's fraction, cut, not rounded. */
const char *pm_common_time(int64_t time_ns, int digits, char out[PM_COMMON_TIME_SIZE]);

#endif
