/* format.h: the ways to write a record as one line. */
#ifndef PM_LOG_FORMAT_H
#define PM_LOG_FORMAT_H

#include "record.h"

/* Appends the record, without a newline at its end. out->failed where memory ran out. */
typedef void pm_log_format_put(struct pm_common_buffer *out, const struct pm_log_record *record);

pm_log_format_put pm_log_text, pm_log_logfmt, pm_log_json, pm_log_ecs, pm_log_otel;

#endif
