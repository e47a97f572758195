/* sink.h: where records go: standard error, standard output, or a file that may be rotated away.
 *
 * The functions return enum panicmon_result with errno set where it is not PANICMON_DONE.
 */
#ifndef PM_LOG_SINK_H
#define PM_LOG_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pm_log_sink {
	int fd;
	char *path; /* absolute; NULL: fd is an inherited one */
	mode_t mode;
	bool exact_mode;
	bool pipe;
	bool torn; /* what was written last was cut, and has no newline */
	dev_t device;
	ino_t inode;
	int64_t checked_ns; /* CLOCK_MONOTONIC: when path was compared with the open file */
};

/* Whether path is "stderr" or "stdout", not a file. */
bool pm_log_sink_is_stream(const char *path);

/* stream: the descriptor if path is one. path: a stream or a file, which is made with `mode`: as the umask leaves it, or exactly
 * if exact_mode. PANICMON_DROP where that is impossible; PANICMON_RETRY for a FIFO that nobody
 * reads yet. pm_log_sink_close() is to be called in any case. */
int pm_log_sink_open(struct pm_log_sink *sink, const char *path, int stream, mode_t mode,
		     bool exact_mode);
void pm_log_sink_close(struct pm_log_sink *sink);

/* Before a record is made: looks, at most once a second, whether the file was renamed or removed,
 * and then opens the path again. While that fails a renamed file is still written to. */
int pm_log_sink_refresh(struct pm_log_sink *sink);

/* The longest record that is written whole: a pipe takes more than PIPE_BUF in parts, with those of
 * others in between (pipe(7)). */
size_t pm_log_sink_limit(const struct pm_log_sink *sink);

/* One write(2) of a record, which begins with a newline for the case that the one before was cut.
 * PANICMON_RETRY: nothing or only a part of it was taken, and later all may be; errno 0 for a part.
 * PANICMON_DROP: a full disk, a closed pipe... */
int pm_log_sink_write(struct pm_log_sink *sink, const char *record, size_t length);

#endif
