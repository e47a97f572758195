/* The process room: what commands leave behind. */
#include <config.h>

#include "test_process_watched.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "process/leftovers.h"

enum { LONG_MS = 1000 * 1000, SHORT_MS = 50 };

static struct pm_leftovers leftovers;
static const bool never = false;

static void set_up(void)
{
	open_children();
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

static void set_true(struct pm_timer *timer)
{
	*(bool *)timer->owner = true;
}

static void kill_it(struct pm_timer *timer)
{
	kill(*(pid_t *)timer->owner, SIGKILL);
}

/* ---- orphans ---- */

START_TEST(no_orphan)
{
	const int64_t before = pm_clock_monotonic();

	ck_assert(pm_orphans_wait(&children, LONG_MS, &never));
	ck_assert_int_lt(pm_clock_monotonic() - before, LONG_MS * PM_NS_PER_MS);
	ck_assert_ptr_null(loop.timers);
}
END_TEST

/* One who dies leaves a child of its own to us. */
static pid_t fork_family(pid_t *member)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	const pid_t pid = fork_child();
	if (pid == 0) {
		const pid_t child = fork();

		if (child > 0 && write(ends[1], &child, sizeof(child)) != sizeof(child))
			_exit(1);
		alarm(100);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ends[0], member, sizeof(*member)), sizeof(*member));
	close(ends[0]);
	close(ends[1]);
	return pid;
}

START_TEST(orphans_end)
{
	pid_t orphan = fork_staying();
	struct pm_timer timer = {.due = kill_it, .owner = &orphan};

	pm_timer_set(&loop, &timer, 20 * PM_NS_PER_MS);
	ck_assert(pm_orphans_wait(&children, LONG_MS, &never));
	ck_assert_ptr_null(loop.timers);
	assert_no_children();
}
END_TEST

/* Many at once, and dead before anybody looks. */
START_TEST(many_orphans)
{
	enum { MANY = 300 };

	for (int i = 0; i < MANY; i++)
		fork_exiting(i & 0xff);
	ck_assert(pm_orphans_wait(&children, LONG_MS, &never));
	assert_no_children();
}
END_TEST

START_TEST(orphans_stay_too_long)
{
	const int64_t before = pm_clock_monotonic();
	const pid_t orphan = fork_staying();

	ck_assert(!pm_orphans_wait(&children, SHORT_MS, &never));
	ck_assert_int_ge(pm_clock_monotonic() - before, SHORT_MS * PM_NS_PER_MS);
	ck_assert_ptr_null(loop.timers);
	ck_assert_int_eq(kill(orphan, 0), 0);
	kill(orphan, SIGKILL);
	ck_assert(pm_orphans_wait(&children, LONG_MS, &never));
	assert_no_children();
}
END_TEST

/* From the start on, or in between. */
START_TEST(orphans_are_enough)
{
	const pid_t orphan = fork_staying();
	bool enough = _i == 0;
	struct pm_timer timer = {.due = set_true, .owner = &enough};

	if (!enough)
		pm_timer_set(&loop, &timer, 20 * PM_NS_PER_MS);
	ck_assert(!pm_orphans_wait(&children, LONG_MS, &enough));
	ck_assert(enough);
	ck_assert_ptr_null(loop.timers);
	kill(orphan, SIGKILL);
	ck_assert(pm_orphans_wait(&children, LONG_MS, &never));
}
END_TEST

/* The end of an orphan makes one of its child. */
START_TEST(orphans_of_orphans)
{
	pid_t member;
	const pid_t parent = fork_family(&member);
	struct pm_timer timer = {.due = kill_it, .owner = &member};

	kill(parent, SIGKILL);
	wait_for_zombie(parent);
	ck_assert(!pm_orphans_wait(&children, SHORT_MS, &never));
	ck_assert_int_eq(kill(parent, 0), -1);
	pm_timer_set(&loop, &timer, 20 * PM_NS_PER_MS);
	ck_assert(pm_orphans_wait(&children, LONG_MS, &never));
	assert_no_children();
}
END_TEST

/* ---- the rest of a group ---- */

enum { MEMBERS = 3 };

struct member {
	struct pm_child child;
	int status;
	bool ended;
};

/* A group whose leader has ended, and was reaped. */
struct group {
	pid_t pid;
	struct member members[MEMBERS];
};

static void on_ended(struct pm_child *child, int status, const struct rusage *usage)
{
	struct member *member = child->owner;

	(void)usage;
	member->status = status;
	member->ended = true;
}

/* What its members do at SIGTERM. */
enum manner { DIE, IGNORE, STOPPED };

static void __attribute__((noreturn)) lead(int fd, enum manner manner)
{
	pid_t members[MEMBERS];
	char mark;
	int ready[2];

	setpgid(0, 0);
	pm_sigset_block(0, NULL);
	signal(SIGTERM, manner == IGNORE ? SIG_IGN : SIG_DFL);
	if (pipe2(ready, O_CLOEXEC) < 0)
		_exit(1);
	for (int i = 0; i < MEMBERS; i++) {
		members[i] = fork();
		if (members[i] > 0)
			continue;
		alarm(100);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		if (manner == STOPPED)
			raise(SIGSTOP);
		for (;;)
			pause();
	}
	for (int i = 0; i < MEMBERS; i++)
		if (read(ready[0], &mark, 1) != 1 ||
		    (manner == STOPPED && waitpid(members[i], NULL, WUNTRACED) != members[i]))
			_exit(1);
	_exit(write(fd, members, sizeof(members)) == sizeof(members) ? 0 : 1);
}

static void open_group(struct group *group, enum manner manner)
{
	pid_t members[MEMBERS];
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	group->pid = fork_child();
	if (group->pid == 0)
		lead(ends[1], manner);
	ck_assert_int_eq(read(ends[0], members, sizeof(members)), sizeof(members));
	ck_assert_int_eq(end_of(group->pid), 0);
	close(ends[0]);
	close(ends[1]);
	for (int i = 0; i < MEMBERS; i++) {
		group->members[i] = (struct member){
			.child = {.pid = members[i], .ended = on_ended},
		};
		group->members[i].child.owner = &group->members[i];
		ck_assert_int_eq(pm_children_add(&children, &group->members[i].child, &error), 0);
	}
}

static void assert_ended_by(const struct group *group, int signal)
{
	for (int i = 0; i < MEMBERS; i++) {
		ck_assert(group->members[i].ended);
		ck_assert(WIFSIGNALED(group->members[i].status));
		ck_assert_int_eq(WTERMSIG(group->members[i].status), signal);
	}
}

/* After pm_leftovers_wait() SIGKILL is sent, but they may not be reaped yet. */
static void reap_all(void)
{
	while (children.first != NULL)
		pm_loop_turn(&loop);
	assert_no_children();
}

/* Also where they are stopped: they hear of it only when they go on. */
START_TEST(term_suffices)
{
	const int64_t before = pm_clock_monotonic();
	struct group group;

	pm_leftovers_open(&leftovers, &loop, LONG_MS);
	open_group(&group, _i == 0 ? DIE : STOPPED);
	pm_leftovers_end(&leftovers, group.pid);
	ck_assert_uint_eq(leftovers.count, 1);
	pm_leftovers_wait(&leftovers);
	ck_assert_int_lt(pm_clock_monotonic() - before, LONG_MS * PM_NS_PER_MS);
	assert_ended_by(&group, SIGTERM);
	ck_assert_uint_eq(leftovers.count, 0);
	ck_assert_ptr_null(loop.timers);
	assert_no_children();
}
END_TEST

START_TEST(term_is_ignored)
{
	const int64_t before = pm_clock_monotonic();
	struct group group;

	pm_leftovers_open(&leftovers, &loop, SHORT_MS);
	open_group(&group, IGNORE);
	pm_leftovers_end(&leftovers, group.pid);
	pm_leftovers_wait(&leftovers);
	ck_assert_int_ge(pm_clock_monotonic() - before, SHORT_MS * PM_NS_PER_MS);
	ck_assert_ptr_null(loop.timers);
	reap_all();
	assert_ended_by(&group, SIGKILL);
}
END_TEST

START_TEST(nothing_is_left)
{
	const pid_t pid = fork_child();

	if (pid == 0) {
		setpgid(0, 0);
		_exit(0);
	}
	pm_leftovers_open(&leftovers, &loop, LONG_MS);
	ck_assert_int_eq(end_of(pid), 0);
	pm_leftovers_end(&leftovers, pid);
	ck_assert_uint_eq(leftovers.count, 0);
	ck_assert_ptr_null(loop.timers);
	pm_leftovers_wait(&leftovers);
}
END_TEST

/* Each has its own time, and one that is gone does not take another with it. */
START_TEST(several)
{
	struct group groups[4];

	pm_leftovers_open(&leftovers, &loop, SHORT_MS);
	for (int i = 0; i < 4; i++) {
		open_group(&groups[i], i % 2 == 0 ? DIE : IGNORE);
		pm_leftovers_end(&leftovers, groups[i].pid);
		pm_loop_turn(&loop);
	}
	pm_leftovers_wait(&leftovers);
	reap_all();
	for (int i = 0; i < 4; i++)
		assert_ended_by(&groups[i], i % 2 == 0 ? SIGTERM : SIGKILL);
}
END_TEST

START_TEST(no_more_than_there_is_room)
{
	struct group group;

	pm_leftovers_open(&leftovers, &loop, LONG_MS);
	open_group(&group, DIE);
	leftovers.count = PM_ALIVE_MAX;
	pm_leftovers_end(&leftovers, group.pid);
	ck_assert_uint_eq(leftovers.count, PM_ALIVE_MAX);
	leftovers.count = 0;
	kill(-group.pid, SIGKILL);
	reap_all();
	assert_ended_by(&group, SIGKILL);
}
END_TEST

void add_leftovers_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "leftovers", set_up, close_children);

	tcase_add_test(tests, no_orphan);
	tcase_add_test(tests, orphans_end);
	tcase_add_test(tests, many_orphans);
	tcase_add_test(tests, orphans_stay_too_long);
	tcase_add_loop_test(tests, orphans_are_enough, 0, 2);
	tcase_add_test(tests, orphans_of_orphans);
	tcase_add_loop_test(tests, term_suffices, 0, 2);
	tcase_add_test(tests, term_is_ignored);
	tcase_add_test(tests, nothing_is_left);
	tcase_add_test(tests, several);
	tcase_add_test(tests, no_more_than_there_is_room);
}
