#include <config.h>

#include "handler/confine.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static int limit(int resource, int64_t value, const char *key, struct pm_error *error)
{
	const struct rlimit limit = {(rlim_t)value, (rlim_t)value};

	if (value == 0 || setrlimit((__rlimit_resource_t)resource, &limit) == 0)
		return 0;
	return pm_error_set(error, errno, "%s = %lld cannot be set", key, (long long)value);
}

static int become_user(const char *name, struct pm_error *error)
{
	errno = 0;
	const struct passwd *user = getpwnam(name);

	if (user == NULL)
		return pm_error_set(error, errno,
				    "user '%.100s' is not known; write one of passwd(5)", name);
	if (user->pw_uid == geteuid())
		return 0;
	if (geteuid() != 0)
		return pm_error_set(error, 0,
				    "user = %.100s: only root can become another user; start "
				    "panicmon as root, or leave it out",
				    name);
	if (initgroups(name, user->pw_gid) < 0 ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0)
		return pm_error_set(error, errno, "cannot become user '%.100s'", name);
	return 0;
}

int pm_confine(const struct pm_config_handler *config, struct pm_error *error)
{
	/* Older kernels have no ambient capabilities (before Linux 4.3): nothing to clear. */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return pm_error_set(error, errno, "cannot give up new privileges");
	/* While it may still be raised. */
	if (limit(RLIMIT_NOFILE, config->nofile, "nofile", error) < 0)
		return -1;
	if (config->user != NULL && become_user(config->user, error) < 0)
		return -1;
	return limit(RLIMIT_AS, config->memory_max, "memory_max", error);
}
