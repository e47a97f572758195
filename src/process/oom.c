#include <config.h>

#include "process/oom.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Reads a small file of the kernel's, with a NUL at the end. */
static bool read_small(const char *path, char *text, size_t size)
{
	pm_autofd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);

	text[got < 0 ? 0 : got] = '\0';
	return got > 0;
}

/* A line of /proc/self/cgroup is "ID:CONTROLLERS:PATH"; v2 has the line "0::PATH". */
static bool copy_path(const char *lines, const char *controller, char *path, size_t size)
{
	const char *line = strstr(lines, controller);

	if (line == NULL)
		return false;
	line += strlen(controller);
	snprintf(path, size, "%.*s", (int)strcspn(line, "\n"), line);
	return true;
}

int64_t pm_oom_kills(void)
{
	static const char key[] = "oom_kill ";
	char text[4096], group[1024], path[PATH_MAX];

	if (!read_small("/proc/self/cgroup", text, sizeof(text)))
		return -1;
	if (copy_path(text, ":memory:", group, sizeof(group)))
		snprintf(path, sizeof(path), "/sys/fs/cgroup/memory%s/memory.oom_control", group);
	else if (copy_path(text, "0::", group, sizeof(group)))
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.events", group);
	else
		return -1;
	if (!read_small(path, text, sizeof(text)))
		return -1;
	const char *found = strstr(text, key);
	return found == NULL ? -1 : strtoll(found + strlen(key), NULL, 10);
}
