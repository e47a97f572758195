#include <config.h>

#include "secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/names.h"

char *pm_webhook_file_path(const struct panicmon_host *host, const char *option, const char *value)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char *path;

	if (value[0] == '/') {
		path = strdup(value);
	} else if (folder == NULL || folder[0] == '\0') {
		panicmon_fail(host,
			      "%s '%.200s' is a name in $CREDENTIALS_DIRECTORY, which is not set: "
			      "write a path that begins with /",
			      option, value);
		return NULL;
	} else if (asprintf(&path, "%s/%s", folder, value) < 0) {
		path = NULL;
	}
	if (path == NULL)
		panicmon_fail(host, "out of memory");
	return path;
}

static int refuse(const struct panicmon_host *host, const char *option, const char *path, int error)
{
	return panicmon_fail(host, "%s: cannot read '%.300s': %s", option, path,
			     pm_common_errno_text(error));
}

/* Opens it without waiting for whoever writes to a pipe. -1 after host->fail(). */
static int open_file(const struct panicmon_host *host, const char *option, const char *path,
		     bool is_private)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0)
		return refuse(host, option, path, errno);
	if (fstat(fd, &status) < 0)
		status.st_mode = 0;
	if (!S_ISREG(status.st_mode))
		panicmon_fail(host, "%s: '%.300s' is not a regular file", option, path);
	else if (is_private && (status.st_mode & (S_IROTH | S_IWOTH)) != 0)
		panicmon_fail(host,
			      "%s: everybody may read or write '%.300s' (mode %04o): it holds a "
			      "secret; chmod o-rw it",
			      option, path, (unsigned)status.st_mode & 07777U);
	else
		return fd;
	close(fd);
	return -1;
}

int pm_webhook_file_check(const struct panicmon_host *host, const char *option, const char *path,
			  bool is_private)
{
	int fd = open_file(host, option, path, is_private);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

/* Reads up to size - 1 bytes and ends them with a NUL. -1: errno. */
static ssize_t read_whole(int fd, char *text, size_t size)
{
	size_t length = 0;

	while (length < size - 1) {
		ssize_t got = read(fd, text + length, size - 1 - length);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	text[length] = '\0';
	return (ssize_t)length;
}

static void trim(char *text, size_t length)
{
	while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		text[--length] = '\0';
}

static char *read_path(const struct panicmon_host *host, const char *option, const char *path,
		       bool is_private)
{
	int fd = open_file(host, option, path, is_private);
	char *text = fd >= 0 ? malloc(PM_WEBHOOK_FILE_MAX + 2) : NULL;
	ssize_t length = -1;

	if (fd < 0)
		return NULL;
	if (text == NULL)
		panicmon_fail(host, "out of memory");
	else if ((length = read_whole(fd, text, PM_WEBHOOK_FILE_MAX + 2)) < 0)
		refuse(host, option, path, errno);
	close(fd);
	if (length > PM_WEBHOOK_FILE_MAX)
		panicmon_fail(host, "%s: '%.300s' has more than %d bytes", option, path,
			      PM_WEBHOOK_FILE_MAX);
	else if (length >= 0 && strlen(text) != (size_t)length)
		panicmon_fail(host, "%s: '%.300s' is not text: it holds a NUL", option, path);
	else if (length >= 0) {
		trim(text, (size_t)length);
		return text;
	}
	pm_webhook_secret_free(text);
	return NULL;
}

char *pm_webhook_file_read(const struct panicmon_host *host, const char *option, const char *value,
			   bool is_private)
{
	char *path = pm_webhook_file_path(host, option, value);
	char *text = path != NULL ? read_path(host, option, path, is_private) : NULL;

	free(path);
	return text;
}

static char *read_variable(const struct panicmon_host *host, const char *option,
			   const char *variable)
{
	const char *value = getenv(variable);
	char *text = value != NULL ? strdup(value) : NULL;

	if (value == NULL)
		panicmon_fail(host, "%s: there is no variable '%.100s' in the environment", option,
			      variable);
	else if (text == NULL)
		panicmon_fail(host, "out of memory");
	return text;
}

int pm_webhook_secret_read(const struct panicmon_host *host, const struct panicmon_value *values,
			   int index, char **text)
{
	const char *file = values[index].text, *variable = values[index + 1].text;
	const char *file_option = panicmon_handler_1.options[index].name;
	const char *variable_option = panicmon_handler_1.options[index + 1].name;

	*text = NULL;
	if (file == NULL && variable == NULL)
		return 0;
	if (file != NULL && variable != NULL)
		return panicmon_fail(host, "%s and %s are both written: one is enough", file_option,
				     variable_option);
	if (file != NULL)
		*text = pm_webhook_file_read(host, file_option, file, true);
	else
		*text = read_variable(host, variable_option, variable);
	if (*text == NULL)
		return -1;
	if ((*text)[0] != '\0')
		return 0;
	return panicmon_fail(host, "%s: '%.300s' is empty", file ? file_option : variable_option,
			     file ? file : variable);
}

void pm_webhook_secret_hide(const char *variable)
{
	char *value = getenv(variable);

	if (value == NULL)
		return;
	explicit_bzero(value, strlen(value));
	unsetenv(variable);
}

void pm_webhook_secret_free(char *text)
{
	if (text == NULL)
		return;
	explicit_bzero(text, strlen(text));
	free(text);
}
