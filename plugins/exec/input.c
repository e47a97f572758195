#include <config.h>

#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/json.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static int open_memory(void)
{
	static const char name[] = "panicmon-event";
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	/* The sysctl vm.memfd_noexec may ask for it, and Linux before 6.3 does not know it. */
	int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

	return fd < 0 && errno == EINVAL ? memfd_create(name, flags) : fd;
}

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

static int keep(const struct pm_common_buffer *text)
{
	int fd = open_memory();

	if (fd < 0)
		return -1;
	if (write_all(fd, text->data, text->length) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int pm_exec_input_event(const struct panicmon_event *event)
{
	size_t flags = PM_COMMON_JSON_FLAGS;
	struct pm_common_buffer text = {0};
	int fd = -1;

	pm_common_json_dump(&text, pm_common_json_event(event, SIZE_MAX, &flags), flags);
	pm_common_puts(&text, "\n");
	if (text.failed)
		errno = ENOMEM;
	else
		fd = keep(&text);
	int saved = errno;
	pm_common_buffer_free(&text);
	errno = saved;
	return fd;
}

int pm_exec_input_none(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}
