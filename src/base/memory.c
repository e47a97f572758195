#include <config.h>

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"

/* RLIMIT_FSIZE holds for a memfd, too. The limit is the command's, and is put back. */
static int set_size(int fd, size_t size)
{
	struct rlimit before;

	if (ftruncate(fd, (off_t)size) == 0)
		return 0;
	if (errno != EFBIG || getrlimit(RLIMIT_FSIZE, &before) < 0)
		return -1;
	struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY}; /* for root */
	struct rlimit highest = {before.rlim_max, before.rlim_max};
	if (setrlimit(RLIMIT_FSIZE, &none) < 0 && setrlimit(RLIMIT_FSIZE, &highest) < 0)
		return -1;
	int result = ftruncate(fd, (off_t)size);
	int saved = errno;
	setrlimit(RLIMIT_FSIZE, &before);
	errno = saved;
	return result;
}

static void *map_sealed(const char *name, size_t size, int seals, int *out, struct pm_error *error)
{
	pm_autofd fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || set_size(fd, size) < 0) {
		pm_error_set(error, errno, "cannot make %zu bytes of shared memory%s", size,
			     errno == EFBIG ? " (the limit is RLIMIT_FSIZE: raise ulimit -f)" : "");
		return NULL;
	}
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		pm_error_set(error, errno, "cannot map %zu bytes of shared memory", size);
		return NULL;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | seals) < 0) {
		pm_error_set(error, errno,
			     "cannot seal shared memory (Linux 5.1 or later is needed)");
		munmap(map, size);
		return NULL;
	}
	*out = pm_steal_fd(&fd);
	return map;
}

void *pm_memory_share_sealed(const char *name, size_t size, int seals, int *fd,
			     struct pm_error *error)
{
	void *map = map_sealed(name, size, seals, fd, error);

	if (map != NULL)
		madvise(map, size, MADV_DONTFORK);
	return map;
}

void *pm_memory_share(size_t size, struct pm_error *error)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED) {
		pm_error_set(error, errno, "cannot map %zu bytes of shared memory", size);
		return NULL;
	}
	madvise(map, size, MADV_DONTFORK);
	return map;
}

void pm_memory_copy_sized(void *to, size_t to_size, const void *from, size_t from_size)
{
	memset(to, 0, to_size);
	memcpy(to, from, from_size < to_size ? from_size : to_size);
}
