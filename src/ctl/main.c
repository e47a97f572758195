#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "ctl/command.h"
#include "ctl/options.h"
#include "front/print.h"

const char pm_front_program[] = "panicmonctl";

static int run(const struct pm_ctl_options *options)
{
	int status = PM_CTL_GOOD;

	if (options->front.action == PM_FRONT_HELP)
		fputs(pm_ctl_help, stdout);
	else if (options->front.action == PM_FRONT_VERSION)
		puts("panicmonctl " PACKAGE_VERSION);
	else
		status = options->run(options);
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return status;
	pm_front_print("cannot write to stdout");
	return PM_CTL_WRONG;
}

int main(int argc, char **argv)
{
	struct pm_ctl_options options;
	struct pm_error error;
	int status = PM_CTL_WRONG;

	pm_front_occupy_stdio();
	if (pm_ctl_options_read(&options, argc, argv, &error) < 0)
		pm_front_print(error.text);
	else
		status = run(&options);
	free(options.front.overrides);
	return status;
}
