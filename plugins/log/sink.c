#include <config.h>

#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <panicmon/handler.h>

static const int64_t check_interval_ns = INT64_C(1000000000);

/* Read from the vDSO: no system call. */
static int64_t now_ns(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void close_fd(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

/* O_NONBLOCK: to open a FIFO would wait for a reader, and a device perhaps for its line.
 * O_EXCL tells whether the file is new; where it fails there is a symbolic link to nothing, or
 * somebody else was first. */
static int open_file(const struct pm_log_sink *sink)
{
	const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(sink->path, flags);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	fd = open(sink->path, flags | O_CREAT | O_EXCL, sink->mode);
	if (fd >= 0) {
		if (sink->exact_mode)
			fchmod(fd, sink->mode);
		return fd;
	}
	return errno == EEXIST ? open(sink->path, flags | O_CREAT, sink->mode) : -1;
}

/* Only a FIFO of our own stays non-blocking: it takes a record whole or not at all, so that it may
 * come again. What else is slow is waited for. */
static int set_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

/* Whether a file ends in the middle of a line: one who wrote there may have been killed in write(2),
 * which the kernel then cuts at the end of a page. */
static bool ends_torn(const struct pm_log_sink *sink, const struct stat *status)
{
	char last = '\n';

	if (sink->path == NULL || !S_ISREG(status->st_mode) || status->st_size == 0)
		return false;
	int fd = open(sink->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t got = fd < 0 ? 0 : pread(fd, &last, 1, status->st_size - 1);
	close_fd(fd);
	return got == 1 && last != '\n';
}

/* Takes fd over, also where it fails. */
static int attach(struct pm_log_sink *sink, int fd)
{
	struct stat status;

	if (fstat(fd, &status) < 0 ||
	    (sink->path != NULL && !S_ISFIFO(status.st_mode) && set_blocking(fd) < 0)) {
		close_fd(fd);
		return PANICMON_DROP;
	}
	if (sink->path != NULL)
		close_fd(sink->fd);
	sink->fd = fd;
	sink->pipe = S_ISFIFO(status.st_mode);
	sink->torn = ends_torn(sink, &status);
	sink->device = status.st_dev;
	sink->inode = status.st_ino;
	sink->checked_ns = now_ns();
	return PANICMON_DONE;
}

static int open_path(struct pm_log_sink *sink)
{
	struct stat status;
	int fd = open_file(sink);

	if (fd >= 0)
		return attach(sink, fd);
	int saved = errno;
	bool waits = saved == ENXIO && stat(sink->path, &status) == 0 && S_ISFIFO(status.st_mode);
	errno = saved;
	return waits ? PANICMON_RETRY : PANICMON_DROP;
}

static int open_inherited(struct pm_log_sink *sink, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return PANICMON_DROP;
	if ((flags & O_ACCMODE) == O_RDONLY) {
		errno = EBADF;
		return PANICMON_DROP;
	}
	return attach(sink, fd);
}

/* The working directory may be another when the file is opened again. */
static char *absolute(const char *path)
{
	char *directory = path[0] == '/' ? NULL : getcwd(NULL, 0);
	char *out = NULL;

	if (directory == NULL)
		return strdup(path);
	if (asprintf(&out, "%s/%s", directory, path) < 0)
		out = NULL;
	free(directory);
	return out;
}

bool pm_log_sink_is_stream(const char *path)
{
	return strcmp(path, "stderr") == 0 || strcmp(path, "stdout") == 0;
}

int pm_log_sink_open(struct pm_log_sink *sink, const char *path, int stream, mode_t mode,
		     bool exact_mode)
{
	*sink = (struct pm_log_sink){.fd = -1, .mode = mode, .exact_mode = exact_mode};
	if (pm_log_sink_is_stream(path))
		return open_inherited(sink, stream);
	sink->path = absolute(path);
	return sink->path != NULL ? open_path(sink) : PANICMON_DROP;
}

void pm_log_sink_close(struct pm_log_sink *sink)
{
	if (sink->path != NULL)
		close_fd(sink->fd);
	free(sink->path);
	sink->path = NULL;
	sink->fd = -1;
}

static bool is_current(const struct pm_log_sink *sink)
{
	struct stat status;

	return stat(sink->path, &status) == 0 && status.st_dev == sink->device &&
	       status.st_ino == sink->inode;
}

static bool is_linked(const struct pm_log_sink *sink)
{
	struct stat status;

	return fstat(sink->fd, &status) == 0 && status.st_nlink > 0;
}

int pm_log_sink_refresh(struct pm_log_sink *sink)
{
	if (sink->path == NULL)
		return PANICMON_DONE;
	if (sink->fd >= 0) {
		int64_t now = now_ns();

		if (now - sink->checked_ns < check_interval_ns)
			return PANICMON_DONE;
		sink->checked_ns = now;
		if (is_current(sink))
			return PANICMON_DONE;
	}
	int result = open_path(sink);
	if (result == PANICMON_DONE || sink->fd < 0 || is_linked(sink))
		return sink->fd >= 0 ? PANICMON_DONE : result;
	/* What goes to a removed file is lost without a word: fail until the path can be opened. */
	int saved = errno;
	close_fd(sink->fd);
	sink->fd = -1;
	errno = saved;
	return result;
}

size_t pm_log_sink_limit(const struct pm_log_sink *sink)
{
	return sink->pipe ? PIPE_BUF : SIZE_MAX;
}

static int write_failed(struct pm_log_sink *sink)
{
	if (errno == EAGAIN)
		return PANICMON_RETRY;
	if (errno != EPIPE || sink->path == NULL)
		return PANICMON_DROP;
	/* A FIFO may get another reader. */
	close_fd(sink->fd);
	sink->fd = -1;
	return PANICMON_RETRY;
}

int pm_log_sink_write(struct pm_log_sink *sink, const char *record, size_t length)
{
	if (!sink->torn) {
		record++;
		length--;
	}
	ssize_t written = TEMP_FAILURE_RETRY(write(sink->fd, record, length));
	if (written < 0)
		return write_failed(sink);
	if ((size_t)written == length) {
		sink->torn = false;
		return PANICMON_DONE;
	}
	sink->torn = true;
	errno = 0;
	return PANICMON_RETRY;
}
