// crashes: the handler of examples/handler-minimal in C++17.
#include <exception>
#include <fstream>
#include <memory>

#include <panicmon/handler.h>

namespace {

struct Crashes {
	std::ofstream file;

	int exited(const panicmon_event &event)
	{
		if (event.severity > PANICMON_FATAL)
			return PANICMON_DONE;
		file.clear(); // of the attempt before
		file << event.name << ": signal " << event.signal << std::endl;
		return file ? PANICMON_DONE : PANICMON_RETRY;
	}
};

const panicmon_option options[] = {
	{"path", PANICMON_TEXT, 1, nullptr, "the file to append to", nullptr, 0, 0},
};

// No exception may leave a function that panicmon calls.
int open_file(const panicmon_host *host, const panicmon_value *values, void **self)
{
	try {
		auto crashes = std::make_unique<Crashes>();
		crashes->file.open(values[0].text, std::ios::app);
		if (!crashes->file)
			return panicmon_fail(host, "cannot open '%s'", values[0].text);
		*self = crashes.release();
		return 0;
	} catch (const std::exception &error) {
		return panicmon_fail(host, "%s", error.what());
	}
}

int exited(void *self, const panicmon_event *event)
{
	try {
		return static_cast<Crashes *>(self)->exited(*event);
	} catch (const std::exception &) {
		return PANICMON_RETRY;
	}
}

void close_file(void *self, int)
{
	delete static_cast<Crashes *>(self);
}

// C++17 has no designated initialisers, and the structs grow at their ends: filled in by name, before
// anybody looks.
panicmon_process_ops list_functions()
{
	panicmon_process_ops functions{};

	functions.size = sizeof(functions);
	functions.exited = exited;
	return functions;
}

const panicmon_process_ops process = list_functions();

panicmon_handler describe()
{
	panicmon_handler handler{};

	handler.magic = PANICMON_HANDLER_MAGIC;
	handler.size = sizeof(handler);
	handler.minor = PANICMON_HANDLER_MINOR;
	handler.name = "crashes";
	handler.version = "1.0";
	handler.summary = "adds a line to a file for each crash";
	handler.options = options;
	handler.option_count = 1;
	handler.option_size = sizeof(options[0]);
	handler.open = open_file;
	handler.close = close_file;
	handler.process = &process;
	return handler;
}

} // namespace

PANICMON_HANDLER = describe();
