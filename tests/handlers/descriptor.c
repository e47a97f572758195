/* descriptor: a plugin whose descriptor is wrong, or of another time, as the macro says that it is
 * built with. Its two events go to the file `path` where it has options. */
#include "config.h"

#include "fixture.h"

#if defined(FIXTURE_BAD_ABI) /* of the next major */
extern PANICMON_EXPORT const struct panicmon_handler panicmon_handler_2;
PANICMON_EXPORT const struct panicmon_handler panicmon_handler_2 = {FIXTURE_HEAD("bad_abi")};

#elif defined(FIXTURE_NO_DESCRIPTOR)
extern PANICMON_EXPORT const char panicmon_handler[];
PANICMON_EXPORT const char panicmon_handler[] = "no descriptor";

#elif defined(FIXTURE_BAD_MAGIC)
PANICMON_HANDLER = {.magic = 0xdeadbeef, .size = sizeof(struct panicmon_handler)};

#elif defined(FIXTURE_TOO_SMALL)
PANICMON_HANDLER = {.magic = PANICMON_HANDLER_MAGIC,
		    .size = offsetof(struct panicmon_handler, process)};

#elif defined(FIXTURE_MISSING)
int of_no_library(void *self, const struct panicmon_event *event);

PANICMON_HANDLER = {FIXTURE_HEAD("missing"), FIXTURE_EVENTS(of_no_library)};

#elif defined(FIXTURE_NO_OPS_SIZE)
PANICMON_HANDLER = {FIXTURE_HEAD("no_ops_size"), .signal = &(const struct panicmon_signal_ops){0}};

#elif defined(FIXTURE_NO_OPTION_SIZE)
PANICMON_HANDLER = {FIXTURE_HEAD("no_option_size"),
		    .options = &(const struct panicmon_option){.name = "key"},
		    .option_count = 1};

#elif defined(FIXTURE_NO_OPTION_NAME)
static const struct panicmon_option options[] = {{.name = "key"}, {.name = NULL}};
PANICMON_HANDLER = {FIXTURE_HEAD("no_option_name"), FIXTURE_OPTIONS(options)};

#elif defined(FIXTURE_STRANGE_TEXT) /* for terminals: ESC, BEL, CSI as a character of its own, newlines */
static const struct panicmon_option options[] = {
	{.name = "k\033[31m", .value = "\302\233m", .help = "\007\r\n"}};
PANICMON_HANDLER = {
	.magic = PANICMON_HANDLER_MAGIC,
	.size = sizeof(struct panicmon_handler),
	.name = "n\033[31m\n",
	.version = "\302\2331m",
	.summary = "\033]0;title\007 \303\274",
	FIXTURE_OPTIONS(options),
};

#elif defined(FIXTURE_NEEDS_MORE)
PANICMON_HANDLER = {FIXTURE_HEAD("needs_more"), .needs = 99};

#else
static const char *path;

static int open_descriptor(const struct panicmon_host *host, const struct panicmon_value *values,
			   void **self)
{
	(void)host;
	(void)self;
	path = values[0].text;
	return 0;
}

static int take(void *self, const struct panicmon_event *event)
{
	(void)self;
	fixture_note_event(path, event);
	return PANICMON_DONE;
}

#if defined(FIXTURE_PAST)
static const struct panicmon_option options[] = {{.name = "path", .type = PANICMON_TEXT}};

static int never(void *self, const struct panicmon_event *event)
{
	(void)self;
	(void)event;
	fixture_note(path, "a call of what was not there yet");
	return PANICMON_DONE;
}

/* Its structs end before what was appended later: what stands there is not for panicmon. */
PANICMON_HANDLER = {
	FIXTURE_HEAD("past"),
	FIXTURE_OPTIONS(options),
	.open = open_descriptor,
	.process =
		&(const struct panicmon_process_ops){
			.size = offsetof(struct panicmon_process_ops, exited),
			.started = take,
			.failed = take,
			.exited = never,
		},
};
#else
/* Longer structs, of which this panicmon knows the head. */
static const struct future_option {
	struct panicmon_option known;
	const char *more;
} future_options[] = {
	{.known = {.name = "other", .type = PANICMON_NUMBER, .value = "7"}, .more = "more"},
	{.known = {.name = "path", .type = PANICMON_TEXT}, .more = "more"},
};

static const struct future_monitor_ops {
	struct panicmon_monitor_ops known;
	int (*more)(void *self, const struct panicmon_event *event);
} future_monitor_ops = {
	.known = {.size = sizeof(struct future_monitor_ops), .lost = take},
	.more = take,
};

static int tick_future(void *self)
{
	(void)self;
	fixture_note(path, "tick");
	return PANICMON_DONE;
}

static const struct future_process_ops {
	struct panicmon_process_ops known;
	int (*more)(void *self, const struct panicmon_event *event);
} future_process_ops = {
	.known = {.size = sizeof(struct future_process_ops), .started = take, .exited = take},
	.more = take,
};

static int open_future(const struct panicmon_host *host, const struct panicmon_value *values,
		       void **self)
{
	host->tick_in(host, 1);
	return open_descriptor(host, values + 1, self);
}

static const struct future_handler {
	struct panicmon_handler known;
	uint64_t more[8];
} future_handler = {
	.known =
		{
			.magic = PANICMON_HANDLER_MAGIC,
			.size = sizeof(struct future_handler),
			.minor = PANICMON_HANDLER_MINOR + 1,
			.name = "future",
			.version = "9",
			.summary = "a test fixture",
			.options = &future_options[0].known,
			.option_count = 2,
			.option_size = sizeof(future_options[0]),
			.open = open_future,
			.process = &future_process_ops.known,
			.tick = tick_future,
			.monitor = &future_monitor_ops.known,
			.flags = UINT32_C(1) << 31, /* of what this panicmon does not know */
		},
	.more = {1, 2, 3},
};

extern PANICMON_EXPORT const struct panicmon_handler panicmon_handler_1
	__attribute__((alias("future_handler")));
#endif
#endif
