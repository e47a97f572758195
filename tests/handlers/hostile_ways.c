/* What a handler must not do, and some do all the same. */
#include "config.h"

#include <locale.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "fixture.h"
#include "handler/page.h"
#include "hostile_ways.h"

static const struct panicmon_host *host;
static jmp_buf in_open;
static const struct panicmon_event *kept[16];
static size_t kept_count;

void hostile_begin(const struct panicmon_host *given)
{
	host = given;
	(void)setjmp(in_open);
}

void hostile_keep(const struct panicmon_event *event)
{
	kept[kept_count++ % (sizeof(kept) / sizeof(kept[0]))] = event;
}

/* ---- never to return ---- */

static void hang(void)
{
	for (;;)
		pause();
}

static void hang_blocked(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	hang();
}

static void spin(void)
{
	for (volatile unsigned i = 0;; i++)
		continue;
}

static void stop(void)
{
	raise(SIGSTOP);
}

/* ---- to go ---- */

static void leave(void)
{
	exit(0);
}

static void leave_thread(void)
{
	pthread_exit(NULL);
}

static void leave_at_once(void)
{
	_exit(0);
}

static void jump(void)
{
	longjmp(in_open, 1);
}

static void on_signal(int number)
{
	(void)number;
}

/* The fault comes again at each return. */
static void crash_on_and_on(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t fault;

	sigaction(SIGSEGV, &action, NULL);
	sigemptyset(&fault);
	sigaddset(&fault, SIGSEGV);
	sigprocmask(SIG_UNBLOCK, &fault, NULL); /* blocked, it would kill whatever the handler is */
	fixture_crash();
}

static int deeper(volatile int depth)
{
	volatile char room[4096];

	room[0] = (char)depth;
	return depth < 0 ? room[0] : deeper(depth + 1) + room[0];
}

static void overflow_stack(void)
{
	deeper(1);
}

/* To the end of what there is, and then as one does who never looks. */
static void take_all_memory(void)
{
	enum { BLOCK = 1 << 20, BLOCKS = 4096 };

	for (int i = 0; i < BLOCKS; i++) {
		char *block = malloc(BLOCK);

		if (block == NULL)
			fixture_crash();
		else
			memset(block, 1, BLOCK);
	}
}

/* ---- descriptors and output ---- */

static void close_all(void)
{
	for (int fd = 0; fd < 256; fd++)
		close(fd);
}

/* The one that its host talks to panicmon through. */
enum { SOCKET = STDERR_FILENO + 1 };

static void shut_socket(void)
{
	shutdown(SOCKET, SHUT_RDWR);
}

/* As it goes with a descriptor that is closed twice; whoever is at the other end goes as well. */
static void reuse_socket(void)
{
	int ends[2];

	close(SOCKET);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 || ends[0] != SOCKET)
		abort();
	close(ends[1]);
}

static void *send_on(void *arg)
{
	(void)arg;
	while (send(SOCKET, "", 1, MSG_NOSIGNAL) == 1)
		continue;
	return NULL;
}

static void send_much(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, send_on, NULL) != 0)
		abort();
}

/* As a program that becomes a daemon, and then talks to a server that hangs up. */
static void close_all_and_connect(void)
{
	int ends[2];

	close_all();
	for (int i = 0; i < 4; i++)
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0)
			close(ends[0]); /* the next pair has one of its ends there */
}

/* The same with what never has anything to say. */
static void close_all_and_open(void)
{
	close_all();
	for (int i = 0; i < 8; i++)
		eventfd(0, EFD_CLOEXEC);
}

static void print_much(void)
{
	static char block[4096];

	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 1024; i++)
		if (write(STDOUT_FILENO, block, sizeof(block)) < 0)
			return;
}

static void log_much(void)
{
	for (int i = 0; i < 10000; i++)
		panicmon_log(host, PANICMON_INFO, "line %d", i);
}

static void print_oddly(void)
{
	static const char text[] = "red \033[31m, bell \007, \302\233 and \303\274\nthe rest";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		abort();
}

/* ---- processes and threads ---- */

static void reap_all(void)
{
	while (waitpid(-1, NULL, 0) > 0)
		continue;
}

/* A daemon that lives on, out of the host's group, with all that is open here. */
static void fork_daemon(void)
{
	if (fork() == 0) {
		setsid();
		hang();
	}
}

/* Writes for as long as there is somebody to read. */
static void print_for_ever(void)
{
	if (fork() != 0)
		return;
	setsid();
	while (write(STDOUT_FILENO, "late\n", 5) == 5)
		nanosleep(&(const struct timespec){.tv_nsec = 1000000}, NULL);
	_exit(0);
}

static void print_without_end(void)
{
	if (write(STDOUT_FILENO, "no newline", 10) < 0)
		abort();
}

static void fork_child(void)
{
	if (fork() == 0)
		hang_blocked();
}

static void *work(void *arg)
{
	(void)arg;
	for (;;) {
		nanosleep(&(const struct timespec){.tv_nsec = 1000000}, NULL);
		fprintf(stderr, "a thread\n");
	}
	return NULL;
}

static void start_threads(void)
{
	pthread_t thread;

	for (int i = 0; i < 4; i++)
		if (pthread_create(&thread, NULL, work, NULL) != 0)
			abort();
}

static void disturb(void)
{
	struct rlimit few = {8, 8};
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGCHLD, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	umask(0777);
	setenv("PATH", "/nowhere", 1);
	setlocale(LC_ALL, "C.UTF-8");
	setrlimit(RLIMIT_NOFILE, &few);
	if (chdir("/") < 0)
		abort();
}

/* ---- panicmon's memory ---- */

struct range {
	char *begin;
	size_t size;
	char name[64]; /* as in /proc/self/map_files */
};

/* Where this process has what panicmon calls so. */
static struct range find_mapping(const char *name)
{
	struct range range = {0};
	unsigned long begin, end;
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "re");

	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
		if (strstr(line, name) == NULL || sscanf(line, "%lx-%lx", &begin, &end) != 2)
			continue;
		range.begin = (char *)begin;
		range.size = end - begin;
		snprintf(range.name, sizeof(range.name), "/proc/self/map_files/%lx-%lx", begin, end);
		break;
	}
	if (maps != NULL)
		fclose(maps);
	if (range.size == 0)
		abort();
	return range;
}

static void scribble_on_journal(void)
{
	struct range journal = find_mapping("memfd:panicmon-journal");

	mprotect(journal.begin, journal.size, PROT_READ | PROT_WRITE);
	memset(journal.begin, 0xff, journal.size);
}

/* Only root gets as far as to have it open. */
static void truncate_mapping(const char *name)
{
	struct range range = find_mapping(name);
	int fd = open(range.name, O_RDWR | O_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, 0) == 0)
		fprintf(stderr, "%s can be truncated\n", name);
	close(fd);
}

static void truncate_page(void)
{
	truncate_mapping("memfd:panicmon-hosts");
}

static void truncate_journal(void)
{
	struct range journal = find_mapping("memfd:panicmon-journal");
	int fd = open(journal.name, O_RDWR | O_CLOEXEC);

	truncate_mapping("memfd:panicmon-journal");
	if (fd >= 0 && (pwrite(fd, "x", 1, 0) == 1 ||
			mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED))
		fprintf(stderr, "the journal can be changed\n");
	close(fd);
}

static struct range find_page(void)
{
	return find_mapping("memfd:panicmon-hosts");
}

static void fill_page(int with)
{
	struct range page = find_page();

	memset(page.begin, with, page.size);
}

static void scribble_ones(void)
{
	fill_page(0xff);
}

static void scribble_zeros(void)
{
	fill_page(0);
}

static void scribble_noise(void)
{
	struct range page = find_page();
	uint32_t state = 1;

	for (size_t i = 0; i < page.size; i++) {
		state = state * 1664525 + 1013904223;
		page.begin[i] = (char)(state >> 24);
	}
}

/* Goes, and leaves a state behind that it has not. */
static void leave_as(enum pm_host_state state)
{
	struct range range = find_page();
	struct pm_host_page *page = (void *)range.begin;

	atomic_store(&page->state, state);
	_exit(0);
}

static void leave_as_checked(void)
{
	leave_as(PM_HOST_CHECKED);
}

static void leave_as_drained(void)
{
	leave_as(PM_HOST_DRAINED);
}

/* Looks at what was the panicmon's of the calls before. */
static void use_kept(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < kept_count && i < sizeof(kept) / sizeof(kept[0]); i++)
		sum += kept[i]->seq + strlen(kept[i]->run) + (kept[i]->args[0] != NULL);
	setenv("SUM", sum % 2 != 0 ? "odd" : "even", 1); /* so that it is read */
}

static void retry_at_once(void)
{
	host->retry_in(host, 0);
}

static void nothing(void)
{
}

static const struct {
	const char *name;
	void (*act)(void);
} ways[] = {
	{"return", nothing},
	{"retry-at-once", retry_at_once},
	{"hang", hang},
	{"hang-blocked", hang_blocked},
	{"spin", spin},
	{"stop", stop},
	{"crash", fixture_crash},
	{"crash-on", crash_on_and_on},
	{"abort", abort},
	{"exit", leave},
	{"_exit", leave_at_once},
	{"pthread_exit", leave_thread},
	{"longjmp", jump},
	{"stack", overflow_stack},
	{"memory", take_all_memory},
	{"close-fds", close_all},
	{"shut-socket", shut_socket},
	{"reuse-socket", reuse_socket},
	{"send", send_much},
	{"connect", close_all_and_connect},
	{"reopen", close_all_and_open},
	{"print", print_much},
	{"log", log_much},
	{"print-oddly", print_oddly},
	{"reap", reap_all},
	{"daemon", fork_daemon},
	{"child", fork_child},
	{"print-for-ever", print_for_ever},
	{"print-without-end", print_without_end},
	{"threads", start_threads},
	{"disturb", disturb},
	{"scribble-journal", scribble_on_journal},
	{"truncate-journal", truncate_journal},
	{"truncate-page", truncate_page},
	{"scribble-ones", scribble_ones},
	{"scribble-zeros", scribble_zeros},
	{"scribble-noise", scribble_noise},
	{"leave-as-checked", leave_as_checked},
	{"leave-as-drained", leave_as_drained},
	{"kept", use_kept},
};

void hostile_act(const char *how)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, how) == 0) {
			ways[i].act();
			return;
		}
	abort(); /* a mistake in the test */
}
