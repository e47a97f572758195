/* buffer.h: text that grows. After a failed allocation it takes nothing more and `failed` stays. */
#ifndef PM_LOG_BUFFER_H
#define PM_LOG_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct pm_log_buffer {
	char *data; /* not terminated; NULL while it is empty */
	size_t length, size;
	bool failed;
};

void pm_log_put(struct pm_log_buffer *buffer, const void *bytes, size_t length);
void pm_log_puts(struct pm_log_buffer *buffer, const char *text);

/* For short fragments of numbers and fixed words: what is longer than 127 bytes is cut. */
void pm_log_printf(struct pm_log_buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Empties it. Keeps its memory unless a rare large record made that large. */
void pm_log_buffer_reset(struct pm_log_buffer *buffer);
void pm_log_buffer_free(struct pm_log_buffer *buffer);

#endif
