/* json: the members as they are. */
#include <config.h>

#include "common/json.h"
#include "format.h"

void pm_log_json(struct pm_common_buffer *out, const struct pm_log_record *record)
{
	size_t flags = PM_COMMON_JSON_FLAGS;
	json_t *object = pm_log_record_members(record, &flags);

	pm_common_json_dump(out, object, flags);
}
