/* The handler room: the file of a plugin, judged before any of it runs. */
#include <config.h>

#include "test_handler.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "handler/module.h"

static struct pm_error error;

/* ---- the subject: a copy of the C library, the one shared object that is always there ---- */

static const char *libc_path(void)
{
	Dl_info info;

	ck_assert_int_ne(dladdr(dlsym(RTLD_DEFAULT, "gnu_get_libc_version"), &info), 0);
	return info.dli_fname;
}

static off_t copy_libc(const char *to)
{
	pm_autofd from_fd = open(libc_path(), O_RDONLY | O_CLOEXEC);
	pm_autofd to_fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	char bytes[64 * 1024];
	off_t size = 0;
	ssize_t got;

	ck_assert_int_ge(from_fd, 0);
	ck_assert_int_ge(to_fd, 0);
	while ((got = read(from_fd, bytes, sizeof(bytes))) > 0) {
		ck_assert_int_eq(write(to_fd, bytes, (size_t)got), got);
		size += got;
	}
	ck_assert_int_eq(fchmod(to_fd, 0755), 0); /* whatever the umask */
	return size;
}

static void put(const char *path, off_t at, const void *bytes, size_t size)
{
	pm_autofd fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, bytes, size, at), (ssize_t)size);
}

static void assert_accepted(const char *path)
{
	ck_assert_msg(pm_module_check(path, false, &error) == 0, "%s", error.text);
}

/* The complaint names the path, and says what is wrong. */
static void assert_refused(const char *path, const char *part)
{
	error = (struct pm_error){.text = ""};
	ck_assert_msg(pm_module_check(path, false, &error) == -1, "'%s' was accepted", path);
	ck_assert_msg(strstr(error.text, path) != NULL, "'%s' is not in: %s", path, error.text);
	ck_assert_msg(strstr(error.text, part) != NULL, "'%s' is not in: %s", part, error.text);
}

START_TEST(good_module)
{
	copy_libc("good.so");
	assert_accepted("good.so");
	ck_assert_int_eq(pm_module_check("good.so", true, &error), 0);
	ck_assert_int_eq(chmod("good.so", 0444), 0);
	assert_accepted("good.so");
	ck_assert_int_eq(symlink("good.so", "link.so"), 0);
	assert_accepted("link.so");
	assert_accepted(libc_path());
}
END_TEST

/* ---- no module at all ---- */

START_TEST(missing)
{
	assert_refused("missing.so", "there is no");
	assert_refused("missing/x.so", "there is no");
	ck_assert_int_eq(symlink("nowhere", "dangling.so"), 0);
	assert_refused("dangling.so", "there is no");
	assert_refused("/proc/self/status/x.so", strerror(ENOTDIR));
}
END_TEST

START_TEST(fifo_does_not_hold_us)
{
	ck_assert_int_eq(mkfifo("fifo.so", 0644), 0);
	assert_refused("fifo.so", "not a regular file");
}
END_TEST

START_TEST(not_regular)
{
	assert_refused(folder, "not a regular file");
	assert_refused("/dev/null", "not a regular file");
}
END_TEST

START_TEST(not_elf)
{
	put("empty.so", 0, "", 0);
	assert_refused("empty.so", "not an ELF file");
	put("text.so", 0, "#!/bin/sh\nexit 0\n", 17);
	assert_refused("text.so", "not an ELF file");
	put("three.so", 0, ELFMAG, 3);
	assert_refused("three.so", "not an ELF file");
}
END_TEST

START_TEST(other_machine)
{
	const uint16_t machines[] = {EM_AARCH64, EM_X86_64, EM_ARM, EM_386, EM_RISCV};
	ElfW(Ehdr) header;
	int others = 0;

	copy_libc("x.so");
	pm_autofd fd = open("x.so", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(pread(fd, &header, sizeof(header), 0), (ssize_t)sizeof(header));
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		if (machines[i] == header.e_machine)
			continue;
		put("x.so", offsetof(ElfW(Ehdr), e_machine), &machines[i], sizeof(machines[i]));
		assert_refused("x.so", "another machine");
		others++;
	}
	ck_assert_int_ge(others, 4);
	put("x.so", offsetof(ElfW(Ehdr), e_machine), &header.e_machine, sizeof(header.e_machine));
	assert_accepted("x.so");
	const unsigned char other_class =
		header.e_ident[EI_CLASS] == ELFCLASS64 ? ELFCLASS32 : ELFCLASS64;
	put("x.so", EI_CLASS, &other_class, 1);
	assert_refused("x.so", "another machine");
}
END_TEST

START_TEST(not_a_shared_object)
{
	static const uint16_t types[] = {ET_NONE, ET_REL, ET_EXEC, ET_CORE};

	copy_libc("x.so");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		put("x.so", offsetof(ElfW(Ehdr), e_type), &types[i], sizeof(types[i]));
		assert_refused("x.so", "not a shared object");
	}
}
END_TEST

/* ---- damage ---- */

static void assert_cut(off_t size)
{
	ck_assert_int_eq(truncate("x.so", size), 0);
	error = (struct pm_error){.text = ""};
	ck_assert_msg(pm_module_check("x.so", false, &error) == -1, "cut at %lld: accepted",
		      (long long)size);
	ck_assert_ptr_nonnull(strstr(error.text, "x.so"));
	/* With its header, it is known for what it is. */
	if (size >= (off_t)sizeof(ElfW(Ehdr)))
		ck_assert_msg(strstr(error.text, "truncated") != NULL, "cut at %lld: %s",
			      (long long)size, error.text);
}

START_TEST(truncated)
{
	const off_t size = copy_libc("x.so");

	for (off_t cut = size - 1; cut > size - 5000; cut -= 7)
		assert_cut(cut);
	for (off_t cut = size - 5000; cut > 5000; cut -= 4099)
		assert_cut(cut);
	for (off_t cut = 5000; cut >= 0; cut--)
		assert_cut(cut);
}
END_TEST

/* Without a table of sections, which stands at a file's end, its segments tell. */
START_TEST(truncated_and_stripped)
{
	const ElfW(Off) no_offset = 0;
	const ElfW(Half) none = 0;
	const off_t size = copy_libc("x.so");

	put("x.so", offsetof(ElfW(Ehdr), e_shoff), &no_offset, sizeof(no_offset));
	put("x.so", offsetof(ElfW(Ehdr), e_shnum), &none, sizeof(none));
	assert_accepted("x.so");
	for (off_t cut = size / 2; cut > 0; cut -= size / 50)
		assert_cut(cut);
}
END_TEST

/* Headers that promise anything: whatever is said, nothing beyond the file is read. */
START_TEST(damaged_headers)
{
	uint32_t random = 4711;
	unsigned char whole[1024], bytes[1024];

	copy_libc("x.so");
	pm_autofd fd = open("x.so", O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(pread(fd, whole, sizeof(whole), 0), (ssize_t)sizeof(whole));
	for (int round = 0; round < 5000; round++) {
		memcpy(bytes, whole, sizeof(bytes));
		for (int i = 0; i < 4; i++) {
			random = random * 1664525u + 1013904223u;
			/* The magic, class, type and machine have tests of their own. */
			const size_t at = 20 + (random >> 8) % (i % 2 == 0 ? 44 : 700);
			bytes[at] = (unsigned char)(random >> 20);
		}
		ck_assert_int_eq(pwrite(fd, bytes, sizeof(bytes), 0), (ssize_t)sizeof(bytes));
		pm_module_check("x.so", true, &error);
	}
}
END_TEST

static void assert_field_matters(size_t at, const void *value, size_t size)
{
	copy_libc("x.so");
	put("x.so", (off_t)at, value, size);
	assert_refused("x.so", "truncated");
}

START_TEST(headers_beyond_the_file)
{
	const ElfW(Off) far = 1 << 30, wrap = (ElfW(Off)) - 8;
	const ElfW(Half) none = 0, many = 65535;

	assert_field_matters(offsetof(ElfW(Ehdr), e_phoff), &far, sizeof(far));
	assert_field_matters(offsetof(ElfW(Ehdr), e_phoff), &wrap, sizeof(wrap));
	assert_field_matters(offsetof(ElfW(Ehdr), e_shoff), &far, sizeof(far));
	assert_field_matters(offsetof(ElfW(Ehdr), e_shoff), &wrap, sizeof(wrap));
	assert_field_matters(offsetof(ElfW(Ehdr), e_phnum), &none, sizeof(none));
	assert_field_matters(offsetof(ElfW(Ehdr), e_phnum), &many, sizeof(many));
	assert_field_matters(offsetof(ElfW(Ehdr), e_shnum), &many, sizeof(many));
	assert_field_matters(offsetof(ElfW(Ehdr), e_phentsize), &many, sizeof(many));
	assert_field_matters(offsetof(ElfW(Ehdr), e_phentsize), &none, sizeof(none));
}
END_TEST

/* ---- trust ---- */

START_TEST(file_that_others_can_write)
{
	static const mode_t modes[] = {0775, 0757, 0777, 0664, 0646};

	copy_libc("x.so");
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		ck_assert_int_eq(chmod("x.so", modes[i]), 0);
		assert_refused("x.so", "written by others");
		ck_assert_ptr_nonnull(strstr(error.text, "trust_path"));
		ck_assert_int_eq(pm_module_check("x.so", true, &error), 0);
	}
	ck_assert_int_eq(chmod("x.so", 0755), 0);
	assert_accepted("x.so");
}
END_TEST

/* The nearest folder, and one further up. */
START_TEST(folder_that_others_can_write)
{
	static const char *const folders[] = {"a/b", "a"};
	static const mode_t modes[] = {0775, 0757, 0777};
	char full[256];

	ck_assert_int_eq(mkdir("a", 0755) | mkdir("a/b", 0755), 0);
	ck_assert_int_eq(chmod("a", 0755) | chmod("a/b", 0755), 0);
	copy_libc("a/b/x.so");
	assert_accepted("a/b/x.so");
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		for (size_t j = 0; j < sizeof(modes) / sizeof(modes[0]); j++) {
			ck_assert_int_eq(chmod(folders[i], modes[j]), 0);
			snprintf(full, sizeof(full), "%s/%s'", folder, folders[i]);
			ck_assert_int_eq(pm_module_check("a/b/x.so", false, &error), -1);
			ck_assert_msg(strstr(error.text, full) != NULL, "%s", error.text);
			ck_assert_int_eq(pm_module_check("a/b/x.so", true, &error), 0);
		}
		/* In a sticky one, nobody else can swap the file. */
		ck_assert_int_eq(chmod(folders[i], 01777), 0);
		assert_accepted("a/b/x.so");
		ck_assert_int_eq(chmod(folders[i], 0755), 0);
	}
}
END_TEST

/* Sticky means nothing on a file. */
START_TEST(sticky_file)
{
	copy_libc("x.so");
	ck_assert_int_eq(chmod("x.so", 01777), 0);
	assert_refused("x.so", "written by others");
}
END_TEST

START_TEST(link_into_a_folder_that_others_can_write)
{
	ck_assert_int_eq(mkdir("open", 0755) | chmod("open", 0777), 0);
	copy_libc("open/x.so");
	ck_assert_int_eq(symlink("open/x.so", "link.so"), 0);
	ck_assert_int_eq(pm_module_check("link.so", false, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.text, "/open'"));
}
END_TEST

/* Whoever can write the folder of the link can swap it, between this look and dlopen(3) too. */
START_TEST(link_in_a_folder_that_others_can_write)
{
	ck_assert_int_eq(mkdir("closed", 0755) | chmod("closed", 0755), 0);
	ck_assert_int_eq(mkdir("open", 0755) | chmod("open", 0777), 0);
	copy_libc("closed/x.so");
	ck_assert_int_eq(symlink("../closed/x.so", "open/link.so"), 0);
	ck_assert_int_eq(pm_module_check("open/link.so", false, &error), -1);
}
END_TEST

START_TEST(file_of_somebody_else)
{
	if (geteuid() != 0)
		return; /* only root can give a file away */
	copy_libc("x.so");
	ck_assert_int_eq(chown("x.so", 54321, 54321), 0);
	assert_refused("x.so", "54321");
	ck_assert_int_eq(pm_module_check("x.so", true, &error), 0);
	ck_assert_int_eq(chown("x.so", 0, 54321), 0);
	assert_accepted("x.so");
	ck_assert_int_eq(chown(folder, 54321, 0), 0);
	ck_assert_int_eq(pm_module_check("x.so", false, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.text, "54321"));
}
END_TEST

/* Not even our own is told from those of others, where nobody is mapped. */
START_TEST(file_of_who_knows_whom)
{
	copy_libc("x.so");
	if (unshare(CLONE_NEWUSER) < 0)
		return; /* not everybody may, everywhere */
	assert_refused("x.so", "not mapped in this user namespace");
	ck_assert_int_eq(pm_module_check("x.so", true, &error), 0);
}
END_TEST

/* ---- loaded: what is no handler ---- */

START_TEST(load_of_no_handler)
{
	struct pm_module module;

	ck_assert_int_eq(pm_module_load(&module, libc_path(), &error), -1);
	ck_assert_ptr_nonnull(strstr(error.text, libc_path()));
	ck_assert_ptr_nonnull(strstr(error.text, PANICMON_HANDLER_SYMBOL));
	ck_assert_int_eq(pm_module_load(&module, "/nonexistent/x.so", &error), -1);
	ck_assert_ptr_nonnull(strstr(error.text, "/nonexistent/x.so"));
}
END_TEST

void add_module_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "module", enter_folder, NULL);

	tcase_add_test(tests, good_module);
	tcase_add_test(tests, missing);
	tcase_add_test(tests, fifo_does_not_hold_us);
	tcase_add_test(tests, not_regular);
	tcase_add_test(tests, not_elf);
	tcase_add_test(tests, other_machine);
	tcase_add_test(tests, not_a_shared_object);
	tcase_add_test(tests, truncated);
	tcase_add_test(tests, truncated_and_stripped);
	tcase_add_test(tests, damaged_headers);
	tcase_add_test(tests, headers_beyond_the_file);
	tcase_add_test(tests, file_that_others_can_write);
	tcase_add_test(tests, folder_that_others_can_write);
	tcase_add_test(tests, sticky_file);
	tcase_add_test(tests, link_into_a_folder_that_others_can_write);
	tcase_add_test(tests, link_in_a_folder_that_others_can_write);
	tcase_add_test(tests, file_of_somebody_else);
	tcase_add_test(tests, file_of_who_knows_whom);
	tcase_add_test(tests, load_of_no_handler);
}
