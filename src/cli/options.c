#include <config.h>

#include "cli/options.h"

const char pm_cli_help[] =
	"Usage: panicmon [OPTION]... [--] COMMAND [ARG...]\n"
	"\n"
	"Runs COMMAND, passes every signal on to it, hands its end on unchanged, and\n"
	"tells handler plugins what happened.\n"
	"\n"
	"  -c, --config FILE           read FILE, not the default config\n"
	"  -o, --option SECTION.KEY=V  set a key of the config; can be repeated\n"
	"  -n, --name NAME             name of the service in events; default: COMMAND's\n"
	"  -h, --help                  show this help\n"
	"  -V, --version               show the version\n"
	"\n"
	"The default config is $PANICMON_CONFIG, else\n"
	"  " PM_SYSCONF_DIR "/panicmon.ini\n"
	"and without either events are logged on stderr.\n"
	"\n"
	"Exit status: COMMAND's own end, by the same signal if one ended it;\n"
	"  125 if panicmon itself failed, 126 if COMMAND cannot be invoked, 127 if it is\n"
	"  not found.\n"
	"\n"
	"Examples:\n"
	"  panicmon -- nginx -g 'daemon off;'\n"
	"  panicmon -n api -o handler:log.path=/var/log/api.json -- ./api --port 8080\n";

static const struct option long_options[] = {
	PM_FRONT_LONG,
	{"name", required_argument, NULL, 'n'},
	{NULL, 0, NULL, 0},
};

int pm_cli_options_read(struct pm_cli_options *options, int argc, char **argv,
			struct pm_error *error)
{
	int found;

	*options = (struct pm_cli_options){0};
	if (pm_front_options_open(&options->front, argc, error) < 0)
		return -1;
	/* '+': all from the first word that is no option belongs to the command. */
	while ((found = getopt_long(argc, argv, "+" PM_FRONT_SHORT "n:", long_options, NULL)) !=
	       -1) {
		if (found == 'n')
			options->name = optarg;
		else if (pm_front_options_take(&options->front, found, argv, error) < 0)
			return -1;
		if (options->front.action != PM_FRONT_RUN)
			return 0;
	}
	options->command = argv + optind;
	if (options->command[0] == NULL)
		return pm_error_set(error, 0, "no command given; see panicmon --help");
	return 0;
}
