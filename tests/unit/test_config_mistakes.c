/* The config room: what it says of each mistake, with file, line, key and remedy. */
#include <config.h>

#include "test_config.h"

#include <string.h>

static const struct {
	const char *text, *says;
} mistakes[] = {
	/* lines */
	{"[panicmon]\nname api\n",
	 "a.ini:2: [panicmon] no '=' in this line; write KEY = VALUE, or ';' before a comment\n"},
	{"[handler:log]\nurl: https://x\n", "a.ini:2: [handler:log] ':' after the key; write KEY = VALUE\n"},
	{"[handler:log]\na:b = c\n", "a.ini:2: [handler:log] ':' after the key; write KEY = VALUE\n"},
	{"[panicmon]\n= x\n", "a.ini:2: [panicmon] no key before '='; write KEY = VALUE\n"},
	{"[panicmon]\n\n  start timeout = 2s\n",
	 "a.ini:3: [panicmon] not a key before '=': it is made of letters, digits, '_', '-' and '.'; "
	 "write KEY = VALUE\n"},
	{"name = x\n[panicmon]\n",
	 "a.ini:1: a key before any section; write [panicmon], [process] or [handler:NAME] above it\n"},
	{"[panicmon]\rname = x\r",
	 "a.ini:1: a carriage return within the line; end lines with LF or CR LF\n"},
	{"[handler:a]\nx = 1\n y = 2\n  continued\n",
	 "a.ini:4: [handler:a] no '=' in this line; write KEY = VALUE, or ';' before a comment\n"},
	/* sections */
	{"[panicmon\nname = x\n", "a.ini:1: no ']' after '['; write a section as [NAME]\n"},
	{"[panicmon] ; mine\n",
	 "a.ini:1: text after ']'; write it, comments too, on a line of its own\n"},
	{"[handler:a]b]\n", "a.ini:1: text after ']'; write it, comments too, on a line of its own\n"},
	{"[]\n", "a.ini:1: a section without a name; write it as [NAME]\n"},
	{"[handler:a]\n[handler:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab]\nx = y\n",
	 "a.ini:2: the section's name is longer than 49 bytes; use a shorter one\n"},
	{"[panicmonn]\nwhatever = 1\n", "a.ini:1: [panicmonn] unknown section; did you mean 'panicmon'?\n"},
	{"[ panicmon ]\n", "a.ini:1: [ panicmon ] unknown section; did you mean 'panicmon'?\n"},
	{"[handlr:log]\n", "a.ini:1: [handlr:log] unknown section; did you mean 'handler:log'?\n"},
	{"[handler]\n", "a.ini:1: [handler] unknown section; did you mean 'handler:NAME'?\n"},
	{"[statsd]\n",
	 "a.ini:1: [statsd] unknown section; of a handler write [handler:statsd]; the sections are "
	 "[panicmon], [process], [handler:NAME]\n"},
	{"[handler:]\n", "a.ini:1: [handler:] not a handler's name; write [handler:NAME] with a NAME of at "
			 "most 41 letters, digits, '_' and '-'\n"},
	{"[handler:a b]\n", "a.ini:1: [handler:a b] not a handler's name; write [handler:NAME] with a NAME "
			    "of at most 41 letters, digits, '_' and '-'\n"},
	{"[handler:../x]\n", "a.ini:1: [handler:../x] not a handler's name; write [handler:NAME] with a "
			     "NAME of at most 41 letters, digits, '_' and '-'\n"},
	{"[\x1b[31mred]\n",
	 "a.ini:1: [?[31mred] unknown section; the sections are [panicmon], [process], [handler:NAME]\n"},
	{"[handler:a]\nx = 1\n[panicmon]\n[handler:a]\n",
	 "a.ini:4: [handler:a] this section stands twice, first at a.ini:1; remove one\n"},
	{"[panicmon]\nname = a\n[panicmon]\n",
	 "a.ini:3: [panicmon] this section stands twice, first at a.ini:1; remove one\n"},
	/* keys */
	{"[panicmon]\nnmae = api\n", "a.ini:2: [panicmon] unknown key 'nmae'; did you mean 'name'?\n"},
	{"[panicmon]\ndrain_time = 3s\n",
	 "a.ini:2: [panicmon] unknown key 'drain_time'; did you mean 'drain_timeout'?\n"},
	{"[panicmon]\nlog = x\n", "a.ini:2: [panicmon] unknown key 'log'; its keys are name, handler_dir, "
				  "start_timeout, drain_timeout, redact, state_dir, include\n"},
	{"[handler:a]\nretry.max = s3cret\n",
	 "a.ini:2: [handler:a] unknown key 'retry.max'; an option of a plugin has no '.', and panicmon's "
	 "own keys are plugin, required, trust_path, timeout, user, memory_max, nofile, "
	 "events, when, alert_window, stable_after\n"},
	{"[panicmon]\nname = a\nname = b\n",
	 "a.ini:3: [panicmon] 'name' stands twice, first at a.ini:2; remove one\n"},
	{"[handler:a]\ntoken = s3cret\ntoken = s3cret\n",
	 "a.ini:3: [handler:a] 'token' stands twice, first at a.ini:2; remove one\n"},
	{"[panicmon]\nname =\n",
	 "a.ini:2: [panicmon] name: no value; write one, or leave the key out\n"},
	{"[panicmon]\ninclude =\n",
	 "a.ini:2: [panicmon] include: no value; write a file or a pattern such as conf.d/*.ini\n"},
	{"[panicmon]\nstart_timeout = 5x\n",
	 "a.ini:2: [panicmon] start_timeout: '5x' is not a duration: write a number and ms, s, m or h, "
	 "such as 500ms or 2s\n"},
	{"[handler:a]\ntimeout = 0\n",
	 "a.ini:2: [handler:a] timeout: '0' is too short: write 1ms or more\n"},
	{"[handler:a]\nrequired = maybe\n",
	 "a.ini:2: [handler:a] required: 'maybe' is neither yes nor no: write yes or no\n"},
	{"[handler:a]\nevents = process.exitd\n",
	 "a.ini:2: [handler:a] events: 'process.exitd' is no event; did you mean 'process.exited'?\n"},
	{"[handler:a]\nevents = !signal.pased\n",
	 "a.ini:2: [handler:a] events: '!signal.pased' is no event; did you mean '!signal.passed'?\n"},
	{"[handler:a]\nevents = process.*, sig*.gone\n",
	 "a.ini:2: [handler:a] events: 'sig*.gone' matches no event; the events are process.started, "
	 "process.failed, process.exited, signal.received, signal.passed, signal.failed, handler.lost, "
	 "process.recovered\n"},
	{"[handler:a]\nevents = ,\n",
	 "a.ini:2: [handler:a] events: no value; write one, or leave the key out\n"},
	{"[handler:a]\nevents = !*\n",
	 "a.ini:2: [handler:a] events: no event is left; remove the '!' that takes the last, or the "
	 "section\n"},
	{"[handler:a]\nevents = process.*, signal.failed, !*.failed, !process.*\n",
	 "a.ini:2: [handler:a] events: no event is left; remove the '!' that takes the last, or the "
	 "section\n"},
	{"[handler:a]\nwhen = failure\nevents = process.started, signal.*, !*.failed\n",
	 "a.ini:3: [handler:a] events: none of these is a failure, and `when = failure` leaves out all "
	 "else; name another, or remove `when`\n"},
	{"[handler:a]\nwhen = failures\n",
	 "a.ini:2: [handler:a] when: 'failures' is none of: always, failure; did you mean 'failure'?\n"},
	{"[handler:a]\nstable_after = 0\n",
	 "a.ini:2: [handler:a] stable_after: '0' is too short: write 1ms or more\n"},
	{"[panicmon]\nredact = off, pin\n",
	 "a.ini:2: [panicmon] redact: 'pin' stands beside another; write off alone, or names only\n"},
	{"[panicmon]\nredact = pin off\n",
	 "a.ini:2: [panicmon] redact: 'off' stands beside another; write off alone, or names only\n"},
	{"[panicmon]\nredact = --\n",
	 "a.ini:2: [panicmon] redact: '--' is no name of a secret: write letters, digits, '-', '_' and "
	 "'.', such as pin\n"},
	{"[panicmon]\nredact = a=b\n",
	 "a.ini:2: [panicmon] redact: 'a=b' is no name of a secret: write letters, digits, '-', '_' and "
	 "'.', such as pin\n"},
	{"[panicmon]\nstate_dir =\n",
	 "a.ini:2: [panicmon] state_dir: no value; write one, or leave the key out\n"},
	{"[handler:a]\nrequired = yes ; really\n",
	 "a.ini:2: [handler:a] required: 'yes ; really' is neither yes nor no: write yes or no\n"},
};

START_TEST(each_mistake)
{
	ck_assert_str_eq(complaints(mistakes[_i].text), mistakes[_i].says);
	ck_assert_ptr_null(strstr(said, "s3cret"));
}
END_TEST

START_TEST(all_mistakes_in_one_load)
{
	ck_assert_str_eq(complaints("lost = 1\n"
				    "[panicmon]\n"
				    "nmae = api\n"
				    "rubbish\n"
				    "start_timeout = soon\n"
				    "[handler:log\n"
				    "path = x\n"
				    "[handler:a]\n"
				    "timeout = -1\n"
				    "good = yes\n"
				    "[handler:a]\n"
				    "timeout = x\n"),
			 "a.ini:1: a key before any section; write [panicmon], [process] or [handler:NAME] above it\n"
			 "a.ini:3: [panicmon] unknown key 'nmae'; did you mean 'name'?\n"
			 "a.ini:4: [panicmon] no '=' in this line; write KEY = VALUE, or ';' before a comment\n"
			 "a.ini:5: [panicmon] start_timeout: 'soon' is not a duration: write a number and ms, "
			 "s, m or h, such as 500ms or 2s\n"
			 "a.ini:6: no ']' after '['; write a section as [NAME]\n"
			 "a.ini:9: [handler:a] timeout: '-1' is not a duration: write a number and ms, s, m or "
			 "h, such as 500ms or 2s\n"
			 "a.ini:11: [handler:a] this section stands twice, first at a.ini:8; remove one\n"
			 "a.ini:12: [handler:a] 'timeout' stands twice, first at a.ini:9; remove one\n"
			 "a.ini:12: [handler:a] timeout: 'x' is not a duration: write a number and ms, s, m or "
			 "h, such as 500ms or 2s\n");
	ck_assert_str_eq(option("a", "good")->value, "yes");
	ck_assert_uint_eq(config.handler_count, 1);
}
END_TEST

/* 49 bytes are what inih keeps: the last that is good, and the key of the next is not its. */
START_TEST(longest_section_name)
{
	ck_assert_str_eq(complaints("[handler:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab]\nx = y\n"), "");
	ck_assert_uint_eq(strlen(config.handlers[0].name), 41);
	ck_assert_int_eq(config.handlers[0].name[40], 'b');
	ck_assert_str_eq(config.handlers[0].options[0].value, "y");
}
END_TEST

START_TEST(keys_of_bad_sections_fall_to_none)
{
	ck_assert_str_eq(complaints("[handler:a]\nx = 1\n[handler:b\nx = 2\n[handlr]\nx = 3\ny = 4\n"),
			 "a.ini:3: no ']' after '['; write a section as [NAME]\n"
			 "a.ini:5: [handlr] unknown section; did you mean 'handler:NAME'?\n");
	ck_assert_uint_eq(config.handler_count, 1);
	ck_assert_uint_eq(config.handlers[0].option_count, 1);
	ck_assert_str_eq(option("a", "x")->value, "1");
}
END_TEST

START_TEST(nul_bytes)
{
	static const char text[] = "[handler:a]\nx = 1\0 2\ny = 3\n[handler:\0b]\n";

	write_bytes("a.ini", text, sizeof(text) - 1);
	ck_assert_uint_eq(load_with("a.ini", NULL, 0), 2);
	ck_assert_str_eq(said,
			 "a.ini:2: [handler:a] a NUL byte; save the file as plain text (UTF-8)\n"
			 "a.ini:4: [handler:a] a NUL byte; save the file as plain text (UTF-8)\n");
	ck_assert_uint_eq(config.handlers[0].option_count, 1);
	ck_assert_str_eq(option("a", "y")->value, "3");
}
END_TEST

START_TEST(no_ini_file_at_all)
{
	char text[2 * 1000 + 1];

	for (size_t i = 0; i < sizeof(text) - 1; i += 2)
		memcpy(text + i, "?\n", 2);
	text[sizeof(text) - 1] = '\0';
	complaints(text);
	ck_assert_uint_eq(said_count, 21);
	ck_assert_ptr_nonnull(strstr(said, "a.ini:20: too many lines like this, the rest of the file is not "
					   "read; is it an INI file?\n"));
}
END_TEST

START_TEST(long_keys_are_refused)
{
	char text[400] = "[handler:a]\n";

	memset(text + strlen(text), 'k', 255);
	strcat(text, " = 1\n");
	ck_assert_str_eq(complaints(text), "");
	ck_assert_uint_eq(strlen(config.handlers[0].options[0].key), 255);
	text[12 + 255] = 'k';
	ck_assert_str_eq(complaints(text),
			 "a.ini:2: [handler:a] the key is longer than 255 bytes; use a shorter one\n");
}
END_TEST

static const struct {
	const char *override, *says;
} bad_overrides[] = {
	{"panicmon.name", "-o: 'panicmon.name' has no '='; write -o SECTION.KEY=VALUE\n"},
	{"", "-o: '' has no '='; write -o SECTION.KEY=VALUE\n"},
	{"name=s3cret", "-o: 'name' is no SECTION.KEY before '='; write -o SECTION.KEY=VALUE\n"},
	{"name=s3cret.x", "-o: 'name' is no SECTION.KEY before '='; write -o SECTION.KEY=VALUE\n"},
	{"=x", "-o: '' is no SECTION.KEY before '='; write -o SECTION.KEY=VALUE\n"},
	{".name=x", "-o: '.name' is no SECTION.KEY before '='; write -o SECTION.KEY=VALUE\n"},
	{"panicmon.=x", "-o: 'panicmon.' is no SECTION.KEY before '='; write -o SECTION.KEY=VALUE\n"},
	{"panicmn.name=x",
	 "-o panicmn.name: [panicmn] unknown section; did you mean 'panicmon'?\n"},
	{"handler:a/b.x=s3cret", "-o handler:a/b.x: [handler:a/b] not a handler's name; write [handler:NAME] "
			    "with a NAME of at most 41 letters, digits, '_' and '-'\n"},
	{"handler:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.x=y",
	 "-o handler:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.x: "
	 "[handler:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa] not a handler's name; write [handler:NAME] "
	 "with a NAME of at most 41 letters, digits, '_' and '-'\n"},
	{"panicmon.nmae=x", "-o panicmon.nmae: [panicmon] unknown key 'nmae'; did you mean 'name'?\n"},
	{"handler:log.a b=s3cret",
	 "-o handler:log.a b: [handler:log] not a key before '=': it is made of letters, digits, '_', '-' "
	 "and '.'; write KEY = VALUE\n"},
	{"handler:log.retry.max=s3cret",
	 "-o handler:log.retry.max: [handler:log] unknown key 'retry.max'; an option of a plugin has no "
	 "'.', and panicmon's own keys are plugin, required, trust_path, timeout, user, memory_max, nofile, "
	 "events, when, alert_window, stable_after\n"},
	{"panicmon.start_timeout=x",
	 "-o panicmon.start_timeout: [panicmon] start_timeout: 'x' is not a duration: write a number and "
	 "ms, s, m or h, such as 500ms or 2s\n"},
	{"panicmon.include=x.ini",
	 "-o panicmon.include: [panicmon] include: only a file can have it; name a file with -c\n"},
};

START_TEST(each_bad_override)
{
	ck_assert_str_eq(complaints_of(bad_overrides[_i].override), bad_overrides[_i].says);
	ck_assert_ptr_null(strstr(said, "s3cret"));
}
END_TEST

START_TEST(mistakes_of_file_and_overrides)
{
	static const char *const overrides[] = {"panicmon.nmae=x", "rubbish", "panicmon.name=y"};

	ck_assert_uint_eq(load_with("none.ini", overrides, 3), 3);
	ck_assert_ptr_nonnull(strstr(said, "none.ini: cannot be opened"));
	ck_assert_ptr_nonnull(strstr(said, "-o panicmon.nmae: [panicmon] unknown key"));
	ck_assert_ptr_nonnull(strstr(said, "-o: 'rubbish' has no '='"));
	ck_assert_str_eq(config.name, "y");
}
END_TEST

void add_mistake_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "mistakes");

	tcase_add_loop_test(tests, each_mistake, 0, (int)(sizeof(mistakes) / sizeof(mistakes[0])));
	tcase_add_test(tests, all_mistakes_in_one_load);
	tcase_add_test(tests, longest_section_name);
	tcase_add_test(tests, keys_of_bad_sections_fall_to_none);
	tcase_add_test(tests, nul_bytes);
	tcase_add_test(tests, no_ini_file_at_all);
	tcase_add_test(tests, long_keys_are_refused);
	tcase_add_loop_test(tests, each_bad_override, 0,
			    (int)(sizeof(bad_overrides) / sizeof(bad_overrides[0])));
	tcase_add_test(tests, mistakes_of_file_and_overrides);
}
