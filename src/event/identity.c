#include <config.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "event/event.h"
#include "event/redact.h"

static int draw_run_id(char *out, size_t size, struct pm_error *error)
{
	uint64_t id[2];

	if (getrandom(id, sizeof(id), 0) != sizeof(id))
		return pm_error_set(error, errno, "cannot draw a run id");
	snprintf(out, size, "%016llx%016llx", (unsigned long long)id[0], (unsigned long long)id[1]);
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = path == NULL ? NULL : strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

int pm_identity_make(struct pm_identity *identity, const char *name, char *const *argv,
		     const struct pm_redact *redact, struct pm_error *error)
{
	*identity = (struct pm_identity){0};
	if (draw_run_id(identity->run, sizeof(identity->run), error) < 0)
		return -1;
	if (gethostname(identity->host, sizeof(identity->host)) < 0)
		identity->host[0] = '\0';
	if (name == NULL)
		name = base_name(argv[0]);
	identity->name = strdup(name != NULL ? name : "");
	identity->args = pm_redact_args(argv, redact);
	if (identity->name == NULL || identity->args == NULL)
		return pm_error_set(error, ENOMEM, "cannot copy the arguments");
	while (identity->args[identity->argc] != NULL)
		identity->argc++;
	return 0;
}

int pm_identity_renew(struct pm_identity *identity, struct pm_error *error)
{
	return draw_run_id(identity->run, sizeof(identity->run), error);
}

void pm_identity_free(struct pm_identity *identity)
{
	free(identity->name);
	free(identity->args);
	identity->name = NULL;
	identity->args = NULL;
}

void pm_identity_sign(const struct pm_identity *identity, struct panicmon_event *event)
{
	event->run = identity->run;
	event->name = identity->name;
	event->host = identity->host;
	event->args = (const char *const *)identity->args;
	event->argc = identity->argc;
}
