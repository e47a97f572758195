#include <config.h>

#include "handler/state_dir.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "journal/crc32c.h"

static int refuse(const struct pm_config *config, int code, struct pm_error *error)
{
	return pm_error_set(error, code, "%s: [panicmon] state_dir: cannot use '%s' as a folder",
			    config->state_dir_where, config->state_dir);
}

/* May become otherwise by itself, and is no reason not to start the command. */
static bool is_passing(int code)
{
	return code == EROFS || code == ENOSPC || code == EDQUOT || code == EIO;
}

static int may_write(const char *path)
{
	return faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) < 0 ? errno : 0;
}

int pm_state_dir_open(int *fd, const struct pm_config *config, struct pm_error *error)
{
	if (config->state_dir == NULL)
		return 0;
	int code = mkdir(config->state_dir, 0700) == 0 || errno == EEXIST ? 0 : errno;
	pm_autofd found = open(config->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (found < 0 && is_passing(code))
		return 0;
	if (found < 0)
		return refuse(config, code != 0 ? code : errno, error);
	code = may_write(config->state_dir);
	if (code != 0 && !is_passing(code))
		return refuse(config, code, error);
	*fd = pm_steal_fd(&found);
	return 0;
}

int pm_state_dir_check(const struct pm_config *config, struct pm_error *error)
{
	struct stat status;
	int code;

	if (config->state_dir == NULL)
		return 0;
	pm_autofree char *copy = strdup(config->state_dir);
	if (copy == NULL)
		return refuse(config, ENOMEM, error);
	if (stat(config->state_dir, &status) == 0)
		code = S_ISDIR(status.st_mode) ? may_write(config->state_dir) : ENOTDIR;
	else
		code = errno == ENOENT ? may_write(dirname(copy)) : errno;
	return code == 0 || is_passing(code) ? 0 : refuse(config, code, error);
}

void pm_state_dir_name(char name[PM_STATE_NAME_MAX + 1], const char *service, const char *handler)
{
	enum { CHECKSUM_LENGTH = sizeof("~12345678") - 1 };
	size_t length = strlen(service), room = PM_STATE_NAME_MAX - 1 - strlen(handler), used = 0;
	size_t i = 0;

	for (; i < length; i++) {
		unsigned char c = (unsigned char)service[i];
		bool plain =
			isascii(c) && (isalnum(c) || c == '-' || c == '_' || (c == '.' && i > 0));

		if (used + CHECKSUM_LENGTH + 3 > room)
			break;
		used += (size_t)snprintf(name + used, PM_STATE_NAME_MAX + 1 - used,
					 plain ? "%c" : "%%%02X", c);
	}
	if (i < length)
		used += (size_t)snprintf(name + used, PM_STATE_NAME_MAX + 1 - used, "~%08x",
					 pm_crc32c(service, length));
	snprintf(name + used, PM_STATE_NAME_MAX + 1 - used, ".%s", handler);
}

/* Only root has others to give it to; who is not has refused `user` already. */
static int give(int folder, const char *user, struct pm_error *error)
{
	const struct passwd *owner = user == NULL ? NULL : getpwnam(user);
	struct stat status;

	if (owner == NULL || fstat(folder, &status) < 0 || status.st_uid == owner->pw_uid ||
	    geteuid() != 0 || fchown(folder, owner->pw_uid, owner->pw_gid) == 0)
		return 0;
	return pm_error_set(error, errno, "its folder cannot be given to '%.100s'", user);
}

int pm_state_dir_enter(int state_dir, const char *service, const char *handler, const char *user,
		       struct pm_error *error)
{
	char name[PM_STATE_NAME_MAX + 1];

	pm_state_dir_name(name, service, handler);
	if (mkdirat(state_dir, name, 0700) < 0 && errno != EEXIST)
		return pm_error_set(error, errno, "cannot make the folder '%s'", name);
	pm_autofd folder = openat(state_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return pm_error_set(error, errno, "cannot open the folder '%s'", name);
	if (give(folder, user, error) < 0)
		return -1;
	return pm_steal_fd(&folder);
}
