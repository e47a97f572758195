/* base/pack.h: integers to and from bytes, little-endian, for what leaves the process. */
#ifndef PM_BASE_PACK_H
#define PM_BASE_PACK_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline void pm_pack_u32(uint8_t *to, uint32_t value)
{
	value = htole32(value);
	memcpy(to, &value, sizeof(value));
}

static inline void pm_pack_u64(uint8_t *to, uint64_t value)
{
	value = htole64(value);
	memcpy(to, &value, sizeof(value));
}

static inline uint32_t pm_unpack_u32(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return le32toh(value);
}

static inline uint64_t pm_unpack_u64(const uint8_t *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return le64toh(value);
}

#endif
