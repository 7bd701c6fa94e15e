#include "domain/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/utf8.h"

static const char *
quoted(struct ctx *cx, const char *text)
{
	struct buf b;
	struct jsonw w;
	const char *out;

	buf_init(&b, 64 * 1024);
	jw_init(&w, &b);
	jw_text(&w, text);
	out = b.overflow ? "\"…\"" : arena_strn(cx->arena, b.data, b.len);
	buf_fini(&b);
	return out;
}

/* Letters, digits and marks of any script, and / _ - . space : */
static bool
key_characters(const char *s)
{
	const char *end = s + strlen(s);

	while (s < end) {
		uint32_t cp = utf8_next(&s, end);

		if (!utf8_is_word(cp) && (cp >= 0x80 || strchr("/_-. :", (int)cp) == NULL))
			return false;
	}
	return true;
}

/* A name that may be taken for a path must be one in its normal form: "a/b", not "a//b", "./a" or "../a". */
static bool
normal_path(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || s[0] == '/' || s[n - 1] == '/' || str_starts(s, ".."))
		return false;
	for (const char *p = s; p != NULL; p = strchr(p, '/'), p = p != NULL ? p + 1 : NULL) {
		size_t part = strcspn(p, "/");

		if (part == 0 || (part == 1 && p[0] == '.') || (part == 2 && p[0] == '.' && p[1] == '.'))
			return false;
	}
	return true;
}

bool
name_key_good(const char *key)
{
	return key != NULL && key_characters(key) && normal_path(key) &&
	       utf8_count(key, strlen(key)) <= KEY_LENGTH;
}

enum status
name_key(struct ctx *cx, const char *path, const char *key)
{
	if (key == NULL)
		return fail(cx, INVALID, "Missing value for required parameter '%s'.", path);
	if (!key_characters(key))
		return fail(cx, INVALID,
			"Invalid value %.600s for parameter '%s' supplied: Names may only contain "
			"alphanumerics, underscores (_), "
			"dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).",
			quoted(cx, key), path);
	if (!normal_path(key))
		return fail(cx, INVALID,
			"Invalid value %.600s for parameter '%s' supplied: Names may be treated as files in "
			"certain cases, and must "
			"not resolve to other names when treated as such. This name is empty, absolute, or "
			"has an empty, \".\" or "
			"\"..\" part.",
			quoted(cx, key), path);
	return name_length(cx, path, KEY_LENGTH, key);
}

enum status
name_length(struct ctx *cx, const char *what, size_t limit, const char *text)
{
	if (text == NULL || utf8_count(text, strlen(text)) <= limit)
		return OK;
	return fail(cx, INVALID, "'%s' exceeds the maximum length of %zu characters", what, limit);
}

const char *
name_cut(struct ctx *cx, size_t limit, const char *text)
{
	const char *p = text, *end;

	if (text == NULL || utf8_count(text, strlen(text)) <= limit)
		return text;
	end = text + strlen(text);
	for (size_t i = 0; i < limit; i++)
		utf8_next(&p, end);
	return arena_strn(cx->arena, text, (size_t)(p - text));
}

enum status
name_experiment(struct ctx *cx, const char *name)
{
	if (str_empty(name))
		return fail(cx, INVALID, "Invalid experiment name: ''");
	return name_length(cx, "name", EXPERIMENT_NAME_LENGTH, name);
}

enum status
name_experiment_id(struct ctx *cx, const char *text, int64_t *out)
{
	if (text == NULL || !str_int64(text, out))
		return fail(cx, INVALID,
			"Invalid experiment ID '%.100s'. Experiment ID must be a valid integer.",
			text == NULL ? "" : text);
	return OK;
}

enum status
name_run_uuid(struct ctx *cx, const char *path, const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if (!utf8_is_word((unsigned char)text[i]) && !(i > 0 && text[i] == '-'))
			n = 0;
	if (n == 0 || n > 256 || text[0] == '_')
		return fail(cx, INVALID, "Invalid value %.600s for parameter '%s' supplied.",
			quoted(cx, text), path);
	return OK;
}

const char *
name_below(struct ctx *cx, const char *location, const char *rest)
{
	size_t n = strcspn(location, "?");
	const char *query = location + n;

	while (n > 0 && location[n - 1] == '/')
		n--;
	return arena_printf(cx->arena, "%.*s/%s%s", (int)n, location, rest, query);
}

/* Nothing but blanks of any script? */
static bool
is_blank(const char *s)
{
	const char *end = s == NULL ? s : s + strlen(s);

	while (s < end) {
		uint32_t cp = utf8_next(&s, end);

		if (!(cp == ' ' || (cp >= 0x09 && cp <= 0x0d) || (cp >= 0x1c && cp <= 0x1f) || cp == 0x85 ||
			    cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 ||
			    cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000))
			return false;
	}
	return true;
}

enum status
name_model(struct ctx *cx, const char *name)
{
	if (is_blank(name))
		return fail(cx, INVALID, "Missing value for required parameter 'name'.");
	if (strpbrk(name, "/:") != NULL)
		return fail(
			cx, INVALID, "Invalid model name '%.300s'. Names cannot contain '/' or ':'.", name);
	if (str_eq(name, ".") || str_starts(name, ".."))
		return fail(cx, INVALID,
			"Invalid value \"%.300s\" for parameter 'name' supplied: Names may be treated as "
			"files in "
			"certain cases, and must not resolve to other names when treated as such. Begin it "
			"with "
			"something else than dots.",
			name);
	return name_length(cx, "name", MODEL_NAME_LENGTH, name);
}

static bool
alias_characters(const char *s)
{
	const char *end = s + strlen(s);

	while (s < end) {
		uint32_t cp = utf8_next(&s, end);

		if (cp != '-' && !utf8_is_word(cp))
			return false;
	}
	return true;
}

enum status
name_alias(struct ctx *cx, const char *alias)
{
	if (str_empty(alias))
		return fail(cx, INVALID, "Registered model alias name cannot be empty.");
	if (!alias_characters(alias))
		return fail(cx, INVALID,
			"Invalid alias name: '%.300s'. Names may only contain alphanumerics, underscores "
			"(_), and dashes (-).",
			alias);
	if (str_eq_nocase(alias, "latest"))
		return fail(cx, INVALID,
			"'latest' alias name (case insensitive) is reserved: it always means the newest "
			"version; choose another name.");
	if ((alias[0] == 'v' || alias[0] == 'V') && alias[1] != '\0' &&
		strspn(alias + 1, "0123456789") == strlen(alias + 1))
		return fail(cx, INVALID,
			"Version alias name '%.300s' is reserved: it reads as a version number; choose "
			"another name.",
			alias);
	return name_length(cx, "alias", ALIAS_LENGTH, alias);
}

enum status
name_version(struct ctx *cx, const char *text, int32_t *out)
{
	int64_t v;

	if (text == NULL || !str_int64(text, &v))
		return fail(cx, INVALID, "Parameter 'version' must be an integer, got '%.100s'.",
			text == NULL ? "" : text);
	*out = v < 0 || v > INT32_MAX ? 0 : (int32_t)v; /* no such version: the look-up says so */
	return OK;
}

enum status
name_logged_model(struct ctx *cx, const char *name)
{
	if (*name == '\0' || strpbrk(name, "/:.%\"'") != NULL)
		return fail(cx, INVALID,
			"Invalid model name ('%.300s') provided. Model name must be a non-empty string and "
			"cannot contain the following "
			"characters: ('/', ':', '.', '%%', '\"', \"'\")",
			name);
	return name_length(cx, "name", EXPERIMENT_NAME_LENGTH, name);
}

static const char *
place(struct ctx *cx, const char *list, size_t i, const char *field)
{
	return list == NULL ? field : arena_printf(cx->arena, "%s[%zu].%s", list, i, field);
}

enum status
name_params(struct ctx *cx, const char *list, struct key_value *params, size_t n)
{
	enum status st;

	for (size_t i = 0; i < n; i++) {
		if ((st = name_key(cx, place(cx, list, i, "key"), params[i].key)) != OK)
			return st;
		params[i].value =
			params[i].value == NULL ? "" : name_cut(cx, PARAM_VALUE_LENGTH, params[i].value);
	}
	return OK;
}

enum status
name_run_tags(struct ctx *cx, const char *list, struct key_value *tags, size_t n)
{
	enum status st;

	for (size_t i = 0; i < n; i++) {
		if ((st = name_key(cx, place(cx, list, i, "key"), tags[i].key)) != OK)
			return st;
		tags[i].value = tags[i].value == NULL ? "" : name_cut(cx, TAG_VALUE_LENGTH, tags[i].value);
	}
	return OK;
}

enum status
name_first_tags(struct ctx *cx, struct key_value *tags, size_t n)
{
	enum status st;

	for (size_t i = 0; i < n; i++) {
		if ((st = name_length(cx, place(cx, "tags", i, "key"), KEY_LENGTH, tags[i].key)) != OK)
			return st;
		tags[i].value = tags[i].value == NULL ? "" : name_cut(cx, TAG_VALUE_LENGTH, tags[i].value);
	}
	return OK;
}

static enum status
count_limit(struct ctx *cx, const char *what, size_t limit, size_t n)
{
	if (n <= limit)
		return OK;
	return fail(cx, INVALID,
		"A batch logging request can contain at most %zu %s. Got %zu %s. Please split up %s across "
		"multiple requests and try "
		"again.",
		limit, what, n, what, what);
}

enum status
name_batch(struct ctx *cx, size_t metrics, size_t params, size_t tags)
{
	enum status st;

	if ((st = count_limit(cx, "metrics", METRICS_PER_BATCH, metrics)) != OK ||
		(st = count_limit(cx, "params", PARAMS_PER_BATCH, params)) != OK ||
		(st = count_limit(cx, "tags", TAGS_PER_BATCH, tags)) != OK)
		return st;
	return count_limit(cx, "metrics, params, and tags", ENTITIES_PER_BATCH, metrics + params + tags);
}

static const char *const adjectives[] = { "able", "agile", "amber", "bold", "brave", "bright", "calm",
	"clear", "clever", "crisp", "daring", "deft", "eager", "early", "fair", "fleet", "fond", "frank",
	"gentle", "glad", "golden", "grand", "handy", "hardy", "honest", "humble", "keen", "kind", "lively",
	"loyal", "lucid", "mellow", "merry", "mild", "modest", "neat", "nimble", "noble", "patient", "placid",
	"plucky", "polite", "proud", "quick", "quiet", "rapid", "rosy", "serene", "sharp", "silent", "sleek",
	"smooth", "snug", "spry", "steady", "stout", "sunny", "sure", "swift", "tidy", "trusty", "vivid",
	"warm", "witty" };
static const char *const nouns[] = { "alder", "badger", "beacon", "birch", "bison", "boulder", "brook",
	"cedar", "cliff", "condor", "crag", "crane", "dune", "eagle", "elk", "ember", "falcon", "fern",
	"finch", "fjord", "fox", "gale", "glacier", "grove", "gull", "harbor", "hare", "hawk", "heron",
	"hill", "ibex", "island", "kestrel", "lark", "larch", "ledge", "lynx", "marmot", "marten", "meadow",
	"moor", "moose", "oak", "osprey", "otter", "owl", "peak", "pine", "plover", "quail", "raven", "reef",
	"ridge", "river", "robin", "seal", "shore", "sparrow", "spruce", "stone", "summit", "swan", "trail",
	"wren" };

const char *
name_random(struct ctx *cx)
{
	uint64_t r = random_u64();
	size_t a = sizeof(adjectives) / sizeof(adjectives[0]), n = sizeof(nouns) / sizeof(nouns[0]);

	return arena_printf(
		cx->arena, "%s-%s-%u", adjectives[r % a], nouns[(r >> 16) % n], (unsigned)((r >> 32) % 1000));
}
