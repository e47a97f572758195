/* many_starts: starts a program many times, sends signals to it, and looks what is left.
 *
 * usage: many_starts [-b] [-j JOBS] [-k LIST] [-m MS] [-n STARTS] [-q LIST] [-r SEED] PATH
 *                    PROGRAM [ARG...]
 *
 * Each start gets every signal of the LISTs (numbers and commas) once: of -k by kill(2), of -q by
 * sigqueue(3) with START * 64 + NUMBER as its value. Each is sent at a random moment of the first MS
 * milliseconds after the fork, so some may come before PROGRAM was even executed. JOBS starts run
 * side by side. In an ARG, "@" stands for PATH followed by the number of the start. With -b all
 * signals are blocked in PROGRAM from its beginning; without, none is.
 *
 * Writes a line "START STATUS ORPHANS" for each: STATUS as an exit code or the negative number of the
 * signal, and how many orphans were there after PROGRAM had ended and were waited for. Ends with 1,
 * and "START stuck" or "START left NAME...", where PROGRAM or orphans of it have not ended by a
 * deadline; what is left then is not killed.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S (1000 * NS_PER_MS)

/* Of the end of PROGRAM, and of its orphans. */
#define DEADLINE (60 * NS_PER_S)

enum { LIST_MAX = 128, SIGNALS = 64 };

struct sending {
	int signal;
	int queued;
	int64_t after_ns;
};

struct settings {
	int blocked, starts, jobs;
	int64_t within_ns;
	unsigned seed;
	struct sending list[LIST_MAX];
	int count;
	const char *path;
	char **program;
};

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(2);
}

static void add_list(struct settings *settings, char *list, int queued)
{
	for (char *word = strtok(list, ","); word != NULL; word = strtok(NULL, ",")) {
		if (settings->count == LIST_MAX)
			exit(2);
		settings->list[settings->count++] =
			(struct sending){.signal = atoi(word), .queued = queued};
	}
}

static void parse(struct settings *settings, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+bj:k:m:n:q:r:")) != -1) {
		if (option == 'b')
			settings->blocked = 1;
		else if (option == 'j')
			settings->jobs = atoi(optarg);
		else if (option == 'k' || option == 'q')
			add_list(settings, optarg, option == 'q');
		else if (option == 'm')
			settings->within_ns = atoi(optarg) * NS_PER_MS;
		else if (option == 'n')
			settings->starts = atoi(optarg);
		else if (option == 'r')
			settings->seed = (unsigned)atoi(optarg);
		else
			exit(2);
	}
	if (argc - optind < 2) {
		fprintf(stderr, "usage: many_starts [OPTION...] PATH PROGRAM [ARG...]\n");
		exit(2);
	}
	settings->path = argv[optind];
	settings->program = &argv[optind + 1];
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void sleep_until(int64_t moment)
{
	const struct timespec until = {
		.tv_sec = (time_t)(moment / NS_PER_S),
		.tv_nsec = (long)(moment % NS_PER_S),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		continue;
}

/* Not sigprocmask(3): it leaves out 32 and 33. */
static void set_mask(uint64_t blocked)
{
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, NULL, sizeof(blocked)) < 0)
		die("rt_sigprocmask");
}

static int by_moment(const void *a, const void *b)
{
	const struct sending *left = a, *right = b;

	return (left->after_ns > right->after_ns) - (left->after_ns < right->after_ns);
}

/* Another order and other moments for each start, and the same ones for the same seed. */
static void make_schedule(const struct settings *settings, int start, struct sending *list)
{
	unsigned random = settings->seed * 1000003U + (unsigned)start;

	memcpy(list, settings->list, sizeof(settings->list));
	for (int i = 0; i < settings->count; i++)
		list[i].after_ns =
			(int64_t)((double)rand_r(&random) / RAND_MAX * (double)settings->within_ns);
	qsort(list, (size_t)settings->count, sizeof(*list), by_moment);
}

static char *with_number(const char *path, const char *argument, int start)
{
	const char *place = strchr(argument, '@');
	char *made = NULL;

	if (place == NULL)
		return strdup(argument);
	if (asprintf(&made, "%.*s%s%d%s", (int)(place - argument), argument, path, start,
		     place + 1) < 0)
		die("asprintf");
	return made;
}

static void __attribute__((noreturn)) become_program(const struct settings *settings, int start)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (char **word = settings->program; *word != NULL; word++)
		*word = with_number(settings->path, *word, start);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	set_mask(settings->blocked ? ~UINT64_C(0) : 0);
	execv(settings->program[0], settings->program);
	die(settings->program[0]);
}

static void send_one(pid_t pid, const struct sending *sending, int start)
{
	const struct timespec pause = {.tv_nsec = 100000};
	const union sigval value = {.sival_int = start * SIGNALS + sending->signal};

	if (!sending->queued) {
		kill(pid, sending->signal);
		return;
	}
	while (sigqueue(pid, sending->signal, value) < 0 && errno == EAGAIN)
		nanosleep(&pause, NULL);
}

/* waitpid(2) with a deadline, where it returns 0. SIGCHLD is blocked, as all are. */
static pid_t wait_until(pid_t which, int64_t deadline, int *status)
{
	const struct timespec step = {.tv_nsec = 100 * NS_PER_MS};
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	for (;;) {
		pid_t ended = waitpid(which, status, WNOHANG);
		if (ended != 0 || now_ns() > deadline)
			return ended;
		sigtimedwait(&child, NULL, &step);
	}
}

/* How many there were; -1: one is left. */
static int wait_for_orphans(void)
{
	int64_t deadline = now_ns() + DEADLINE;
	int orphans = 0, ignored;
	pid_t ended;

	while ((ended = wait_until(-1, deadline, &ignored)) > 0)
		orphans++;
	return ended == 0 ? -1 : orphans;
}

static void print_name(long pid)
{
	char path[64], name[64] = "?\n";

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	FILE *file = fopen(path, "re");
	if (file != NULL && fgets(name, sizeof(name), file) == NULL)
		name[0] = '\0';
	if (file != NULL)
		fclose(file);
	printf(" %.*s", (int)strcspn(name, "\n"), name);
}

static void print_children(void)
{
	FILE *file = fopen("/proc/thread-self/children", "re");
	long pid;

	while (file != NULL && fscanf(file, "%ld", &pid) == 1)
		print_name(pid);
	if (file != NULL)
		fclose(file);
}

static int report(int start, int status)
{
	int orphans = wait_for_orphans();

	if (orphans < 0) {
		printf("%d left", start);
		print_children();
		puts("");
		return 0;
	}
	printf("%d %d %d\n", start, WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status),
	       orphans);
	return 1;
}

/* 0: somebody got stuck. */
static int run_one(const struct settings *settings, int start)
{
	struct sending list[LIST_MAX];
	int status;

	make_schedule(settings, start, list);
	int64_t begun = now_ns();
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		become_program(settings, start);
	for (int i = 0; i < settings->count; i++) {
		sleep_until(begun + list[i].after_ns);
		send_one(pid, &list[i], start);
	}
	if (wait_until(pid, now_ns() + DEADLINE, &status) == pid)
		return report(start, status);
	printf("%d stuck\n", start);
	return 0;
}

static void __attribute__((noreturn)) work(const struct settings *settings, int first)
{
	/* What PROGRAM leaves behind comes to us. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int start = first; start < settings->starts; start += settings->jobs) {
		int well = run_one(settings, start);
		/* A whole line at a time: the workers share stdout. */
		fflush(stdout);
		if (!well)
			_exit(1);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	struct settings settings = {.starts = 1, .jobs = 1};
	int result = 0, status;

	parse(&settings, argc, argv);
	set_mask(~UINT64_C(0));
	for (int i = 0; i < settings.jobs; i++) {
		pid_t pid = fork();
		if (pid < 0)
			die("fork");
		if (pid == 0)
			work(&settings, i);
	}
	while (wait(&status) > 0)
		result |= WIFEXITED(status) ? WEXITSTATUS(status) : 2;
	return result;
}
