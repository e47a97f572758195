/* buffer.h: text that grows. After a failed allocation it takes nothing more and `failed` stays. */
#ifndef PM_COMMON_BUFFER_H
#define PM_COMMON_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct pm_common_buffer {
	char *data; /* not terminated; NULL while it is empty */
	size_t length, size;
	bool failed;
};

void pm_common_put(struct pm_common_buffer *buffer, const void *bytes, size_t length);
void pm_common_puts(struct pm_common_buffer *buffer, const char *text);

/* For short fragments of numbers and fixed words: what is longer than 127 bytes is cut. */
void pm_common_printf(struct pm_common_buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Empties it. Keeps its memory unless a rare large record made that large. */
void pm_common_buffer_reset(struct pm_common_buffer *buffer);
void pm_common_buffer_free(struct pm_common_buffer *buffer);

#endif
