/* The config room: which files it reads, and `include`. */
#include <config.h>

#include "test_config.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

START_TEST(missing_file)
{
	ck_assert_uint_eq(load_with("sub/none.ini", NULL, 0), 1);
	ck_assert_str_eq(said, "sub/none.ini: cannot be opened: No such file or directory; check the path "
			       "and the permissions\n");
}
END_TEST

START_TEST(unreadable_file)
{
	write_text("a.ini", "[handler:a]\n");
	ck_assert_int_eq(chmod("a.ini", 0), 0);
	if (access("a.ini", R_OK) == 0 && seteuid(65534) != 0)
		return; /* root in a user namespace: nothing is unreadable */
	/* The folder is root's own, 0700: its search is what fails then, with the same errno. */
	ck_assert_uint_eq(load_with("a.ini", NULL, 0), 1);
	ck_assert_int_eq(seteuid(getuid()), 0);
	ck_assert_str_eq(said, "a.ini: cannot be opened: Permission denied; check the path and the "
			       "permissions\n");
}
END_TEST

START_TEST(no_regular_file)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(mkdir("dir", 0700), 0);
	load_with("dir", NULL, 0);
	ck_assert_str_eq(said, "dir: is a directory; name a regular file\n");
	/* Would hang without O_NONBLOCK, until Check's own deadline. */
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	load_with("fifo", NULL, 0);
	ck_assert_str_eq(said, "fifo: is a FIFO; name a regular file\n");
	load_with("/dev/zero", NULL, 0);
	ck_assert_str_eq(said, "/dev/zero: is a device; name a regular file\n");
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	load_with("socket", NULL, 0);
	ck_assert_str_eq(said, "socket: is a socket; name a regular file\n");
}
END_TEST

START_TEST(huge_file)
{
	write_text("a.ini", "");
	ck_assert_int_eq(truncate("a.ini", (16 << 20) + 1), 0);
	load_with("a.ini", NULL, 0);
	ck_assert_str_eq(said, "a.ini: is larger than 16 MiB; name a config file\n");
}
END_TEST

START_TEST(included_files_in_order)
{
	ck_assert_int_eq(mkdir("etc", 0700), 0);
	ck_assert_int_eq(mkdir("etc/conf.d", 0700), 0);
	write_text("etc/a.ini", "[panicmon]\nname = x\ninclude = conf.d/*.ini\n[handler:last]\n");
	write_text("etc/conf.d/20.ini", "[handler:c]\nx = y\n");
	write_text("etc/conf.d/10.ini", "[handler:b]\n");
	write_text("etc/conf.d/B.ini", "[handler:d]\n");
	write_text("etc/conf.d/a.ini", "[panicmon]\ndrain_timeout = 1s\ninclude = more/one.conf\n");
	write_text("etc/conf.d/no.txt", "rubbish\n");
	ck_assert_int_eq(mkdir("etc/conf.d/more", 0700), 0);
	write_text("etc/conf.d/more/one.conf", "[handler:e]\n");
	ck_assert_msg(load_with("etc/a.ini", NULL, 0) == 0, "%s", said);
	ck_assert_uint_eq(config.handler_count, 5);
	for (size_t i = 0; i < 5; i++)
		ck_assert_str_eq(config.handlers[i].name,
				 ((const char *const[]){"last", "b", "c", "d", "e"})[i]);
	ck_assert_str_eq(option("c", "x")->where, "etc/conf.d/20.ini:2");
	ck_assert_str_eq(handler("e")->where, "etc/conf.d/more/one.conf:1");
	ck_assert_int_eq(config.drain_timeout_ms, 1000);
}
END_TEST

START_TEST(include_by_absolute_path)
{
	char text[200];

	write_text("b.ini", "[handler:b]\n");
	snprintf(text, sizeof(text), "[panicmon]\ninclude = %s/b.*\n", folder);
	ck_assert_int_eq(mkdir("sub", 0700), 0);
	write_text("sub/a.ini", text);
	ck_assert_msg(load_with("sub/a.ini", NULL, 0) == 0, "%s", said);
	ck_assert_str_eq(config.handlers[0].name, "b");
}
END_TEST

/* The folder's own name is no part of the pattern. */
START_TEST(folder_with_pattern_letters)
{
	ck_assert_int_eq(mkdir("x[1]*\\?", 0700), 0);
	write_text("x[1]*\\?/a.ini", "[panicmon]\ninclude = b*.ini\n");
	write_text("x[1]*\\?/b1.ini", "[handler:b]\n");
	ck_assert_msg(load_with("x[1]*\\?/a.ini", NULL, 0) == 0, "%s", said);
	ck_assert_uint_eq(config.handler_count, 1);
}
END_TEST

START_TEST(nothing_to_include)
{
	ck_assert_str_eq(complaints("[panicmon]\ninclude = conf.d/*.ini\n[handler:a]\n"), "");
	ck_assert_str_eq(complaints("[panicmon]\ninclude = none-[ab]?.ini\n"), "");
	ck_assert_str_eq(complaints("[panicmon]\ninclude = conf.d/b.ini\n"),
			 "a.ini:2: [panicmon] include: 'conf.d/b.ini' cannot be opened: No such file or "
			 "directory; check the path and the permissions\n");
	ck_assert_int_eq(mkdir("d.ini", 0700), 0);
	ck_assert_str_eq(complaints("[panicmon]\ninclude = d*.ini\n"),
			 "a.ini:2: [panicmon] include: 'd.ini' is a directory; name a regular file\n");
	ck_assert_int_eq(symlink("loop", "loop"), 0);
	ck_assert_str_eq(complaints("[panicmon]\ninclude = loop/*.ini\n"),
			 "a.ini:2: [panicmon] include: 'loop/*.ini' its files cannot be listed: Too many "
			 "levels of symbolic links; check the path and the permissions\n");
}
END_TEST

START_TEST(mistakes_over_files)
{
	write_text("b.ini", "[panicmon]\nname = y\n[handler:a]\nz = 1\n[handler:c]\nz\n");
	ck_assert_str_eq(complaints("[panicmon]\nname = x\ninclude = b.ini\n[handler:a]\n"),
			 "b.ini:2: [panicmon] 'name' stands twice, first at a.ini:2; remove one\n"
			 "b.ini:3: [handler:a] this section stands twice, first at a.ini:4; remove one\n"
			 "b.ini:6: [handler:c] no '=' in this line; write KEY = VALUE, or ';' before a "
			 "comment\n");
	ck_assert_str_eq(complaints("[panicmon]\ninclude = c*.ini\ninclude = d*.ini\n"),
			 "a.ini:3: [panicmon] 'include' stands twice, first at a.ini:2; remove one\n");
}
END_TEST

START_TEST(include_of_itself)
{
	ck_assert_str_eq(complaints("[panicmon]\ninclude = *.ini\n"),
			 "a.ini:2: [panicmon] include: 'a.ini' is read already; name other files, in a "
			 "folder of their own\n");
	ck_assert_int_eq(symlink("a.ini", "link"), 0);
	ck_assert_str_eq(complaints("[panicmon]\ninclude = link\n"),
			 "a.ini:2: [panicmon] include: 'link' is read already; name other files, in a "
			 "folder of their own\n");
}
END_TEST

START_TEST(include_too_deep)
{
	for (int i = 0; i < 10; i++) {
		char path[16], text[64];

		snprintf(path, sizeof(path), "%d.ini", i);
		snprintf(text, sizeof(text), "[handler:h%d]\n[panicmon]\ninclude = %d.ini\n", i, i + 1);
		write_text(path, text);
	}
	ck_assert_uint_eq(load_with("0.ini", NULL, 0), 1);
	ck_assert_str_eq(said, "8.ini:3: [panicmon] include: this is the 9th file within a file; include "
			       "from fewer levels\n");
	ck_assert_uint_eq(config.handler_count, 9);
}
END_TEST

void add_file_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "files");

	tcase_add_test(tests, missing_file);
	tcase_add_test(tests, unreadable_file);
	tcase_add_test(tests, no_regular_file);
	tcase_add_test(tests, huge_file);
	tcase_add_test(tests, included_files_in_order);
	tcase_add_test(tests, include_by_absolute_path);
	tcase_add_test(tests, folder_with_pattern_letters);
	tcase_add_test(tests, nothing_to_include);
	tcase_add_test(tests, mistakes_over_files);
	tcase_add_test(tests, include_of_itself);
	tcase_add_test(tests, include_too_deep);
}
