/* What the test files of the event room share. */
#ifndef PM_TESTS_UNIT_TEST_EVENT_H
#define PM_TESTS_UNIT_TEST_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "panicmon/event.h"
#include "suite.h"

void add_codec_tests(Suite *suite);
void add_damage_tests(Suite *suite);

enum field_kind { FIELD_I32, FIELD_I64, FIELD_TEXT };

/* Every member that may be absent, in the order of enum panicmon_field; not the codec's own table. */
struct field {
	const char *name;
	enum panicmon_field number;
	enum field_kind kind;
	size_t offset;
};
extern const struct field fields[];
extern const size_t field_count;

enum { RECORD_SIZE = 4096 };

struct panicmon_event bare_event(void);

/* Sets a member to a value of its own: another one for each field and `variant`. */
void set_field(struct panicmon_event *event, const struct field *field, unsigned variant);
struct panicmon_event full_event(void);

/* Compares all that a record holds. */
void assert_same_event(const struct panicmon_event *got, const struct panicmon_event *wanted);

/* Memory of which the last byte is the last before a page that can't be touched: whoever reads or
 * writes beyond gets SIGSEGV, with or without a sanitizer. */
uint8_t *memory_before_the_edge(size_t size);

#endif
