#include "domain/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "domain/names.h"
#include "store/logged_models.h"
#include "store/registry.h"
#include "store/runs.h"

#define PROMPT_TAG   "mlflow.prompt.is_prompt"
#define VERSIONS_TAG "mlflow.modelVersions"

/* Schemes that name another host, which this server would never be allowed to open. */
static const char *const refused[] = {
	"ftp:", "sftp:", "hdfs:", "viewfs:", "http:", "https:", "r2:", "b2:", "abfss:"
};

static enum status
wrong(struct ctx *cx, const char *source, const char *why)
{
	return fail(cx, INVALID, "Invalid model version source: '%.300s'. %s", source, why);
}

/* models:/m-… */
static enum status
from_logged_model(struct tx *tx, struct version *v, const char *uuid)
{
	struct ctx *cx = tx_ctx(tx);
	struct logged_model m;
	enum status st;

	if (!str_eq(v->logged_model_uuid, uuid))
		return wrong(
			cx, v->source, "The model_id request parameter must name the same logged model.");
	st = store_logged_model_get(tx, uuid, &m);
	if (st == NOT_FOUND || (st == OK && m.deleted))
		return fail(cx, NOT_FOUND, "Logged model with ID '%s' not found.", uuid);
	if (st != OK)
		return st;
	v->storage_location = m.artifact_uri;
	return OK;
}

/* The files of another version: what is said of run and logged model must agree with it, what is not is taken over. */
static enum status
take_over(struct ctx *cx, struct version *v, const struct version *other)
{
	bool same_run = str_empty(v->run_uuid) || str_eq(v->run_uuid, other->run_uuid);
	bool same_model =
		v->logged_model_uuid == NULL || str_eq(v->logged_model_uuid, other->logged_model_uuid);

	if (!same_run || !same_model)
		return wrong(cx, v->source,
			"The run_id and model_id request parameters must match the referenced model "
			"version.");
	v->run_uuid = other->run_uuid;
	v->logged_model_uuid = other->logged_model_uuid;
	v->storage_location = other->storage_location;
	v->source = arena_printf(cx->arena, "models:/%s/%lld", other->model, (long long)other->version);
	return OK;
}

static enum status
from_number(struct tx *tx, struct version *v, const char *name, int64_t number)
{
	struct ctx *cx = tx_ctx(tx);
	struct version other;
	enum status st = store_version_get(tx, name, number, &other);

	if (st == NOT_FOUND)
		return fail(cx, NOT_FOUND, "Model Version (name=%s, version=%lld) not found", name,
			(long long)number);
	return st == OK ? take_over(cx, v, &other) : st;
}

/* models:/name@alias: the version it points to now */
static enum status
from_alias(struct tx *tx, struct version *v, const char *rest)
{
	struct ctx *cx = tx_ctx(tx);
	const char *at = strrchr(rest, '@');
	const char *name = arena_strn(cx->arena, rest, (size_t)(at - rest));
	struct alias alias = { 0 };
	bool found;
	enum status st = store_alias_get(tx, name, at + 1, &alias, &found);

	if (st != OK)
		return st;
	if (!found || !alias.has_version)
		return fail(cx, NOT_FOUND, "Registered model alias %s not found.", at + 1);
	return from_number(tx, v, name, alias.version);
}

/* models:/name/latest and models:/name/Stage: the newest version, of all or of a stage */
static enum status
from_newest(struct tx *tx, struct version *v, const char *name, const char *which)
{
	struct ctx *cx = tx_ctx(tx);
	bool any = str_eq_nocase(which, "latest");
	const struct version *newest = NULL;
	struct version *all;
	struct model m;
	enum stage stage = STAGE_NONE;
	size_t n;
	enum status st;

	if (!any && (st = stage_from(cx, which, &stage)) != OK)
		return st;
	st = store_model_get(tx, name, &m);
	if (st == NOT_FOUND)
		return fail(cx, NOT_FOUND, "Registered Model with name=%s not found", name);
	if (st != OK || (st = store_version_latest(tx, &m.model_id, 1, &all, &n)) != OK)
		return st;
	for (size_t i = 0; i < n; i++)
		if ((any || all[i].stage == stage) && (newest == NULL || all[i].version > newest->version))
			newest = &all[i];
	if (newest == NULL)
		return fail(cx, NOT_FOUND, "No versions of model with name '%s' and stage '%s' found", name,
			which);
	return take_over(cx, v, newest);
}

/* models:/name/3 and the other ways to name a version */
static enum status
from_version(struct tx *tx, struct version *v, const char *rest)
{
	struct ctx *cx = tx_ctx(tx);
	const char *slash = strrchr(rest, '/'), *name;
	int64_t number;

	if (slash == NULL && strchr(rest, '@') != NULL)
		return from_alias(tx, v, rest);
	if (slash == NULL)
		return wrong(cx, v->source,
			"A models:/ source is models:/<model_id>, models:/<name>/<version>, "
			"models:/<name>/<stage> or models:/<name>@<alias>.");
	name = arena_strn(cx->arena, rest, (size_t)(slash - rest));
	return str_int64(slash + 1, &number) ? from_number(tx, v, name, number)
					     : from_newest(tx, v, name, slash + 1);
}

/* What "runs:/<run>/name/below" means to clients: the files of the run's model of that name, else those of the run itself. */
static enum status
locate_in_run(struct tx *tx, const struct run *run, const char *path, const char **out)
{
	struct ctx *cx = tx_ctx(tx);
	size_t n = strcspn(path, "/");
	const char *below = path[n] == '/' ? path + n + 1 : "", *uri = NULL;
	bool found = false;
	enum status st;

	st = store_logged_model_of_run(tx, run, arena_strn(cx->arena, path, n), &uri, &found);
	if (st != OK)
		return st;
	if (!found) {
		uri = run->artifact_uri;
		below = path;
	}
	*out = *below == '\0' ? uri : arena_printf(cx->arena, "%s/%s", uri, below);
	return OK;
}

/* runs:/<run>/path */
static enum status
from_run(struct tx *tx, struct version *v, const char *rest)
{
	struct ctx *cx = tx_ctx(tx);
	const char *slash = strchr(rest, '/'), *path = "";
	const char *uuid = slash == NULL ? rest : arena_strn(cx->arena, rest, (size_t)(slash - rest));
	struct run run;
	enum status st;

	if (v->logged_model_uuid != NULL)
		return wrong(cx, v->source, "A runs:/ source cannot go with a model_id.");
	if (*uuid == '\0' || !str_eq(v->run_uuid, uuid))
		return wrong(cx, v->source,
			"To use a runs:/ URI as a model version source, the run_id request parameter must "
			"identify the resource that contains "
			"the source.");
	if (slash != NULL && (st = artifact_path(cx, slash + 1, true, &path)) != OK)
		return st;
	st = store_run_find(tx, uuid, &run);
	if (st == NOT_FOUND) { /* the protocol lets the run be one of another server */
		v->storage_location = v->source;
		return OK;
	}
	return st == OK ? locate_in_run(tx, &run, path, &v->storage_location) : st;
}

static bool
lies_inside(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return str_starts(path, folder) && (path[n] == '/' || path[n] == '\0');
}

/* mlflow-artifacts:/…: only inside the run or the logged model that is named */
static enum status
from_proxy(struct tx *tx, struct version *v)
{
	struct ctx *cx = tx_ctx(tx);
	const char *path, *folder = "";
	struct run run;
	struct logged_model m;
	bool inside = false;
	enum status st;

	if (str_starts(v->source, "mlflow-artifacts://"))
		return wrong(cx, v->source,
			"'source' cannot use the 'mlflow-artifacts' scheme with a host: it must lie on this "
			"server.");
	if ((st = artifact_path_of_uri(cx, v->source, &path)) != OK)
		return st;
	if (v->logged_model_uuid == NULL && !str_empty(v->run_uuid) &&
		store_run_find(tx, v->run_uuid, &run) == OK &&
		artifact_path_of_uri(cx, run.artifact_uri, &folder) == OK)
		inside = lies_inside(path, folder);
	if (v->logged_model_uuid != NULL && store_logged_model_get(tx, v->logged_model_uuid, &m) == OK &&
		artifact_path_of_uri(cx, m.artifact_uri, &folder) == OK)
		inside = lies_inside(path, folder);
	if (!inside)
		return wrong(cx, v->source,
			"To use a proxied artifact location as a model version source, the run_id or "
			"model_id request parameter has to be "
			"specified and the location has to be contained within the artifact directory of "
			"that run or model.");
	v->storage_location = arena_printf(cx->arena, ARTIFACT_SCHEME "%s", path);
	return OK;
}

/* A version that names a logged model and no run is of that model's run, wherever its files are. */
static enum status
run_of_logged_model(struct tx *tx, struct version *v)
{
	struct logged_model m;
	enum status st;

	if (v->logged_model_uuid == NULL || !str_empty(v->run_uuid))
		return OK;
	if ((st = store_logged_model_get(tx, v->logged_model_uuid, &m)) == OK && !m.deleted)
		v->run_uuid = m.source_run_uuid;
	return st == NOT_FOUND ? OK : st; /* source_mark() says so */
}

static int
hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c == '\0' ? NULL : strchr(digits, c | 32);

	return at == NULL || (c < '0' || (c > '9' && c < 'A')) ? -1 : (int)(at - digits);
}

/* One round of percent-decoding in place; false when there was nothing to decode. A NUL ends the text early. */
static bool
decode_round(char *text)
{
	char *to = text;
	bool any = false;

	for (const char *from = text; *from != '\0'; from++) {
		int high = *from == '%' ? hex_digit(from[1]) : -1, low = high >= 0 ? hex_digit(from[2]) : -1;

		*to++ = low >= 0 ? (char)(high * 16 + low) : *from;
		if (low >= 0) {
			any = true;
			from += 2;
		}
	}
	*to = '\0';
	return any;
}

/* Does a part of the path lead elsewhere, however often it is percent-encoded? */
static bool
wanders(struct ctx *cx, const char *source)
{
	char *text = arena_str(cx->arena, source);

	do {
		if (strstr(text, "%00") != NULL)
			return true;
		for (const char *part = text; part != NULL; part = strchr(part, '/')) {
			size_t n = strcspn(part += part[0] == '/', "/");

			if ((n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
				return true;
		}
	} while (decode_round(text));
	return false;
}

/* A path of some computer, C:\\ too. */
static bool
is_local(const char *source)
{
	const char *colon = strchr(source, ':');

	return colon == NULL || colon == source + 1 || str_starts(source, "file:");
}

/* A prompt's source is a word that stands for nothing. */
static bool
is_prompt(const struct version *v)
{
	for (size_t i = 0; i < v->tag_count; i++)
		if (str_eq(v->tags[i].key, PROMPT_TAG) && str_eq_nocase(v->tags[i].value, "true"))
			return true;
	return false;
}

/* A prompt's text is in its tags: its source is one of the two words that clients write there. */
static enum status
from_placeholder(struct ctx *cx, struct version *v)
{
	if (!str_eq(v->source, "dummy-source") && !str_eq(v->source, "prompt-template"))
		return fail(cx, INVALID,
			"Invalid prompt source: '%.300s'. Prompt sources must use an MLflow placeholder: "
			"dummy-source or prompt-template.",
			v->source);
	v->storage_location = v->source;
	return OK;
}

static enum status
resolve(struct tx *tx, struct version *v)
{
	struct ctx *cx = tx_ctx(tx);

	if (str_empty(v->source))
		return fail(cx, INVALID, "Missing value for required parameter 'source'.");
	if (is_prompt(v))
		return from_placeholder(cx, v);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (str_starts(v->source, refused[i]))
			return fail(cx, INVALID,
				"'source' cannot use the '%.*s' scheme: name the files of a run, a logged "
				"model, or a place in object storage. Given: '%.200s'",
				(int)strlen(refused[i]) - 1, refused[i], v->source);
	if (str_starts(v->source, "models:/m-") && strchr(v->source + strlen("models:/m-"), '/') == NULL)
		return from_logged_model(tx, v, v->source + strlen("models:/"));
	if (str_starts(v->source, "models:") && !str_starts(v->source, "models:/"))
		return wrong(cx, v->source, "A models: source begins with models:/.");
	if (str_starts(v->source, "models:/"))
		return from_version(tx, v, v->source + strlen("models:/"));
	if (str_starts(v->source, "runs:/"))
		return from_run(tx, v, v->source + strlen("runs:/"));
	if (str_starts(v->source, "mlflow-artifacts:"))
		return from_proxy(tx, v);
	/* a place of the client's own: kept as text, never opened */
	if (is_local(v->source))
		return wrong(cx, v->source,
			"To use a local path as a model version source, it would have to lie in the artifact "
			"directory of a run of this server, which keeps no local paths: log the files to a "
			"run "
			"first.");
	if (wanders(cx, v->source))
		return wrong(cx, v->source, "It must not hold \"..\", \".\" or a NUL between its slashes.");
	v->storage_location = v->source;
	return OK;
}

enum status
source_resolve(struct tx *tx, struct version *v)
{
	enum status st = resolve(tx, v);

	return st == OK ? run_of_logged_model(tx, v) : st;
}

static const char *
entry_json(struct ctx *cx, const char *model, int64_t version)
{
	struct buf b;
	struct jsonw w;
	const char *out;

	buf_init(&b, 1 << 16);
	jw_init(&w, &b);
	jw_object(&w);
	jw_text_at(&w, "name", model);
	jw_int_at(&w, "version", version);
	jw_end(&w);
	out = arena_strn(cx->arena, b.data, b.len);
	buf_fini(&b);
	return out;
}

enum status
source_mark(struct tx *tx, const char *model, const struct version *v)
{
	struct ctx *cx = tx_ctx(tx);
	struct logged_model m;
	struct key_value tag = { VERSIONS_TAG, NULL };
	const char *old = NULL, *entry;
	enum status st;

	if (v->logged_model_uuid == NULL)
		return OK;
	/* locked: versions of two registered models may be made from it at once */
	if ((st = store_logged_model_lock(tx, v->logged_model_uuid)) == OK)
		st = store_logged_model_get(tx, v->logged_model_uuid, &m);
	if (st == NOT_FOUND)
		return fail(cx, NOT_FOUND, "Logged model with ID '%s' not found.", v->logged_model_uuid);
	if (st != OK)
		return st;
	for (size_t i = 0; i < m.tag_count; i++)
		if (str_eq(m.tags[i].key, VERSIONS_TAG))
			old = m.tags[i].value;
	entry = entry_json(cx, model, v->version);
	if (old != NULL && str_ends(old, "]") && strlen(old) > 2)
		tag.value = arena_printf(cx->arena, "%.*s, %s]", (int)strlen(old) - 1, old, entry);
	else
		tag.value = arena_printf(cx->arena, "[%s]", entry);
	return store_logged_model_tags_put(tx, m.logged_model_id, &tag, 1);
}
