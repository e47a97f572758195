#include "config.h"

#include "supervised.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPORT_FD = 3, PATIENCE_MS = 30000 };

static int spawn(struct entry *entry, int report)
{
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, report, REPORT_FD);
	int error = posix_spawnp(&entry->pid, entry->argv[0], &actions, NULL, entry->argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

void supervised_start(struct entry *entry)
{
	struct stamps ready;
	int ends[2];

	if (entry->skipped)
		return;
	if (pipe2(ends, O_CLOEXEC) == -1) {
		entry_skip(entry, strerror(errno));
		return;
	}
	/* dup2() to itself would leave it close-on-exec, and the pipe without a reader. */
	int writer = fcntl(ends[1], F_DUPFD_CLOEXEC, REPORT_FD + 1);
	close(ends[1]);
	int error = spawn(entry, writer);
	close(writer);
	entry->report = ends[0];
	if (error != 0) {
		close(entry->report);
		entry->pid = 0;
		entry_skip(entry, error == ENOENT ? "not installed" : strerror(error));
		return;
	}
	supervised_stamps(entry, &ready);
}

static void reap(struct entry *entry)
{
	while (waitpid(entry->pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	close(entry->report);
	entry->pid = 0;
}

bool supervised_stamps(struct entry *entry, struct stamps *stamps)
{
	struct pollfd interest = {.fd = entry->report, .events = POLLIN};

	if (poll(&interest, 1, PATIENCE_MS) == 1 &&
	    read(entry->report, stamps, sizeof(*stamps)) == sizeof(*stamps))
		return true;
	kill(entry->pid, SIGKILL);
	reap(entry);
	entry_skip(entry, "not all signals have reached the command");
	return false;
}

void supervised_end(struct entry *entry)
{
	if (entry->pid == 0)
		return;
	kill(entry->pid, SIGTERM);
	reap(entry);
}
