/* library/pump.h: what a command writes, to a function of the program. */
#ifndef PM_LIBRARY_PUMP_H
#define PM_LIBRARY_PUMP_H

#include "base/error.h"
#include "base/loop.h"
#include "panicmon/executor.h"

struct pm_pump {
	const struct panicmon_output *output;
	struct pm_loop *loop;
	struct pm_source source; /* our end of the pipe */
	int theirs;              /* the command's, -1: closed */
	char *piece;             /* what was read: the stack of a thread may be small */
	bool enough;             /* the program wants no more */
};

/* *output must live as long as the pump. */
int pm_pump_open(struct pm_pump *pump, struct pm_loop *loop, const struct panicmon_output *output,
		 struct pm_error *error);

/* The command has its end now. */
void pm_pump_started(struct pm_pump *pump);

/* The command has ended: hands on what is still in the pipe, and closes it. It is not waited for
 * EOF: what the command has left behind may hold the other end open. A zeroed pump is closed
 * already. */
void pm_pump_close(struct pm_pump *pump);

#endif
