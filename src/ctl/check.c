#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/command.h"
#include "ctl/session.h"
#include "front/print.h"
#include "front/process.h"
#include "handler/state_dir.h"

/* Of one handler; whole pages of any size there is. */
enum { COMPLAINTS_SIZE = 64 * 1024 };

/* Kept until all are there: the hosts look at their handlers side by side. */
struct complaints {
	char **lines;
	size_t count, printed; /* printed: at once, for want of memory */
};

static void complain(void *arg, const char *text)
{
	struct complaints *complaints = arg;
	char **lines = reallocarray(complaints->lines, complaints->count + 1, sizeof(*lines));
	char *line = strdup(text);

	if (lines != NULL)
		complaints->lines = lines;
	if (lines == NULL || line == NULL) {
		fprintf(stderr, "%s\n", text);
		complaints->printed++;
		free(line);
		return;
	}
	lines[complaints->count++] = line;
}

/* FILE:LINE:, its numbers as numbers. */
static int compare_places(const void *one, const void *other)
{
	return strverscmp(*(char *const *)one, *(char *const *)other);
}

/* As compilers do, so that an editor can jump to the place. Returns how many there are. */
static size_t print_complaints(struct complaints *complaints)
{
	size_t count = complaints->count + complaints->printed;

	if (complaints->count > 0)
		qsort(complaints->lines, complaints->count, sizeof(*complaints->lines),
		      compare_places);
	for (size_t i = 0; i < complaints->count; i++) {
		fprintf(stderr, "%s\n", complaints->lines[i]);
		free(complaints->lines[i]);
	}
	free(complaints->lines);
	return count;
}

static void complain_of(void *arg, const char *handler, const char *text)
{
	if (handler != NULL)
		pm_front_print_of(handler, text);
	else
		complain(arg, text);
}

/* What panicmon would find out as it starts, but leaves nothing behind. */
static void check_process(const struct pm_config *whole, struct complaints *complaints)
{
	const struct pm_config_process *config = &whole->process;
	pm_autofd directory = -1;
	struct pm_error error;

	if (pm_front_output_check(&config->output, "stdout", &error) < 0)
		complain(complaints, error.text);
	if (pm_front_output_check(&config->errors, "stderr", &error) < 0)
		complain(complaints, error.text);
	if (pm_front_directory_open(&directory, config, &error) < 0)
		complain(complaints, error.text);
	if (pm_front_orphans_check(config, &error) < 0)
		complain(complaints, error.text);
	if (pm_state_dir_check(whole, &error) < 0)
		complain(complaints, error.text);
}

static void check_handlers(const struct pm_config *config, struct complaints *complaints)
{
	static struct pm_ctl_session session;
	const struct pm_keeper_mode mode = {.purpose = PM_HOST_CHECK, .room = COMPLAINTS_SIZE};
	struct pm_error error;

	if (pm_ctl_session_open(&session, config, mode, complain_of, complaints, &error) < 0) {
		complain(complaints, error.text);
		return;
	}
	pm_keeper_wait_ready(&session.keeper);
	pm_keeper_drain(&session.keeper);
	pm_ctl_session_close(&session);
}

/* Not so where there was no memory for one. */
static bool is_whole(const struct pm_config *config)
{
	for (size_t i = 0; i < config->handler_count; i++)
		if (config->handlers[i].name == NULL || config->handlers[i].where == NULL)
			return false;
	return true;
}

int pm_ctl_check(const struct pm_ctl_options *options)
{
	const char *file = pm_front_config_file(&options->front);
	struct pm_config config;
	struct complaints complaints = {0};

	/* A mistake leaves its key as it was, and all else can be looked at. */
	pm_front_config_read(&config, &options->front, complain, &complaints);
	check_process(&config, &complaints);
	if (is_whole(&config))
		check_handlers(&config, &complaints);
	size_t count = print_complaints(&complaints);
	if (count == 0)
		printf("%s: ok, %zu handler%s\n", file != NULL ? file : "built-in config",
		       config.handler_count, config.handler_count == 1 ? "" : "s");
	pm_config_free(&config);
	return count == 0 ? PM_CTL_GOOD : PM_CTL_BAD;
}
