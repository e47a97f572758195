/* ctl/options.h: panicmonctl's command line. */
#ifndef PM_CTL_OPTIONS_H
#define PM_CTL_OPTIONS_H

#include "base/error.h"
#include "front/options.h"

struct pm_ctl_options {
	struct pm_front_options front;
	int (*run)(const struct pm_ctl_options *options); /* the command */
	const char *operand;                              /* what follows it; NULL: nothing */
	const char *event;                                /* --event; NULL: not given */
};

/* Points into argv, whose order it changes. Free `front.overrides` also after an error. */
int pm_ctl_options_read(struct pm_ctl_options *options, int argc, char **argv,
			struct pm_error *error);

extern const char pm_ctl_help[];

#endif
