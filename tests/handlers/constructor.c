/* constructor: misbehaves as soon as it is loaded, in the way that FIXTURE_CONSTRUCTOR names. */
#include "config.h"

#include <stdlib.h>

#include "fixture.h"

enum { HANG, CRASH, LEAVE, PRINT };

static void __attribute__((constructor)) construct(void)
{
	switch (FIXTURE_CONSTRUCTOR) {
	case CRASH:
		fixture_crash();
		break;
	case LEAVE:
		exit(0);
	case PRINT:
		printf("from a constructor\n");
		fflush(stdout);
		break;
	default:
		for (;;)
			pause();
	}
}

static int ignore(void *self, const struct panicmon_event *event)
{
	(void)self;
	(void)event;
	return PANICMON_DONE;
}

PANICMON_HANDLER = {
	FIXTURE_HEAD("constructor"),
	FIXTURE_EVENTS(ignore),
};
