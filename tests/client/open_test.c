/* Where the address and the user come from. */
#include "client/cm.h"

#include <stdlib.h>
#include <string.h>

#include "cairn/cairn.h"
#include "lib/lib.h"

static cairn_client *client;

static int
setup(void **state)
{
	(void)state;
	unsetenv("CAIRN_TRACKING_URI");
	unsetenv("MLFLOW_TRACKING_URI");
	unsetenv("CAIRN_TOKEN");
	unsetenv("MLFLOW_TRACKING_TOKEN");
	unsetenv("MLFLOW_TRACKING_USERNAME");
	unsetenv("MLFLOW_TRACKING_PASSWORD");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	cairn_close(client);
	client = NULL;
	return 0;
}

static int
open_with(cairn_options o)
{
	cairn_close(client);
	return cairn_open(&o, &client);
}

static void
no_address_is_said(void **state)
{
	char message[256];
	char id[CAIRN_ID_SIZE];

	(void)state;
	assert_int_equal(cairn_open(NULL, &client), CAIRN_EINVAL);
	assert_int_equal(cairn_client_error(client, message, sizeof(message)), CAIRN_EINVAL);
	assert_non_null(strstr(message, "CAIRN_TRACKING_URI"));
	assert_int_equal(cairn_experiment(client, "e", id), CAIRN_EINVAL);
}

static void
the_environment_is_asked_in_order(void **state)
{
	(void)state;
	setenv("MLFLOW_TRACKING_URI", "http://mlflow:1", 1);
	assert_int_equal(open_with((cairn_options){ 0 }), CAIRN_OK);
	assert_string_equal(cairn_client_address(client), "http://mlflow:1");
	setenv("CAIRN_TRACKING_URI", "https://cairn.example/prefix/", 1);
	assert_int_equal(open_with((cairn_options){ 0 }), CAIRN_OK);
	assert_string_equal(cairn_client_address(client), "https://cairn.example/prefix");
	assert_int_equal(open_with((cairn_options){ .address = "http://given:2/" }), CAIRN_OK);
	assert_string_equal(cairn_client_address(client), "http://given:2");
}

static void
what_is_no_address_is_refused(void **state)
{
	static const char *bad[] = { "", "ftp://host", "file:///etc", "http://", "not an address", "mlruns",
		"host:5000" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (open_with((cairn_options){ .address = bad[i] }) != CAIRN_EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
}

static void
credentials_in_the_address_are_not_shown(void **state)
{
	(void)state;
	assert_int_equal(open_with((cairn_options){ .address = "http://me:p%40ss@host:5000" }), CAIRN_OK);
	assert_string_equal(cairn_client_address(client), "http://host:5000");
	assert_string_equal(client->username, "me");
	assert_string_equal(client->password, "p@ss");
}

static void
the_user_comes_from_options_then_environment(void **state)
{
	(void)state;
	setenv("MLFLOW_TRACKING_TOKEN", "last", 1);
	assert_int_equal(open_with((cairn_options){ .address = "http://h" }), CAIRN_OK);
	assert_string_equal(client->token, "last");
	setenv("MLFLOW_TRACKING_USERNAME", "user", 1);
	setenv("MLFLOW_TRACKING_PASSWORD", "password", 1);
	assert_int_equal(open_with((cairn_options){ .address = "http://h" }), CAIRN_OK);
	assert_null(client->token);
	assert_string_equal(client->username, "user");
	assert_string_equal(client->password, "password");
	setenv("CAIRN_TOKEN", "first", 1);
	assert_int_equal(open_with((cairn_options){ .address = "http://h" }), CAIRN_OK);
	assert_string_equal(client->token, "first");
	assert_null(client->username);
	assert_int_equal(
		open_with((cairn_options){ .address = "http://h", .username = "u", .password = "p" }),
		CAIRN_OK);
	assert_null(client->token);
	assert_string_equal(client->username, "u");
}

static void
a_token_cannot_smuggle_a_header(void **state)
{
	(void)state;
	assert_int_equal(
		open_with((cairn_options){ .address = "http://h", .token = "a\r\nX: y" }), CAIRN_EINVAL);
	assert_int_equal(
		open_with((cairn_options){ .address = "http://h", .username = "a:b" }), CAIRN_EINVAL);
}

static void
nothing_is_done_with_null(void **state)
{
	cairn_run_counts n = { .sent = 7 };

	(void)state;
	assert_int_equal(cairn_open(NULL, NULL), CAIRN_EINVAL);
	assert_int_equal(cairn_run_metric(NULL, "k", 1, 1), CAIRN_EINVAL);
	assert_int_equal(cairn_run_end(NULL, CAIRN_FINISHED), CAIRN_EINVAL);
	assert_int_equal(cairn_run_flush(NULL, 0), CAIRN_EINVAL);
	assert_int_equal(cairn_run_artifact(NULL, "a", "b"), CAIRN_EINVAL);
	assert_int_equal(cairn_resolve(NULL, "a@b", NULL), CAIRN_EINVAL);
	assert_string_equal(cairn_run_id(NULL), "");
	cairn_run_stats(NULL, &n);
	assert_int_equal(n.sent, 0);
	cairn_run_free(NULL);
	cairn_close(NULL);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(no_address_is_said),
		CASE(the_environment_is_asked_in_order),
		CASE(what_is_no_address_is_refused),
		CASE(credentials_in_the_address_are_not_shown),
		CASE(the_user_comes_from_options_then_environment),
		CASE(a_token_cannot_smuggle_a_header),
		CASE(nothing_is_done_with_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
