/* The config room: what it says of each mistake in the section [process]. */
#include <config.h>

#include "test_config.h"

#include <stdio.h>
#include <string.h>

#define IS_NO_SIGNAL                                                                              \
	"is no signal: write a name, or a number from 1 to 64, such as TERM, USR1, RTMIN+3 or 15\n"
#define NO_VALUE "no value; write one, or leave the key out\n"
#define NO_DURATION                                                                               \
	"is not a duration: write a number and ms, s, m or h, such as 500ms or 2s\n"
#define NO_STATUS                                                                                 \
	"is no exit status: write a number from 0 to 255, such as 3, or 143 for SIGTERM\n"
#define NO_SIGNAL_PAIR                                                                            \
	"is not a pair: write SIGNAL:SIGNAL, such as TERM:QUIT, or SIGNAL:0 to drop it, without "  \
	"blanks\n"
#define NO_STATUS_PAIR "is not a pair: write STATUS:STATUS, such as 143:0, without blanks\n"
#define NO_OUTPUT "is none of: inherit, null, append:/PATH"
#define NO_VARIABLE                                                                               \
	"is no name of a variable: write env.NAME with letters, digits and '_', and no digit "     \
	"first, such as env.LANG\n"
#define TO_NOBODY "cannot be taken: the kernel gives it to no process; leave it out\n"
#define OURS "is panicmon's own, which tells it that the command has ended; leave it out\n"

/* Each line is a.ini:2, and what is said of it comes after "a.ini:2: [process] ". */
static const struct {
	const char *line, *says;
} mistakes[] = {
	{"signals =", "signals: " NO_VALUE},
	{"signals = , ,", "signals: " NO_VALUE},
	{"signals = TRM", "signals: 'TRM' is no signal; did you mean 'TERM'?\n"},
	{"signals = SIGTRM", "signals: 'SIGTRM' is no signal; did you mean 'TERM'?\n"},
	{"signals = HUP, usr3", "signals: 'usr3' is no signal; did you mean 'USR1'?\n"},
	{"signals = alll", "signals: 'alll' is no signal; did you mean 'all'?\n"},
	{"signals = rtmn", "signals: 'rtmn' is no signal; did you mean 'RTMIN'?\n"},
	{"signals = RTMIN+31", "signals: 'RTMIN+31' " IS_NO_SIGNAL},
	{"signals = RTMAX+1", "signals: 'RTMAX+1' is no signal; did you mean 'RTMAX'?\n"},
	{"signals = 0", "signals: '0' " IS_NO_SIGNAL},
	{"signals = 65", "signals: '65' " IS_NO_SIGNAL},
	{"signals = -15", "signals: '-15' " IS_NO_SIGNAL},
	{"signals = 15.", "signals: '15.' " IS_NO_SIGNAL},
	{"signals = 99999999999999999999", "signals: '99999999999999999999' " IS_NO_SIGNAL},
	{"signals = SIG", "signals: 'SIG' " IS_NO_SIGNAL},
	{"signals = none", "signals: 'none' " IS_NO_SIGNAL},
	{"signals = TERM;HUP", "signals: 'TERM;HUP' " IS_NO_SIGNAL},
	{"signals = TERM, KILL", "signals: 'KILL' " TO_NOBODY},
	{"signals = 9", "signals: '9' " TO_NOBODY},
	{"signals = SIGSTOP", "signals: 'SIGSTOP' " TO_NOBODY},
	{"signals = all, chld", "signals: 'chld' " OURS},
	{"rewrite =", "rewrite: " NO_VALUE},
	{"rewrite = TERM", "rewrite: 'TERM' " NO_SIGNAL_PAIR},
	{"rewrite = TERM:", "rewrite: 'TERM:' " NO_SIGNAL_PAIR},
	{"rewrite = :TERM", "rewrite: ':TERM' " NO_SIGNAL_PAIR},
	{"rewrite = :", "rewrite: ':' " NO_SIGNAL_PAIR},
	{"rewrite = TERM:QUIT:HUP", "rewrite: 'TERM:QUIT:HUP' " NO_SIGNAL_PAIR},
	{"rewrite = TERM=QUIT", "rewrite: 'TERM=QUIT' " NO_SIGNAL_PAIR},
	{"rewrite = TRM:QUIT", "rewrite: 'TRM' is no signal; did you mean 'TERM'?\n"},
	{"rewrite = TERM:QIUT", "rewrite: 'QIUT' is no signal; did you mean 'QUIT'?\n"},
	{"rewrite = alll:QUIT", "rewrite: 'alll' " IS_NO_SIGNAL},
	{"rewrite = TERM:none", "rewrite: 'none' " IS_NO_SIGNAL},
	{"rewrite = TERM:00", "rewrite: '00' " IS_NO_SIGNAL},
	{"rewrite = 0:TERM", "rewrite: '0' " IS_NO_SIGNAL},
	{"rewrite = TERM:65", "rewrite: '65' " IS_NO_SIGNAL},
	{"rewrite = CHLD:TERM", "rewrite: 'CHLD' " OURS},
	{"rewrite = KILL:TERM", "rewrite: 'KILL' " TO_NOBODY},
	{"rewrite = 19:TERM", "rewrite: '19' " TO_NOBODY},
	{"rewrite = TERM:QUIT, HUP:0, 15:INT",
	 "rewrite: '15:INT' is the second rewrite of TERM; leave one out\n"},
	{"rewrite = TERM:TERM TERM:TERM",
	 "rewrite: 'TERM:TERM' is the second rewrite of TERM; leave one out\n"},
	{"group = nwe", "group: 'nwe' is none of: new, inherit, session; did you mean 'new'?\n"},
	{"group = New", "group: 'New' is none of: new, inherit, session; did you mean 'new'?\n"},
	{"group = sesion", "group: 'sesion' is none of: new, inherit, session; did you mean 'session'?\n"},
	{"group = none", "group: 'none' is none of: new, inherit, session\n"},
	{"group =", "group: '' is none of: new, inherit, session\n"},
	{"group = new session", "group: 'new session' is none of: new, inherit, session\n"},
	{"signal_target = all", "signal_target: 'all' is none of: process, group\n"},
	{"exit_status = 0", "exit_status: '0' is none of: same, code\n"},
	{"exit_status = cod", "exit_status: 'cod' is none of: same, code; did you mean 'code'?\n"},
	{"stop_timeout = soon", "stop_timeout: 'soon' " NO_DURATION},
	{"stop_timeout = -1", "stop_timeout: '-1' " NO_DURATION},
	{"wait_orphans =", "wait_orphans: '' " NO_DURATION},
	{"remap =", "remap: " NO_VALUE},
	{"remap = 143", "remap: '143' " NO_STATUS_PAIR},
	{"remap = 143=0", "remap: '143=0' " NO_STATUS_PAIR},
	{"remap = 1:2:3", "remap: '1:2:3' " NO_STATUS_PAIR},
	{"remap = 256:0", "remap: '256' " NO_STATUS},
	{"remap = 0:256", "remap: '256' " NO_STATUS},
	{"remap = -1:0", "remap: '-1' " NO_STATUS},
	{"remap = TERM:0", "remap: 'TERM' " NO_STATUS},
	{"remap = 0x8f:0", "remap: '0x8f' " NO_STATUS},
	{"remap = 99999999999999999999:0", "remap: '99999999999999999999' " NO_STATUS},
	{"remap = 143:0, 3:0 143:1", "remap: '143:1' is the second for 143; leave one out\n"},
	{"remap = 3:3 3:3", "remap: '3:3' is the second for 3; leave one out\n"},
	{"stdout =", "stdout: '' " NO_OUTPUT "\n"},
	{"stdout = file", "stdout: 'file' " NO_OUTPUT "\n"},
	{"stdout = /var/log/x", "stdout: '/var/log/x' " NO_OUTPUT "; did you mean 'append:/var/log/x'?\n"},
	{"stderr = apend:/x:y", "stderr: 'apend:/x:y' " NO_OUTPUT "; did you mean 'append:/x:y'?\n"},
	{"stderr = append", "stderr: 'append' " NO_OUTPUT "; did you mean 'append:/PATH'?\n"},
	{"stderr = Append:x", "stderr: 'Append:x' " NO_OUTPUT "; did you mean 'append:/PATH'?\n"},
	{"stderr = inherrit", "stderr: 'inherrit' " NO_OUTPUT "; did you mean 'inherit'?\n"},
	{"stderr = NULL", "stderr: 'NULL' " NO_OUTPUT "; did you mean 'null'?\n"},
	{"stderr = append:", "stderr: 'append:' has no absolute path: write append:/PATH, such as "
			     "append:/var/log/api.out\n"},
	{"stderr = append:log", "stderr: 'append:log' has no absolute path: write append:/PATH, such as "
				"append:/var/log/api.out\n"},
	{"env. = s3cret", "env.: '' " NO_VARIABLE},
	{"env.1A = s3cret", "env.1A: '1A' " NO_VARIABLE},
	{"env.A-B = s3cret", "env.A-B: 'A-B' " NO_VARIABLE},
	{"env.A.B = s3cret", "env.A.B: 'A.B' " NO_VARIABLE},
	{"env = s3cret", "unknown key 'env'; did you mean 'env.NAME'?\n"},
	{"evn.FOO = s3cret", "unknown key 'evn.FOO'; did you mean 'env.FOO'?\n"},
	{"ENV.FOO = s3cret", "unknown key 'ENV.FOO'; did you mean 'env.FOO'?\n"},
	{"env FOO = s3cret", "not a key before '=': it is made of letters, digits, '_', '-' and '.'; write "
			     "KEY = VALUE\n"},
	{"clear_env = s", "clear_env: 's' is neither yes nor no: write yes or no\n"},
	{"directory =", "directory: " NO_VALUE},
	{"instances = 0", "instances: '0' is out of range: write a number from 1 to 64\n"},
	{"instances = 65", "instances: '65' is out of range: write a number from 1 to 64\n"},
	{"instances = -1", "instances: '-1' is out of range: write a number from 1 to 64\n"},
	{"instances = two", "instances: 'two' is not a whole number: write digits only, such as 10\n"},
	{"instances = 4294967297",
	 "instances: '4294967297' is out of range: write a number from 1 to 64\n"},
	{"subreaper = maybe", "subreaper: 'maybe' is neither yes nor no: write yes or no\n"},
	{"notify_mainpid =", "notify_mainpid: '' is neither yes nor no: write yes or no\n"},
	{"stop_timout = 1s", "unknown key 'stop_timout'; did you mean 'stop_timeout'?\n"},
	{"include = x.ini",
	 "unknown key 'include'; its keys are signals, rewrite, group, signal_target, stop_timeout, "
	 "exit_status, remap, stdout, stderr, env.NAME, clear_env, directory, instances, subreaper, "
	 "wait_orphans, notify_mainpid\n"},
	/* keys that may not be together */
	{"rewrite = TERM:QUIT\nsignals = HUP",
	 "rewrite: 'TERM' is not in signals; add it there, or leave it out here\n"},
	{"rewrite = RTMIN+3:RTMIN+3, HUP:0\nsignals = HUP",
	 "rewrite: 'RTMIN+3' is not in signals; add it there, or leave it out here\n"},
	{"signal_target = group\ngroup = inherit",
	 "signal_target: 'group' would be panicmon's own with group = inherit; write group = new or "
	 "session, or signal_target = process\n"},
	/* the default, and not what is left of a bad value, is what other keys are looked at with */
	{"signals = HUP, TRM\nrewrite = TERM:QUIT", "signals: 'TRM' is no signal; did you mean 'TERM'?\n"},
	{"rewrite = HUP:0, TRM:QUIT\nsignals = TERM",
	 "rewrite: 'TRM' is no signal; did you mean 'TERM'?\n"},
	{"group = inherrit\nsignal_target = group",
	 "group: 'inherrit' is none of: new, inherit, session; did you mean 'inherit'?\n"},
};

START_TEST(process_each_mistake)
{
	char says[512];

	snprintf(says, sizeof(says), "a.ini:2: [process] %s", mistakes[_i].says);
	ck_assert_str_eq(about(mistakes[_i].line), says);
	ck_assert_ptr_null(strstr(said, "s3cret"));
	/* As an -o, where a second line cannot stand. */
	if (strchr(mistakes[_i].line, '\n') != NULL)
		return;
	const char *equals = strchr(mistakes[_i].line, '=');
	int key = (int)(equals - mistakes[_i].line) - 1;
	char override[256];
	snprintf(override, sizeof(override), "process.%.*s=%s", key, mistakes[_i].line,
		 equals[1] == ' ' ? equals + 2 : "");
	snprintf(says, sizeof(says), "-o process.%.*s: [process] %s", key, mistakes[_i].line,
		 mistakes[_i].says);
	ck_assert_str_eq(complaints_of(override), says);
	ck_assert_ptr_null(strstr(said, "s3cret"));
}
END_TEST

START_TEST(process_all_mistakes_at_once)
{
	ck_assert_str_eq(about("signals = TRM, HUP, KILL\nrewrite = TERM QUIT:HPU\nremap = x:1 2:3 2:4\n"
			       "signals = INT\nsignal_target = group\ngroup = inherit\nenv.9 = s3cret\n"
			       "env.A = s3cret\nenv.A = s3cret\n[process]\nrewrite = HUP:0 TERM:0"),
			 "a.ini:2: [process] signals: 'TRM' is no signal; did you mean 'TERM'?\n"
			 "a.ini:2: [process] signals: 'KILL' " TO_NOBODY
			 "a.ini:3: [process] rewrite: 'TERM' " NO_SIGNAL_PAIR
			 "a.ini:3: [process] rewrite: 'HPU' is no signal; did you mean 'HUP'?\n"
			 "a.ini:4: [process] remap: 'x' " NO_STATUS
			 "a.ini:4: [process] remap: '2:4' is the second for 2; leave one out\n"
			 "a.ini:5: [process] 'signals' stands twice, first at a.ini:2; remove one\n"
			 "a.ini:8: [process] env.9: '9' " NO_VARIABLE
			 "a.ini:10: [process] 'env.A' stands twice, first at a.ini:9; remove one\n"
			 "a.ini:11: [process] this section stands twice, first at a.ini:1; remove one\n"
			 "a.ini:12: [process] 'rewrite' stands twice, first at a.ini:3; remove one\n"
			 "a.ini:12: [process] rewrite: 'HUP' is not in signals; add it there, or leave it "
			 "out here\n"
			 "a.ini:12: [process] rewrite: 'TERM' is not in signals; add it there, or leave it "
			 "out here\n"
			 "a.ini:6: [process] signal_target: 'group' would be panicmon's own with group = "
			 "inherit; write group = new or session, or signal_target = process\n");
	ck_assert_uint_eq(config.process.env_count, 1);
}
END_TEST

/* Whichever of the two is an -o, the key that cannot be is told with its own place. */
START_TEST(process_keys_of_file_and_override_that_cannot_be)
{
	static const char *const signals[] = {"process.signals=HUP"};
	static const char *const rewrite[] = {"process.rewrite=INT:0"};

	write_text("a.ini", "[process]\nsignals = HUP, TERM\nrewrite = TERM:QUIT\n");
	load_with("a.ini", signals, 1);
	ck_assert_str_eq(said, "a.ini:3: [process] rewrite: 'TERM' is not in signals; add it there, or leave "
			       "it out here\n");
	load_with("a.ini", rewrite, 1);
	ck_assert_str_eq(said, "-o process.rewrite: [process] rewrite: 'INT' is not in signals; add it there, "
			       "or leave it out here\n");
}
END_TEST

START_TEST(process_long_values_are_cut_in_mistakes)
{
	char text[2000] = "stdout = /", *end = text + strlen(text);

	memset(end, 'd', 1000);
	about(text);
	ck_assert_uint_eq(said_count, 1);
	ck_assert_uint_lt(strlen(said), 300);
	memcpy(text, "group  =  ", 10);
	about(text);
	ck_assert_ptr_nonnull(strstr(said, "ddd...' is none of: new, inherit, session\n"));
	memcpy(text, "signals = ", 10);
	about(text);
	ck_assert_ptr_nonnull(strstr(said, "ddd...' " IS_NO_SIGNAL));
	memcpy(text, "remap = 1:", 10);
	about(text);
	ck_assert_ptr_nonnull(strstr(said, "ddd...' " NO_STATUS));
}
END_TEST

void add_process_mistake_tests(Suite *suite)
{
	TCase *tests = add_case(suite, "mistakes of process");

	tcase_add_loop_test(tests, process_each_mistake, 0,
			    (int)(sizeof(mistakes) / sizeof(mistakes[0])));
	tcase_add_test(tests, process_all_mistakes_at_once);
	tcase_add_test(tests, process_keys_of_file_and_override_that_cannot_be);
	tcase_add_test(tests, process_long_values_are_cut_in_mistakes);
}
