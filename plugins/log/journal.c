/* journald: an entry of fields in one datagram, the native protocol
 * (systemd.io/JOURNAL_NATIVE_PROTOCOL). What is too long for one goes in a sealed memfd. */
#include <config.h>

#include <endian.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/fd.h"
#include "common/json.h"
#include "common/names.h"
#include "connection.h"

struct journal {
	struct pm_log_sink base;
	struct pm_log_connection connection;
	int facility;
};

static struct journal *journal_of(struct pm_log_sink *sink)
{
	return (struct journal *)sink;
}

/* ---- an entry ---- */

static void put_field(struct pm_common_buffer *out, const char *name, const char *value,
		      size_t length)
{
	uint64_t size = htole64(length);
	bool binary = memchr(value, '\n', length) != NULL;

	pm_common_puts(out, name);
	pm_common_puts(out, binary ? "\n" : "=");
	if (binary)
		pm_common_put(out, &size, sizeof(size));
	pm_common_put(out, value, length);
	pm_common_puts(out, "\n");
}

static void put_text(struct pm_common_buffer *out, const char *name, const char *value)
{
	if (value != NULL)
		put_field(out, name, value, strlen(value));
}

static void put_number(struct pm_common_buffer *out, const char *name, int number)
{
	pm_common_printf(out, "%s=%d\n", name, number);
}

static void put_message(struct pm_common_buffer *out, const struct pm_log_record *record)
{
	pm_common_puts(out, "MESSAGE=");
	pm_log_record_message(out, record);
	pm_common_puts(out, "\n");
}

/* As systemd has it of a unit's process: the status is an exit code or the number of a signal. */
static void put_end(struct pm_common_buffer *out, const struct panicmon_event *event)
{
	bool dumped = panicmon_event_has(event, PANICMON_HAS_CORE) && event->core != 0;

	if (event->type != PANICMON_PROCESS_EXITED)
		return;
	if (panicmon_event_has(event, PANICMON_HAS_SIGNAL)) {
		put_text(out, "EXIT_CODE", dumped ? "dumped" : "killed");
		put_number(out, "EXIT_STATUS", event->signal);
	} else if (panicmon_event_has(event, PANICMON_HAS_CODE)) {
		put_text(out, "EXIT_CODE", "exited");
		put_number(out, "EXIT_STATUS", event->code);
	}
}

/* Those that tools know. */
static void put_known(const struct journal *journal, struct pm_common_buffer *out,
		      const struct pm_log_record *record)
{
	put_message(out, record);
	put_text(out, "MESSAGE_ID", pm_log_record_id(record));
	put_number(out, "PRIORITY", (int)pm_log_record_severity(record));
	put_number(out, "SYSLOG_FACILITY", journal->facility);
	if (record->dropped > 0) {
		put_number(out, "ERRNO", record->error);
		return;
	}
	if (panicmon_event_has(record->event, PANICMON_HAS_ERROR))
		put_number(out, "ERRNO", record->event->error);
	put_end(out, record->event);
}

/* A member "stop_pid" is PANICMON_STOP_PID. journald takes names of at most 64 capital letters, digits
 * and underscores. */
static void put_member(struct pm_common_buffer *out, const char *member, const json_t *value)
{
	char name[64] = "PANICMON_";
	struct pm_common_buffer text = {0};

	for (size_t at = strlen(name); *member != '\0' && at + 1 < sizeof(name); member++)
		name[at++] =
			*member >= 'a' && *member <= 'z' ? (char)(*member - 'a' + 'A') : *member;
	pm_log_record_value(&text, value);
	put_field(out, name, text.data != NULL ? text.data : "", text.length);
	out->failed |= text.failed;
	pm_common_buffer_free(&text);
}

static void put(const struct pm_log_sink *sink, struct pm_common_buffer *out,
		const struct pm_log_record *record, pm_log_format_put *format)
{
	size_t flags = 0;
	json_t *members = pm_log_record_members(record, &flags);
	const char *member;
	json_t *value;

	(void)format;
	out->failed |= members == NULL;
	put_known((const struct journal *)sink, out, record);
	put_text(out, "SYSLOG_IDENTIFIER", json_string_value(json_object_get(members, "name")));
	json_object_foreach(members, member, value) if (strcmp(member, "severity") != 0)
		put_member(out, member, value);
	json_decref(members);
}

/* ---- sending ---- */

static int refresh(struct pm_log_sink *sink)
{
	struct pm_log_connection *connection = &journal_of(sink)->connection;

	if (connection->fd >= 0 || pm_log_connection_begin(connection))
		return PANICMON_DONE;
	return pm_log_connection_later(connection);
}

static size_t limit(const struct pm_log_sink *sink)
{
	(void)sink;
	return SIZE_MAX;
}

static ssize_t send_memfd(int fd, const char *record, size_t length)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof(control)};
	/* journald maps it into its memory only if nobody can change it any more, and before 254 refuses one
	 * that has F_SEAL_EXEC as well. */
	int memory = pm_common_sealed_memory("panicmon-log", MFD_EXEC, record, length);

	if (memory < 0)
		return -1;
	control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
					  .cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.header), &memory, sizeof(memory));
	ssize_t sent = TEMP_FAILURE_RETRY(sendmsg(fd, &message, MSG_NOSIGNAL));
	pm_common_close(&memory);
	return sent;
}

/* A full queue is waited for; a journald that has gone is about to be started again. */
static int write_failed(struct pm_log_connection *connection)
{
	switch (errno) {
	case EMSGSIZE:
	case ENOSPC:
	case EFBIG:
		return PANICMON_DROP;
	case EAGAIN:
		return PANICMON_RETRY;
	default:
		return pm_log_connection_later(connection);
	}
}

static int write_record(struct pm_log_sink *sink, const char *record, size_t length)
{
	struct pm_log_connection *connection = &journal_of(sink)->connection;
	ssize_t sent = TEMP_FAILURE_RETRY(send(connection->fd, record, length, MSG_NOSIGNAL));

	if (sent < 0 && (errno == EMSGSIZE || errno == ENOBUFS))
		sent = send_memfd(connection->fd, record, length);
	if (sent < 0)
		return write_failed(connection);
	connection->told = false;
	return PANICMON_DONE;
}

static void close_journal(struct pm_log_sink *sink)
{
	pm_log_connection_end(&journal_of(sink)->connection);
	free(sink);
}

static const struct pm_log_sink_ops ops = {
	.refresh = refresh,
	.limit = limit,
	.put = put,
	.write = write_record,
	.close = close_journal,
};

/* The socket is systemd's, and there as long as systemd is, also while journald is started again. */
static int open_first(struct pm_log_connection *connection)
{
	if (pm_log_connection_begin(connection))
		return 0;
	if (errno == ENOENT)
		return panicmon_fail(
			connection->host,
			"there is no journald here, '%s' does not exist: use path = stderr, "
			"syslog or a file",
			connection->name);
	if (errno != ECONNREFUSED && errno != EAGAIN)
		return panicmon_fail(connection->host, "cannot reach journald at '%s': %s",
				     connection->name, pm_common_errno_text(errno));
	pm_log_connection_later(connection);
	return 0;
}

int pm_log_journal_open(struct pm_log_sink **sink, const struct pm_log_target *target)
{
	struct journal *journal = calloc(1, sizeof(*journal));

	if (journal == NULL)
		return panicmon_fail(target->host, "out of memory");
	struct pm_log_connection *connection = &journal->connection;
	*journal = (struct journal){
		.base = {.ops = &ops, .people = true},
		.connection = {.host = target->host,
			       .to = "journald",
			       .name = connection->address.local.sun_path,
			       .fd = -1},
		.facility = target->facility,
	};
	int result = pm_log_address_parse(&connection->address, target);
	if (result == 0)
		result = open_first(connection);
	if (result == 0)
		*sink = &journal->base;
	else
		close_journal(&journal->base);
	return result;
}
