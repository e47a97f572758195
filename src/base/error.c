#include <config.h>

#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int pm_error_set(struct pm_error *error, int code, const char *format, ...)
{
	int saved = errno;
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);

	error->code = code;
	if (code != 0) {
		size_t used = strlen(error->text);

		snprintf(error->text + used, sizeof(error->text) - used, ": %s", strerror(code));
	}
	errno = saved;
	return -1;
}
