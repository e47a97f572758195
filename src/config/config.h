/* config/config.h: from an INI file and -o options to settings.
 *
 * Every mistake is told with file, line, key and a remedy, all of them, not just the first.
 * The file's text is copied: nothing here points into it. Single-threaded (inih r55 keeps its
 * switches in globals).
 */
#ifndef PM_CONFIG_CONFIG_H
#define PM_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A key that the core does not know: the plugin's own option, checked where the plugin is loaded. */
struct pm_config_option {
	char *key, *value;
	char *where; /* "FILE:LINE" or "-o SECTION.KEY": never the value, which may be a secret */
};

/* A section [handler:NAME]. */
struct pm_config_handler {
	char *name;
	char *plugin;  /* as written; NULL: NAME.so of the handler directory */
	char *where;   /* of the section's first line; "built-in"; or of the -o that enabled it */
	bool required; /* default yes */
	bool trust_path;
	int64_t timeout_ms; /* of one call into the plugin */
	struct pm_config_option *options;
	size_t option_count;
};

struct pm_config {
	char *name; /* NULL: the command's base name */
	char *handler_dir;
	int64_t start_timeout_ms, drain_timeout_ms;
	struct pm_config_handler *handlers;
	size_t handler_count;
};

/* Called once for each mistake with a line such as
 * "panicmon.ini:7: [panicmon] unknown key 'nmae'; did you mean 'name'?". The text is the caller's. */
typedef void pm_config_complain(void *arg, const char *text);

/* What to read. `file` NULL: no file was named and none exists at the default place, so the
 * built-in config applies: [handler:log] alone, on stderr. `overrides` are the arguments of -o, in
 * their order; later ones win, and all win over the file. */
struct pm_config_sources {
	const char *file;
	const char *const *overrides;
	size_t override_count;
};

/* Fills *config (zeroed by this call). Returns the number of mistakes; 0 means that it can be used.
 * Either way the caller frees it. */
size_t pm_config_load(struct pm_config *config, const struct pm_config_sources *sources,
		      pm_config_complain *complain, void *arg);
/* The core's key of a handler section that `key` may be a typing mistake of; NULL: none. */
const char *pm_config_nearest_handler_key(const char *key);

void pm_config_free(struct pm_config *config);

#endif
