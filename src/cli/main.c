#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/run.h"
#include "process/signals.h"
#include "process/spawn.h"

/* If panicmon was started with 0, 1 or 2 closed, a descriptor of its own would get that number, and
 * a message for stderr would end up in it. Close-on-exec: the command finds them closed again. */
static void occupy_stdio(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0) /* where there is none: something that takes no message */
			fd = open("/", O_PATH | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int print_out(const char *text)
{
	ssize_t written = write(STDOUT_FILENO, text, strlen(text));

	return written == (ssize_t)strlen(text) ? EXIT_SUCCESS : PM_STATUS_OWN_FAILURE;
}

int main(int argc, char **argv)
{
	struct pm_signals_inherited inherited;
	struct pm_cli_options options;
	struct pm_error error;
	struct pm_ending ending = {.status = PM_STATUS_OWN_FAILURE};

	pm_signals_take(&inherited);
	occupy_stdio();
	if (pm_cli_options_read(&options, argc, argv, &error) < 0)
		pm_cli_print(error.text);
	else if (options.action == PM_CLI_HELP)
		ending.status = print_out(pm_cli_help);
	else if (options.action == PM_CLI_VERSION)
		ending.status = print_out(PACKAGE_STRING "\n");
	else
		ending = pm_cli_run(&options, &inherited);
	free(options.overrides);
	if (ending.signal != 0)
		pm_signal_die_by(ending.signal);
	_exit(ending.status);
}
