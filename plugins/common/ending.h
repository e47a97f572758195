/* ending.h: how a command ended, in the words that several handlers have for it. */
#ifndef PM_COMMON_ENDING_H
#define PM_COMMON_ENDING_H

#include <panicmon/event.h>

#include "common/buffer.h"

/* What a signal does not tell, as " (out of memory)"; or "". */
const char *pm_common_reason_note(const struct panicmon_event *event);

/* ", asked to stop by SIGTERM from pid 1 (uid 0)", as far as it is known. */
void pm_common_put_stop(struct pm_common_buffer *out, const struct panicmon_event *event);

#endif
