/* probe: a command that writes down what it finds itself in.
 *
 * usage: probe FILE [ARG...]
 *
 * Writes lines "WHAT VALUE" to FILE: what a program inherits, for a comparison of two starts.
 */
#include "config.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

/* Before FILE is opened, so that it is not among them. */
static void list_descriptors(char *to, size_t size)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	size_t used = 0;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		char path[64 + sizeof(entry->d_name)], target[512];

		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(folder))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
		ssize_t length = readlink(path, target, sizeof(target) - 1);
		target[length < 0 ? 0 : length] = '\0';
		if (used < size)
			used += (size_t)snprintf(to + used, size - used, "fd %s %s\n",
						 entry->d_name, target);
	}
	if (folder != NULL)
		closedir(folder);
}

static void copy_lines(FILE *out, const char *what, const char *path, const char *const *wanted)
{
	char line[1024];
	FILE *in = fopen(path, "re");

	while (in != NULL && fgets(line, sizeof(line), in) != NULL) {
		int take = wanted == NULL;

		for (size_t i = 0; !take && wanted[i] != NULL; i++)
			take = strncmp(line, wanted[i], strlen(wanted[i])) == 0;
		if (take)
			fprintf(out, "%s %s", what, line);
	}
	if (in != NULL)
		fclose(in);
}

/* The controlling terminal, and whether we are in its foreground (proc_pid_stat(5)). */
static void write_terminal(FILE *out)
{
	char line[4096];
	int group, session, terminal, foreground;
	FILE *in = fopen("/proc/self/stat", "re");

	if (in == NULL || fgets(line, sizeof(line), in) == NULL)
		return;
	if (sscanf(strrchr(line, ')'), ") %*c %*d %d %d %d %d", &group, &session, &terminal,
		   &foreground) == 4) {
		fprintf(out, "session %d\n", session);
		fprintf(out, "terminal %d\n", terminal);
		fprintf(out, "foreground %s\n", foreground == group ? "yes" : "no");
	}
	fclose(in);
}

/* What the kernel keeps for a process, and hands on with fork and exec, that has no file. */
static void write_attributes(FILE *out)
{
	enum { IOPRIO_WHO_PROCESS = 1 };
	struct sched_param param = {0};

	sched_getparam(0, &param);
	fprintf(out, "nice %d\n", getpriority(PRIO_PROCESS, 0));
	fprintf(out, "scheduler %d %d\n", sched_getscheduler(0), param.sched_priority);
	fprintf(out, "ioprio %ld\n", syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0));
	fprintf(out, "personality %x\n", (unsigned)personality(0xffffffff));
	fprintf(out, "dumpable %d\n", prctl(PR_GET_DUMPABLE));
	fprintf(out, "keepcaps %d\n", prctl(PR_GET_KEEPCAPS));
	fprintf(out, "securebits %x\n", (unsigned)prctl(PR_GET_SECUREBITS));
	fprintf(out, "timerslack %d\n", prctl(PR_GET_TIMERSLACK));
	fprintf(out, "thp %d\n", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
}

int main(int argc, char **argv)
{
	static const char *const status[] = {
		"Umask:",     "Uid:",    "Gid:",    "Groups:",       "SigPnd:",
		"ShdPnd:",    "SigBlk:", "SigIgn:", "SigCgt:",       "Cap",
		"NoNewPrivs", "Seccomp", "Threads", "Cpus_allowed:", NULL};
	static char descriptors[65536];
	char folder[4096];

	list_descriptors(descriptors, sizeof(descriptors));
	FILE *out = argc < 2 ? NULL : fopen(argv[1], "we");
	if (out == NULL)
		return 2;
	fputs(descriptors, out);
	copy_lines(out, "status", "/proc/self/status", status);
	copy_lines(out, "limit", "/proc/self/limits", NULL);
	copy_lines(out, "oom", "/proc/self/oom_score_adj", NULL);
	copy_lines(out, "cgroup", "/proc/self/cgroup", NULL);
	copy_lines(out, "coredump", "/proc/self/coredump_filter", NULL);
	fprintf(out, "cwd %s\n", getcwd(folder, sizeof(folder)) != NULL ? folder : "none");
	write_terminal(out);
	write_attributes(out);
	for (char **entry = environ; *entry != NULL; entry++)
		fprintf(out, "env %s\n", *entry);
	for (int i = 0; i < argc; i++)
		fprintf(out, "arg %s\n", argv[i]);
	return fclose(out) == 0 ? 0 : 2;
}
