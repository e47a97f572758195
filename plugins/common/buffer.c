#include <config.h>

#include "common/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 1024, KEPT_SIZE = 16384 };

static bool reserve(struct pm_common_buffer *buffer, size_t length)
{
	size_t size = buffer->size == 0 ? FIRST_SIZE : buffer->size;

	if (buffer->failed || length > SIZE_MAX / 4 - buffer->length) {
		buffer->failed = true;
		return false;
	}
	while (size < buffer->length + length)
		size *= 2;
	if (size == buffer->size)
		return true;
	char *data = realloc(buffer->data, size);
	if (data == NULL) {
		buffer->failed = true;
		return false;
	}
	buffer->data = data;
	buffer->size = size;
	return true;
}

void pm_common_put(struct pm_common_buffer *buffer, const void *bytes, size_t length)
{
	if (length == 0 || !reserve(buffer, length))
		return;
	memcpy(buffer->data + buffer->length, bytes, length);
	buffer->length += length;
}

void pm_common_puts(struct pm_common_buffer *buffer, const char *text)
{
	pm_common_put(buffer, text, strlen(text));
}

void pm_common_printf(struct pm_common_buffer *buffer, const char *format, ...)
{
	char text[128];
	va_list args;

	va_start(args, format);
	int length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length > 0)
		pm_common_puts(buffer, text);
}

void pm_common_buffer_reset(struct pm_common_buffer *buffer)
{
	if (buffer->size > KEPT_SIZE)
		pm_common_buffer_free(buffer);
	buffer->length = 0;
	buffer->failed = false;
}

void pm_common_buffer_free(struct pm_common_buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct pm_common_buffer){0};
}
