#include <config.h>

#include "ctl/options.h"

#include <stdbool.h>
#include <string.h>

#include "config/value.h"
#include "ctl/command.h"

const char pm_ctl_help[] =
	"Usage: panicmonctl [OPTION]... COMMAND [ARG]\n"
	"\n"
	"  check                       look over the config and all its handlers\n"
	"  handlers                    list the plugins that are installed\n"
	"  handlers NAME               list the options of a handler, plugin or file\n"
	"  test-fire [HANDLER]         deliver a sample event to all handlers, or one\n"
	"\n"
	"  -c, --config FILE           read FILE, not the default config\n"
	"  -o, --option SECTION.KEY=V  set a key of the config; can be repeated\n"
	"  -e, --event EVENT           of test-fire; default: process.exited, a crash\n"
	"  -h, --help                  show this help\n"
	"  -V, --version               show the version\n"
	"\n"
	"The default config is $PANICMON_CONFIG, else\n"
	"  " PM_SYSCONF_DIR "/panicmon.ini\n"
	"and without either the log handler on stderr.\n"
	"\n"
	"Exit status: 0 if all is well; 1 if something is not; 2 after a mistake on the\n"
	"  command line, or if panicmonctl itself failed.\n"
	"\n"
	"Examples:\n"
	"  panicmonctl check -c api.ini\n"
	"  panicmonctl test-fire log --event signal.received\n";

static const struct command {
	const char *name; /* first: pm_value_nearest() looks through the table */
	int (*run)(const struct pm_ctl_options *options);
	bool takes_operand, takes_event;
} commands[] = {
	{"check", pm_ctl_check, false, false},
	{"handlers", pm_ctl_handlers, true, false},
	{"test-fire", pm_ctl_test_fire, true, true},
};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const struct option long_options[] = {
	PM_FRONT_LONG,
	{"event", required_argument, NULL, 'e'},
	{NULL, 0, NULL, 0},
};

static const struct command *find_command(const char *name, struct pm_error *error)
{
	const char *nearest;

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	nearest = pm_value_nearest(name, commands, COMMAND_COUNT, sizeof(commands[0]));
	if (nearest != NULL)
		pm_error_set(error, 0, "unknown command '%s'; did you mean '%s'?", name, nearest);
	else
		pm_error_set(error, 0,
			     "unknown command '%s'; the commands are check, handlers, test-fire",
			     name);
	return NULL;
}

static int read_command(struct pm_ctl_options *options, char **words, struct pm_error *error)
{
	const struct command *command;

	if (words[0] == NULL)
		return pm_error_set(error, 0, "no command given; see panicmonctl --help");
	command = find_command(words[0], error);
	if (command == NULL)
		return -1;
	options->run = command->run;
	options->operand = words[1];
	const char *more = words[1] == NULL || !command->takes_operand ? words[1] : words[2];
	if (more != NULL)
		return pm_error_set(error, 0, "'%s' is one word too many; see panicmonctl --help",
				    more);
	if (options->event != NULL && !command->takes_event)
		return pm_error_set(error, 0, "%s has no --event; see panicmonctl --help",
				    command->name);
	return 0;
}

int pm_ctl_options_read(struct pm_ctl_options *options, int argc, char **argv,
			struct pm_error *error)
{
	int found;

	*options = (struct pm_ctl_options){0};
	if (pm_front_options_open(&options->front, argc, error) < 0)
		return -1;
	while ((found = getopt_long(argc, argv, PM_FRONT_SHORT "e:", long_options, NULL)) != -1) {
		if (found == 'e')
			options->event = optarg;
		else if (pm_front_options_take(&options->front, found, argv, error) < 0)
			return -1;
		if (options->front.action != PM_FRONT_RUN)
			return 0;
	}
	return read_command(options, argv + optind, error);
}
