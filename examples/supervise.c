/* supervise: runs several commands side by side, and shows what they write, each line with a name.
 *
 *     cc -o supervise supervise.c $(pkg-config --cflags --libs libpanicmon)
 *     ./supervise NAME=COMMAND...
 *
 *     $ ./supervise 'web=python3 -m http.server' 'clock=while sleep 1; do date; done'
 *     clock      | Tue Nov 24 15:24:01 UTC 2026
 *     web        | Serving HTTP on 0.0.0.0 port 8000 ...
 *
 * A signal, such as that of Ctrl-C, goes to all of them. When one fails, the others are told to stop.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <panicmon/executor.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SERVICES_MAX = 32 };

struct service {
	const char *name;
	char line[1024]; /* the beginning of the next */
	size_t length;
};

static size_t running;

static void show_line(struct service *service)
{
	printf("%-10s | %.*s\n", service->name, (int)service->length, service->line);
	fflush(stdout);
	service->length = 0;
}

/* A piece may end within a line, and hold many. */
static int on_output(void *arg, const char *data, size_t length)
{
	struct service *service = arg;

	for (size_t i = 0; i < length; i++) {
		if (data[i] != '\n')
			service->line[service->length++] = data[i];
		if (data[i] == '\n' || service->length == sizeof(service->line))
			show_line(service);
	}
	return 0;
}

static void show_end(struct service *service, const char *how)
{
	if (service->length > 0)
		show_line(service);
	printf("%-10s * %s\n", service->name, how);
	fflush(stdout);
	running--;
}

/* What the program sends to itself is passed on, too. */
static void stop_the_others(void)
{
	if (running > 0)
		kill(getpid(), SIGTERM);
}

static int on_exited(void *self, const struct panicmon_event *event)
{
	char how[64];

	show_end(self, panicmon_status_text(event->status, how, sizeof(how)));
	if (event->status != 0)
		stop_the_others();
	return 0;
}

static int on_failed(void *self, const struct panicmon_event *event)
{
	show_end(self, strerror(event->error));
	if (event->pid != 0) /* else none was started */
		stop_the_others();
	return 0;
}

/* word: NAME=COMMAND. */
static struct panicmon_executor *make(struct service *service, char *word,
				      struct panicmon_error *error)
{
	static const struct panicmon_process_ops process = {
		.size = sizeof(process),
		.failed = on_failed,
		.exited = on_exited,
	};
	struct panicmon_options options;
	char shell[] = "/bin/sh", flag[] = "-c";
	char *command = strchr(word, '=');

	if (command == NULL) {
		snprintf(error->text, sizeof(error->text), "'%s' is not NAME=COMMAND", word);
		return NULL;
	}
	*command++ = '\0';
	service->name = word;
	panicmon_options_init(&options);
	options.name = word;
	options.self = service;
	options.process = &process;
	options.output.kind = PANICMON_WRITE;
	options.output.write = on_output;
	options.output.arg = service;
	options.errors = options.output;
	return panicmon_executor_new(&options, (char *const[]){shell, flag, command, NULL}, error);
}

int main(int argc, char **argv)
{
	static struct service services[SERVICES_MAX];
	struct panicmon_executor *executors[SERVICES_MAX];
	struct panicmon_error error;
	size_t count = (size_t)argc - 1;

	if (argc < 2 || count > SERVICES_MAX) {
		fprintf(stderr, "usage: supervise NAME=COMMAND... (at most %d)\n", SERVICES_MAX);
		return 125;
	}
	for (size_t i = 0; i < count; i++) {
		executors[i] = make(&services[i], argv[i + 1], &error);
		if (executors[i] == NULL) {
			fprintf(stderr, "supervise: %s\n", error.text);
			return 125;
		}
	}
	running = count;
	size_t failed = panicmon_run(executors, count);
	for (size_t i = 0; i < count; i++)
		panicmon_executor_free(executors[i]);
	return failed > 0 ? 1 : 0;
}
