#include <config.h>

#include "handler/alerts_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/pack.h"
#include "journal/crc32c.h"

/* Little-endian, one after the other: magic, version, checksum of the rest; total, owed, alerted; run,
 * seq; length of the record, record. */
enum {
	MAGIC = 0x4c414d50, /* "PMAL" */
	VERSION = 1,
	RUN_LENGTH = sizeof(((struct pm_incident *)NULL)->run) - 1,
	AT_CHECKSUM = 8,
	AT_TOTAL = 12,
	AT_OWED = AT_TOTAL + 8,
	AT_ALERTED = AT_OWED + 8,
	AT_RUN = AT_ALERTED + 8,
	AT_SEQ = AT_RUN + RUN_LENGTH,
	AT_LENGTH = AT_SEQ + 8,
	AT_RECORD = AT_LENGTH + 4,
	SIZE_MAX_OF_FILE = AT_RECORD + PM_ALERTS_RECORD_MAX,
};

static const char name[] = "alerts", new_name[] = "alerts.new", lock_name[] = "alerts.lock";

static size_t pack(const struct pm_incident *incident, uint8_t *to)
{
	size_t size = AT_RECORD + incident->record_length;

	pm_pack_u32(to, MAGIC);
	pm_pack_u32(to + 4, VERSION);
	pm_pack_u64(to + AT_TOTAL, incident->total);
	pm_pack_u64(to + AT_OWED, incident->owed);
	pm_pack_u64(to + AT_ALERTED, (uint64_t)incident->alerted_ns);
	memset(to + AT_RUN, 0, RUN_LENGTH);
	memcpy(to + AT_RUN, incident->run, strnlen(incident->run, RUN_LENGTH));
	pm_pack_u64(to + AT_SEQ, incident->seq);
	pm_pack_u32(to + AT_LENGTH, incident->record_length);
	memcpy(to + AT_RECORD, incident->record, incident->record_length);
	pm_pack_u32(to + AT_CHECKSUM, pm_crc32c(to + AT_TOTAL, size - AT_TOTAL));
	return size;
}

static int unpack(const uint8_t *from, size_t size, struct pm_incident *incident,
		  struct pm_error *error)
{
	*incident = (struct pm_incident){0};
	if (size < AT_RECORD || pm_unpack_u32(from) != MAGIC)
		return pm_error_set(error, 0, "it is not what was written there");
	if (pm_unpack_u32(from + 4) != VERSION)
		return pm_error_set(error, 0, "it is of version %u, wanted %d",
				    pm_unpack_u32(from + 4), VERSION);
	if (pm_unpack_u32(from + AT_CHECKSUM) != pm_crc32c(from + AT_TOTAL, size - AT_TOTAL) ||
	    pm_unpack_u32(from + AT_LENGTH) != size - AT_RECORD)
		return pm_error_set(error, 0, "its checksum is wrong");
	incident->total = pm_unpack_u64(from + AT_TOTAL);
	incident->owed = pm_unpack_u64(from + AT_OWED);
	incident->alerted_ns = (int64_t)pm_unpack_u64(from + AT_ALERTED);
	memcpy(incident->run, from + AT_RUN, RUN_LENGTH);
	incident->seq = pm_unpack_u64(from + AT_SEQ);
	incident->record_length = (uint32_t)(size - AT_RECORD);
	memcpy(incident->record, from + AT_RECORD, incident->record_length);
	return 0;
}

int pm_alerts_file_load(int folder, struct pm_incident *incident, struct pm_error *error)
{
	/* One byte more than there may be. */
	uint8_t bytes[SIZE_MAX_OF_FILE + 1];
	struct stat status;
	/* What is no file must not be waited for. */
	pm_autofd fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &status) < 0)
		return pm_error_set(error, errno, "it cannot be opened");
	if (!S_ISREG(status.st_mode))
		return pm_error_set(error, 0, "it is no regular file");
	ssize_t size = read(fd, bytes, sizeof(bytes));
	if (size < 0)
		return pm_error_set(error, errno, "it cannot be read");
	if ((size_t)size == sizeof(bytes))
		return pm_error_set(error, 0, "it is too long");
	return unpack(bytes, (size_t)size, incident, error) < 0 ? -1 : 1;
}

static int write_new(int folder, const uint8_t *bytes, size_t size, struct pm_error *error)
{
	/* Left by one that was killed, perhaps as another user; or no file at all. */
	unlinkat(folder, new_name, 0);
	pm_autofd fd = openat(folder, new_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t written = fd < 0 ? -1 : write(fd, bytes, size);

	if (written < 0)
		return pm_error_set(error, errno, "cannot write '%s'", new_name);
	if ((size_t)written < size)
		return pm_error_set(error, ENOSPC, "cannot write '%s'", new_name);
	return 0;
}

int pm_alerts_file_save(int folder, const struct pm_incident *incident, struct pm_error *error)
{
	uint8_t bytes[SIZE_MAX_OF_FILE];

	if (incident->total == 0) {
		if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
			return 0;
		return pm_error_set(error, errno, "cannot remove '%s'", name);
	}
	if (write_new(folder, bytes, pack(incident, bytes), error) < 0)
		return -1;
	if (renameat(folder, new_name, folder, name) < 0)
		return pm_error_set(error, errno, "cannot replace '%s'", name);
	return 0;
}

/* The first byte is of the one who calls for all that is owed, the second of those who call for a failure
 * each; who would call for what is owed without one of its own needs both. */
static const struct flock parts[] = {
	[PM_ALERTS_CLAIM_FAILURE] = {.l_type = F_WRLCK, .l_start = 0, .l_len = 1},
	[PM_ALERTS_CLAIM_BESIDE] = {.l_type = F_RDLCK, .l_start = 1, .l_len = 1},
	[PM_ALERTS_CLAIM_OWED] = {.l_type = F_WRLCK, .l_start = 0, .l_len = 2},
};

static int open_lock(int folder)
{
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(folder, lock_name, flags, 0600);

	/* Made as another user. */
	if (fd < 0 && errno == EACCES && unlinkat(folder, lock_name, 0) == 0)
		fd = openat(folder, lock_name, flags, 0600);
	return fd;
}

/* The time of the file is that of the last claim. */
static bool is_older(int fd, int64_t age_ns)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return false;
	int64_t since_ns = (int64_t)status.st_mtim.tv_sec * PM_NS_PER_S + status.st_mtim.tv_nsec;
	return pm_clock_realtime() - since_ns >= age_ns;
}

bool pm_alerts_file_claim(int folder, enum pm_alerts_claim what, int64_t void_after_ns, int *claim)
{
	/* Not flock(2): a child of the plugin, which may live on, would have it as well. */
	struct flock part = parts[what];
	pm_autofd fd = open_lock(folder);

	*claim = -1;
	if (fd < 0)
		return true;
	int code = fcntl(fd, F_SETLK, &part) < 0 ? errno : 0;
	bool held = code == EAGAIN || code == EACCES;
	if (held && !is_older(fd, void_after_ns))
		return false;
	/* Also for one who goes on without: the others are not to do so as well. */
	futimens(fd, NULL);
	if (code == 0)
		*claim = pm_steal_fd(&fd);
	return true;
}

void pm_alerts_file_claim_again(int claim)
{
	futimens(claim, NULL);
}

static uint32_t checksum_of(const struct pm_alerts_copy *copy)
{
	const size_t after = sizeof(copy->checksum);

	return pm_crc32c((const uint8_t *)copy + after, sizeof(*copy) - after);
}

const struct pm_alerts_copy *pm_alerts_copy_newest(const struct pm_alerts_copy copies[2])
{
	const struct pm_alerts_copy *newest = NULL;

	for (int i = 0; i < 2; i++)
		if (copies[i].generation != 0 && copies[i].checksum == checksum_of(&copies[i]) &&
		    copies[i].incident.record_length <= PM_ALERTS_RECORD_MAX &&
		    (newest == NULL || copies[i].generation > newest->generation))
			newest = &copies[i];
	return newest;
}

void pm_alerts_copy_write(struct pm_alerts_copy copies[2], const struct pm_alerts *alerts,
			  bool unsaved)
{
	const struct pm_alerts_copy *newest = pm_alerts_copy_newest(copies);
	struct pm_alerts_copy *copy = &copies[newest == &copies[0]];

	copy->unsaved = unsaved;
	copy->generation = newest != NULL ? newest->generation + 1 : 1;
	copy->incident = alerts->incident;
	copy->run = alerts->run;
	copy->checksum = checksum_of(copy);
}
