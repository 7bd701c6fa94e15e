#include <string.h>
#include "http/router.h"
#include "cm.h"

#define ROW(m, p)                                                                                            \
	{                                                                                                    \
		m, p, "op", 1, NULL, 0, INLINE, NULL                                                         \
	}

static const struct route rows[] = {
	ROW("GET", "/health"),
	ROW("GET", "/models/{name}"),
	ROW("PATCH", "/models/{name}"),
	ROW("GET", "/models/{name}/versions/{version}"),
	ROW("GET", "/models/search"),
	ROW("POST", "/models/create"),
	ROW("GET", "/models/{id}/special"),
	ROW("GET", "/models/search/versions/latest"),
	ROW("DELETE", "/models/{name}/tags/{tag_key}"),
	ROW("GET", "/files/{path...}"),
	ROW("PUT", "/files/{path...}"),
	ROW("GET", "/files"),
	ROW("GET", "/{path...}"),
};

struct fixture {
	struct router *router;
	struct ctx cx;
	struct match match;
};

static int
set_up(void **state)
{
	static struct fixture f;
	char error[200] = "";

	memset(&f, 0, sizeof f);
	f.router = router_new(rows, sizeof rows / sizeof rows[0], error, sizeof error);
	assert_non_null(f.router);
	ctx_init(&f.cx, arena_new(), NULL);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	router_free(f->router);
	arena_free(f->cx.arena);
	return 0;
}

static enum status
find(struct fixture *f, const char *method, const char *path)
{
	return router_find(f->router, &f->cx, method, path, &f->match);
}

static void
assert_goes_to(struct fixture *f, const char *method, const char *path, const char *row)
{
	assert_int_equal(find(f, method, path), OK);
	assert_string_equal(f->match.route->path, row);
}

static void
literals_beat_parameters(void **state)
{
	assert_goes_to(*state, "GET", "/models/search", "/models/search");
	assert_goes_to(*state, "GET", "/models/Search", "/models/{name}");
	assert_goes_to(*state, "GET", "/h%65alth", "/health");
}

static void
a_literal_branch_that_ends_nowhere_is_backed_out_of(void **state)
{
	struct fixture *f = *state;

	assert_goes_to(f, "GET", "/models/search/versions/3", "/models/{name}/versions/{version}");
	assert_string_equal(f->match.params[0].name, "name");
	assert_string_equal(f->match.params[0].value, "search");
	assert_string_equal(f->match.params[1].value, "3");
	assert_goes_to(f, "GET", "/models/x/special", "/models/{id}/special");
	assert_string_equal(f->match.params[0].name, "id");
	/* only POST is at the literal: the parameter's GET answers */
	assert_goes_to(f, "GET", "/models/create", "/models/{name}");
	assert_string_equal(f->match.params[0].value, "create");
}

static void
get_answers_head(void **state)
{
	assert_goes_to(*state, "HEAD", "/health", "/health");
}

static void
another_method_is_405_with_allow(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "POST", "/health"), NOT_ALLOWED);
	assert_string_equal(f->match.allow, "GET, HEAD");
	assert_int_equal(find(f, "BREW", "/models/create"), NOT_ALLOWED);
	assert_string_equal(f->match.allow, "GET, HEAD, POST, PATCH");
	assert_int_equal(find(f, "OPTIONS", "/files/a"), NOT_ALLOWED);
	assert_string_equal(f->match.allow, "GET, HEAD, PUT");
}

static void
the_fallback_yields_and_never_makes_a_405(void **state)
{
	struct fixture *f = *state;

	assert_goes_to(f, "GET", "/", "/{path...}");
	assert_string_equal(f->match.params[0].value, "");
	assert_goes_to(f, "GET", "/runs/12", "/{path...}");
	assert_string_equal(f->match.params[0].value, "runs/12");
	assert_int_equal(find(f, "POST", "/runs/12"), NO_ENDPOINT);
	assert_int_equal(find(f, "GET", "/models/x/tags/y"), NOT_ALLOWED);
	assert_string_equal(f->match.allow, "DELETE");
}

static void
a_rest_takes_slashes_escaped_or_not(void **state)
{
	struct fixture *f = *state;

	assert_goes_to(f, "PUT", "/files/a/b%2fc/d%20e", "/files/{path...}");
	assert_string_equal(f->match.params[0].value, "a/b/c/d e");
	assert_goes_to(f, "GET", "/files/", "/files/{path...}");
	assert_string_equal(f->match.params[0].value, "");
	assert_goes_to(f, "GET", "/files", "/files");
	assert_goes_to(f, "GET", "/files/a//b", "/files/{path...}");
	assert_string_equal(f->match.params[0].value, "a//b");
}

static void
escaped_slashes_stand_in_free_text_only(void **state)
{
	struct fixture *f = *state;

	assert_goes_to(f, "DELETE", "/models/m/tags/a%2Fb%5cc", "/models/{name}/tags/{tag_key}");
	assert_string_equal(f->match.params[1].value, "a/b\\c");
	assert_int_equal(find(f, "GET", "/models/a%2fb"), BAD_REQUEST);
	assert_int_equal(find(f, "GET", "/models/a%5Cb"), BAD_REQUEST);
	assert_int_equal(find(f, "DELETE", "/models/a%2fb/tags/c"), BAD_REQUEST);
}

static void
malformed_paths_are_bad_requests(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, "GET", "/models/%00"), BAD_REQUEST);
	assert_int_equal(find(f, "GET", "/%zz"), BAD_REQUEST);
	assert_int_equal(find(f, "GET", "/models/%ff"), BAD_REQUEST);
	assert_goes_to(f, "GET", "/models/", "/{path...}"); /* an empty segment is no parameter */
	assert_int_equal(find(f, "PATCH", "/models/"), NO_ENDPOINT);
}

static void
malformed_tables_are_refused(void **state)
{
	static const struct route twins[] = { ROW("GET", "/a/{x}"), ROW("GET", "/a/{y}") };
	static const struct route inner_rest[] = { ROW("GET", "/a/{x...}/b") };
	static const struct route bare[] = { ROW("GET", "a") };
	static const struct route half[] = { ROW("GET", "/a/x{b}") };
	char error[200] = "";

	(void)state;
	assert_null(router_new(twins, 2, error, sizeof error));
	assert_non_null(strstr(error, "GET /a/{y}"));
	assert_null(router_new(inner_rest, 1, error, sizeof error));
	assert_null(router_new(bare, 1, error, sizeof error));
	assert_null(router_new(half, 1, error, sizeof error));
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(literals_beat_parameters),
		CASE(a_literal_branch_that_ends_nowhere_is_backed_out_of),
		CASE(get_answers_head),
		CASE(another_method_is_405_with_allow),
		CASE(the_fallback_yields_and_never_makes_a_405),
		CASE(a_rest_takes_slashes_escaped_or_not),
		CASE(escaped_slashes_stand_in_free_text_only),
		CASE(malformed_paths_are_bad_requests),
		CASE(malformed_tables_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
