/* libFuzzer over the config room: any bytes as a config file, and its first line as a -o, without
 * a ';' at its front: a line that begins with one is no mistake of the file.
 *
 * No sanitizer may speak, and what is accepted must hold together. The file is a memfd: it has a path
 * that pm_config_load() can open, and touches no disk.
 */
#include <config.h>

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_complaint(void *arg, const char *text)
{
	(*(size_t *)arg)++;
	if (strpbrk(text, "\n\r\x1b") != NULL || strchr(text, ':') == NULL)
		abort();
}

static void check_output(const struct pm_config_output *output)
{
	if (output->path != NULL && (output->null || output->path[0] != '/'))
		abort();
	if ((output->path != NULL || output->null) && output->where == NULL)
		abort();
}

static void check_signals(const struct pm_config_process *process)
{
	static const int never[] = {SIGCHLD, SIGKILL, SIGSTOP};

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (pm_sigset_has(process->signals, never[i]))
			abort();
	if (process->signals == 0 || (process->rewritten & ~process->signals) != 0 ||
	    (process->rewritten != 0 && process->rewrite_where == NULL))
		abort();
	for (int i = 0; i <= PM_SIGNAL_MAX; i++)
		if (process->rewrite[i] > PM_SIGNAL_MAX ||
		    (process->rewrite[i] != i && !pm_sigset_has(process->rewritten, i)))
			abort();
	for (unsigned i = 0; i < sizeof(process->remap); i++)
		if (process->remap[i] != i && !process->remapped[i])
			abort();
}

static void check_variables(const struct pm_config_process *process)
{
	for (size_t i = 0; i < process->env_count; i++) {
		if (process->env[i].name[0] == '\0' || strpbrk(process->env[i].name, ".-= ") != NULL ||
		    process->env[i].value == NULL)
			abort();
		for (size_t j = 0; j < i; j++)
			if (strcmp(process->env[i].name, process->env[j].name) == 0)
				abort();
	}
}

static void check_process(const struct pm_config_process *process)
{
	check_signals(process);
	check_variables(process);
	check_output(&process->output);
	check_output(&process->errors);
	if (process->stop_timeout_ms < 0 || process->wait_orphans_ms < 0 || process->instances < 1 ||
	    process->instances > PM_CONFIG_INSTANCES_MAX || process->group > PM_GROUP_SESSION ||
	    (process->signal_group && process->group == PM_GROUP_INHERIT))
		abort();
	if (process->directory != NULL &&
	    (process->directory[0] == '\0' || process->directory_where == NULL))
		abort();
}

static void check_config(const struct pm_config *config)
{
	if (config->handler_dir == NULL || config->start_timeout_ms < 0)
		abort();
	check_process(&config->process);
	for (size_t i = 0; i < config->handler_count; i++) {
		const struct pm_config_handler *handler = &config->handlers[i];

		if (handler->name[0] == '\0' || handler->where == NULL || handler->timeout_ms < 1)
			abort();
		for (size_t j = 0; j < handler->option_count; j++)
			if (strpbrk(handler->options[j].key, " .=:") != NULL ||
			    handler->options[j].value == NULL || handler->options[j].where == NULL)
				abort();
	}
}

/* An included file would make the run depend on the disk. */
static int includes(const uint8_t *data, size_t size)
{
	return memmem(data, size, "include", strlen("include")) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("config", MFD_CLOEXEC);
	char path[64], override[256];
	const char *overrides[] = {override};
	const struct pm_config_sources sources = {path, overrides, 1};
	struct pm_config config;
	size_t complaints = 0;

	if (fd < 0 || includes(data, size) || write(fd, data, size) != (ssize_t)size) {
		close(fd);
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(override, sizeof(override), "%.*s",
		 (int)strnlen((const char *)data, size < 255 ? size : 255), (const char *)data);
	override[strcspn(override, "\n")] = '\0';
	if (override[0] == ';')
		overrides[0]++;
	size_t mistakes = pm_config_load(&config, &sources, check_complaint, &complaints);
	if (mistakes != complaints)
		abort();
	if (mistakes == 0)
		check_config(&config);
	pm_config_free(&config);
	close(fd);
	return 0;
}
