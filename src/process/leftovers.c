#include <config.h>

#include "process/leftovers.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define LOOK_EVERY (10 * PM_NS_PER_MS)
enum { SCAN_EVERY = 10 /* looks */ };

static void on_due(struct pm_timer *timer)
{
	*(bool *)timer->owner = true;
}

bool pm_orphans_wait(struct pm_children *children, int64_t timeout_ms, const bool *enough)
{
	bool late = false, left;
	struct pm_timer deadline = {.due = on_due, .owner = &late};

	pm_timer_set(children->loop, &deadline, timeout_ms * PM_NS_PER_MS);
	/* An orphan comes, and goes, by the end of one that was ours: SIGCHLD turns the loop. */
	while ((left = pm_children_has_orphan(children)) && !late && !*enough)
		pm_loop_turn(children->loop);
	pm_timer_clear(children->loop, &deadline);
	return !left;
}

enum member { NO_MEMBER, ZOMBIE, LIVING };

/* What process `name` of /proc is to the group (proc(5), stat). */
static enum member member_of(const char *name, pid_t group)
{
	char path[sizeof("/proc//stat") + 256], text[512], state;
	int its_group;

	snprintf(path, sizeof(path), "/proc/%.255s/stat", name);
	pm_autofile FILE *file = fopen(path, "re");
	size_t got = file == NULL ? 0 : fread(text, 1, sizeof(text) - 1, file);
	text[got] = '\0';
	/* Its name may hold anything, also parentheses. */
	const char *end = strrchr(text, ')');
	if (end == NULL || sscanf(end, ") %c %*d %d", &state, &its_group) != 2 ||
	    its_group != group)
		return NO_MEMBER;
	return state == 'Z' || state == 'X' ? ZOMBIE : LIVING;
}

/* Where nobody reaps orphans, as in some containers, a group of zombies stays: to kill(2) it is there.
 * /proc may be that of another pid namespace, or show us no others: then there is no member to be seen,
 * and who knows. */
static bool has_zombies_only(pid_t group)
{
	DIR *folder = opendir("/proc");
	bool zombies = false, living = false;
	struct dirent *entry;

	while (folder != NULL && !living && (entry = readdir(folder)) != NULL) {
		enum member member = isdigit((unsigned char)entry->d_name[0])
					     ? member_of(entry->d_name, group)
					     : NO_MEMBER;

		zombies = zombies || member == ZOMBIE;
		living = member == LIVING;
	}
	if (folder != NULL)
		closedir(folder);
	return zombies && !living;
}

static bool is_gone(const struct pm_leftovers *leftovers, pid_t group)
{
	if (kill(-group, 0) < 0 && errno == ESRCH)
		return true;
	/* It takes a look at every process there is. */
	return leftovers->looks % SCAN_EVERY == 0 && has_zombies_only(group);
}

/* Members are counted only by the kernel, which tells nobody when the last one goes: so we look. */
static void on_look(struct pm_timer *timer)
{
	struct pm_leftovers *leftovers = timer->owner;
	int64_t now = pm_clock_monotonic();

	leftovers->looks++;
	for (unsigned i = leftovers->count; i-- > 0;) {
		pid_t group = leftovers->groups[i].group;

		if (now < leftovers->groups[i].deadline_ns && !is_gone(leftovers, group))
			continue;
		kill(-group, SIGKILL); /* no harm to zombies */
		leftovers->groups[i] = leftovers->groups[--leftovers->count];
	}
	if (leftovers->count > 0)
		pm_timer_set(leftovers->loop, &leftovers->look, LOOK_EVERY);
}

void pm_leftovers_open(struct pm_leftovers *leftovers, struct pm_loop *loop, int64_t timeout_ms)
{
	*leftovers = (struct pm_leftovers){
		.loop = loop,
		.timeout_ns = timeout_ms * PM_NS_PER_MS,
		.look = {.due = on_look, .owner = leftovers},
	};
}

void pm_leftovers_end(struct pm_leftovers *leftovers, pid_t group)
{
	if (leftovers->count == PM_ALIVE_MAX || kill(-group, SIGTERM) < 0)
		return;
	kill(-group, SIGCONT); /* one that is stopped hears the SIGTERM only when it goes on */
	leftovers->groups[leftovers->count].group = group;
	leftovers->groups[leftovers->count].deadline_ns =
		pm_clock_monotonic() + leftovers->timeout_ns;
	leftovers->count++;
	pm_timer_set(leftovers->loop, &leftovers->look, LOOK_EVERY);
}

void pm_leftovers_wait(struct pm_leftovers *leftovers)
{
	while (leftovers->count > 0)
		pm_loop_turn(leftovers->loop);
}
