/* fd.h: descriptors. */
#ifndef PM_COMMON_FD_H
#define PM_COMMON_FD_H

#include <stddef.h>
#include <sys/mman.h>

/* Closes *fd, if it is one, and sets it to -1. Keeps errno. */
void pm_common_close(int *fd);

/* A memfd that holds these bytes, sealed against every change, to be read from its start; the caller closes it.
 * exec: MFD_EXEC or MFD_NOEXEC_SEAL, as the reader needs it; where the sysctl vm.memfd_noexec refuses the
 * first, and Linux before 6.3 knows neither, it does without. -1: errno says why. */
int pm_common_sealed_memory(const char *name, unsigned exec, const char *bytes, size_t length);

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#define MFD_EXEC 0x0010U
#endif

#endif
