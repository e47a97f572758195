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

/* Of version 1.0. */
#define SMALLEST (offsetof(struct panicmon_handler, reserved) + sizeof(uint32_t))

static int check_descriptor(const struct panicmon_handler *found, const char *path,
			    struct pm_error *error)
{
	if (found->magic != PANICMON_HANDLER_MAGIC)
		return pm_error_set(error, 0,
				    "'%s' has a descriptor with the magic %#x, wanted %#x; set "
				    ".magic = PANICMON_HANDLER_MAGIC",
				    path, found->magic, PANICMON_HANDLER_MAGIC);
	if (found->size < SMALLEST)
		return pm_error_set(error, 0,
				    "'%s' has a descriptor of %u bytes, wanted at least %zu; set "
				    ".size = sizeof(struct panicmon_handler)",
				    path, found->size, SMALLEST);
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
				     (const char *)handler->options +
					     (size_t)i * handler->option_size,
				     handler->option_size);
	return 0;
}

/* A table of functions begins with its size; NULL: there is none. */
static int copy_ops(void *to, size_t size, const void *from, const char *member, const char *path,
		    struct pm_error *error)
{
	uint32_t its_size;

	if (from == NULL)
		return 0;
	memcpy(&its_size, from, sizeof(its_size));
	if (its_size < sizeof(its_size))
		return pm_error_set(error, 0,
				    "'%s' has no size in the functions of .%s; set .size to the "
				    "sizeof of their struct",
				    path, member);
	pm_memory_copy_sized(to, size, from, its_size);
	return 0;
}

static int cannot_load(const char *path, const char *why, struct pm_error *error)
{
	size_t length = strlen(path);

	if (strncmp(why, path, length) == 0 && strncmp(why + length, ": ", 2) == 0)
		why += length + 2;
	return pm_error_set(error, 0,
			    "cannot load '%s': %s; install or link what it lacks: ldd -r shows it",
			    path, why);
}

int pm_module_load(struct pm_module *module, const char *path, struct pm_error *error)
{
	/* RTLD_NOW: a missing symbol is told here, not at the first event. */
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	memset(module, 0, sizeof(*module));
	if (object == NULL)
		return cannot_load(path, dlerror(), error);
	const struct panicmon_handler *found = dlsym(object, PANICMON_HANDLER_SYMBOL);
	if (found == NULL)
		return no_descriptor(object, path, error);
	if (check_descriptor(found, path, error) < 0)
		return -1;
	pm_memory_copy_sized(&module->handler, sizeof(module->handler), found, found->size);
	if (copy_ops(&module->process, sizeof(module->process), module->handler.process, "process",
		     path, error) < 0 ||
	    copy_ops(&module->signal, sizeof(module->signal), module->handler.signal, "signal",
		     path, error) < 0 ||
	    copy_ops(&module->monitor, sizeof(module->monitor), module->handler.monitor, "monitor",
		     path, error) < 0)
		return -1;
	return copy_options(module, path, error);
}
