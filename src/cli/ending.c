#include <config.h>

#include "cli/ending.h"

#include <sys/wait.h>

/* What a shell shows. */
static int status_of(const struct pm_outcome *outcome)
{
	return WIFSIGNALED(outcome->status) ? PM_STATUS_SIGNAL_BASE + WTERMSIG(outcome->status)
					    : WEXITSTATUS(outcome->status);
}

static struct pm_ending ending_of_one(const struct pm_outcome *outcome,
				      const struct pm_config_process *config)
{
	if (!outcome->invoked)
		return (struct pm_ending){.status = outcome->failed_status};

	int status = status_of(outcome);
	bool by_signal = WIFSIGNALED(outcome->status) && !config->end_by_code &&
			 !config->remapped[status];
	return (struct pm_ending){
		.signal = by_signal ? WTERMSIG(outcome->status) : 0,
		.status = config->remap[status],
	};
}

struct pm_ending pm_ending_of(const struct pm_run *run, const struct pm_config_process *config)
{
	struct pm_ending first = {0};
	int64_t first_ns = INT64_MAX;

	for (size_t i = 0; i < run->count; i++) {
		const struct pm_outcome *outcome = &run->executors[i].outcome;
		struct pm_ending ending = ending_of_one(outcome, config);

		if (ending.status != 0 && outcome->ended_ns < first_ns) {
			first = ending;
			first_ns = outcome->ended_ns;
		}
	}
	return first;
}
