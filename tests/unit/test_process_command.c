/* The process room: where a command finds itself: its group, descriptors, directory and PATH. */
#include <config.h>

#include "test_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A command that stays, and has begun. */
struct here {
	struct marked marked;
	struct pm_spawn spawn;
};

static void spawn_gated_by(struct here *here, const struct pm_command *command)
{
	ck_assert_msg(pm_spawn_gated(&here->spawn, command, &error) == 0, "%s", error.text);
	let_go(&here->marked);
}

static void spawn_by(struct here *here, const struct pm_command *command)
{
	spawn_gated_by(here, command);
	ck_assert_int_eq(pm_spawn_release(&here->spawn), 0);
	ck_assert_int_eq(read_mark(here->marked.read_end), 'm');
}

static void end(struct here *here)
{
	kill(here->spawn.pid, SIGKILL);
	ck_assert_int_eq(end_of(here->spawn.pid), -SIGKILL);
	close(here->spawn.channel);
	close_marked(&here->marked);
}

static struct pm_command open_here(struct here *here)
{
	open_marked(&here->marked, "stay");
	return command_of(here->marked.argv);
}

/* ---- its group ---- */

START_TEST(groups)
{
	static const enum pm_group groups_of[] = {PM_GROUP_NEW, PM_GROUP_INHERIT, PM_GROUP_SESSION};
	const enum pm_group group = groups_of[_i];
	struct here here;
	struct pm_command command = open_here(&here);

	command.group = group;
	spawn_by(&here, &command);
	const pid_t pid = here.spawn.pid;
	ck_assert_int_eq(getpgid(pid), group == PM_GROUP_INHERIT ? getpgrp() : pid);
	ck_assert_int_eq(getsid(pid), group == PM_GROUP_SESSION ? pid : getsid(0));
	ck_assert_int_eq(here.spawn.leads, group != PM_GROUP_INHERIT);
	end(&here);
}
END_TEST

/* ---- signals to it ---- */

/* With a member of its group beside it. */
static pid_t spawn_family(struct here *here, enum pm_group group)
{
	static char family[] = "family";
	struct pm_command command;
	pid_t member;

	open_marked(&here->marked, "stay");
	free(here->marked.argv[1]);
	here->marked.argv[1] = strdup(family);
	command = command_of(here->marked.argv);
	command.group = group;
	spawn_by(here, &command);
	ck_assert_int_eq(read(here->marked.read_end, &member, sizeof(member)), sizeof(member));
	return member;
}

START_TEST(kill_the_group)
{
	struct here here;

	spawn_family(&here, _i == 0 ? PM_GROUP_NEW : PM_GROUP_SESSION);
	ck_assert_int_eq(pm_spawn_kill(&here.spawn, true, SIGTERM), 0);
	ck_assert_int_eq(read_mark(here.marked.read_end), -1); /* nobody is left who holds it */
	ck_assert_int_eq(end_of(here.spawn.pid), -SIGTERM);
	close(here.spawn.channel);
	close_marked(&here.marked);
}
END_TEST

/* All of it is not ours to signal, where it shares our group. */
START_TEST(kill_the_command_alone)
{
	const bool whole = _i > 0;
	struct here here;
	const pid_t member = spawn_family(&here, whole ? PM_GROUP_INHERIT : PM_GROUP_NEW);

	ck_assert_int_eq(pm_spawn_kill(&here.spawn, whole, SIGTERM), 0);
	ck_assert_int_eq(end_of(here.spawn.pid), -SIGTERM);
	ck_assert(!has_mark(&here.marked)); /* neither a mark nor the end: it is still there */
	kill(member, SIGKILL);
	ck_assert_int_eq(read_mark(here.marked.read_end), -1);
	close(here.spawn.channel);
	close_marked(&here.marked);
}
END_TEST

/* It has been forked, and has not come to setsid(2) yet. */
START_TEST(kill_before_the_group_is_there)
{
	const struct pm_spawn spawn = {.pid = fork_staying(), .leads = true};

	/* Not SIGTERM, which Check handles itself. */
	ck_assert_int_eq(pm_spawn_kill(&spawn, true, SIGHUP), 0);
	ck_assert_int_eq(end_of(spawn.pid), -SIGHUP);
}
END_TEST

START_TEST(kill_one_that_is_gone)
{
	const struct pm_spawn spawn = {.pid = fork_staying(), .leads = true};

	kill(spawn.pid, SIGKILL);
	ck_assert_int_eq(end_of(spawn.pid), -SIGKILL);
	ck_assert_int_eq(pm_spawn_kill(&spawn, true, SIGTERM), ESRCH);
	ck_assert_int_eq(pm_spawn_kill(&spawn, false, SIGTERM), ESRCH);
}
END_TEST

/* ---- its descriptors ---- */

enum { A = 3, B, FILES }; /* after 0 to 2 */

/* What a descriptor of a process is; empty: it is closed. */
static void name_of(pid_t pid, int fd, char name[64])
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	const ssize_t length = readlink(path, name, 63);
	name[length < 0 ? 0 : length] = '\0';
}

static void assert_same(pid_t pid, int fd, int ours)
{
	char its[64], wanted[64];

	name_of(pid, fd, its);
	name_of(getpid(), ours, wanted);
	ck_assert_str_eq(its, wanted);
}

/* 0 to 2 and two more are files of their own; none of them is meant to be inherited, but for 0. */
static void open_files(int files[FILES])
{
	char name[8];

	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		const int fd = memfd_create(name, MFD_CLOEXEC);
		ck_assert_int_ge(fd, 0);
		files[i] = i < A ? i : fd;
		if (i >= A)
			continue;
		ck_assert_int_eq(dup3(fd, i, i == STDIN_FILENO ? 0 : O_CLOEXEC), i);
		close(fd);
	}
}

/* Each descriptor as each of the two, so also as itself, with changed places, and twice the
 * same. */
START_TEST(outputs)
{
	struct here here;
	struct pm_command command = open_here(&here);
	const int output = _i / FILES, errors = _i % FILES;
	char name[64];
	int files[FILES];

	open_files(files);
	command.output = files[output];
	command.errors = files[errors];
	spawn_by(&here, &command);
	assert_same(here.spawn.pid, STDIN_FILENO, STDIN_FILENO);
	assert_same(here.spawn.pid, STDOUT_FILENO, files[output]);
	assert_same(here.spawn.pid, STDERR_FILENO, files[errors]);
	for (int i = A; i < FILES; i++) {
		name_of(here.spawn.pid, files[i], name);
		ck_assert_str_eq(name, "");
	}
	name_of(here.spawn.pid, here.spawn.channel, name);
	ck_assert_str_eq(name, "");
	end(&here);
}
END_TEST

/* One of them is its own, the other ours. */
START_TEST(one_output)
{
	struct here here;
	struct pm_command command = open_here(&here);
	int files[FILES];

	open_files(files);
	fcntl(STDOUT_FILENO, F_SETFD, 0);
	fcntl(STDERR_FILENO, F_SETFD, 0);
	if (_i < FILES)
		command.output = files[_i];
	else
		command.errors = files[_i - FILES];
	spawn_by(&here, &command);
	assert_same(here.spawn.pid, STDOUT_FILENO, _i < FILES ? files[_i] : STDOUT_FILENO);
	assert_same(here.spawn.pid, STDERR_FILENO, _i < FILES ? STDERR_FILENO : files[_i - FILES]);
	end(&here);
}
END_TEST

/* The command finds closed what is closed with us, or what it was given; and nothing that we write
 * to our 1 or 2 can open its gate. */
START_TEST(without_stdio)
{
	struct here here;
	struct pm_command command = open_here(&here);
	const bool given = _i / 8 == 1;
	char name[64];
	const int file = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if ((_i & 1 << fd) != 0)
			close(fd);
	if (given)
		command.output = command.errors = file;
	spawn_gated_by(&here, &command);
	ck_assert_int_gt(here.spawn.channel, STDERR_FILENO);
	ck_assert_int_eq(pm_spawn_release(&here.spawn), 0);
	ck_assert_int_eq(read_mark(here.marked.read_end), 'm');
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		name_of(here.spawn.pid, fd, name);
		if (given && fd > 0)
			assert_same(here.spawn.pid, fd, file);
		else
			ck_assert_int_eq(name[0] == '\0', (_i & 1 << fd) != 0);
	}
	end(&here);
}
END_TEST

/* ---- its directory ---- */

static int open_folder(void)
{
	make_folder();
	const int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static void assert_directory(pid_t pid, const char *wanted)
{
	char path[64], here[4096];

	snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	const ssize_t length = readlink(path, here, sizeof(here) - 1);
	ck_assert_int_ge(length, 0);
	here[length] = '\0';
	ck_assert_str_eq(here, wanted);
}

START_TEST(directory)
{
	struct here here;
	struct pm_command command = open_here(&here);
	char before[4096], deleted[80];

	ck_assert_ptr_nonnull(getcwd(before, sizeof(before)));
	command.directory = open_folder();
	if (_i == 1) /* it is entered all the same: as by one who was there before */
		rmdir(folder);
	spawn_by(&here, &command);
	snprintf(deleted, sizeof(deleted), "%s%s", folder, _i == 1 ? " (deleted)" : "");
	assert_directory(here.spawn.pid, deleted);
	assert_directory(getpid(), before);
	end(&here);
}
END_TEST

static void assert_not_invoked(const struct pm_command *command, int wanted)
{
	struct pm_spawn spawn;
	int failure = 0;

	ck_assert_int_eq(pm_spawn_gated(&spawn, command, &error), 0);
	ck_assert_int_eq(pm_spawn_release(&spawn), 0);
	ck_assert_int_eq(result_of(&spawn, &failure), PM_SPAWN_FAILED);
	ck_assert_int_eq(failure, wanted);
	ck_assert_int_eq(end_of(spawn.pid), pm_spawn_status(wanted));
	close(spawn.channel);
}

START_TEST(not_prepared)
{
	char *argv[] = {this_program, NULL};
	struct pm_command command = command_of(argv);
	const int file = open(this_program, O_RDONLY | O_CLOEXEC);

	command.directory = file;
	assert_not_invoked(&command, ENOTDIR);
	command.directory = -1;
	close(file);
	command.output = file;
	assert_not_invoked(&command, EBADF);
	command.output = -1;
	command.errors = file;
	assert_not_invoked(&command, EBADF);
}
END_TEST

/* ---- where it is looked for ---- */

static struct pm_environment environment;

static void set_path(struct pm_command *command, const char *path, bool clear)
{
	static char name[] = "PATH", value[64];
	const struct pm_variable set = {name, value};
	const struct pm_environment_changes changes = {
		.clear = clear,
		.set = &set,
		.count = path != NULL,
	};

	snprintf(value, sizeof(value), "%s", path != NULL ? path : "");
	ck_assert_int_eq(pm_environment_make(&environment, &changes, &error), 0);
	command->environment = &environment;
}

/* In the PATH that it gets, seen from the directory that it starts in; not in ours. */
START_TEST(looked_up_in_its_own_path)
{
	static const struct {
		const char *path, *name;
		bool in_folder;
	} ways[] = {
		{folder, "panicmon-test", false},
		{".", "panicmon-test", true},
		{"/nonexistent:", "panicmon-test", true},
		{"", "panicmon-test", true},
		{"/nonexistent", "./panicmon-test", true},
	};
	struct here here;
	struct pm_command command = open_here(&here);
	const int fd = open_folder();

	ck_assert_int_eq(symlinkat(this_program, fd, "panicmon-test"), 0);
	setenv("PATH", "/nonexistent", 1);
	set_path(&command, ways[_i].path, _i % 2 == 0);
	here.marked.argv[0] = strdup(ways[_i].name);
	command.directory = ways[_i].in_folder ? fd : -1;
	spawn_by(&here, &command);
	free(here.marked.argv[0]);
	end(&here);
	pm_environment_free(&environment);
	setenv("PATH", folder, 1);
	char *argv[] = {strdup("panicmon-test"), NULL};
	command = command_of(argv);
	set_path(&command, "/nonexistent", false);
	assert_not_invoked(&command, ENOENT);
	free(argv[0]);
	pm_environment_free(&environment);
}
END_TEST

/* No PATH at all: execvp(3) knows where programs are. */
START_TEST(looked_up_without_a_path)
{
	char *argv[] = {strdup("true"), NULL};
	struct pm_command command = command_of(argv);
	struct pm_spawn spawn;

	setenv("PATH", "/nonexistent", 1);
	set_path(&command, NULL, true);
	ck_assert_int_eq(pm_spawn_gated(&spawn, &command, &error), 0);
	ck_assert_int_eq(pm_spawn_release(&spawn), 0);
	ck_assert_int_eq(end_of(spawn.pid), 0);
	close(spawn.channel);
	free(argv[0]);
	pm_environment_free(&environment);
}
END_TEST

void add_command_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "command", NULL, NULL);

	tcase_add_loop_test(tests, groups, 0, 3);
	tcase_add_loop_test(tests, kill_the_group, 0, 2);
	tcase_add_loop_test(tests, kill_the_command_alone, 0, 2);
	tcase_add_test(tests, kill_before_the_group_is_there);
	tcase_add_test(tests, kill_one_that_is_gone);
	tcase_add_loop_test(tests, outputs, 0, FILES * FILES);
	tcase_add_loop_test(tests, one_output, 0, 2 * FILES);
	tcase_add_loop_test(tests, without_stdio, 0, 2 * 8);
	tcase_add_loop_test(tests, directory, 0, 2);
	tcase_add_test(tests, not_prepared);
	tcase_add_loop_test(tests, looked_up_in_its_own_path, 0, 5);
	tcase_add_test(tests, looked_up_without_a_path);
}
