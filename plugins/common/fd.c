#include <config.h>

#include "common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void pm_common_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

static int open_memory(const char *name, unsigned exec)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(name, flags | exec);

	if (fd < 0 && errno == EACCES)
		fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);
	return fd < 0 && errno == EINVAL ? memfd_create(name, flags) : fd;
}

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = TEMP_FAILURE_RETRY(write(fd, bytes, length));

		if (written <= 0)
			return -1;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

int pm_common_sealed_memory(const char *name, unsigned exec, const char *bytes, size_t length)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int fd = open_memory(name, exec);

	if (fd >= 0 && (write_all(fd, bytes, length) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
			fcntl(fd, F_ADD_SEALS, seals) < 0))
		pm_common_close(&fd);
	return fd;
}
