/* A standard stream, a file that may be rotated away, a FIFO, a terminal. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fd.h"
#include "common/names.h"
#include "sink.h"

struct file {
	struct pm_log_sink base;
	int fd;
	char *path; /* absolute; NULL: fd is an inherited one */
	mode_t mode;
	bool exact_mode;
	bool pipe;
	bool torn; /* what was written last was cut, and has no newline */
	off_t end; /* of what was written last; -1: nothing was */
	dev_t device;
	ino_t inode;
	int64_t checked_ns; /* CLOCK_MONOTONIC: when path was compared with the open file */
};

static struct file *file_of(struct pm_log_sink *sink)
{
	return (struct file *)sink;
}

#define CHECK_INTERVAL PM_COMMON_NS_PER_S

/* O_NONBLOCK: to open a FIFO would wait for a reader, and a device perhaps for its line.
 * O_EXCL tells whether the file is new; where it fails there is a symbolic link to nothing, or
 * somebody else was first. */
static int open_file(const struct file *file)
{
	const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(file->path, flags);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	fd = open(file->path, flags | O_CREAT | O_EXCL, file->mode);
	if (fd >= 0) {
		if (file->exact_mode)
			fchmod(fd, file->mode);
		return fd;
	}
	return errno == EEXIST ? open(file->path, flags | O_CREAT, file->mode) : -1;
}

/* Only a FIFO of our own stays non-blocking: it takes a record whole or not at all, so that it may
 * come again. What else is slow is waited for. */
static int set_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

/* Takes fd over, also where it fails. */
static int attach(struct file *file, int fd)
{
	struct stat status;

	if (fstat(fd, &status) < 0 ||
	    (file->path != NULL && !S_ISFIFO(status.st_mode) && set_blocking(fd) < 0)) {
		pm_common_close(&fd);
		return PANICMON_DROP;
	}
	if (file->path != NULL)
		pm_common_close(&file->fd);
	file->fd = fd;
	file->pipe = S_ISFIFO(status.st_mode);
	file->device = status.st_dev;
	file->inode = status.st_ino;
	file->torn = false;
	file->end = -1;
	file->checked_ns = pm_common_monotonic_ns();
	return PANICMON_DONE;
}

static int open_path(struct file *file)
{
	struct stat status;
	int fd = open_file(file);

	if (fd >= 0)
		return attach(file, fd);
	int saved = errno;
	bool waits = saved == ENXIO && stat(file->path, &status) == 0 && S_ISFIFO(status.st_mode);
	errno = saved;
	return waits ? PANICMON_RETRY : PANICMON_DROP;
}

static int open_inherited(struct file *file, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return PANICMON_DROP;
	if ((flags & O_ACCMODE) == O_RDONLY) {
		errno = EBADF;
		return PANICMON_DROP;
	}
	return attach(file, fd);
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

static bool is_current(const struct file *file)
{
	struct stat status;

	return stat(file->path, &status) == 0 && status.st_dev == file->device &&
	       status.st_ino == file->inode;
}

static bool is_linked(const struct file *file)
{
	struct stat status;

	return fstat(file->fd, &status) == 0 && status.st_nlink > 0;
}

static int refresh(struct pm_log_sink *sink)
{
	struct file *file = file_of(sink);

	if (file->path == NULL)
		return PANICMON_DONE;
	if (file->fd >= 0) {
		int64_t now = pm_common_monotonic_ns();

		if (now - file->checked_ns < CHECK_INTERVAL)
			return PANICMON_DONE;
		file->checked_ns = now;
		if (is_current(file))
			return PANICMON_DONE;
	}
	int result = open_path(file);
	if (result == PANICMON_DONE || file->fd < 0 || is_linked(file))
		return file->fd >= 0 ? PANICMON_DONE : result;
	/* What goes to a removed file is lost without a word: fail until the path can be opened. */
	pm_common_close(&file->fd);
	return result;
}

/* A pipe takes more than PIPE_BUF in parts, with those of others in between (pipe(7)). The newline in
 * front is not written there. */
static size_t limit(const struct pm_log_sink *sink)
{
	return ((const struct file *)sink)->pipe ? PIPE_BUF + 1 : SIZE_MAX;
}

/* The record begins with a newline for the case that the one before was cut. */
static void put(const struct pm_log_sink *sink, struct pm_common_buffer *out,
		const struct pm_log_record *record, pm_log_format_put *format)
{
	(void)sink;
	pm_common_puts(out, "\n");
	format(out, record);
	pm_common_puts(out, "\n");
}

static int write_failed(struct file *file)
{
	if (errno == EAGAIN)
		return PANICMON_RETRY;
	if (errno != EPIPE || file->path == NULL)
		return PANICMON_DROP;
	/* A FIFO may get another reader. */
	pm_common_close(&file->fd);
	return PANICMON_RETRY;
}

static int write_whole(struct file *file, const char *record, size_t length)
{
	if (!file->torn) {
		record++;
		length--;
	}
	ssize_t written = TEMP_FAILURE_RETRY(write(file->fd, record, length));
	if (written < 0)
		return write_failed(file);
	file->torn = (size_t)written != length;
	errno = 0;
	return file->torn ? PANICMON_RETRY : PANICMON_DONE;
}

/* Whether what ends at that offset of the file lacks its newline. */
static bool is_cut(const struct file *file, off_t end)
{
	struct stat status;
	char last = '\n';

	if (end <= 0)
		return false;
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_dev == file->device &&
	    status.st_ino == file->inode && pread(fd, &last, 1, end - 1) != 1)
		last = '\n';
	pm_common_close(&fd);
	return last != '\n';
}

/* The kernel lets one write at a time into a file, so that after ours whoever was in the middle of a
 * line has ended it, or never will: it was killed in write(2), which is cut at the end of a page then, or its
 * disk was full. What stands on a line that was cut for good is written again, on one of its own.
 * O_APPEND leaves the offset at our end (write(2)); if nobody has written since, no line can have been cut. */
static int write_record(struct pm_log_sink *sink, const char *record, size_t length)
{
	struct file *file = file_of(sink);
	int result = write_whole(file, record, length);

	if (result != PANICMON_DONE || file->path == NULL)
		return result;
	off_t end = lseek(file->fd, 0, SEEK_CUR), start = end - (off_t)(length - 1);
	bool alone = start == file->end;
	file->end = end;
	return alone || !is_cut(file, start) ? result : write_whole(file, record, length);
}

static void close_file(struct pm_log_sink *sink)
{
	struct file *file = file_of(sink);

	if (file->path != NULL)
		pm_common_close(&file->fd);
	free(file->path);
	free(file);
}

static const struct pm_log_sink_ops ops = {
	.refresh = refresh,
	.limit = limit,
	.put = put,
	.write = write_record,
	.close = close_file,
};

static int refuse(const struct pm_log_target *target, int result)
{
	const char *path = target->path;

	if (result == PANICMON_RETRY) {
		panicmon_fail(target->host, "nobody reads from '%.300s' yet", path);
		return result;
	}
	if (pm_log_sink_is_stream(path))
		return panicmon_fail(target->host, "cannot write to %s: %s", path,
				     pm_common_errno_text(errno));
	return panicmon_fail(target->host, "cannot open '%.300s' for appending: %s", path,
			     pm_common_errno_text(errno));
}

static int open_target(struct file *file, const struct pm_log_target *target)
{
	bool errors = strcmp(target->path, "stderr") == 0;

	if (pm_log_sink_is_stream(target->path))
		return open_inherited(file, errors ? target->host->errors : target->host->output);
	file->path = absolute(target->path);
	return file->path != NULL ? open_path(file) : PANICMON_DROP;
}

int pm_log_file_open(struct pm_log_sink **sink, const struct pm_log_target *target)
{
	struct file *file = calloc(1, sizeof(*file));

	if (file == NULL)
		return panicmon_fail(target->host, "out of memory");
	*file = (struct file){
		.base.ops = &ops, .fd = -1, .mode = target->mode, .exact_mode = target->exact_mode};
	int result = open_target(file, target);
	if (result != PANICMON_DONE) {
		result = refuse(target, result);
		close_file(&file->base);
		return result;
	}
	file->base.terminal = isatty(file->fd) == 1;
	file->base.people = file->base.terminal;
	*sink = &file->base;
	return 0;
}
