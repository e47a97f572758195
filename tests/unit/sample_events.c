#include <config.h>

#include "sample_events.h"

#include <signal.h>

struct panicmon_event make_event(uint32_t type)
{
	static const char *const args[] = {"./api", "--port", "80", NULL};

	return (struct panicmon_event){
		.size = sizeof(struct panicmon_event),
		.type = type,
		.seq = 7,
		.time_ns = INT64_C(1795378485123456789),
		.severity = PANICMON_INFO,
		.pid = 1234,
		.run = "0123456789abcdef0123456789abcdef",
		.name = "api",
		.host = "web-1",
		.args = args,
		.argc = 3,
		.attempt = 1,
	};
}

struct panicmon_event make_crash(void)
{
	struct panicmon_event event = make_event(PANICMON_PROCESS_EXITED);

	event.severity = PANICMON_FATAL;
	SET(&event, CODE, code, -1);
	SET(&event, SIGNAL, signal, SIGSEGV);
	SET(&event, CORE, core, 1);
	SET(&event, STATUS, status, 139);
	SET(&event, REASON, reason, PANICMON_REASON_SIGNALED);
	SET(&event, RUNTIME_MS, runtime_ms, 61007);
	SET(&event, CPU_USER_US, cpu_user_us, 1234567);
	SET(&event, CPU_SYSTEM_US, cpu_system_us, 2999);
	SET(&event, MAX_RSS_KB, max_rss_kb, 20480);
	return event;
}
