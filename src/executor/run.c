#include <config.h>

#include "executor/run.h"

#include "executor/jobs.h"
#include "executor/pass.h"
#include "process/oom.h"

static int open_all(struct pm_run *run, const struct pm_run_setup *setup, struct pm_error *error)
{
	for (; run->count < setup->count; run->count++)
		if (pm_executor_open(&run->executors[run->count], run,
				     &setup->options[run->count], error) < 0)
			return -1;
	return 0;
}

int pm_run_open(struct pm_run *run, struct pm_executor *executors,
		const struct pm_run_setup *setup, struct pm_error *error)
{
	*run = (struct pm_run){
		.loop = setup->loop,
		.children = setup->children,
		.terminal = {.fd = -1},
		.executors = executors,
		.guest = setup->guest,
		.classic = {.source = {.fd = -1}},
		.realtime = {.source = {.fd = -1}},
	};
	if (setup->job_control)
		pm_terminal_open(&run->terminal);
	if (pm_pass_open(run, setup, error) == 0)
		return open_all(run, setup, error);
	pm_executor_refuse(&setup->options[0], error->code);
	return -1;
}

void pm_run_start(struct pm_run *run)
{
	run->living = run->count;
	for (size_t i = 0; i < run->count; i++)
		pm_executor_start(&run->executors[i]);
	for (size_t i = 0; i < run->count; i++)
		pm_executor_release(&run->executors[i]);
	pm_pass_start(run);
	for (size_t i = 0; i < run->count; i++)
		pm_executor_settle(&run->executors[i]);
	/* Only now, when it holds nobody up: the commands are still far from using memory. */
	int64_t oom_kills = pm_oom_kills();
	for (size_t i = 0; i < run->count; i++)
		run->executors[i].oom_kills = oom_kills;
}

void pm_run_wait(struct pm_run *run)
{
	while (run->living > 0)
		pm_loop_turn(run->loop);
}

void pm_run_close(struct pm_run *run)
{
	if (run->loop == NULL)
		return;
	pm_pass_close(run);
	pm_jobs_close(run);
	for (size_t i = 0; i < run->count; i++)
		pm_executor_close(&run->executors[i]);
	pm_terminal_close(&run->terminal);
}
