/* Settings from the command line, the environment and a file; what is wrong with them; help and man page. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "config.h"
#include "base/str.h"

static struct config config;
static struct buf errors;
static char file[64];

static int
setup(void **state)
{
	(void)state;
	buf_init(&errors, 65536);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "CAIRN_DATA", "CAIRN_WORKERS", "CAIRN_ALLOW_HOST",
		"CAIRN_CONFIG", "CAIRN_MIGRATE", "CAIRN_LOG_LEVEL", "CAIRN_DATABASE" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unsetenv(names[i]);
	config_fini(&config);
	buf_fini(&errors);
	if (file[0] != '\0')
		(void)unlink(file);
	file[0] = '\0';
	return 0;
}

#define PARSE(...) parse((const char *const[]){ "cairnd", __VA_ARGS__, NULL })

static bool
parse(const char *const *words)
{
	char *argv[32];
	int argc = 0;
	bool ok;

	for (; words[argc] != NULL; argc++)
		argv[argc] = strdup(words[argc]);
	argv[argc] = NULL;
	ok = config_parse(&config, argc, argv, &errors);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	if (!ok)
		print_message("%s", errors.data);
	return ok;
}

static void
write_config(const char *text)
{
	int fd;

	(void)snprintf(file, sizeof(file), "/tmp/cairn-config-XXXXXX");
	fd = mkstemp(file);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
without_settings_the_defaults_hold(void **state)
{
	(void)state;
	assert_true(PARSE("serve", "--data", "/d"));
	assert_int_equal(config.command, COMMAND_SERVE);
	assert_string_equal(config.data, "/d");
	assert_string_equal(config.address, "127.0.0.1");
	assert_int_equal(config.port, 5000);
	assert_true(config.loopback && config.auth_on);
	assert_false(config.migrate || config.log_json);
	assert_int_equal(config.least, LOG_LEVEL_INFO);
	assert_in_range(config.workers, 1, 256);
	assert_null(config.allow_hosts[0]);
	assert_null(config.database);
}

static void
both_ways_of_writing_a_value_are_the_same(void **state)
{
	(void)state;
	assert_true(PARSE(
		"serve", "--data=/d", "--listen=[::1]:0", "--auth", "off", "--migrate", "--log-format=json"));
	assert_string_equal(config.address, "::1");
	assert_int_equal(config.port, 0);
	assert_false(config.auth_on);
	assert_true(config.loopback && config.migrate && config.log_json);
}

static void
the_command_line_wins_over_the_environment_and_that_over_the_file(void **state)
{
	(void)state;
	write_config("# a comment\n\n data = /file\nworkers=3\npool = 7\nlog-level = warn\ndatabase = host=a "
		     "password=x#y=z\n");
	assert_int_equal(setenv("CAIRN_WORKERS", "4", 1), 0);
	assert_int_equal(setenv("CAIRN_DATA", "/environment", 1), 0);
	assert_true(PARSE("serve", "--config", file, "--data", "/line"));
	assert_string_equal(config.data, "/line");
	assert_int_equal(config.workers, 4);
	assert_int_equal(config.pool, 7);
	assert_int_equal(config.least, LOG_LEVEL_WARN);
	assert_string_equal(config.database, "host=a password=x#y=z");
}

static void
the_file_may_be_named_by_the_environment(void **state)
{
	(void)state;
	write_config("data = /file\n");
	assert_int_equal(setenv("CAIRN_CONFIG", file, 1), 0);
	assert_int_equal(setenv("CAIRN_DATABASE", "", 1), 0); /* empty: not given */
	assert_true(PARSE("serve"));
	assert_string_equal(config.data, "/file");
	assert_null(config.database);
}

static void
names_of_one_source_add_up_and_a_stronger_one_replaces_them(void **state)
{
	(void)state;
	assert_int_equal(setenv("CAIRN_ALLOW_HOST", "never.example", 1), 0);
	assert_true(PARSE("serve", "--data", "/d", "--allow-host", "a.example, b.example", "--allow-host=c"));
	assert_int_equal(config.allow_host_count, 3);
	assert_string_equal(config.allow_hosts[0], "a.example");
	assert_string_equal(config.allow_hosts[1], "b.example");
	assert_string_equal(config.allow_hosts[2], "c");
	assert_null(config.allow_hosts[3]);
}

static size_t
lines(void)
{
	size_t n = 0;

	for (size_t i = 0; i < errors.len; i++)
		n += errors.data[i] == '\n';
	return n;
}

static void
all_that_is_wrong_is_said_at_once(void **state)
{
	(void)state;
	assert_int_equal(setenv("CAIRN_WORKERS", "many", 1), 0);
	assert_false(PARSE("serve", "--listen", "example.org:80", "--auth=perhaps", "--loops", "17",
		"--colour", "--pool"));
	assert_int_equal(lines(), 7);
	assert_non_null(strstr(errors.data, "--auth is \"perhaps\": it can be on|off"));
	assert_non_null(strstr(errors.data, "--loops is \"17\": it can be a number of threads from 1 to 16"));
	assert_non_null(strstr(errors.data, "CAIRN_WORKERS is \"many\""));
	assert_non_null(strstr(errors.data, "no setting \"--colour\""));
	assert_non_null(strstr(errors.data, "--pool needs a value"));
	assert_non_null(strstr(errors.data, "listen is \"example.org:80\""));
	assert_non_null(strstr(errors.data, "data is needed"));
}

static void
a_wrong_line_of_the_file_is_named(void **state)
{
	(void)state;
	write_config("data = /d\nworkers = 0\nhelp = on\nnonsense\n");
	assert_false(PARSE("serve", "--config", file));
	assert_int_equal(lines(), 3);
	assert_non_null(strstr(errors.data, "line 2: workers is \"0\""));
	assert_non_null(strstr(errors.data, "line 3: there is no setting \"help\""));
	assert_non_null(strstr(errors.data, "line 4 is no \"name = value\""));
}

static void
a_file_that_is_missing_is_said(void **state)
{
	(void)state;
	assert_false(PARSE("serve", "--data", "/d", "--config", "/nowhere/cairn.conf"));
	assert_non_null(strstr(errors.data, "/nowhere/cairn.conf cannot be read: No such file"));
}

static void
auth_off_is_for_loopback_alone(void **state)
{
	static const char *const wrong[] = { "0.0.0.0:5000", "[::]:5000", "192.168.1.2:80" };
	static const char *const right[] = { "127.0.0.1:0", "127.9.9.9:1", "[::1]:5000", "localhost:5000" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		buf_clear(&errors);
		assert_false(PARSE("serve", "--data", "/d", "--auth", "off", "--listen", wrong[i]));
		assert_non_null(strstr(errors.data, "auth off lets everybody in"));
		config_fini(&config);
	}
	for (size_t i = 0; i < 4; i++) {
		buf_clear(&errors);
		assert_true(PARSE("serve", "--data", "/d", "--auth", "off", "--listen", right[i]));
		if (i < 3)
			config_fini(&config);
	}
}

static void
addresses_are_checked(void **state)
{
	static const char *const wrong[] = { "5000", ":5000", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:-1",
		"[::1:5000", "::1:5000", "127.0.0.1:" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		buf_clear(&errors);
		assert_false(PARSE("serve", "--data", "/d", "--listen", wrong[i]));
		assert_int_equal(lines(), 1);
		if (i + 1 < sizeof(wrong) / sizeof(wrong[0]))
			config_fini(&config);
	}
}

static void
a_public_url_gives_the_host(void **state)
{
	(void)state;
	assert_true(PARSE("serve", "--data", "/d", "--public-url", "https://cairn.example:8443/"));
	assert_string_equal(config.public_url, "https://cairn.example:8443");
	assert_string_equal(config.public_host, "cairn.example");
}

static void
other_public_urls_are_refused(void **state)
{
	static const char *const wrong[] = { "cairn.example", "ftp://cairn.example", "https://",
		"https://a/b", "https://u@a", "https://a:0", "https://a b", "https://[::1" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		buf_clear(&errors);
		assert_false(PARSE("serve", "--data", "/d", "--public-url", wrong[i]));
		assert_int_equal(lines(), 1);
		if (i + 1 < sizeof(wrong) / sizeof(wrong[0]))
			config_fini(&config);
	}
}

static void
commands_take_their_operand_and_their_settings(void **state)
{
	(void)state;
	assert_true(PARSE("user", "add", "ada", "--admin", "--data", "/d", "--password-file", "-"));
	assert_int_equal(config.command, COMMAND_USER_ADD);
	assert_string_equal(config.operand, "ada");
	assert_true(config.admin);
	assert_string_equal(config.password_file, "-");
}

static void
a_setting_of_another_command_is_refused(void **state)
{
	(void)state;
	assert_false(PARSE("user", "list", "--data", "/d", "--admin"));
	assert_string_equal(errors.data, "--admin is no setting of \"cairnd user list\"\n");
}

static void
unknown_commands_and_missing_names_are_said(void **state)
{
	(void)state;
	assert_false(PARSE("user", "paint", "ada", "--data", "/d"));
	assert_non_null(strstr(errors.data, "there is no command \"user paint\""));
	config_fini(&config);
	buf_clear(&errors);
	assert_false(PARSE("token", "add", "--data", "/d"));
	assert_non_null(strstr(errors.data, "\"cairnd token add\" needs a USER"));
	config_fini(&config);
	buf_clear(&errors);
	assert_false(PARSE("serve", "now", "--data", "/d"));
	assert_non_null(strstr(errors.data, "\"now\" is one word too many"));
}

static void
other_commands_need_no_folder_when_the_database_is_named(void **state)
{
	(void)state;
	assert_true(PARSE("migrate", "--check", "--database", "host=db"));
	assert_true(config.check);
	config_fini(&config);
	buf_clear(&errors);
	assert_false(PARSE("serve", "--database", "host=db"));
	assert_non_null(strstr(errors.data, "data is needed"));
}

static void
help_and_man_page_name_every_setting(void **state)
{
	static const char *const names[] = { "data", "listen", "database", "blobs", "auth", "allow-host",
		"public-url", "migrate", "web", "log-format", "log-level", "workers", "loops", "streams",
		"connections", "pool", "config", "password-file" };
	struct buf help, man;
	char text[64];

	(void)state;
	assert_true(PARSE("--help"));
	assert_true(config.help);
	buf_init(&help, 1 << 20);
	buf_init(&man, 1 << 20);
	config_help(&help);
	config_man(&man);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(text, sizeof(text), "  --%s", names[i]);
		assert_non_null(strstr(help.data, text));
	}
	assert_non_null(strstr(help.data, "CAIRN_LOG_FORMAT"));
	assert_non_null(strstr(man.data, "\\-\\-allow\\-host"));
	assert_false(help.overflow || man.overflow);
	buf_fini(&help);
	buf_fini(&man);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_settings_the_defaults_hold),
		TEST(both_ways_of_writing_a_value_are_the_same),
		TEST(the_command_line_wins_over_the_environment_and_that_over_the_file),
		TEST(the_file_may_be_named_by_the_environment),
		TEST(names_of_one_source_add_up_and_a_stronger_one_replaces_them),
		TEST(all_that_is_wrong_is_said_at_once),
		TEST(a_wrong_line_of_the_file_is_named),
		TEST(a_file_that_is_missing_is_said),
		TEST(auth_off_is_for_loopback_alone),
		TEST(addresses_are_checked),
		TEST(a_public_url_gives_the_host),
		TEST(other_public_urls_are_refused),
		TEST(commands_take_their_operand_and_their_settings),
		TEST(a_setting_of_another_command_is_refused),
		TEST(unknown_commands_and_missing_names_are_said),
		TEST(other_commands_need_no_folder_when_the_database_is_named),
		TEST(help_and_man_page_name_every_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
