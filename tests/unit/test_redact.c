#include <config.h>

#include "suite.h"

#include <stdlib.h>
#include <string.h>

#include "event/redact.h"

enum { MAX_ARGS = 6 };

struct pair {
	const char *before[MAX_ARGS];
	const char *after[MAX_ARGS];
};

/* A command that does not matter, and one argument. */
#define ONE(before, after)                                                                         \
	{                                                                                          \
		{"x", before},                                                                     \
		{                                                                                  \
			"x", after                                                                 \
		}                                                                                  \
	}
#define SAME(...)                                                                                  \
	{                                                                                          \
		{"x", __VA_ARGS__},                                                                \
		{                                                                                  \
			"x", __VA_ARGS__                                                           \
		}                                                                                  \
	}

static const struct pair flags[] = {
	ONE("--password=x", "--password=***"),
	ONE("--password=", "--password=***"),
	ONE("--password=a=b c", "--password=***"),
	ONE("-password=x", "-password=***"),
	ONE("--client-secret=x", "--client-secret=***"),
	ONE("--clientSecret=x", "--clientSecret=***"),
	ONE("--api-key=x", "--api-key=***"),
	ONE("--APIKey=x", "--APIKey=***"),
	ONE("--apikey=x", "--apikey=***"),
	ONE("-Ddb.password=x", "-Ddb.password=***"),
	ONE("-Djavax.net.ssl.keyStorePassword=x", "-Djavax.net.ssl.keyStorePassword=***"),
	ONE("--env=DB_PASS=x", "--env=DB_PASS=***"),
	ONE("--password x", "--password ***"),
	{{"x", "--password", "y"}, {"x", "--password", "***"}},
	{{"x", "-password", "y"}, {"x", "-password", "***"}},
	{{"x", "--token", "y", "z"}, {"x", "--token", "***", "z"}},
	{{"x", "--api-key", "y"}, {"x", "--api-key", "***"}},
	{{"x", "--secret", "y"}, {"x", "--secret", "***"}},
	{{"x", "--passwd", "y"}, {"x", "--passwd", "***"}},
	{{"x", "--pwd", "y"}, {"x", "--pwd", "***"}},
	{{"x", "--credential", "y"}, {"x", "--credential", "***"}},
	{{"x", "--credentials", "y"}, {"x", "--credentials", "***"}},
	{{"x", "--private-key", "y"}, {"x", "--private-key", "***"}},
	{{"x", "--access_key", "y"}, {"x", "--access_key", "***"}},
	{{"x", "--auth", "y"}, {"x", "--auth", "***"}},
	{{"x", "--authorization", "y"}, {"x", "--authorization", "***"}},
	{{"x", "--proxyAuth", "y"}, {"x", "--proxyAuth", "***"}},
	{{"x", "--password", ""}, {"x", "--password", "***"}},
	{{"x", "--password", "-"}, {"x", "--password", "***"}},
	{{"x", "--password", "https://u:p@h"}, {"x", "--password", "***"}},
	{{"x", "--password", "-hunter2"}, {"x", "--password", "***"}},
	{{"x", "--password", "-token", "y"}, {"x", "--password", "***", "***"}},
	{{"x", "--password", "--token", "y"}, {"x", "--password", "--token", "***"}},
	{{"x", "--password", "--token=y"}, {"x", "--password", "--token=***"}},
};

static const struct pair assignments[] = {
	ONE("api_key=x", "api_key=***"),
	ONE("API_KEY=x", "API_KEY=***"),
	ONE("PASSWORD=a b c", "PASSWORD=***"),
	ONE("PGPASSWORD=x", "PGPASSWORD=***"),
	ONE("TOKEN2=x", "TOKEN2=***"),
	ONE("AWS_SECRET_ACCESS_KEY=x", "AWS_SECRET_ACCESS_KEY=***"),
	ONE("AccountName=n;AccountKey=x==", "AccountName=n;AccountKey=***"),
	ONE("host=h password=x user=u", "host=h password=***"),
	ONE("password = x", "password = ***"),
	ONE("user[password]=x", "user[password]=***"),
	ONE("{\"user\":\"u\",\"password\":\"x\"}", "{\"user\":\"u\",\"password\":***"),
	ONE("TOKEN=x ./run", "TOKEN=***"),
	ONE("curl -k --token x https://h", "curl -k --token ***"),
	{{"env", "TOKEN=x", "./run"}, {"env", "TOKEN=***", "./run"}},
};

static const struct pair urls[] = {
	ONE("scheme://user:pass@host", "scheme://user:***@host"),
	ONE("scheme://token@host", "scheme://***@host"),
	ONE("https://token:@host/p", "https://***@host/p"),
	ONE("https://:pass@host", "https://:***@host"),
	ONE("redis://:p@h:6379/0", "redis://:***@h:6379/0"),
	ONE("postgres://u:p@ss@h/db", "postgres://u:***@h/db"),
	ONE("postgres://u:p/?#w@h/db", "postgres://u:***@h/db"),
	ONE("https://u:p'w@h/", "https://u:***@h/"),
	ONE("--url=https://u:p@h/x", "--url=https://u:***@h/x"),
	ONE("a=ftp://u:p@h,b=ftp://v:q@i", "a=ftp://u:***@h,b=ftp://v:***@i"),
	ONE("git+ssh://u:p@h and http://t@i", "git+ssh://u:***@h and http://***@i"),
	ONE("https://h/p?a=1&access_token=x&b=2", "https://h/p?a=1&access_token=***"),
	ONE("https://u:p@h/?token=x", "https://u:***@h/?token=***"),
	{{"https://u:p@h/run", "x"}, {"https://u:***@h/run", "x"}},
};

static const struct pair headers[] = {
	{{"curl", "-H", "Authorization: Bearer x"}, {"curl", "-H", "Authorization: ***"}},
	{{"curl", "-H", "Cookie: session=x"}, {"curl", "-H", "Cookie: ***"}},
	{{"curl", "-H", "Authorization:x"}, {"curl", "-H", "Authorization:***"}},
	{{"curl", "--header", "X-Api-Key:x"}, {"curl", "--header", "X-Api-Key:***"}},
	ONE("-HAuthorization:x", "-HAuthorization:***"),
	ONE("--header=X-Auth-Token:x", "--header=X-Auth-Token:***"),
	ONE("--header=Authorization: Basic x", "--header=Authorization: ***"),
	ONE("Proxy-Authorization: x", "Proxy-Authorization: ***"),
	ONE("Bearer x", "Bearer ***"),
};

static const struct pair passwords[] = {
	ONE("root:secret@tcp(db:3306)/x", "root:***@tcp(db:3306)/x"),
	ONE("root:s/e@c:r?t@tcp(db:3306)/x", "root:***@tcp(db:3306)/x"),
	ONE("root:secret@unix(/run/db.sock)/x?a=b", "root:***@unix(/run/db.sock)/x?a=b"),
	ONE("root:secret@/x", "root:***@/x"),
	ONE("u:p@h", "u:***@h"),
	ONE("u:p:q@h:80/x", "u:***@h:80/x"),
	ONE("u:p@q@h", "u:***@h"),
	ONE("u:p@[::1]:80", "u:***@[::1]:80"),
	ONE("--dsn=u:p@h/x", "--dsn=u:***@h/x"),
	ONE("-xu:p@proxy:3128", "-xu:***@proxy:3128"),
	ONE("run u:p@h v:q@i", "run u:***@h v:***@i"),
	{{"x", "--proxy", "u:p@h:80"}, {"x", "--proxy", "u:***@h:80"}},
};

static const struct pair programs[] = {
	{{"curl", "-u", "u:p", "h"}, {"curl", "-u", "u:***", "h"}},
	{{"/usr/bin/curl", "-sSu", "u:p"}, {"/usr/bin/curl", "-sSu", "u:***"}},
	{{"curl", "-uu:p"}, {"curl", "-uu:***"}},
	{{"curl", "-fsuu:p"}, {"curl", "-fsuu:***"}},
	{{"curl", "--user", "u u:p:q r"}, {"curl", "--user", "u u:***"}},
	{{"curl", "--user=u:p"}, {"curl", "--user=u:***"}},
	{{"curl", "--proxy-user", "u:p"}, {"curl", "--proxy-user", "u:***"}},
	{{"curl", "-U", "u:p", "-u", "v:q"}, {"curl", "-U", "u:***", "-u", "v:***"}},
	{{"curl", "-u", "token:"}, {"curl", "-u", "***"}},
	{{"timeout", "9", "curl", "-u", "u:p"}, {"timeout", "9", "curl", "-u", "u:***"}},
	{{"sh", "-c", "curl -s -u u:p h"}, {"sh", "-c", "curl -s -u u:***"}},
	{{"sh", "-c", "/bin/curl -su 'u:p' h"}, {"sh", "-c", "/bin/curl -su 'u:***"}},
	{{"mysql", "-uroot", "-phunter2", "db"}, {"mysql", "-uroot", "-p***", "db"}},
	{{"mysqldump", "-p$=x", "db"}, {"mysqldump", "-p***", "db"}},
	{{"mariadb-admin", "-psecret"}, {"mariadb-admin", "-p***"}},
	{{"redis-cli", "-a", "secret", "ping"}, {"redis-cli", "-a", "***", "ping"}},
	{{"redis-cli", "-a", "-x"}, {"redis-cli", "-a", "***"}},
	{{"sshpass", "-p", "secret", "ssh", "h"}, {"sshpass", "-p", "***", "ssh", "h"}},
	{{"sshpass", "-phunter2", "ssh", "h"}, {"sshpass", "-p***", "ssh", "h"}},
	{{"ldapsearch", "-xw", "secret", "-W"}, {"ldapsearch", "-xw", "***", "-W"}},
	{{"curl", "-u", "nobody", "h:80"}, {"curl", "-u", "nobody", "h:80"}},
	{{"curl", "-u", ":", "h"}, {"curl", "-u", ":", "h"}},
	{{"curl", "-o", "u:p", "--user-agent", "a:b"},
	 {"curl", "-o", "u:p", "--user-agent", "a:b"}},
	{{"mysql", "-p", "db", "-P3306"}, {"mysql", "-p", "db", "-P3306"}},
	{{"curl"}, {"curl"}},
	{{"curl", "-u"}, {"curl", "-u"}},
};

static const struct pair webhooks[] = {
	ONE("https://hooks.slack.com/services/T0/B0/x", "https://hooks.slack.com/***"),
	ONE("--url=https://hooks.slack.com:443/workflows/x",
	    "--url=https://hooks.slack.com:443/***"),
	ONE("hooks.slack.com/services/T0/B0/x", "hooks.slack.com/***"),
	ONE("https://discord.com/api/webhooks/1/x", "https://discord.com/api/***"),
	ONE("https://ptb.Discord.com/api/v10/webhooks/1/x", "https://ptb.Discord.com/api/***"),
	ONE("https://a.webhook.office.com/webhookb2/x", "https://a.webhook.office.com/***"),
	ONE("https://outlook.office.com/webhook/x", "https://outlook.office.com/webhook/***"),
	ONE("https://api.telegram.org/bot1:x/sendMessage", "https://api.telegram.org/bot***"),
	{{"https://hooks.slack.com/x"}, {"https://hooks.slack.com/***"}},
	SAME("https://hooks.slack.com/"),
	SAME("https://hooks.slack.com"),
	SAME("https://discord.com/channels/1"),
	SAME("https://nodiscord.com/api/x"),
	SAME("https://outlook.office.com/mail/x"),
	SAME("https://discord.com.example/api/x"),
};

static const struct pair false_friends[] = {
	SAME("-u", "nobody:nogroup"),
	SAME("-u", "1000:1000", "--user", "a:b"),
	SAME("-psecret"),
	SAME("-a", "x"),
	SAME("curly", "-u", "a:b"),
	SAME("nginx:1.25@sha256:0123456789abcdef"),
	SAME("registry.example:5000/a/b:1@sha256:0123456789abcdef"),
	SAME("git@host:path"),
	SAME("git@host:path@v1"),
	SAME("u@h:22,u@i:22"),
	SAME("mailto:a@b.example"),
	SAME("npm:@scope/x@1"),
	SAME("github:o/r@v1"),
	SAME("a: b@c"),
	SAME("{\"to\":\"a@b.example\"}"),
	SAME("a:@b"),
	SAME("a:b@"),
	SAME("https://h:80/a:b@c"),
	SAME("https://h:80?to=a@b"),
	SAME("--tokenizer", "x"),
	SAME("--tokenizer=x"),
	SAME("--max-tokens", "100"),
	SAME("--passive"),
	SAME("--passive", "x"),
	SAME("--bypass=x"),
	SAME("--compass=x"),
	SAME("monkey=1"),
	SAME("--keyspace", "x"),
	SAME("--key=x"),
	SAME("--author", "x"),
	SAME("--author=x"),
	SAME("--authority=x"),
	SAME("--secretary=x"),
	SAME("--no-password", "x"),
	SAME("--password-stdin", "registry.example"),
	SAME("--password-file", "/run/secrets/db"),
	SAME("TOKEN_FILE=/run/secrets/token"),
	SAME("--auth-type=basic"),
	SAME("https://host/a@b"),
	SAME("https://host:8080/a@b"),
	SAME("https://[::1]/a@b"),
	SAME("https://host?to=a@b"),
	SAME("https://@host"),
	SAME("https://"),
	SAME("a@b.example"),
	SAME("registry/secret:latest"),
	SAME("secret"),
	SAME("password", "x"),
	SAME("--password"),
	SAME("--password", "--verbose"),
	SAME("--password", "-h"),
	SAME("--cookie-file", "x"),
	SAME("-H", "Accept: text/html"),
	SAME("-p", "80:80"),
	SAME(""),
	SAME("-"),
	SAME("--"),
	SAME("="),
	SAME("\xff\xc3=\x80"),
	{{"/opt/password=x", "y"}, {"/opt/password=x", "y"}},
	{{"--password", "y"}, {"--password", "y"}},
};

/* redact: as pm_redact_args() takes it. */
static void check_pair(const struct pair *pair, const struct pm_redact *redact)
{
	const bool is_off = redact != NULL && redact->off;
	char *before[MAX_ARGS + 1] = {0};

	for (size_t i = 0; i < MAX_ARGS && pair->before[i] != NULL; i++)
		before[i] = strdup(pair->before[i]);
	char **after = pm_redact_args(before, redact);
	ck_assert_ptr_nonnull(after);
	for (size_t i = 0; i < MAX_ARGS; i++) {
		ck_assert_pstr_eq(after[i], is_off ? before[i] : pair->after[i]);
		if (after[i] == NULL)
			break;
	}
	free(after);
	for (size_t i = 0; i < MAX_ARGS; i++)
		free(before[i]);
}

START_TEST(a_flags_value_is_hidden)
{
	check_pair(&flags[_i], NULL);
}
END_TEST

START_TEST(an_assigned_secret_is_hidden)
{
	check_pair(&assignments[_i], NULL);
}
END_TEST

START_TEST(userinfo_in_a_url_is_hidden)
{
	check_pair(&urls[_i], NULL);
}
END_TEST

START_TEST(a_headers_secret_is_hidden)
{
	check_pair(&headers[_i], NULL);
}
END_TEST

START_TEST(a_password_before_a_host_is_hidden)
{
	check_pair(&passwords[_i], NULL);
}
END_TEST

START_TEST(what_some_programs_take_is_hidden)
{
	check_pair(&programs[_i], NULL);
}
END_TEST

START_TEST(a_webhooks_path_is_hidden)
{
	check_pair(&webhooks[_i], NULL);
}
END_TEST

START_TEST(false_friends_stay)
{
	check_pair(&false_friends[_i], NULL);
}
END_TEST

START_TEST(no_arguments_at_all)
{
	char *none[] = {NULL};
	char **out = pm_redact_args(none, NULL);

	ck_assert_ptr_nonnull(out);
	ck_assert_ptr_null(out[0]);
	free(out);
}
END_TEST

/* Each argument's place is computed twice; valgrind and ASan see it if the two disagree. */
START_TEST(a_long_argument_is_copied_whole)
{
	enum { LENGTH = 1 << 20 };
	char *text = malloc(LENGTH + 1);
	char command[] = "x", flag[] = "--password";
	char *args[] = {command, text, flag, text, NULL};

	memset(text, 'a', LENGTH);
	text[LENGTH] = '\0';
	char **out = pm_redact_args(args, NULL);
	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(strlen(out[1]), LENGTH);
	ck_assert_str_eq(out[3], "***");
	ck_assert_ptr_null(out[4]);
	free(out);
	free(text);
}
END_TEST

static const char *const units[] = {"a:", "a=", "a://b:x/", "a://b:x", "token ", "-p "};

/* The command waits for it. What is looked for behind each unit is looked for to the end once, or this takes
 * longer than a test may. */
START_TEST(a_long_argument_takes_no_time)
{
	const size_t length = is_under_valgrind() ? 1 << 20 : 1 << 24, unit = strlen(units[_i]);
	char *text = calloc(1, length + 1);
	char command[] = "x";
	char *args[] = {command, text, NULL};

	for (size_t i = 0; i + unit <= length; i += unit)
		memcpy(text + i, units[_i], unit);
	char **out = pm_redact_args(args, NULL);
	ck_assert_ptr_nonnull(out);
	ck_assert_uint_gt(strlen(out[1]), length / 2);
	free(out);
	free(text);
}
END_TEST

/* ---- with what people say of it ---- */

static char pin[] = "pin", ssn[] = "SSN", card[] = "card-number", file_name[] = "file.name";
static char *added_names[] = {pin, ssn, card, file_name};

static const struct pair added[] = {
	ONE("--pin=1", "--pin=***"),
	ONE("PIN=1", "PIN=***"),
	ONE("user_ssn=1", "user_ssn=***"),
	ONE("--cardNumber=1", "--cardNumber=***"),
	ONE("old.card_number=1", "old.card_number=***"),
	ONE("--card-number-2 1", "--card-number-2 ***"),
	ONE("--fileName=x", "--fileName=***"),
	ONE("--password=x", "--password=***"), /* as before */
	{{"x", "--pin", "1", "2"}, {"x", "--pin", "***", "2"}},
	SAME("--pinned=1"),
	SAME("--spin", "x"),
	SAME("--number=1"),
	SAME("--card=1"),
	SAME("--card-x-number=1"),
	SAME("--pin-file", "/run/pin"),
	SAME("--file=x"),
};

START_TEST(names_that_were_added)
{
	const struct pm_redact redact = {.names = added_names,
					 .count = sizeof(added_names) / sizeof(added_names[0])};

	check_pair(&added[_i], &redact);
}
END_TEST

/* The command waits for it. */
START_TEST(a_name_of_many_words_takes_no_time)
{
	enum { LENGTH = 1 << 20 };
	const struct pm_redact redact = {.names = added_names, .count = 1};
	static char text[LENGTH + sizeof("file=x")];
	char *args[] = {pin, text, NULL};

	for (size_t i = 0; i < LENGTH; i += 4)
		memcpy(text + i, "pin-", 4);
	memcpy(text + LENGTH, "file=x", sizeof("file=x"));
	char **out = pm_redact_args(args, &redact);
	ck_assert_ptr_nonnull(out);
	ck_assert_str_eq(out[1], text);
	free(out);
}
END_TEST

START_TEST(nothing_is_hidden_if_that_is_off)
{
	const struct pm_redact off = {.off = true};

	check_pair(&flags[_i], &off);
	check_pair(&urls[_i % (int)(sizeof(urls) / sizeof(urls[0]))], &off);
}
END_TEST

#define ADD_LOOP(tcase, test, table)                                                               \
	tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

static void add_argument_tests(Suite *suite)
{
	TCase *tests = make_case(suite, "arguments", NULL, NULL);

	ADD_LOOP(tests, a_flags_value_is_hidden, flags);
	ADD_LOOP(tests, an_assigned_secret_is_hidden, assignments);
	ADD_LOOP(tests, userinfo_in_a_url_is_hidden, urls);
	ADD_LOOP(tests, a_headers_secret_is_hidden, headers);
	ADD_LOOP(tests, a_password_before_a_host_is_hidden, passwords);
	ADD_LOOP(tests, what_some_programs_take_is_hidden, programs);
	ADD_LOOP(tests, a_webhooks_path_is_hidden, webhooks);
	ADD_LOOP(tests, false_friends_stay, false_friends);
	ADD_LOOP(tests, names_that_were_added, added);
	ADD_LOOP(tests, nothing_is_hidden_if_that_is_off, flags);
	tcase_add_test(tests, no_arguments_at_all);
	tcase_add_test(tests, a_long_argument_is_copied_whole);
	tcase_add_test(tests, a_name_of_many_words_takes_no_time);
	ADD_LOOP(tests, a_long_argument_takes_no_time, units);
}

int main(void)
{
	return RUN_SUITE("redact", add_argument_tests);
}
