/* journal/crc32c.h: the checksum of records: CRC-32C (Castagnoli), as in RFC 3720 B.4. */
#ifndef PM_JOURNAL_CRC32C_H
#define PM_JOURNAL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* By the processor's own instruction, if it has one. */
uint32_t pm_crc32c(const void *bytes, size_t length);

/* The same for any processor. */
uint32_t pm_crc32c_by_table(const void *bytes, size_t length);

#endif
