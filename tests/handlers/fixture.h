/* fixture.h: what the fixture plugins have in common. */
#ifndef PM_TESTS_FIXTURE_H
#define PM_TESTS_FIXTURE_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <panicmon/handler.h>

#define FIXTURE_HEAD(label)                                                                        \
	.magic = PANICMON_HANDLER_MAGIC, .size = sizeof(struct panicmon_handler),                  \
	.minor = PANICMON_HANDLER_MINOR, .name = label, .version = "1",                            \
	.summary = "a test fixture"

#define FIXTURE_OPTIONS(table)                                                                     \
	.options = table, .option_count = sizeof(table) / sizeof(table[0]),                        \
	.option_size = sizeof(struct panicmon_option)

/* All six events to one function. */
#define FIXTURE_EVENTS(function)                                                                   \
	.process =                                                                                 \
		&(const struct panicmon_process_ops){.size = sizeof(struct panicmon_process_ops),  \
						     .started = function,                          \
						     .failed = function,                           \
						     .exited = function},                          \
	.signal = &(const struct panicmon_signal_ops)                                              \
	{                                                                                          \
		.size = sizeof(struct panicmon_signal_ops), .received = function,                  \
		.passed = function, .failed = function                                             \
	}

/* A fault as a bug makes it: a signal that is merely raised may be blocked. */
static inline void fixture_crash(void)
{
	volatile char *page = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*page = 1;
}

/* Appends a line to the file at path, in one write; no path, no line. */
static inline void fixture_note(const char *path, const char *text)
{
	int fd = path == NULL ? -1 : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return;
	dprintf(fd, "%s\n", text);
	close(fd);
}

static inline void fixture_note_event(const char *path, const struct panicmon_event *event)
{
	char line[64];

	snprintf(line, sizeof(line), "%llu %u %u", (unsigned long long)event->seq, event->type,
		 event->attempt);
	fixture_note(path, line);
}

#endif
