#include <config.h>

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void pm_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

void pm_cleanup_fd(int *fd)
{
	pm_close(fd);
}

void *pm_steal_memory(void *pointer_to_pointer)
{
	void *pointer = NULL;
	void *none = NULL;

	memcpy(&pointer, pointer_to_pointer, sizeof(pointer));
	memcpy(pointer_to_pointer, &none, sizeof(none));
	return pointer;
}

void pm_cleanup_free(void *pointer_to_pointer)
{
	int saved = errno;

	free(pm_steal_memory(pointer_to_pointer));
	errno = saved;
}

void pm_cleanup_file(void *pointer_to_file)
{
	int saved = errno;
	FILE *file = pm_steal_memory(pointer_to_file);

	if (file != NULL)
		fclose(file);
	errno = saved;
}

void pm_close_range(int first, int last)
{
	if (first > last || close_range((unsigned)first, (unsigned)last, 0) == 0)
		return;
	/* Linux before 5.9: all that this process may have opened. */
	long limit = sysconf(_SC_OPEN_MAX);
	for (int fd = first; fd <= last && fd < limit; fd++)
		close(fd);
}

void pm_close_from(int first)
{
	pm_close_range(first, INT_MAX);
}

void pm_close_inheritable(int first)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		int fd = atoi(entry->d_name); /* "." and ".." are 0 */

		if (fd >= first && fcntl(fd, F_GETFD) == 0)
			close(fd);
	}
	if (folder != NULL)
		closedir(folder);
}

int pm_steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}
