/* event/event.h: names and severity of events, and who the events of a run speak of. */
#ifndef PM_EVENT_EVENT_H
#define PM_EVENT_EVENT_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"
#include "panicmon/event.h"

/* The types are from 1 on, below this. */
enum { PM_EVENT_TYPES = PANICMON_PROCESS_RECOVERED + 1 };

/* "process.exited", or "unknown". Static. */
const char *pm_event_name(uint32_t type);

/* process.*, in contrast to signal.* and handler.*. */
bool pm_event_is_lifecycle(uint32_t type);

/* An event of a type, of a pid, at this moment; nothing else is set. */
struct panicmon_event pm_event_make(enum panicmon_event_type type, int32_t pid);

/* Sets a member and marks it as present: PM_EVENT_SET(&event, CODE, code, 3). */
#define PM_EVENT_SET(event, FIELD, member, value_)                                                 \
	((event)->present |= UINT64_C(1) << PANICMON_HAS_##FIELD, (event)->member = (value_))

/* How bad it is: a crash is FATAL, any other bad end an ERROR, a requested end INFO. */
enum panicmon_severity pm_event_severity(const struct panicmon_event *event);

/* What all events of a run have in common; never written again once it is made, so that a fork
 * shares it. */
struct pm_identity {
	char run[33];
	char host[HOST_NAME_MAX + 1];
	char *name;
	char **args; /* redacted; one allocation */
	uint32_t argc;
};

struct pm_redact;

/* Draws a run id (getrandom(2)) and copies what it is given. name NULL: argv[0]'s base name. redact
 * NULL: as the default is. Freed by pm_identity_free(), also after an error. */
int pm_identity_make(struct pm_identity *identity, const char *name, char *const *argv,
		     const struct pm_redact *redact, struct pm_error *error);
/* Another run of the same: draws a new run id. -1: the old one stays. */
int pm_identity_renew(struct pm_identity *identity, struct pm_error *error);
void pm_identity_free(struct pm_identity *identity);

/* Points event at the identity, which must outlive it. */
void pm_identity_sign(const struct pm_identity *identity, struct panicmon_event *event);

#endif
