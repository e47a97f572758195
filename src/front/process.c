#include <config.h>

#include "front/process.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static const char *path_of(const struct pm_config_output *output)
{
	return output->null ? "/dev/null" : output->path;
}

static int refuse_output(const struct pm_config_output *output, const char *key, int code,
			 struct pm_error *error)
{
	return pm_error_set(error, code, "%s: [process] %s: cannot open '%s' for appending",
			    output->where, key, path_of(output));
}

int pm_front_output_open(int *fd, const struct pm_config_output *output, const char *key,
			 struct pm_error *error)
{
	const char *path = path_of(output);

	if (path == NULL)
		return 0;
	/* A FIFO that nobody reads must not hold up the start. */
	*fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
	if (*fd < 0)
		return refuse_output(output, key, errno, error);
	fcntl(*fd, F_SETFL, O_APPEND);
	return 0;
}

/* Without opening it: the reader of a FIFO would take that for the end of its input. 0 or an errno. */
static int may_append(const char *path)
{
	pm_autofree char *copy = strdup(path);
	struct stat status;

	if (copy == NULL)
		return ENOMEM;
	if (stat(path, &status) == 0) {
		if (S_ISDIR(status.st_mode))
			return EISDIR;
		if (S_ISSOCK(status.st_mode))
			return ENXIO;
		return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 ? errno : 0;
	}
	if (errno != ENOENT)
		return errno;
	return faccessat(AT_FDCWD, dirname(copy), W_OK | X_OK, AT_EACCESS) < 0 ? errno : 0;
}

int pm_front_output_check(const struct pm_config_output *output, const char *key,
			  struct pm_error *error)
{
	int code = path_of(output) == NULL ? 0 : may_append(path_of(output));

	return code == 0 ? 0 : refuse_output(output, key, code, error);
}

int pm_front_directory_open(int *fd, const struct pm_config_process *config, struct pm_error *error)
{
	if (config->directory == NULL)
		return 0;
	*fd = open(config->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0 || faccessat(AT_FDCWD, config->directory, X_OK, AT_EACCESS) < 0)
		return pm_error_set(error, errno, "%s: [process] directory: cannot enter '%s'",
				    config->directory_where, config->directory);
	return 0;
}

int pm_front_orphans_check(const struct pm_config_process *config, struct pm_error *error)
{
	if (config->wait_orphans_ms == 0 || config->subreaper || getpid() == 1)
		return 0;
	return pm_error_set(error, 0,
			    "%s: [process] wait_orphans: orphans come to panicmon only as PID 1 or "
			    "subreaper; set subreaper = yes, or leave it out",
			    config->wait_orphans_where);
}
