/* front/options.h: the options that all of our programs have, and the config that they name. */
#ifndef PM_FRONT_OPTIONS_H
#define PM_FRONT_OPTIONS_H

#include <getopt.h>
#include <stddef.h>

#include "base/error.h"
#include "config/config.h"

/* For getopt_long(3), in front of a program's own. With ':' first, as pm_front_options_take() wants it. */
#define PM_FRONT_SHORT ":c:o:hV"
#define PM_FRONT_LONG                                                                              \
	{"config", required_argument, NULL, 'c'}, {"option", required_argument, NULL, 'o'},        \
		{"help", no_argument, NULL, 'h'},                                                  \
	{                                                                                          \
		"version", no_argument, NULL, 'V'                                                  \
	}

enum pm_front_action { PM_FRONT_RUN, PM_FRONT_HELP, PM_FRONT_VERSION };

struct pm_front_options {
	enum pm_front_action action;
	const char *file;       /* -c; NULL: the default */
	const char **overrides; /* -o, in their order; for free(3) */
	size_t override_count;
};

/* Room for what a command line of argc words can have. Free `overrides` also after an error. */
int pm_front_options_open(struct pm_front_options *options, int argc, struct pm_error *error);

/* Takes what getopt_long() has found and is none of the program's own. Points into argv. -1: it is no
 * option, or lacks its value. */
int pm_front_options_take(struct pm_front_options *options, int found, char **argv,
			  struct pm_error *error);

/* The file to read: that of -c, else the default one; NULL: there is none. */
const char *pm_front_config_file(const struct pm_front_options *options);

/* Reads it all. Returns the number of mistakes. Either way the caller frees *config. */
size_t pm_front_config_read(struct pm_config *config, const struct pm_front_options *options,
			    pm_config_complain *complain, void *arg);

#endif
