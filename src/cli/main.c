#include <config.h>

#include <stdlib.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/run.h"
#include "front/print.h"
#include "process/signals.h"
#include "process/spawn.h"

const char pm_front_program[] = "panicmon";

static int print_out(const char *text)
{
	return pm_front_print_out(text) == 0 ? EXIT_SUCCESS : PM_STATUS_OWN_FAILURE;
}

int main(int argc, char **argv)
{
	struct pm_signals_inherited inherited;
	struct pm_cli_options options;
	struct pm_error error;
	struct pm_ending ending = {.status = PM_STATUS_OWN_FAILURE};

	pm_signals_take(&inherited);
	pm_front_occupy_stdio();
	if (pm_cli_options_read(&options, argc, argv, &error) < 0)
		pm_front_print(error.text);
	else if (options.front.action == PM_FRONT_HELP)
		ending.status = print_out(pm_cli_help);
	else if (options.front.action == PM_FRONT_VERSION)
		ending.status = print_out(PACKAGE_STRING "\n");
	else
		ending = pm_cli_run(&options, &inherited);
	free(options.front.overrides);
	if (ending.signal != 0)
		pm_signal_die_by(ending.signal);
	_exit(ending.status);
}
