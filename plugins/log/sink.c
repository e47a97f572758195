#include <config.h>

#include "sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "address.h"

bool pm_log_sink_is_stream(const char *path)
{
	return strcmp(path, "stderr") == 0 || strcmp(path, "stdout") == 0;
}

bool pm_log_sink_is_file(const char *path)
{
	return !pm_log_sink_is_stream(path) && strcmp(path, "syslog") != 0 &&
	       strcmp(path, "journald") != 0;
}

/* The file is made at the start, its folder never. */
static int check_folder(const struct pm_log_target *target)
{
	const char *path = target->path, *slash = strrchr(path, '/');
	struct stat status;

	if (slash == NULL || slash == path)
		return 0;
	char *folder = strndup(path, (size_t)(slash - path));
	bool missing = folder != NULL && stat(folder, &status) < 0 && errno == ENOENT;
	free(folder);
	return missing ? panicmon_fail(target->host,
				       "path '%.300s': there is no folder '%.*s'; make it", path,
				       (int)(slash - path), path)
		       : 0;
}

int pm_log_sink_check(const struct pm_log_target *target)
{
	const char *path = target->path;
	bool local = strcmp(target->address, PM_LOG_ADDRESS_LOCAL) == 0;
	struct pm_log_address address;
	struct stat status;

	if (strcmp(path, "syslog") == 0 || strcmp(path, "journald") == 0)
		return pm_log_address_parse(&address, target);
	if (!local)
		return panicmon_fail(
			target->host,
			"address is for path = syslog and path = journald, and path is "
			"'%.300s'",
			path);
	if (!pm_log_sink_is_file(path))
		return 0;
	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return panicmon_fail(target->host,
				     "path '%.300s' is a directory: write the name of a file",
				     path);
	return check_folder(target);
}

int pm_log_sink_open(struct pm_log_sink **sink, const struct pm_log_target *target)
{
	if (strcmp(target->path, "syslog") == 0)
		return pm_log_syslog_open(sink, target);
	if (strcmp(target->path, "journald") == 0)
		return pm_log_journal_open(sink, target);
	return pm_log_file_open(sink, target);
}
