/* libFuzzer over the codec: any bytes as a record of an event.
 *
 * No sanitizer may speak, texts must lie within the record, and what was understood must come through
 * another round trip unchanged.
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event/codec.h"
#include "event/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const uint8_t *data, size_t size, const char *text)
{
	const uint8_t *start = (const uint8_t *)text;

	if (text == NULL)
		return;
	if (start < data || start >= data + size || strlen(text) >= (size_t)(data + size - start))
		abort();
}

/* An event has each item once and no unknown ones, so a record of it is never longer. */
static void check_round_trip(const struct panicmon_event *event, size_t size)
{
	uint8_t *first = malloc(size);
	uint8_t *second = malloc(size);
	struct panicmon_event again;
	size_t length = pm_event_encode(event, first, size);

	if (length == 0 || pm_event_decode(first, length, &again) < 0)
		abort();
	if (again.present != event->present || pm_event_encode(&again, second, size) != length ||
	    memcmp(first, second, length) != 0)
		abort();
	free(second);
	free(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct panicmon_event event;

	memset(&event, 0x5a, sizeof(event));
	if (pm_event_decode(data, size, &event) < 0)
		return 0;
	check_text(data, size, event.sender_command);
	check_text(data, size, event.stderr_tail);
	pm_event_name(event.type);
	pm_event_severity(&event);
	check_round_trip(&event, size);
	return 0;
}
