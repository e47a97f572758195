#include <config.h>

#include "front/options.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "front/print.h"

int pm_front_options_open(struct pm_front_options *options, int argc, struct pm_error *error)
{
	*options = (struct pm_front_options){
		.overrides = calloc((size_t)argc, sizeof(*options->overrides)),
	};
	if (options->overrides == NULL)
		return pm_error_set(error, errno, "cannot read the command line");
	return 0;
}

static int refuse(int found, char **argv, struct pm_error *error)
{
	/* A long option leaves optopt 0 where it is unknown. */
	if (found == ':')
		return pm_error_set(error, 0, "option '%s' needs a value; see %s --help",
				    argv[optind - 1], pm_front_program);
	if (optopt != 0)
		return pm_error_set(error, 0, "unknown option '-%c'; see %s --help", optopt,
				    pm_front_program);
	return pm_error_set(error, 0, "unknown option '%s'; see %s --help", argv[optind - 1],
			    pm_front_program);
}

int pm_front_options_take(struct pm_front_options *options, int found, char **argv,
			  struct pm_error *error)
{
	switch (found) {
	case 'c':
		options->file = optarg;
		return 0;
	case 'o':
		options->overrides[options->override_count++] = optarg;
		return 0;
	case 'h':
		options->action = PM_FRONT_HELP;
		return 0;
	case 'V':
		options->action = PM_FRONT_VERSION;
		return 0;
	default:
		return refuse(found, argv, error);
	}
}

const char *pm_front_config_file(const struct pm_front_options *options)
{
	static const char installed[] = PM_SYSCONF_DIR "/panicmon.ini";
	const char *named = getenv("PANICMON_CONFIG");

	if (options->file != NULL)
		return options->file;
	if (named != NULL && named[0] != '\0')
		return named;
	/* One that is there but can't be read is an error to be told, not one to be passed over. */
	return access(installed, F_OK) == 0 || errno != ENOENT ? installed : NULL;
}

size_t pm_front_config_read(struct pm_config *config, const struct pm_front_options *options,
			    pm_config_complain *complain, void *arg)
{
	const struct pm_config_sources sources = {
		.file = pm_front_config_file(options),
		.overrides = options->overrides,
		.override_count = options->override_count,
	};

	return pm_config_load(config, &sources, complain, arg);
}
