#include <config.h>

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "config/value.h"
#include "handler/module.h"

/* dlopen(3) says "No such file or directory" of another machine's object, and a truncated one
 * raises SIGBUS within it: so the headers are read first. */

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#elif defined(__riscv)
#define OUR_MACHINE EM_RISCV
#elif defined(__i386__)
#define OUR_MACHINE EM_386
#elif defined(__arm__)
#define OUR_MACHINE EM_ARM
#elif defined(__powerpc64__)
#define OUR_MACHINE EM_PPC64
#elif defined(__s390x__)
#define OUR_MACHINE EM_S390
#else
#define OUR_MACHINE EM_NONE /* not judged */
#endif

#define OUR_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)

/* The beginning of the file. */
struct head {
	union {
		ElfW(Ehdr) header;
		unsigned char bytes[4096];
	};
};

static int is_damaged(const char *path, uint64_t size, struct pm_error *error)
{
	return pm_error_set(error, 0, "'%s' is truncated or damaged (%llu bytes); install it again",
			    path, (unsigned long long)size);
}

static int check_header(const ElfW(Ehdr) * header, size_t size, const char *path,
			struct pm_error *error)
{
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return pm_error_set(error, 0,
				    "'%s' is not an ELF file; a handler is a shared object: build "
				    "it with cc -shared -fPIC",
				    path);
	if (size < sizeof(*header))
		return is_damaged(path, size, error);
	if (header->e_ident[EI_CLASS] != OUR_CLASS ||
	    (OUR_MACHINE != EM_NONE && header->e_machine != OUR_MACHINE))
		return pm_error_set(error, 0,
				    "'%s' was built for another machine (ELF machine %u, class %u; "
				    "wanted %u, class %u); build it for this one",
				    path, header->e_machine, header->e_ident[EI_CLASS],
				    (unsigned)OUR_MACHINE, (unsigned)OUR_CLASS);
	if (header->e_type != ET_DYN)
		return pm_error_set(error, 0,
				    "'%s' is an ELF file but not a shared object (type %u, wanted "
				    "%u); link it with -shared",
				    path, header->e_type, ET_DYN);
	return 0;
}

static bool within(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

/* All that the headers promise must be in the file. The program headers follow the ELF header at
 * once, in all that linkers write; more of them than we have read is taken as damage. */
static bool is_whole(const struct head *head, size_t head_size, uint64_t size)
{
	const ElfW(Ehdr) *header = &head->header;
	uint64_t segments = (uint64_t)header->e_phnum * sizeof(ElfW(Phdr));

	if (header->e_phentsize != sizeof(ElfW(Phdr)) || header->e_phnum == 0 ||
	    !within(header->e_phoff, segments, head_size) ||
	    !within(header->e_shoff, (uint64_t)header->e_shnum * header->e_shentsize, size))
		return false;
	for (unsigned i = 0; i < header->e_phnum; i++) {
		ElfW(Phdr) segment;

		memcpy(&segment, head->bytes + header->e_phoff + i * sizeof(segment),
		       sizeof(segment));
		if (!within(segment.p_offset, segment.p_filesz, size))
			return false;
	}
	return true;
}

static int check_elf(int fd, uint64_t size, const char *path, struct pm_error *error)
{
	struct head head;

	memset(&head, 0, sizeof(head.header));
	ssize_t got = pread(fd, head.bytes, sizeof(head.bytes), 0);
	if (got < 0)
		return pm_error_set(error, errno, "cannot read '%s'", path);
	if (check_header(&head.header, (size_t)got, path, error) < 0)
		return -1;
	return is_whole(&head, (size_t)got, size) ? 0 : is_damaged(path, size, error);
}

/* In a user namespace all users that are not mapped into it look like the same one, the kernel's
 * overflow user: root's files, and those of whoever else (user_namespaces(7)). */
static bool is_mapped(uid_t user)
{
	/* Most folders on the way are one user's, and a map is written once: it need not be read for each. */
	static uid_t known = (uid_t)-1;
	unsigned first, outside, count;

	if (user == known)
		return true;
	pm_autofile FILE *map = fopen("/proc/self/uid_map", "re");
	if (map == NULL)
		return true;
	while (fscanf(map, "%u %u %u", &first, &outside, &count) == 3) {
		if (user < first || user - first >= count)
			continue;
		known = user;
		return true;
	}
	return false;
}

/* Whoever can write the file, or swap it by writing a folder on its way, runs code as us. In a
 * sticky folder (such as /tmp) only the owner can swap it. */
static int check_owner(const char *path, const struct stat *status, struct pm_error *error)
{
	bool is_sticky_folder = S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX) != 0;

	if (!is_mapped(status->st_uid))
		return pm_error_set(
			error, 0,
			"'%s' belongs to a user who is not mapped in this user namespace (shown as "
			"%u), root or anybody else; map that user, or set trust_path = yes",
			path, status->st_uid);
	if (status->st_uid != 0 && status->st_uid != geteuid())
		return pm_error_set(error, 0,
				    "'%s' belongs to user %u, neither to root nor to user %u who "
				    "runs this; chown it, or set trust_path = yes",
				    path, status->st_uid, geteuid());
	if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0 && !is_sticky_folder)
		return pm_error_set(error, 0,
				    "'%s' can be written by others (mode %04o); chmod go-w it, or "
				    "set trust_path = yes",
				    path, status->st_mode & 07777u);
	return 0;
}

/* A file or folder, and all folders above it. */
static int check_owners_up(char *real, struct pm_error *error)
{
	for (;;) {
		struct stat status;
		const char *here = real[0] == '\0' ? "/" : real;

		if (stat(here, &status) < 0)
			return pm_error_set(error, errno, "cannot look at '%s'", here);
		if (check_owner(here, &status, error) < 0)
			return -1;
		if (real[0] == '\0' || strcmp(real, "/") == 0)
			return 0;
		*strrchr(real, '/') = '\0';
	}
}

/* On the way to the file that is meant, and on that to the name that is given: where that is a link,
 * swapping it does as well. */
static int check_trust(const char *path, struct pm_error *error)
{
	pm_autofree char *file = realpath(path, NULL);
	pm_autofree char *given = strdup(path);
	pm_autofree char *folder = given == NULL ? NULL : realpath(dirname(given), NULL);

	if (file == NULL || folder == NULL)
		return pm_error_set(error, errno, "cannot resolve '%s'", path);
	if (check_owners_up(file, error) < 0)
		return -1;
	return check_owners_up(folder, error);
}

bool pm_module_is_plugin(const char *file)
{
	size_t length = strlen(file);

	return length > 3 && file[0] != '.' && strcmp(file + length - 3, ".so") == 0;
}

/* The name in the folder that is most like this one, or "". */
static void find_nearest(DIR *folder, const char *name, char nearest[NAME_MAX + 1])
{
	struct dirent *entry;

	nearest[0] = '\0';
	while ((entry = readdir(folder)) != NULL) {
		if (!pm_module_is_plugin(entry->d_name))
			continue;
		entry->d_name[strlen(entry->d_name) - strlen(".so")] = '\0';
		const char *both[] = {nearest, entry->d_name};
		if (pm_value_nearest(name, both, 2, sizeof(both[0])) == entry->d_name)
			memcpy(nearest, entry->d_name, strlen(entry->d_name) + 1);
	}
}

static int is_missing(const char *path, struct pm_error *error)
{
	char nearest[NAME_MAX + 1] = "";
	pm_autofree char *given = strdup(path), *file = strdup(path);
	DIR *folder = given == NULL ? NULL : opendir(dirname(given));

	if (folder != NULL && file != NULL) {
		char *name = basename(file);

		if (pm_module_is_plugin(name))
			name[strlen(name) - strlen(".so")] = '\0';
		find_nearest(folder, name, nearest);
	}
	if (folder != NULL)
		closedir(folder);
	if (nearest[0] != '\0')
		return pm_error_set(error, 0, "there is no '%s'; did you mean '%s'?", path,
				    nearest);
	return pm_error_set(error, 0,
			    "there is no '%s'; check `plugin` and `handler_dir`, or install the "
			    "handler",
			    path);
}

int pm_module_check(const char *path, bool trust_path, struct pm_error *error)
{
	struct stat status;
	/* Without O_NONBLOCK, a FIFO would hold us. */
	pm_autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && errno == ENOENT)
		return is_missing(path, error);
	if (fd < 0 || fstat(fd, &status) < 0)
		return pm_error_set(error, errno, "cannot open '%s'", path);
	if (!S_ISREG(status.st_mode))
		return pm_error_set(error, 0, "'%s' is not a regular file; name the handler's .so",
				    path);
	if (check_elf(fd, (uint64_t)status.st_size, path, error) < 0)
		return -1;
	return trust_path ? 0 : check_trust(path, error);
}
