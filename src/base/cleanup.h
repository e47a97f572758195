/* base/cleanup.h: descriptors and memory that free themselves at the end of their scope.
 *
 * Initialise to -1 or NULL; hand over only with pm_steal_fd() or pm_steal_pointer().
 * Cleanup keeps errno and never retries close(2): Linux frees the descriptor even on EINTR.
 */
#ifndef PM_BASE_CLEANUP_H
#define PM_BASE_CLEANUP_H

#define pm_autofd __attribute__((cleanup(pm_cleanup_fd))) int
#define pm_autofree __attribute__((cleanup(pm_cleanup_free)))
#define pm_autofile __attribute__((cleanup(pm_cleanup_file)))

void pm_cleanup_fd(int *fd);
void pm_cleanup_free(void *pointer_to_pointer);
void pm_cleanup_file(void *pointer_to_file);

/* Closes *fd if it is open and sets it to -1. Keeps errno. */
void pm_close(int *fd);

/* Closes all descriptors from `first` on. In a fork, for what was not meant for it. */
void pm_close_from(int first);

/* The same of those from `first` to `last`; of none if that is less. */
void pm_close_range(int first, int last);

/* Closes what a program that is exec'd from here would get, from `first` on: what is not close-on-exec.
 * Without /proc it closes nothing. */
void pm_close_inheritable(int first);

int pm_steal_fd(int *fd);
void *pm_steal_memory(void *pointer_to_pointer);
#define pm_steal_pointer(p) ((__typeof__(*(p)))pm_steal_memory(p))

#endif
