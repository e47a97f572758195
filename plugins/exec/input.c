#include <config.h>

#include "input.h"

#include <errno.h>
#include <fcntl.h>

#include "common/fd.h"
#include "common/json.h"

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
		fd = pm_common_sealed_memory("panicmon-event", MFD_NOEXEC_SEAL, text.data,
					     text.length);
	int saved = errno;
	pm_common_buffer_free(&text);
	errno = saved;
	return fd;
}

int pm_exec_input_none(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}
