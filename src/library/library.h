/* library/library.h: what the files of the library share. */
#ifndef PM_LIBRARY_LIBRARY_H
#define PM_LIBRARY_LIBRARY_H

#include "event/event.h"
#include "library/pump.h"
#include "panicmon/executor.h"
#include "process/environment.h"

struct panicmon_executor {
	struct panicmon_options options;
	struct panicmon_process_ops process; /* copies: what the caller's lack is NULL */
	struct panicmon_signal_ops signal;
	char **argv;
	struct pm_environment environment;
	struct pm_identity identity;

	/* Of a run. */
	bool running;
	bool told; /* of the start */
	uint64_t seq;
	struct pm_pump output, errors;
	int status;
	bool failed; /* `error` is set */
	struct panicmon_error error;
};

/* Hands an event to the caller's functions. */
void pm_library_tell(struct panicmon_executor *executor, struct panicmon_event *event);

/* 0, or -1 with an error. `member`: what it is called there. */
int pm_library_check_output(const struct panicmon_output *output, const char *member,
			    struct panicmon_error *error);

/* Fills in *error, if there is one, and returns -1. */
int pm_library_refuse(struct panicmon_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
