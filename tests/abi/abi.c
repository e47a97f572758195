/* Has all that the handler ABI is made of, so that its layout can be looked at: see tests/check-abi. */
#include <panicmon/handler.h>

enum panicmon_abi_numbers {
	MAGIC = PANICMON_HANDLER_MAGIC,
	MAJOR = PANICMON_HANDLER_MAJOR,
	WANTS_OUTPUT = PANICMON_WANTS_OUTPUT,
	ALERTS = PANICMON_ALERTS
};

PANICMON_EXPORT void panicmon_abi_structs(struct panicmon_handler *, struct panicmon_host *, struct panicmon_option *,
					  struct panicmon_value *, struct panicmon_event *,
					  struct panicmon_process_ops *, struct panicmon_signal_ops *,
					  struct panicmon_monitor_ops *);
PANICMON_EXPORT void panicmon_abi_enums(enum panicmon_result, enum panicmon_why, enum panicmon_option_type,
					enum panicmon_event_type, enum panicmon_severity, enum panicmon_reason,
					enum panicmon_field, enum panicmon_abi_numbers);

void panicmon_abi_structs(struct panicmon_handler *handler, struct panicmon_host *host, struct panicmon_option *option,
			  struct panicmon_value *value, struct panicmon_event *event,
			  struct panicmon_process_ops *process, struct panicmon_signal_ops *signal,
			  struct panicmon_monitor_ops *monitor)
{
	(void)handler, (void)host, (void)option, (void)value;
	(void)event, (void)process, (void)signal, (void)monitor;
}

void panicmon_abi_enums(enum panicmon_result result, enum panicmon_why why, enum panicmon_option_type option_type,
			enum panicmon_event_type event_type, enum panicmon_severity severity,
			enum panicmon_reason reason, enum panicmon_field field, enum panicmon_abi_numbers numbers)
{
	(void)result, (void)why, (void)option_type, (void)event_type;
	(void)severity, (void)reason, (void)field, (void)numbers;
}
