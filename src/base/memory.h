/* base/memory.h: memory shared with forks, which nobody can cut under our feet. */
#ifndef PM_BASE_MEMORY_H
#define PM_BASE_MEMORY_H

#include <stddef.h>

#include "base/error.h"

/* Maps `size` bytes of a new memfd, zeroed, readable and writable, and seals it against a change of
 * its size: one who could truncate it would end us by SIGBUS. `seals` are added to that (fcntl(2),
 * F_ADD_SEALS). Forks do not inherit the mapping (MADV_DONTFORK). *fd gets the descriptor,
 * close-on-exec; NULL: it is closed. Returns NULL on an error. For munmap(2). */
void *pm_memory_share(const char *name, size_t size, int seals, int *fd, struct pm_error *error);

#endif
