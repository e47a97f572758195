/* The config room: the section [process], with each key of it. */
#include <config.h>

#include "test_config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define SET_OF(signal) (UINT64_C(1) << ((signal)-1))

static const pm_sigset all_signals = ~(SET_OF(SIGCHLD) | SET_OF(SIGKILL) | SET_OF(SIGSTOP));

static const char *variable(const char *name)
{
	for (size_t i = 0; i < config.process.env_count; i++)
		if (strcmp(config.process.env[i].name, name) == 0)
			return config.process.env[i].value;
	return NULL;
}

static void check_identity(const struct pm_config_process *process)
{
	ck_assert_uint_eq(process->rewritten, 0);
	for (unsigned i = 0; i <= PM_SIGNAL_MAX; i++)
		ck_assert_uint_eq(process->rewrite[i], i);
	for (unsigned i = 0; i < COUNT(process->remap); i++) {
		ck_assert_uint_eq(process->remap[i], i);
		ck_assert(!process->remapped[i]);
	}
}

static void check_defaults(const struct pm_config_process *process)
{
	ck_assert_uint_eq(process->signals, all_signals);
	check_identity(process);
	ck_assert_ptr_null(process->rewrite_where);
	ck_assert_int_eq(process->group, PM_GROUP_NEW);
	ck_assert(!process->signal_group);
	ck_assert_ptr_null(process->signal_group_where);
	ck_assert_int_eq(process->stop_timeout_ms, 0);
	ck_assert(!process->end_by_code);
	ck_assert(!process->output.null && !process->errors.null);
	ck_assert_ptr_null(process->output.path);
	ck_assert_ptr_null(process->output.where);
	ck_assert_ptr_null(process->errors.path);
	ck_assert_ptr_null(process->errors.where);
	ck_assert_uint_eq(process->env_count, 0);
	ck_assert(!process->clear_env);
	ck_assert_ptr_null(process->directory);
	ck_assert_ptr_null(process->directory_where);
	ck_assert_uint_eq(process->instances, 1);
	ck_assert(!process->subreaper);
	ck_assert_int_eq(process->wait_orphans_ms, 0);
	ck_assert(!process->notify_mainpid);
}

START_TEST(process_defaults)
{
	static const char *const texts[] = {"", "[process]\n", "[handler:log]\n"};

	for (size_t i = 0; i < COUNT(texts); i++) {
		ck_assert_str_eq(complaints(texts[i]), "");
		check_defaults(&config.process);
	}
	ck_assert_uint_eq(load_with(NULL, NULL, 0), 0);
	check_defaults(&config.process);
}
END_TEST

/* What the manual calls the default is what a file without the key gets. */
START_TEST(process_defaults_written_out)
{
	ck_assert_str_eq(about("signals = all\ngroup = new\nsignal_target = process\nstop_timeout = 0\n"
			       "exit_status = same\nclear_env = no\ninstances = 1\nsubreaper = no\n"
			       "wait_orphans = 0\nnotify_mainpid = no\nstdout = inherit\nstderr = inherit\n"),
			 "");
	ck_assert_str_eq(config.process.output.where, "a.ini:12");
	ck_assert_str_eq(config.process.errors.where, "a.ini:13");
	ck_assert_str_eq(config.process.signal_group_where, "a.ini:4");
	free(config.process.output.where);
	free(config.process.errors.where);
	free(config.process.signal_group_where);
	config.process.output.where = config.process.errors.where = NULL;
	config.process.signal_group_where = NULL;
	check_defaults(&config.process);
}
END_TEST

START_TEST(process_all_keys)
{
	const struct pm_config_process *process = &config.process;

	ck_assert_str_eq(about("signals = TERM, HUP\nrewrite = TERM:QUIT, HUP:0\ngroup = session\n"
			       "signal_target = group\nstop_timeout = 1.5s\nexit_status = code\n"
			       "remap = 143:0, 3:0\nstdout = append:/var/log/a b.out\nstderr = null\n"
			       "env.GREETING = hello; \"world\" = # x\nenv.EMPTY =\nclear_env = yes\n"
			       "directory = sub/folder\ninstances = 64\nsubreaper = yes\n"
			       "wait_orphans = 2m\nnotify_mainpid = on\n"),
			 "");
	ck_assert_uint_eq(process->signals, SET_OF(SIGTERM) | SET_OF(SIGHUP));
	ck_assert_uint_eq(process->rewritten, process->signals);
	ck_assert_uint_eq(process->rewrite[SIGTERM], SIGQUIT);
	ck_assert_uint_eq(process->rewrite[SIGHUP], 0);
	ck_assert_uint_eq(process->rewrite[SIGINT], SIGINT);
	ck_assert_str_eq(process->rewrite_where, "a.ini:3");
	ck_assert_int_eq(process->group, PM_GROUP_SESSION);
	ck_assert(process->signal_group && process->end_by_code && process->clear_env);
	ck_assert(process->subreaper && process->notify_mainpid);
	ck_assert_int_eq(process->stop_timeout_ms, 1500);
	ck_assert_int_eq(process->wait_orphans_ms, 120000);
	ck_assert(process->remapped[143] && process->remapped[3] && !process->remapped[0]);
	ck_assert(process->remap[143] == 0 && process->remap[3] == 0 && process->remap[4] == 4);
	ck_assert(!process->output.null && process->errors.null);
	ck_assert_str_eq(process->output.path, "/var/log/a b.out");
	ck_assert_str_eq(process->output.where, "a.ini:9");
	ck_assert_ptr_null(process->errors.path);
	ck_assert_str_eq(process->errors.where, "a.ini:10");
	ck_assert_uint_eq(process->env_count, 2);
	ck_assert_str_eq(process->env[0].name, "GREETING");
	ck_assert_str_eq(process->env[0].value, "hello; \"world\" = # x");
	ck_assert_str_eq(process->env[1].name, "EMPTY");
	ck_assert_str_eq(process->env[1].value, "");
	ck_assert_str_eq(process->directory, "sub/folder");
	ck_assert_str_eq(process->directory_where, "a.ini:14");
	ck_assert_uint_eq(process->instances, 64);
}
END_TEST

/* Each signal by its name, its short name and its number, in `signals` and at both sides of a rewrite. */
START_TEST(process_each_signal)
{
	int signal = _i;
	const char *name = pm_signal_name(signal);
	char text[128];

	for (int form = 0; form < 3; form++) {
		char number[8];
		const char *written = form == 0 ? name : form == 1 ? name + 3 : number;

		snprintf(number, sizeof(number), "%d", signal);
		snprintf(text, sizeof(text), "rewrite = TERM:%s", written);
		ck_assert_str_eq(about(text), "");
		ck_assert_uint_eq(config.process.rewrite[SIGTERM], (unsigned)signal);
		snprintf(text, sizeof(text), "signals = %s\nrewrite = %s:QUIT", written, written);
		if (!pm_sigset_has(all_signals, signal)) {
			about(text);
			ck_assert_uint_eq(said_count, 2);
			continue;
		}
		ck_assert_str_eq(about(text), "");
		ck_assert_uint_eq(config.process.signals, SET_OF(signal));
		ck_assert_uint_eq(config.process.rewritten, SET_OF(signal));
		ck_assert_uint_eq(config.process.rewrite[signal], SIGQUIT);
	}
}
END_TEST

static const struct {
	const char *value;
	pm_sigset set;
} signal_lists[] = {
	{"all", all_signals},
	{"ALL", all_signals},
	{"all, HUP all", all_signals},
	{"HUP", SET_OF(1)},
	{"sighup", SET_OF(1)},
	{"TERM, INT, HUP", SET_OF(15) | SET_OF(2) | SET_OF(1)},
	{"TERM,INT,HUP", SET_OF(15) | SET_OF(2) | SET_OF(1)},
	{"TERM INT\tHUP", SET_OF(15) | SET_OF(2) | SET_OF(1)},
	{" \t TERM ,, INT , \v\f HUP, ", SET_OF(15) | SET_OF(2) | SET_OF(1)},
	{"15 2,1 TERM SIGTERM", SET_OF(15) | SET_OF(2) | SET_OF(1)},
	{"RTMIN+3, RTMAX-1, RTMAX RTMIN", SET_OF(37) | SET_OF(63) | SET_OF(64) | SET_OF(34)},
	{"32 SIG33", SET_OF(32) | SET_OF(33)},
};

START_TEST(process_signal_lists)
{
	char text[128];

	snprintf(text, sizeof(text), "signals = %s", signal_lists[_i].value);
	ck_assert_str_eq(about(text), "");
	ck_assert_uint_eq(config.process.signals, signal_lists[_i].set);
}
END_TEST

/* A line of any length, and pairs of all that there are. */
START_TEST(process_long_lists)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(file);
	fputs("remap =", file);
	for (int i = 0; i < 256; i++)
		fprintf(file, " %d:%d,", i, 255 - i);
	fputs("\nrewrite =", file);
	for (int i = 1; i <= PM_SIGNAL_MAX; i++)
		if (pm_sigset_has(all_signals, i))
			fprintf(file, " %d:%d", i, PM_SIGNAL_MAX + 1 - i);
	fputs("\nsignals = ", file);
	for (int i = 0; i < 100000; i++)
		fprintf(file, "%s%*s", pm_signal_name(i % 8 + 1), i % 20 + 1, ",");
	ck_assert_int_eq(fclose(file), 0);
	about(text);
	for (unsigned i = 0; i < 256; i++)
		ck_assert(config.process.remapped[i] && config.process.remap[i] == 255 - i);
	for (int i = 1; i <= PM_SIGNAL_MAX; i++)
		if (pm_sigset_has(all_signals, i))
			ck_assert_int_eq(config.process.rewrite[i], PM_SIGNAL_MAX + 1 - i);
	ck_assert_uint_eq(config.process.signals, 0xff);
	/* Each rewrite of one that is not among the first eight: SIGKILL, SIGCHLD and SIGSTOP have none. */
	ck_assert_uint_eq(said_count, PM_SIGNAL_MAX - 8 - 3);
	ck_assert_ptr_null(strstr(said, "'FPE' is not in signals"));
	ck_assert_ptr_nonnull(strstr(said, "'USR1' is not in signals"));
	free(text);
}
END_TEST

/* To what it is already: it says that nothing else is to happen to it. */
START_TEST(process_identities_are_told_apart)
{
	ck_assert_str_eq(about("rewrite = TERM:TERM\nremap = 143:143 0:0"), "");
	ck_assert_uint_eq(config.process.rewritten, SET_OF(SIGTERM));
	ck_assert_uint_eq(config.process.rewrite[SIGTERM], SIGTERM);
	ck_assert(config.process.remapped[143] && config.process.remapped[0]);
	ck_assert(!config.process.remapped[1]);
	ck_assert_uint_eq(config.process.remap[143], 143);
}
END_TEST

START_TEST(process_choices)
{
	ck_assert_str_eq(about("group = inherit"), "");
	ck_assert_int_eq(config.process.group, PM_GROUP_INHERIT);
	ck_assert_str_eq(about("group = inherit\nsignal_target = process"), "");
	ck_assert_str_eq(about("signal_target = group"), "");
	ck_assert(config.process.signal_group);
	ck_assert_str_eq(about("signal_target = group\ngroup = session"), "");
	ck_assert_str_eq(about("stdout = null\nstderr = append:/dev/stderr"), "");
	ck_assert(config.process.output.null && !config.process.errors.null);
	ck_assert_str_eq(config.process.errors.path, "/dev/stderr");
}
END_TEST

/* More than one allocation holds, in their order; a NAME of all that is allowed. */
START_TEST(process_many_variables)
{
	enum { MANY = 500 };
	char *text = NULL, name[32], value[32];
	size_t size;
	FILE *file = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(file);
	fputs("env._aZ09_ = x\n", file);
	for (int i = 0; i < MANY; i++)
		fprintf(file, "env.V%d = value %d\n", i, i);
	fputs("env.lower=case\nenv.LOWER=", file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_str_eq(about(text), "");
	free(text);
	ck_assert_uint_eq(config.process.env_count, MANY + 3);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "V%d", i);
		snprintf(value, sizeof(value), "value %d", i);
		ck_assert_str_eq(config.process.env[i + 1].name, name);
		ck_assert_str_eq(config.process.env[i + 1].value, value);
	}
	ck_assert_str_eq(variable("_aZ09_"), "x");
	ck_assert_str_eq(variable("lower"), "case");
	ck_assert_str_eq(variable("LOWER"), "");
}
END_TEST

START_TEST(process_overrides_win)
{
	static const char *const overrides[] = {
		"process.signals=USR1", "process.signals=INT TERM", "process.rewrite=INT:TERM",
		"process.remap=5:6", "process.group=session", "process.stdout=append:/b",
		"process.stderr=inherit", "process.directory=/b", "process.directory=/c",
		"process.env.FOO=bar", "process.env.FOO=a.b=c:d ", "process.env.NEW=", "process.instances=2",
		"handler:log.format=json", "process.clear_env=no", "process.env.B=2",
	};
	const struct pm_config_process *process = &config.process;

	write_text("a.ini", "[process]\nsignals = HUP\nrewrite = HUP:0, TERM:QUIT\nremap = 1:2\nenv.A = 1\n"
			    "env.FOO = file\nenv.B = 1\nstdout = null\nstderr = append:/e\ndirectory = /a\n"
			    "clear_env = yes\n");
	ck_assert_msg(load_with("a.ini", overrides, COUNT(overrides)) == 0, "%s", said);
	ck_assert_uint_eq(process->signals, SET_OF(SIGINT) | SET_OF(SIGTERM));
	ck_assert_uint_eq(process->rewritten, SET_OF(SIGINT));
	ck_assert_uint_eq(process->rewrite[SIGHUP], SIGHUP);
	ck_assert_str_eq(process->rewrite_where, "-o process.rewrite");
	ck_assert(!process->remapped[1] && process->remap[1] == 1 && process->remap[5] == 6);
	ck_assert_int_eq(process->group, PM_GROUP_SESSION);
	ck_assert(!process->output.null && !process->errors.null);
	ck_assert_str_eq(process->output.path, "/b");
	ck_assert_str_eq(process->output.where, "-o process.stdout");
	ck_assert_ptr_null(process->errors.path);
	ck_assert_str_eq(process->errors.where, "-o process.stderr");
	ck_assert_str_eq(process->directory, "/c");
	ck_assert_str_eq(process->directory_where, "-o process.directory");
	ck_assert_uint_eq(process->env_count, 4);
	ck_assert_str_eq(process->env[1].name, "FOO");
	ck_assert_str_eq(variable("A"), "1");
	ck_assert_str_eq(variable("B"), "2");
	ck_assert_str_eq(variable("FOO"), "a.b=c:d ");
	ck_assert_str_eq(variable("NEW"), "");
	ck_assert_uint_eq(process->instances, 2);
	ck_assert(!process->clear_env);
	ck_assert_str_eq(option("log", "format")->value, "json");
}
END_TEST

START_TEST(process_overrides_without_a_file)
{
	ck_assert_str_eq(complaints_of("process.env.FOO=bar"), "");
	ck_assert_str_eq(variable("FOO"), "bar");
	ck_assert_uint_eq(config.handler_count, 1);
	ck_assert_str_eq(complaints_of("process.signals=\tTERM\n,\r HUP "), "");
	ck_assert_uint_eq(config.process.signals, SET_OF(SIGTERM) | SET_OF(SIGHUP));
	ck_assert_str_eq(complaints_of("process.signals=all"), "");
	ck_assert_uint_eq(config.process.signals, all_signals);
}
END_TEST

START_TEST(process_in_an_included_file)
{
	write_text("b.ini", "\n[process]\ndirectory = /b\nenv.FOO = 1\nsignal_target = grop\n");
	ck_assert_str_eq(complaints("[panicmon]\ninclude = b.ini\n"),
			 "b.ini:5: [process] signal_target: 'grop' is none of: process, group; did you "
			 "mean 'group'?\n");
	ck_assert_str_eq(config.process.directory_where, "b.ini:3");
	ck_assert_str_eq(variable("FOO"), "1");
	ck_assert_str_eq(complaints("[panicmon]\ninclude = b.ini\n[process]\nenv.FOO = 2\n"),
			 "b.ini:2: [process] this section stands twice, first at a.ini:3; remove one\n"
			 "b.ini:4: [process] 'env.FOO' stands twice, first at a.ini:4; remove one\n"
			 "b.ini:5: [process] signal_target: 'grop' is none of: process, group; did you "
			 "mean 'group'?\n");
	ck_assert_uint_eq(config.process.env_count, 1);
}
END_TEST

/* With its comments taken off each line that shows a key, the example is a config, with all keys. */
START_TEST(process_example_has_all_keys)
{
	const char *source = getenv("PM_SOURCE_DIR");
	char path[4200], line[256], text[8192] = "";
	bool inside = false;

	snprintf(path, sizeof(path), "%s/conf/panicmon.ini", source != NULL ? source : start_folder);
	FILE *file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (line[0] == '[')
			inside = strncmp(line, "[process]", strlen("[process]")) == 0;
		if (inside && line[0] == ';' && line[1] != ' ' && strstr(line, " = ") != NULL)
			strcat(text, line + 1);
	}
	fclose(file);
	ck_assert_str_eq(about(text), "");
	ck_assert_ptr_nonnull(config.process.rewrite_where);
	ck_assert_ptr_nonnull(config.process.signal_group_where);
	ck_assert_ptr_nonnull(config.process.output.where);
	ck_assert_ptr_nonnull(config.process.errors.where);
	ck_assert_ptr_nonnull(config.process.directory);
	ck_assert_uint_ne(config.process.env_count, 0);
	static const char *const keys[] = {"signals", "group", "stop_timeout", "exit_status", "remap",
					   "clear_env", "instances", "subreaper", "wait_orphans",
					   "notify_mainpid"};
	for (size_t i = 0; i < COUNT(keys); i++) {
		snprintf(line, sizeof(line), "\n%s = ", keys[i]);
		ck_assert_msg(strstr(text, line) != NULL || strncmp(text, line + 1, strlen(line) - 1) == 0,
			      "%s", keys[i]);
	}
}
END_TEST

void add_process_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "process");

	tcase_add_test(tests, process_defaults);
	tcase_add_test(tests, process_defaults_written_out);
	tcase_add_test(tests, process_all_keys);
	tcase_add_loop_test(tests, process_each_signal, 1, PM_SIGNAL_MAX + 1);
	tcase_add_loop_test(tests, process_signal_lists, 0, (int)COUNT(signal_lists));
	tcase_add_test(tests, process_long_lists);
	tcase_add_test(tests, process_identities_are_told_apart);
	tcase_add_test(tests, process_choices);
	tcase_add_test(tests, process_many_variables);
	tcase_add_test(tests, process_overrides_win);
	tcase_add_test(tests, process_overrides_without_a_file);
	tcase_add_test(tests, process_in_an_included_file);
	tcase_add_test(tests, process_example_has_all_keys);
}
