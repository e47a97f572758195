/* config/file.h: the bytes of one config file, and the files that an `include` names. */
#ifndef PM_CONFIG_FILE_H
#define PM_CONFIG_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct pm_file {
	char *text; /* NUL after its end; the caller frees it */
	size_t size;
	dev_t device; /* with `inode`: which file it is, whatever its path */
	ino_t inode;
};

/* Reads a whole regular file of at most 16 MiB. Never waits: a FIFO, a device or a directory is
 * refused with its kind. The error's text begins with a verb, without the path: "cannot be
 * opened: No such file or directory". */
int pm_file_read(const char *path, struct pm_file *file, struct pm_error *error);

struct pm_file_list {
	char **paths;
	size_t count;
};

/* The files that `pattern` (glob(7)) names, relative to the folder of `from`, in the order of their
 * bytes. No match gives an empty list; a pattern without *, ? and [ is taken as it is, whether there
 * is such a file or not. The caller frees the list, also after -1. */
int pm_file_match(const char *from, const char *pattern, struct pm_file_list *list,
		  struct pm_error *error);
void pm_file_list_free(struct pm_file_list *list);

#endif
