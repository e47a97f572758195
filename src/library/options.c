#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/signals.h"
#include "library/library.h"

/* Of the first version; what is shorter was never there. */
#define SMALLEST (offsetof(struct panicmon_options, errors) + sizeof(struct panicmon_output))

enum { C_LIBRARY_FIRST = 32, C_LIBRARY_LAST = 33 };

static uint64_t default_signals(void)
{
	static const int without[] = {SIGKILL, SIGSTOP, SIGCHLD, SIGILL,          SIGTRAP,
				      SIGABRT, SIGBUS,  SIGFPE,  SIGSEGV,         SIGSYS,
				      SIGTSTP, SIGTTIN, SIGTTOU, C_LIBRARY_FIRST, C_LIBRARY_LAST};
	uint64_t signals = ~UINT64_C(0);

	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
		signals &= ~panicmon_signal_bit(without[i]);
	return signals;
}

void panicmon_options_init_sized(struct panicmon_options *options, size_t size)
{
	const struct panicmon_options defaults = {
		.size = (uint32_t)size,
		.signals = default_signals(),
	};

	pm_memory_copy_sized(options, size, &defaults, sizeof(defaults));
}

int pm_library_refuse(struct panicmon_error *error, int code, const char *format, ...)
{
	va_list args;

	if (error == NULL)
		return -1;
	error->code = code;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -1;
}

int pm_library_check_output(const struct panicmon_output *output, const char *member,
			    struct panicmon_error *error)
{
	if (output->kind > PANICMON_WRITE)
		return pm_library_refuse(error, EINVAL,
					 "%s.kind is %u, no enum panicmon_output_kind", member,
					 output->kind);
	if (output->kind == PANICMON_DESCRIPTOR && fcntl(output->fd, F_GETFD) < 0)
		return pm_library_refuse(error, EBADF, "%s.fd is %d, which is not open", member,
					 output->fd);
	if (output->kind == PANICMON_WRITE && output->write == NULL)
		return pm_library_refuse(error, EINVAL,
					 "%s.write is NULL, and PANICMON_WRITE needs it", member);
	return 0;
}

static int validate_signals(uint64_t signals, struct panicmon_error *error)
{
	static const int impossible[] = {SIGKILL, SIGSTOP, SIGCHLD, C_LIBRARY_FIRST,
					 C_LIBRARY_LAST};

	for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++)
		if ((signals & panicmon_signal_bit(impossible[i])) != 0)
			return pm_library_refuse(
				error, EINVAL,
				"signals has %s, which a program can't take for a command",
				pm_signal_name(impossible[i]));
	return 0;
}

/* Of the functions; part of a pointer would be called. */
static int validate_size(uint32_t size, const char *member, struct panicmon_error *error)
{
	if (size != 0 && size % sizeof(void *) == 0)
		return 0;
	return pm_library_refuse(error, EINVAL, "%s->size is %u; set it to the size of the struct",
				 member, size);
}

/* What a program for a later version sets would not be done. */
static int validate_tail(const struct panicmon_options *options, struct panicmon_error *error)
{
	const char *bytes = (const char *)options;

	for (size_t i = sizeof(*options); i < options->size; i++)
		if (bytes[i] != 0)
			return pm_library_refuse(
				error, E2BIG,
				"an option is set that this libpanicmon, " PACKAGE_VERSION
				", does not know");
	return 0;
}

int panicmon_options_validate(const struct panicmon_options *options, struct panicmon_error *error)
{
	if (options->size < SMALLEST)
		return pm_library_refuse(
			error, EINVAL,
			"size is %u, less than any; call panicmon_options_init() first",
			options->size);
	if (options->reserved != 0)
		return pm_library_refuse(error, EINVAL, "reserved is %u; it must be 0",
					 options->reserved);
	if (validate_signals(options->signals, error) < 0)
		return -1;
	if (options->process != NULL && validate_size(options->process->size, "process", error) < 0)
		return -1;
	if (options->signal != NULL && validate_size(options->signal->size, "signal", error) < 0)
		return -1;
	if (pm_library_check_output(&options->output, "output", error) < 0 ||
	    pm_library_check_output(&options->errors, "errors", error) < 0)
		return -1;
	return validate_tail(options, error);
}
