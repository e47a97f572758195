/* syslog: RFC 5424 over a local datagram socket, UDP (RFC 5426) or TCP (octet counting, RFC 6587). */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/json.h"
#include "common/names.h"
#include "common/quote.h"
#include "connection.h"

/* RFC 5424, section 6. */
enum { HOSTNAME_MAX = 255, APP_NAME_MAX = 48, PROCID_MAX = 128, MSGID_MAX = 32 };

/* What a receiver should take (RFC 5424, 6.1; RFC 5426, 3.2), and what rsyslog does if nothing else is
 * configured. A record is cut for it. */
enum { DATAGRAM_MOST = 2048, LOCAL_MOST = 8000 };

/* A name of our own needs an enterprise number; this one is that of examples (RFC 5424, 7.2.2). */
#define SD_ID "panicmon@32473"

struct syslog {
	struct pm_log_sink base;
	struct pm_log_connection connection;
	int facility;
	unsigned sent; /* through this socket, of UDP */
};

static struct syslog *syslog_of(struct pm_log_sink *sink)
{
	return (struct syslog *)sink;
}

/* ---- a message ---- */

/* PRINTUSASCII of at most so many; what is not that becomes '?', and nothing '-'. */
static void put_word(struct pm_common_buffer *out, const char *text, size_t most)
{
	size_t length = text != NULL ? strnlen(text, most) : 0;

	pm_common_puts(out, length > 0 ? " " : " -");
	for (size_t i = 0; i < length; i++)
		pm_common_put(out, text[i] > ' ' && text[i] < 0x7f ? &text[i] : "?", 1);
}

static void put_header(const struct syslog *log, struct pm_common_buffer *out,
		       const struct pm_log_record *record)
{
	const struct panicmon_event *event = record->event;
	char time[PM_COMMON_TIME_SIZE], pid[16] = "";

	if (event->pid != 0)
		snprintf(pid, sizeof(pid), "%d", event->pid);
	pm_common_printf(out, "<%u>1 %s",
			 (unsigned)log->facility * 8 + pm_log_record_severity(record),
			 pm_common_time(event->time_ns, 6, time));
	put_word(out, event->host, HOSTNAME_MAX);
	put_word(out, event->name, APP_NAME_MAX);
	put_word(out, pid, PROCID_MAX);
	put_word(out, pm_log_record_name(record), MSGID_MAX);
}

/* Valid UTF-8 with '"', '\' and ']' escaped; controls are made visible. */
static void put_param(struct pm_common_buffer *out, const char *member, const json_t *value)
{
	struct pm_common_buffer text = {0}, visible = {0};

	pm_log_record_value(&text, value);
	pm_common_quote_controls(&visible, text.data, text.length);
	pm_common_printf(out, " %s=\"", member);
	for (size_t i = 0; i < visible.length; i++) {
		if (memchr("\"\\]", visible.data[i], 3) != NULL)
			pm_common_puts(out, "\\");
		pm_common_put(out, visible.data + i, 1);
	}
	pm_common_puts(out, "\"");
	out->failed |= text.failed || visible.failed;
	pm_common_buffer_free(&text);
	pm_common_buffer_free(&visible);
}

/* In the header already. */
static bool is_said(const char *member)
{
	static const char *const said[] = {"time", "severity", "event", "host"};

	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		if (strcmp(member, said[i]) == 0)
			return true;
	return false;
}

static void put_data(struct pm_common_buffer *out, const struct pm_log_record *record)
{
	size_t flags = 0;
	json_t *members = pm_log_record_members(record, &flags);
	const char *member;
	json_t *value;

	out->failed |= members == NULL;
	pm_common_puts(out, " [" SD_ID);
	json_object_foreach(members, member, value) if (!is_said(member))
		put_param(out, member, value);
	pm_common_puts(out, "] ");
	json_decref(members);
}

/* The message is a text, and what it tells are the structured data; or it is a line of another format,
 * which has all of it. */
static void put(const struct pm_log_sink *sink, struct pm_common_buffer *out,
		const struct pm_log_record *record, pm_log_format_put *format)
{
	put_header((const struct syslog *)sink, out, record);
	if (format == pm_log_text) {
		put_data(out, record);
		pm_log_record_message(out, record);
		return;
	}
	pm_common_puts(out, " - ");
	format(out, record);
}

/* ---- sending ---- */

/* A server says nothing: what can be read is that it has closed. What is written after that would be
 * lost without a word. */
static bool is_closed(const struct pm_log_connection *connection)
{
	char byte;
	ssize_t got;

	if (connection->address.transport != PM_LOG_TCP)
		return false;
	while ((got = TEMP_FAILURE_RETRY(recv(connection->fd, &byte, 1, MSG_DONTWAIT))) > 0)
		;
	return got == 0 || errno != EAGAIN;
}

static int refresh(struct pm_log_sink *sink)
{
	struct pm_log_connection *connection = &syslog_of(sink)->connection;

	if (connection->fd >= 0 && is_closed(connection))
		pm_log_connection_end(connection);
	if (connection->fd >= 0)
		return PANICMON_DONE;
	syslog_of(sink)->sent = 0;
	return pm_log_connection_begin(connection) ? PANICMON_DONE
						   : pm_log_connection_later(connection);
}

static size_t limit(const struct pm_log_sink *sink)
{
	const struct syslog *log = (const struct syslog *)sink;

	return log->connection.address.transport == PM_LOG_UDP ? DATAGRAM_MOST : LOCAL_MOST;
}

/* All of it, while the peer takes some within PM_LOG_WAIT_MS. */
static int send_all(struct pm_log_connection *connection, const char *bytes, size_t length,
		    int flags)
{
	while (length > 0) {
		ssize_t sent = TEMP_FAILURE_RETRY(
			send(connection->fd, bytes, length, MSG_NOSIGNAL | flags));

		if (sent >= 0) {
			bytes += sent;
			length -= (size_t)sent;
			continue;
		}
		if (errno != EAGAIN || pm_log_address_wait(connection->fd, connection->host) < 0)
			return -1;
	}
	return 0;
}

/* A part of a message that is not followed by its rest would make the server take what comes next for
 * that: the connection ends with it. */
static int write_stream(struct pm_log_connection *connection, const char *record, size_t length)
{
	char count[24];
	int digits = snprintf(count, sizeof(count), "%zu ", length);

	if (send_all(connection, count, (size_t)digits, MSG_MORE) < 0 ||
	    send_all(connection, record, length, 0) < 0)
		return pm_log_connection_later(connection);
	return PANICMON_DONE;
}

static int write_datagram(struct pm_log_connection *connection, const char *record, size_t length)
{
	if (TEMP_FAILURE_RETRY(send(connection->fd, record, length, MSG_NOSIGNAL)) >= 0)
		return PANICMON_DONE;
	if (errno == EAGAIN || errno == ENOBUFS)
		return PANICMON_RETRY;
	/* What was sent before has come to nobody: "localhost" is ::1 and 127.0.0.1, and the server may
	 * be at one of them. */
	if (errno == ECONNREFUSED)
		pm_log_address_turn(&connection->address);
	return errno == EMSGSIZE ? PANICMON_DROP : pm_log_connection_later(connection);
}

static int write_record(struct pm_log_sink *sink, const char *record, size_t length)
{
	struct syslog *log = syslog_of(sink);
	struct pm_log_connection *connection = &log->connection;
	enum pm_log_transport transport = connection->address.transport;
	int result = transport == PM_LOG_TCP ? write_stream(connection, record, length)
					     : write_datagram(connection, record, length);

	/* By UDP the refusal of a datagram is told instead of taking the next one. */
	if (result == PANICMON_DONE && (transport != PM_LOG_UDP || log->sent++ > 0))
		connection->told = false;
	return result;
}

static void close_syslog(struct pm_log_sink *sink)
{
	struct pm_log_connection *connection = &syslog_of(sink)->connection;

	pm_log_connection_end(connection);
	pm_log_address_close(&connection->address);
	free(sink);
}

static const struct pm_log_sink_ops ops = {
	.refresh = refresh,
	.limit = limit,
	.put = put,
	.write = write_record,
	.close = close_syslog,
};

int pm_log_syslog_open(struct pm_log_sink **sink, const struct pm_log_target *target)
{
	struct syslog *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return panicmon_fail(target->host, "out of memory");
	*log = (struct syslog){
		.base = {.ops = &ops, .people = true},
		.connection = {.host = target->host,
			       .to = "syslog",
			       .name = target->address,
			       .fd = -1},
		.facility = target->facility,
	};
	int result = pm_log_address_parse(&log->connection.address, target);
	/* Who is not there yet is no reason to hold the command back: the records wait. */
	if (result == 0)
		refresh(&log->base);
	if (result == 0)
		*sink = &log->base;
	else
		close_syslog(&log->base);
	return result;
}
