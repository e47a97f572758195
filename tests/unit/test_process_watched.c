#include <config.h>

#include "test_process_watched.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct pm_loop loop;
struct pm_children children;
struct watched_child watched[CHILDREN];
int ended_count;

void open_children(void)
{
	pm_sigset_block(~UINT64_C(0), NULL);
	ck_assert_int_eq(pm_loop_open(&loop, &error), 0);
	ck_assert_int_eq(pm_children_open(&children, &loop, &error), 0);
}

void close_children(void)
{
	pm_children_close(&children);
	pm_loop_close(&loop);
}

static void on_ended(struct pm_child *child, int status, const struct rusage *usage)
{
	struct watched_child *here = child->owner;

	here->ended++;
	here->status = status;
	here->lost = child->lost;
	here->max_rss = usage->ru_maxrss;
	ended_count++;
	if (here->then != NULL)
		here->then(here);
}

static void on_stopped(struct pm_child *child, int signal)
{
	struct watched_child *here = child->owner;

	if (signal == 0) {
		here->continued++;
		return;
	}
	here->stopped++;
	here->signal = signal;
}

void prepare(int i, pid_t pid)
{
	watched[i].child = (struct pm_child){
		.pid = pid,
		.ended = on_ended,
		.stopped = on_stopped,
		.owner = &watched[i],
	};
}

void watch(int i, pid_t pid)
{
	prepare(i, pid);
	ck_assert_int_eq(pm_children_add(&children, &watched[i].child, &error), 0);
}

void start_again(struct watched_child *here)
{
	if (here->ended < 3)
		watch((int)(here - watched), fork_exiting(here->ended));
}

void watch_all_end(void)
{
	for (int i = 0; i < CHILDREN; i++)
		watch(i, fork_exiting(10 + i));
	for (int i = 0; i < CHILDREN; i++)
		wait_for_zombie(watched[i].child.pid);
	pm_loop_turn(&loop);
	ck_assert_int_eq(ended_count, CHILDREN);
	for (int i = 0; i < CHILDREN; i++) {
		ck_assert_int_eq(watched[i].ended, 1);
		ck_assert(WIFEXITED(watched[i].status));
		ck_assert_int_eq(WEXITSTATUS(watched[i].status), 10 + i);
		ck_assert_int_eq(watched[i].stopped, 0);
		ck_assert_int_gt(watched[i].max_rss, 0);
	}
}

void watch_each_end(void)
{
	static const int order[CHILDREN] = {2, 0, 4, 3, 1};

	for (int i = 0; i < CHILDREN; i++)
		watch(i, fork_staying());
	for (int i = 0; i < CHILDREN; i++) {
		kill(watched[order[i]].child.pid, SIGKILL);
		while (ended_count == i)
			pm_loop_turn(&loop);
		ck_assert_int_eq(ended_count, i + 1);
		ck_assert_int_eq(watched[order[i]].ended, 1);
		ck_assert(WIFSIGNALED(watched[order[i]].status));
		ck_assert_int_eq(WTERMSIG(watched[order[i]].status), SIGKILL);
	}
}

void assert_no_children(void)
{
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
	ck_assert_ptr_null(children.first);
}
