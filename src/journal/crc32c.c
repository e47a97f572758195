#include <config.h>

#include "journal/crc32c.h"

#include <string.h>

#ifdef __x86_64__
#include <nmmintrin.h>
#endif

/* The polynomial 0x1EDC6F41, bits reversed, four bits at a time: the table is two cache lines
 * rather than the usual 16, and records are short. */
enum { NIBBLES = 16 };

static const uint32_t table[NIBBLES] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
	0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t pm_crc32c_by_table(const void *bytes, size_t length)
{
	const uint8_t *byte = bytes;
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < length; i++) {
		crc ^= byte[i];
		crc = crc >> 4 ^ table[crc % NIBBLES];
		crc = crc >> 4 ^ table[crc % NIBBLES];
	}
	return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t by_instruction(const void *bytes, size_t length)
{
	const uint8_t *byte = bytes;
	uint64_t crc = UINT32_MAX;
	uint64_t word;

	for (; length >= sizeof(word); length -= sizeof(word), byte += sizeof(word)) {
		memcpy(&word, byte, sizeof(word));
		crc = _mm_crc32_u64(crc, word);
	}
	for (; length > 0; length--)
		crc = _mm_crc32_u8((uint32_t)crc, *byte++);
	return ~(uint32_t)crc;
}
#endif

uint32_t pm_crc32c(const void *bytes, size_t length)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return by_instruction(bytes, length);
#endif
	return pm_crc32c_by_table(bytes, length);
}
