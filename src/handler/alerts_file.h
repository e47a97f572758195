/* handler/alerts_file.h: where incidents are remembered: in the file "alerts" of a folder, and on the
 * page that a handler's hosts share. */
#ifndef PM_HANDLER_ALERTS_FILE_H
#define PM_HANDLER_ALERTS_FILE_H

#include "base/error.h"
#include "handler/alerts.h"

/* 1: *incident is filled in. 0: there is no file, and no incident. -1: there is one, but it cannot be
 * read, or is not what was written. */
int pm_alerts_file_load(int folder, struct pm_incident *incident, struct pm_error *error);

/* In one step: whoever reads sees the one before, or this one. No incident, no file. Not synced: it has
 * to outlive us, not the machine, and one that a power cut damages is found out by its checksum. */
int pm_alerts_file_save(int folder, const struct pm_incident *incident, struct pm_error *error);

/* What people are called for. */
enum pm_alerts_claim {
	PM_ALERTS_CLAIM_FAILURE, /* one that has just happened, and all before it */
	PM_ALERTS_CLAIM_BESIDE, /* one that has just happened, whoever calls for others meanwhile */
	PM_ALERTS_CLAIM_OWED,   /* what nobody calls for */
};

/* Who calls people holds a part of the file "alerts.lock" until it is known what became of it, so that no
 * other process calls for the same. False: another one does, and has for less than void_after_ns; longer, it is
 * taken to be stopped, unless it has made the claim again. *claim: to be closed when that is over, which it is
 * as well when the process ends, but not as a child of it does; -1: it cannot be known, and so one call too
 * many is made rather than none. */
bool pm_alerts_file_claim(int folder, enum pm_alerts_claim what, int64_t void_after_ns, int *claim);
void pm_alerts_file_claim_again(int claim);

/* One of two: a host may be killed as it writes the other. Only of one and the same program. */
struct pm_alerts_copy {
	uint32_t checksum; /* of all that follows */
	uint32_t unsaved;  /* 1: the file could not be written, so this is newer */
	uint64_t generation;
	struct pm_incident incident;
	struct pm_alerts_run run;
};

/* Returns the newest copy that is whole; NULL: there is none. */
const struct pm_alerts_copy *pm_alerts_copy_newest(const struct pm_alerts_copy copies[2]);

/* Writes the next one. */
void pm_alerts_copy_write(struct pm_alerts_copy copies[2], const struct pm_alerts *alerts,
			  bool unsaved);

#endif
