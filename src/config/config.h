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

#include "base/signals.h"
#include "event/redact.h"
#include "process/environment.h"
#include "process/spawn.h"

/* A key that the core does not know: the plugin's own option, checked where the plugin is loaded. */
struct pm_config_option {
	char *key, *value;
	char *where; /* "FILE:LINE" or "-o SECTION.KEY": never the value, which may be a secret */
};

/* Which events a handler gets. */
struct pm_config_events {
	uint32_t types; /* bit 1 << enum panicmon_event_type */
	bool begun;     /* an item of the list was read */
};

/* A section [handler:NAME]. */
struct pm_config_handler {
	char *name;
	char *plugin;  /* as written; NULL: NAME.so of the handler directory */
	char *where;   /* of the section's first line; "built-in"; or of the -o that enabled it */
	bool required; /* default yes */
	bool trust_path;
	int64_t timeout_ms; /* of one call into the plugin */
	char *user;         /* its host becomes that user; NULL: it stays as it is */
	int64_t memory_max; /* bytes of address space; 0: no limit of ours */
	int64_t nofile;     /* descriptors; 0: no limit of ours */
	struct pm_config_events events;
	char *events_where; /* NULL: the key was not given */
	bool failures_only; /* of those, what is a warning or worse, and process.recovered */
	/* Of one that calls people; others have none to set: NULL, it was not given. */
	int64_t alert_window_ms; /* 0: no failure is withheld */
	int64_t stable_after_ms;
	char *alert_window_where, *stable_after_where;
	struct pm_config_option *options;
	size_t option_count;
};

/* Where the command's stdout or stderr goes. */
struct pm_config_output {
	bool null;   /* to /dev/null */
	char *path;  /* appended to; NULL with `null` not set: to ours */
	char *where; /* of the key, as in pm_config_option; NULL: it was not given */
};

enum { PM_CONFIG_INSTANCES_MAX = 64 };

/* The section [process]. */
struct pm_config_process {
	pm_sigset signals;                  /* taken and passed on; without CHLD, KILL and STOP */
	uint8_t rewrite[PM_SIGNAL_MAX + 1]; /* by signal: what it is passed on as; 0: it is not */
	pm_sigset rewritten;                /* those that `rewrite` has, even as what they are */
	char *rewrite_where;
	enum pm_group group;
	bool signal_group; /* signals go to the command's whole group */
	char *signal_group_where;
	int64_t stop_timeout_ms; /* 0: it is never killed */
	bool end_by_code;        /* a death by a signal becomes 128 + its number */
	uint8_t remap[256];      /* by exit status, 128 + n for a signal: what it becomes */
	bool remapped[256];      /* it is in `remap`, even as what it is: an exit code, no signal */
	struct pm_config_output output, errors;
	struct pm_variable *env; /* in the order of the file; no name twice */
	size_t env_count;
	bool clear_env;
	char *directory; /* NULL: ours */
	char *directory_where;
	unsigned instances; /* 1 to PM_CONFIG_INSTANCES_MAX */
	bool subreaper;
	int64_t wait_orphans_ms; /* how long to stay for them after the command; 0: not at all */
	char *wait_orphans_where;
	bool notify_mainpid;
};

struct pm_config {
	struct pm_config_process process;
	char *name; /* NULL: the command's base name */
	char *handler_dir;
	int64_t start_timeout_ms, drain_timeout_ms;
	struct pm_redact redact;
	char *state_dir; /* NULL: nothing is kept from one run to the next */
	char *state_dir_where;
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
