#include <config.h>

#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* More than any config; /dev/zero and its like are refused before, but a log named by mistake or a
 * file that grows while it is read is not. */
#define FILE_MAX ((size_t)16 << 20)

/* The errno of the folder that glob(3) could not read: its callback has no other way out. The room
 * is single-threaded. */
static int folder_error;

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	default:
		return "no regular file";
	}
}

static int refuse_kind(mode_t mode, struct pm_error *error)
{
	return pm_error_set(error, 0, "is %s; name a regular file", kind_of(mode));
}

/* O_NONBLOCK: opening a FIFO would wait for a writer. A socket cannot be opened at all. */
static int open_regular(const char *path, struct stat *status, struct pm_error *error)
{
	pm_autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		int code = errno;

		if (code == ENXIO && stat(path, status) == 0)
			return refuse_kind(status->st_mode, error);
		return pm_error_set(error, code, "cannot be opened");
	}
	if (fstat(fd, status) != 0)
		return pm_error_set(error, errno, "cannot be read");
	if (!S_ISREG(status->st_mode))
		return refuse_kind(status->st_mode, error);
	return pm_steal_fd(&fd);
}

/* Files of /proc say 0 for their size, so the end is where read(2) says it is. */
static int read_all(int fd, struct pm_file *file, struct pm_error *error)
{
	size_t room = 0;

	for (;;) {
		if (file->size + 1 >= room) {
			room = room == 0 ? 8192 : room * 2;
			char *more = realloc(file->text, room);
			if (more == NULL)
				return pm_error_set(error, ENOMEM, "cannot be read");
			file->text = more;
		}
		ssize_t got = read(fd, file->text + file->size, room - file->size - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return pm_error_set(error, errno, "cannot be read");
		file->size += (size_t)got;
		file->text[file->size] = '\0';
		if (got == 0)
			return 0;
		if (file->size > FILE_MAX)
			return pm_error_set(error, 0, "is larger than 16 MiB; name a config file");
	}
}

int pm_file_read(const char *path, struct pm_file *file, struct pm_error *error)
{
	struct stat status;
	pm_autofd fd = open_regular(path, &status, error);

	*file = (struct pm_file){0};
	if (fd < 0)
		return -1;
	file->device = status.st_dev;
	file->inode = status.st_ino;
	if (read_all(fd, file, error) != 0) {
		free(file->text);
		file->text = NULL;
		return -1;
	}
	return 0;
}

static int note_folder_error(const char *folder, int code)
{
	(void)folder;
	if (code == ENOENT || code == ENOTDIR)
		return 0;
	folder_error = code;
	return 1;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int list_of_one(struct pm_file_list *list, char *path)
{
	list->paths = malloc(sizeof(*list->paths));
	if (list->paths == NULL) {
		free(path);
		return -1;
	}
	list->paths[0] = path;
	list->count = 1;
	return 0;
}

/* Joins the folder of `from` and `name`. With `escape`, the folder's own *, ? and [ stand for
 * themselves in glob(3). */
static char *join(const char *from, const char *name, bool escape)
{
	const char *slash = strrchr(from, '/');
	size_t length = slash == NULL || name[0] == '/' ? 0 : (size_t)(slash - from) + 1;
	char *path = malloc(2 * length + strlen(name) + 1), *at = path;

	if (path == NULL)
		return NULL;
	for (size_t i = 0; i < length; i++) {
		if (escape && strchr("*?[]\\", from[i]) != NULL)
			*at++ = '\\';
		*at++ = from[i];
	}
	strcpy(at, name);
	return path;
}

/* glob(3) sorts by the locale, and so would give another order on another machine. */
static int match(const char *pattern, struct pm_file_list *list, struct pm_error *error)
{
	glob_t found = {0};
	int result = glob(pattern, GLOB_NOSORT, note_folder_error, &found);
	int code = result == GLOB_ABORTED ? folder_error : result == GLOB_NOSPACE ? ENOMEM : 0;

	if (result == 0) {
		list->paths = calloc(found.gl_pathc, sizeof(*list->paths));
		for (size_t i = 0; list->paths != NULL && i < found.gl_pathc; i++) {
			list->paths[i] = strdup(found.gl_pathv[i]);
			list->count = i + 1;
			if (list->paths[i] == NULL)
				code = ENOMEM;
		}
		if (list->paths == NULL)
			code = ENOMEM;
		else if (code == 0)
			qsort(list->paths, list->count, sizeof(*list->paths), by_bytes);
	}
	globfree(&found);
	return code == 0 ? 0 : pm_error_set(error, code, "its files cannot be listed");
}

int pm_file_match(const char *from, const char *pattern, struct pm_file_list *list,
		  struct pm_error *error)
{
	bool plain = strpbrk(pattern, "*?[") == NULL;
	pm_autofree char *path = join(from, pattern, !plain);

	*list = (struct pm_file_list){0};
	if (path == NULL)
		return pm_error_set(error, ENOMEM, "its files cannot be listed");
	if (!plain)
		return match(path, list, error);
	if (list_of_one(list, pm_steal_pointer(&path)) != 0)
		return pm_error_set(error, ENOMEM, "its files cannot be listed");
	return 0;
}

void pm_file_list_free(struct pm_file_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->paths[i]);
	free(list->paths);
	*list = (struct pm_file_list){0};
}
