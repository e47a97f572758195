// throw: lets an exception escape from its call.
#include <stdexcept>

#include <panicmon/handler.h>

static int take(void *, const panicmon_event *)
{
	throw std::runtime_error("nobody catches this");
}

static const panicmon_process_ops process = {sizeof(panicmon_process_ops), take, take, take};

static panicmon_handler describe()
{
	panicmon_handler handler{};

	handler.magic = PANICMON_HANDLER_MAGIC;
	handler.size = sizeof(handler);
	handler.minor = PANICMON_HANDLER_MINOR;
	handler.name = "throw";
	handler.version = "1";
	handler.summary = "a test fixture";
	handler.process = &process;
	return handler;
}

PANICMON_HANDLER = describe();
