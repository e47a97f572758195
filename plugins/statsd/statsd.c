/* The statsd handler: events as metrics for statsd, Datadog, Telegraf and all that speak like them. */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <panicmon/handler.h>

#include "address.h"
#include "lines.h"
#include "metrics.h"
#include "outbox.h"
#include "tags.h"

enum {
	OPTION_ADDRESS,
	OPTION_DIALECT,
	OPTION_PREFIX,
	OPTION_TAGS,
	OPTION_HEARTBEAT,
	OPTION_LOOK_UP,
	OPTION_MAX_DATAGRAM,
	OPTION_NOTICES,
	OPTION_CONTAINER,
	OPTION_TIMESTAMPS,
	OPTION_COUNT
};

/* Of UDP what fits into an Ethernet frame with some tunnel around it. */
enum { UDP_DATAGRAM = 1432, UNIX_DATAGRAM = 8192, MIN_DATAGRAM = 512, MAX_DATAGRAM = 65507 };

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static const char *const dialects[PM_STATSD_DIALECT_COUNT + 1] = {
	[PM_STATSD_PLAIN] = "statsd",
	[PM_STATSD_DOGSTATSD] = "dogstatsd",
	[PM_STATSD_INFLUX] = "influx",
	[PM_STATSD_GRAPHITE] = "graphite",
};

static const struct panicmon_option options[] = {
	[OPTION_ADDRESS] = {.name = "address",
			    .type = PANICMON_TEXT,
			    .value = "udp://127.0.0.1:8125",
			    .help = "udp://HOST:PORT or unix:///PATH of a datagram socket"},
	[OPTION_DIALECT] = {.name = "dialect",
			    .type = PANICMON_CHOICE,
			    .value = "statsd",
			    .help = "how tags are written; statsd has none",
			    .choices = dialects},
	[OPTION_PREFIX] = {.name = "prefix",
			   .type = PANICMON_TEXT,
			   .value = "panicmon.",
			   .help = "what all names begin with; {name} and {host} are filled in"},
	[OPTION_TAGS] =
		{.name = "tags",
		 .type = PANICMON_TEXT,
		 .value = "",
		 .help = "KEY:VALUE, KEY:VALUE... of every metric; service:NAME is one already"},
	[OPTION_HEARTBEAT] = {.name = "heartbeat",
			      .type = PANICMON_DURATION,
			      .value = "10s",
			      .help = "how often process.up and process.uptime are sent; 0: never",
			      .max = DAY_MS},
	[OPTION_LOOK_UP] = {.name = "look_up_every",
			    .type = PANICMON_DURATION,
			    .value = "60s",
			    .help = "how often the host of the address is looked up again",
			    .min = 1000,
			    .max = DAY_MS},
	[OPTION_MAX_DATAGRAM] = {.name = "max_datagram",
				 .type = PANICMON_SIZE,
				 .help = "the most bytes of a datagram; 1432 by UDP, else 8192",
				 .min = MIN_DATAGRAM,
				 .max = MAX_DATAGRAM},
	[OPTION_NOTICES] = {.name = "dogstatsd_events",
			    .type = PANICMON_BOOL,
			    .value = "yes",
			    .help = "with dogstatsd: an event and a service check for a crash"},
	[OPTION_CONTAINER] = {.name = "container_id",
			      .type = PANICMON_TEXT,
			      .help = "with dogstatsd 1.2 or later: the container, sent as c:ID"},
	[OPTION_TIMESTAMPS] = {.name = "timestamps",
			       .type = PANICMON_BOOL,
			       .value = "no",
			       .help = "with dogstatsd 1.3 or later: when it happened, sent as T"},
};
_Static_assert(sizeof(options) / sizeof(options[0]) == OPTION_COUNT, "each option has its index");

struct statsd {
	const struct panicmon_host *host;
	uint32_t heartbeat_ms;
	struct pm_statsd_outbox outbox;
	struct pm_statsd_metrics metrics;
};

/* ---- options ---- */

static int check_tags(const struct panicmon_host *host, const struct panicmon_value *values)
{
	struct pm_statsd_tags tags;
	char part[128] = "";
	const char *why = pm_statsd_tags_parse(&tags, values[OPTION_TAGS].text, part, sizeof(part));
	size_t count = tags.count;

	pm_statsd_tags_free(&tags);
	if (why != NULL)
		return panicmon_fail(host, "tags: '%s' %s", part, why);
	if (count > 0 && !pm_statsd_has_tags((enum pm_statsd_dialect)values[OPTION_DIALECT].number))
		return panicmon_fail(host,
				     "tags: dialect statsd has none; use dogstatsd, influx or "
				     "graphite, or a prefix such as panicmon.{name}.");
	return 0;
}

static int check_dogstatsd(const struct panicmon_host *host, const struct panicmon_value *values)
{
	static const char id[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:";
	const char *container = values[OPTION_CONTAINER].text;

	if (container != NULL &&
	    (container[0] == '\0' || container[strspn(container, id)] != '\0' ||
	     strlen(container) > PM_STATSD_VALUE_MAX))
		return panicmon_fail(host,
				     "container_id '%.300s' is not one: write letters, digits, "
				     "'-', '_', '.' and ':'",
				     container);
	if (values[OPTION_DIALECT].number == PM_STATSD_DOGSTATSD)
		return 0;
	for (int i = OPTION_NOTICES; i <= OPTION_TIMESTAMPS; i++)
		if (values[i].given != 0 && (i == OPTION_CONTAINER || values[i].number != 0))
			return panicmon_fail(host, "%s needs dialect = dogstatsd", options[i].name);
	return 0;
}

static size_t limit_of(const struct panicmon_value *values, const struct pm_statsd_address *address)
{
	if (values[OPTION_MAX_DATAGRAM].given != 0)
		return (size_t)values[OPTION_MAX_DATAGRAM].number;
	return address->is_unix ? UNIX_DATAGRAM : UDP_DATAGRAM;
}

static int check(const struct panicmon_host *host, const struct panicmon_value *values)
{
	const char *prefix = values[OPTION_PREFIX].text;
	struct pm_statsd_address address;
	const char *why = pm_statsd_address_parse(&address, values[OPTION_ADDRESS].text);

	if (why != NULL)
		return panicmon_fail(host, "address '%.300s' %s", values[OPTION_ADDRESS].text, why);
	if (!pm_statsd_is_prefix(prefix))
		return panicmon_fail(host,
				     "prefix '%.300s' is not one: write up to 200 letters, digits, "
				     "'_', '.', {name} and {host}",
				     prefix);
	if (check_tags(host, values) < 0 || check_dogstatsd(host, values) < 0)
		return -1;
	/* The rest is for what a line has besides them. */
	size_t most = limit_of(values, &address) / 2;
	size_t given = strlen(prefix) + strlen(values[OPTION_TAGS].text);
	if (given > most)
		return panicmon_fail(host,
				     "prefix and tags have %zu bytes together, more than half of a "
				     "datagram (%zu)",
				     given, most);
	return 0;
}

static int make_style(struct pm_statsd_style *style, const struct panicmon_host *host,
		      const struct panicmon_value *values)
{
	char name[256] = "", part[128];
	struct pm_statsd_tags tags;

	gethostname(name, sizeof(name) - 1);
	style->dialect = (enum pm_statsd_dialect)values[OPTION_DIALECT].number;
	style->container = values[OPTION_CONTAINER].text;
	style->timestamps = values[OPTION_TIMESTAMPS].number != 0;
	pm_statsd_tags_parse(&tags, values[OPTION_TAGS].text, part, sizeof(part));
	const struct pm_statsd_places places = {host->service, name};
	int result = pm_statsd_style_make(style, values[OPTION_PREFIX].text, &tags, &places);
	pm_statsd_tags_free(&tags);
	return result;
}

/* ---- the handler ---- */

static void ask_for_tick(const struct statsd *statsd)
{
	if (statsd->heartbeat_ms > 0)
		statsd->host->tick_in(statsd->host, statsd->heartbeat_ms);
}

static int open_statsd(const struct panicmon_host *host, const struct panicmon_value *values,
		       void **self)
{
	struct statsd *statsd = calloc(1, sizeof(*statsd));
	struct pm_statsd_address address;

	if (statsd == NULL)
		return panicmon_fail(host, "out of memory");
	pm_statsd_address_parse(&address, values[OPTION_ADDRESS].text);
	statsd->host = host;
	statsd->heartbeat_ms = (uint32_t)values[OPTION_HEARTBEAT].number;
	statsd->outbox.host = host;
	statsd->outbox.where = values[OPTION_ADDRESS].text;
	statsd->outbox.limit = limit_of(values, &address);
	statsd->metrics.outbox = &statsd->outbox;
	statsd->metrics.notices = values[OPTION_DIALECT].number == PM_STATSD_DOGSTATSD &&
				  values[OPTION_NOTICES].number != 0;
	pm_statsd_link_open(&statsd->outbox.link, &address, values[OPTION_LOOK_UP].number);
	if (make_style(&statsd->outbox.style, host, values) < 0) {
		pm_statsd_outbox_close(&statsd->outbox);
		free(statsd);
		return panicmon_fail(host, "out of memory");
	}
	ask_for_tick(statsd);
	*self = statsd;
	return 0;
}

/* Sent as soon as no event waits. */
static int hold(struct statsd *statsd)
{
	pm_statsd_outbox_send_if_due(&statsd->outbox);
	return PANICMON_HELD;
}

static int on_started(void *self, const struct panicmon_event *event)
{
	pm_statsd_tell_started(&((struct statsd *)self)->metrics, event);
	return hold(self);
}

static int on_failed(void *self, const struct panicmon_event *event)
{
	pm_statsd_tell_failed(&((struct statsd *)self)->metrics, event);
	return hold(self);
}

static int on_exited(void *self, const struct panicmon_event *event)
{
	pm_statsd_tell_exited(&((struct statsd *)self)->metrics, event);
	return hold(self);
}

static int on_signal(void *self, const struct panicmon_event *event)
{
	pm_statsd_tell_signal(&((struct statsd *)self)->metrics, event);
	return hold(self);
}

static int on_lost(void *self, const struct panicmon_event *event)
{
	pm_statsd_tell_lost(&((struct statsd *)self)->metrics, event);
	return hold(self);
}

static int flush(void *self, uint32_t budget_ms, int why)
{
	struct statsd *statsd = self;
	uint32_t wait_ms;

	if (why != PANICMON_BATCH) {
		pm_statsd_outbox_finish(&statsd->outbox, budget_ms);
		return PANICMON_DONE;
	}
	if (pm_statsd_outbox_send(&statsd->outbox, &wait_ms))
		return PANICMON_DONE;
	statsd->host->retry_in(statsd->host, wait_ms);
	return PANICMON_RETRY;
}

static int tick(void *self)
{
	struct statsd *statsd = self;
	uint32_t wait_ms;

	ask_for_tick(statsd);
	/* Where something could not be sent yet, one more gauge would be of no use. */
	if (pm_statsd_outbox_is_empty(&statsd->outbox))
		pm_statsd_tell_heartbeat(&statsd->metrics);
	pm_statsd_outbox_send(&statsd->outbox, &wait_ms);
	return PANICMON_DONE;
}

static void close_statsd(void *self, int why)
{
	struct statsd *statsd = self;

	(void)why;
	pm_statsd_outbox_finish(&statsd->outbox, 0);
	pm_statsd_outbox_close(&statsd->outbox);
	free(statsd);
}

PANICMON_HANDLER = {
	.magic = PANICMON_HANDLER_MAGIC,
	.size = sizeof(struct panicmon_handler),
	.minor = PANICMON_HANDLER_MINOR,
	.name = "statsd",
	.version = PACKAGE_VERSION,
	.summary = "counts events with statsd, Datadog, Telegraf and others",
	.options = options,
	.option_count = OPTION_COUNT,
	.option_size = sizeof(struct panicmon_option),
	.check = check,
	.open = open_statsd,
	.flush = flush,
	.close = close_statsd,
	.tick = tick,
	.process =
		&(const struct panicmon_process_ops){
			.size = sizeof(struct panicmon_process_ops),
			.started = on_started,
			.failed = on_failed,
			.exited = on_exited,
		},
	.signal =
		&(const struct panicmon_signal_ops){
			.size = sizeof(struct panicmon_signal_ops),
			.received = on_signal,
			.passed = on_signal,
			.failed = on_signal,
		},
	.monitor =
		&(const struct panicmon_monitor_ops){
			.size = sizeof(struct panicmon_monitor_ops),
			.lost = on_lost,
		},
};
