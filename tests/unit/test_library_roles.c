/* The commands that the tests of the library run: `this_program ROLE ARG`. */
#include <config.h>

#include "test_library.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int role_die(const char *arg)
{
	const struct rlimit no_core = {0, 0};
	const int number = atoi(arg);

	setrlimit(RLIMIT_CORE, &no_core);
	signal(number, SIG_DFL); /* a sanitizer may have another idea */
	kill(getpid(), number);
	return 92;
}

/* Ends when it gets a signal, which its starter has blocked: with its number; queued, with its
 * value. */
static int role_wait(const char *arg)
{
	sigset_t set;
	siginfo_t info;

	if (strcmp(arg, "say ready") == 0 && write(STDOUT_FILENO, "x", 1) != 1)
		return 92;
	sigfillset(&set);
	if (sigwaitinfo(&set, &info) < 0)
		return 93;
	return info.si_code == SI_QUEUE ? info.si_value.sival_int : info.si_signo;
}

/* Writes the numbers 0, 1, 2... of 32 bits each to stdout and stderr by turns, `arg` MiB in all. */
static int role_count(const char *arg)
{
	enum { NUMBERS = 1024 };
	static uint32_t piece[NUMBERS];
	const uint32_t pieces = (uint32_t)atoi(arg) * 1024 * 1024 / sizeof(piece);

	for (uint32_t i = 0; i < pieces; i++) {
		for (uint32_t j = 0; j < NUMBERS; j++)
			piece[j] = i / 2 * NUMBERS + j;
		if (fwrite(piece, sizeof(piece), 1, i % 2 == 0 ? stdout : stderr) != 1)
			return 94;
	}
	return 0;
}

/* Writes half a MiB of the same to a pipe that holds it all. */
static int role_burst(const char *arg)
{
	(void)arg;
	return fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1024 * 1024) < 0 ? 100 : role_count("1");
}

/* How many descriptors it finds above stderr. */
static int role_descriptors(const char *arg)
{
	(void)arg;
	return (int)count_inherited();
}

/* Writes to stdout and stderr; stdin must be as open as it is said to be. */
static int role_speak(const char *arg)
{
	if ((fcntl(STDIN_FILENO, F_GETFD) < 0) != (strcmp(arg, "closed") == 0))
		return 95;
	return write(STDOUT_FILENO, "out\n", 4) == 4 && write(STDERR_FILENO, "err\n", 4) == 4 ? 0
											      : 96;
}

/* 0 if both outputs are `arg`. */
static int role_outputs(const char *arg)
{
	char path[2][256] = {"", ""};

	if (readlink("/proc/self/fd/1", path[0], sizeof(path[0]) - 1) < 0 ||
	    readlink("/proc/self/fd/2", path[1], sizeof(path[1]) - 1) < 0)
		return 97;
	return strcmp(path[0], arg) == 0 && strcmp(path[1], arg) == 0 ? 0 : 98;
}

/* Says what is blocked, and what is ignored. */
static int role_dispositions(const char *arg)
{
	(void)arg;
	return printf("%" PRIx64 " %" PRIx64, mask(), ignored()) > 0 ? 0 : 99;
}

int play(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*role)(const char *arg);
	} roles[] = {
		{"exit", atoi},
		{"die", role_die},
		{"wait", role_wait},
		{"count", role_count},
		{"burst", role_burst},
		{"descriptors", role_descriptors},
		{"speak", role_speak},
		{"outputs", role_outputs},
		{"dispositions", role_dispositions},
	};

	alarm(100);
	for (size_t i = 0; argc == 3 && i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(argv[1], roles[i].name) == 0)
			return roles[i].role(argv[2]);
	return 91;
}
