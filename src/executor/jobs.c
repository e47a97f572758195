#include <config.h>

#include "executor/jobs.h"

#include <signal.h>

#include "base/clock.h"

static bool takes_our_place(const struct pm_executor *executor)
{
	return executor->run->count == 1 && executor->options->command.group == PM_GROUP_NEW;
}

void pm_jobs_give_terminal(struct pm_executor *executor)
{
	if (takes_our_place(executor) && !executor->run->terminal.shared)
		pm_terminal_give(&executor->run->terminal, executor->spawn.pid);
}

void pm_jobs_take_terminal_back(struct pm_executor *executor)
{
	if (takes_our_place(executor))
		pm_terminal_take_back(&executor->run->terminal, executor->spawn.pid);
}

static bool all_stopped(const struct pm_run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (!run->executors[i].ended && !run->executors[i].stopped)
			return false;
	return true;
}

bool pm_jobs_continue(struct pm_executor *executor)
{
	pm_jobs_give_terminal(executor);
	if (!executor->stopped)
		return false;
	/* Ctrl-Z has stopped all of the group, and the shell's SIGCONT has reached only us. */
	executor->stopped = false;
	pm_spawn_kill(&executor->spawn, true, SIGCONT);
	return true;
}

static void continue_all(struct pm_run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (!run->executors[i].ended)
			pm_jobs_continue(&run->executors[i]);
}

/* It wanted the terminal in the moment when the shell gave that to us, without a SIGCONT: a job that
 * ran in the background is no stopped one. */
static bool may_have_terminal(const struct pm_executor *executor, int signal)
{
	return (signal == SIGTTIN || signal == SIGTTOU) && takes_our_place(executor) &&
	       pm_terminal_is_ours(&executor->run->terminal);
}

/* SIGSTOP may be an operator's who wants to look at the command alone; at the terminal it is a job's,
 * of a program that cleans up at SIGTSTP and then stops itself and its group like that. */
static bool is_job_control(const struct pm_executor *executor, int signal)
{
	const struct pm_terminal *terminal = &executor->run->terminal;

	if (signal == SIGSTOP)
		return pm_terminal_has(terminal, executor->spawn.pid) ||
		       pm_terminal_is_ours(terminal);
	return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* The kernel does not stop us, so the commands must not stay so either: nobody would wake them. */
static void on_later(struct pm_timer *timer)
{
	continue_all(timer->owner);
}

/* An orphaned group of the background gets EIO from its terminal. The command, whose parent we are, is
 * stopped for the same; it tries again, and again is stopped: not too often. */
static void continue_later(struct pm_run *run)
{
	run->later = (struct pm_timer){.due = on_later, .owner = run};
	pm_timer_set(run->loop, &run->later, PM_NS_PER_S);
}

static void stop_with(struct pm_run *run, struct pm_executor *executor, int signal)
{
	bool whole = !run->stop_alone;

	run->stop_alone = false;
	pm_jobs_take_terminal_back(executor);
	/* SIGSTOP would stop us also where nobody can continue us. */
	if (pm_terminal_stop(signal == SIGSTOP ? SIGTSTP : signal, whole))
		return;
	if (signal == SIGSTOP) /* whoever sent it has meant it */
		pm_jobs_give_terminal(executor);
	else if (signal == SIGTSTP)
		continue_all(run);
	else
		continue_later(run);
}

void pm_jobs_stopped(struct pm_executor *executor, int signal)
{
	struct pm_run *run = executor->run;

	executor->stopped = false;
	if (run->terminal.fd < 0 || !executor->released || !is_job_control(executor, signal))
		return;
	executor->stopped = true;
	if (may_have_terminal(executor, signal)) {
		pm_terminal_give(&run->terminal, executor->spawn.pid);
		pm_jobs_continue(executor);
	} else if (all_stopped(run)) {
		stop_with(run, executor, signal);
	}
}

void pm_jobs_note(struct pm_run *run, const struct signalfd_siginfo *signal)
{
	int number = (int)signal->ssi_signo;

	if (number == SIGTSTP || number == SIGTTIN || number == SIGTTOU)
		run->stop_alone = signal->ssi_code != SI_KERNEL;
}

void pm_jobs_close(struct pm_run *run)
{
	pm_timer_clear(run->loop, &run->later);
}
