/* base/memory.h: memory shared with forks, which nobody can cut under our feet; and structs of other
 * versions. */
#ifndef PM_BASE_MEMORY_H
#define PM_BASE_MEMORY_H

#include <stddef.h>

#include "base/error.h"

/* Maps `size` bytes, zeroed, readable and writable. Forks do not inherit the mapping, unless they are
 * let to (MADV_DOFORK). For forks to be trusted: whoever may look into /proc/PID/map_files of one can
 * truncate it there, which would end us by SIGBUS. Returns NULL on an error. For munmap(2). */
void *pm_memory_share(size_t size, struct pm_error *error);

/* The same of a new memfd, for others to map, and for forks that may be up to anything: it is sealed
 * against a change of its size, and `seals` are added to that (fcntl(2), F_ADD_SEALS). *fd: close-on-exec. RLIMIT_FSIZE counts it. */
void *pm_memory_share_sealed(const char *name, size_t size, int seals, int *fd,
			     struct pm_error *error);

/* Copies a struct that grows at its end to the size that we know: what it lacks is zero. */
void pm_memory_copy_sized(void *to, size_t to_size, const void *from, size_t from_size);

#endif
