#include <config.h>

#include "handler/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"

char *pm_module_path(const struct pm_config_handler *config, const char *handler_dir)
{
	const char *file = config->plugin != NULL ? config->plugin : config->name;
	size_t length = strlen(file);
	bool has_ending = length > 3 && strcmp(file + length - 3, ".so") == 0;
	char *path;

	if (file[0] == '/')
		return strdup(file);
	if (asprintf(&path, "%s/%s%s", handler_dir, file, has_ending ? "" : ".so") < 0)
		return NULL;
	return path;
}

/* Says which other ABI the object has, if any. */
static int no_descriptor(void *object, const char *path, struct pm_error *error)
{
	char symbol[sizeof("panicmon_handler_99")];

	for (int major = 1; major < 100; major++) {
		snprintf(symbol, sizeof(symbol), "panicmon_handler_%d", major % 100);
		if (dlsym(object, symbol) != NULL)
			return pm_error_set(error, 0,
					    "'%s' speaks handler ABI %d, this panicmon %d; install "
					    "the build of the handler for this panicmon",
					    path, major, PANICMON_HANDLER_MAJOR);
	}
	return pm_error_set(error, 0,
			    "'%s' has no symbol '%s'; a handler defines it with PANICMON_HANDLER "
			    "of panicmon/handler.h",
			    path, PANICMON_HANDLER_SYMBOL);
}

static int check_descriptor(const struct panicmon_handler *found, const char *path,
			    struct pm_error *error)
{
	if (found->magic != PANICMON_HANDLER_MAGIC)
		return pm_error_set(error, 0,
				    "'%s' has a descriptor with the magic %#x, wanted %#x; set "
				    ".magic = PANICMON_HANDLER_MAGIC",
				    path, found->magic, PANICMON_HANDLER_MAGIC);
	if (found->size < offsetof(struct panicmon_handler, signal) + sizeof(found->signal))
		return pm_error_set(error, 0,
				    "'%s' has a descriptor of %u bytes, wanted at least %zu; set "
				    ".size = sizeof(struct panicmon_handler)",
				    path, found->size,
				    offsetof(struct panicmon_handler, signal) +
					    sizeof(found->signal));
	if (found->needs > PANICMON_HANDLER_MINOR)
		return pm_error_set(error, 0,
				    "'%s' needs handler ABI %d.%u, this panicmon speaks %d.%d; "
				    "install a newer panicmon",
				    path, PANICMON_HANDLER_MAJOR, found->needs,
				    PANICMON_HANDLER_MAJOR, PANICMON_HANDLER_MINOR);
	return 0;
}

static int copy_options(struct pm_module *module, const char *path, struct pm_error *error)
{
	struct panicmon_handler *handler = &module->handler;
	size_t smallest = offsetof(struct panicmon_option, max) + sizeof(int64_t);

	if (handler->option_count == 0)
		return 0;
	if (handler->options == NULL || handler->option_size < smallest)
		return pm_error_set(
			error, 0,
			"'%s' has %u options of %u bytes, wanted at least %zu each; set "
			".option_size = sizeof(struct panicmon_option)",
			path, handler->option_count, handler->option_size, smallest);
	module->options = calloc(handler->option_count, sizeof(*module->options));
	if (module->options == NULL)
		return pm_error_set(error, errno, "cannot keep the options of '%s'", path);
	for (uint32_t i = 0; i < handler->option_count; i++)
		pm_memory_copy_sized(&module->options[i], sizeof(module->options[i]),
			   (const char *)handler->options + (size_t)i * handler->option_size,
			   handler->option_size);
	return 0;
}

int pm_module_load(struct pm_module *module, const char *path, struct pm_error *error)
{
	/* RTLD_NOW: a missing symbol is told here, not at the first event. */
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	memset(module, 0, sizeof(*module));
	if (object == NULL)
		return pm_error_set(error, 0, "cannot load '%s': %s", path, dlerror());
	const struct panicmon_handler *found = dlsym(object, PANICMON_HANDLER_SYMBOL);
	if (found == NULL)
		return no_descriptor(object, path, error);
	if (check_descriptor(found, path, error) < 0)
		return -1;
	pm_memory_copy_sized(&module->handler, sizeof(module->handler), found, found->size);
	if (module->handler.process != NULL)
		pm_memory_copy_sized(&module->process, sizeof(module->process), module->handler.process,
			   module->handler.process->size);
	if (module->handler.signal != NULL)
		pm_memory_copy_sized(&module->signal, sizeof(module->signal), module->handler.signal,
			   module->handler.signal->size);
	return copy_options(module, path, error);
}
