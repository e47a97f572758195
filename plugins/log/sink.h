/* sink.h: where records go: a stream or file, syslog, journald. */
#ifndef PM_LOG_SINK_H
#define PM_LOG_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <panicmon/handler.h>

#include "format.h"

/* As configured. */
struct pm_log_target {
	const struct panicmon_host *host;
	const char *path;    /* stderr, stdout, syslog, journald or a file */
	const char *address; /* of syslog and journald: "local" or see address.h */
	int facility;        /* of syslog(3), not shifted */
	mode_t mode;         /* of a new file: as the umask leaves it, or exactly if exact_mode */
	bool exact_mode;
};

struct pm_log_sink;

/* What returns int: enum panicmon_result, with errno set where it is not PANICMON_DONE. */
struct pm_log_sink_ops {
	/* Before a record is made: gets ready to write, which may be an opening again. */
	int (*refresh)(struct pm_log_sink *sink);

	/* The longest that is taken in one piece, with all that put() adds. */
	size_t (*limit)(const struct pm_log_sink *sink);

	/* Appends what write() wants of a record; `format` makes its line. */
	void (*put)(const struct pm_log_sink *sink, struct pm_common_buffer *out,
		    const struct pm_log_record *record, pm_log_format_put *format);

	/* Writes what put() made. PANICMON_RETRY: nothing or only a part of it was taken, and later all
	 * may be; errno is 0 for a part. PANICMON_DROP: a full disk, a closed pipe... */
	int (*write)(struct pm_log_sink *sink, const char *record, size_t length);

	/* Frees it. */
	void (*close)(struct pm_log_sink *sink);
};

/* The first member of each kind of sink. */
struct pm_log_sink {
	const struct pm_log_sink_ops *ops;
	bool people;   /* format = auto is text */
	bool terminal; /* which may show colours */
};

/* Whether path is "stderr" or "stdout"; whether it is a file's. */
bool pm_log_sink_is_stream(const char *path);
bool pm_log_sink_is_file(const char *path);

/* Looks at path and address: 0, or -1 after host->fail(). */
int pm_log_sink_check(const struct pm_log_target *target);

/* Results and failures are those of a handler's open(). On 0 *sink is to be closed by its ops. */
int pm_log_sink_open(struct pm_log_sink **sink, const struct pm_log_target *target);

/* The kinds of it. */
int pm_log_file_open(struct pm_log_sink **sink, const struct pm_log_target *target);
int pm_log_syslog_open(struct pm_log_sink **sink, const struct pm_log_target *target);
int pm_log_journal_open(struct pm_log_sink **sink, const struct pm_log_target *target);

#endif
