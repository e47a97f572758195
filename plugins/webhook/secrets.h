/* secrets.h: what must not be seen by others, from files or the environment. */
#ifndef PM_WEBHOOK_SECRETS_H
#define PM_WEBHOOK_SECRETS_H

#include <stdbool.h>

#include <panicmon/handler.h>

enum { PM_WEBHOOK_FILE_MAX = 64 * 1024 }; /* of a secret or a template, in bytes */

/* The path that the value of a *_file option means: a relative one is in $CREDENTIALS_DIRECTORY
 * (systemd.exec(5)). For free(3); NULL after host->fail(). `option`: its name, for complaints. */
char *pm_webhook_file_path(const struct panicmon_host *host, const char *option, const char *value);

/* 0 if a file is there, can be read, and, if it is private, only by those that it concerns; else -1
 * after host->fail(). */
int pm_webhook_file_check(const struct panicmon_host *host, const char *option, const char *path,
			  bool is_private);

/* The text of such a file, without newlines at its end; NULL after host->fail(). */
char *pm_webhook_file_read(const struct panicmon_host *host, const char *option, const char *value,
			   bool is_private);

/* The value of NAME_file or NAME_env, which the options at `index` and `index + 1` are. *text: for
 * pm_webhook_secret_free(), NULL if neither is written. 0, or -1 after host->fail(). */
int pm_webhook_secret_read(const struct panicmon_host *host, const struct panicmon_value *values,
			   int index, char **text);

/* Overwrites and takes away the variable that an *_env option names, so that neither
 * /proc/PID/environ nor a child has it any longer. */
void pm_webhook_secret_hide(const char *variable);

/* Overwrites and frees it; NULL is fine. */
void pm_webhook_secret_free(char *text);

#endif
