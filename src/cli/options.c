#include <config.h>

#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

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
	{"config", required_argument, NULL, 'c'}, {"option", required_argument, NULL, 'o'},
	{"name", required_argument, NULL, 'n'},   {"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},      {NULL, 0, NULL, 0},
};

static int bad_option(int found, char **argv, struct pm_error *error)
{
	/* A long option leaves optopt 0 where it is unknown. */
	if (found == ':')
		return pm_error_set(error, 0, "option '%s' needs a value; see panicmon --help",
				    argv[optind - 1]);
	if (optopt != 0)
		return pm_error_set(error, 0, "unknown option '-%c'; see panicmon --help", optopt);
	return pm_error_set(error, 0, "unknown option '%s'; see panicmon --help", argv[optind - 1]);
}

int pm_cli_options_read(struct pm_cli_options *options, int argc, char **argv,
			struct pm_error *error)
{
	int found;

	*options = (struct pm_cli_options){0};
	options->overrides = calloc((size_t)argc, sizeof(*options->overrides));
	if (options->overrides == NULL)
		return pm_error_set(error, errno, "cannot read the command line");
	/* '+': all from the first word that is no option belongs to the command. */
	while ((found = getopt_long(argc, argv, "+:c:o:n:hV", long_options, NULL)) != -1) {
		switch (found) {
		case 'c':
			options->file = optarg;
			break;
		case 'o':
			options->overrides[options->override_count++] = optarg;
			break;
		case 'n':
			options->name = optarg;
			break;
		case 'h':
			options->action = PM_CLI_HELP;
			return 0;
		case 'V':
			options->action = PM_CLI_VERSION;
			return 0;
		default:
			return bad_option(found, argv, error);
		}
	}
	options->command = argv + optind;
	if (options->command[0] == NULL)
		return pm_error_set(error, 0, "no command given; see panicmon --help");
	return 0;
}
