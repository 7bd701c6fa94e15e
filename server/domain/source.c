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
	if (str_empty(v->run_uuid))
		v->run_uuid = m.source_run_uuid;
	return OK;
}

/* models:/name/3: the files of another version */
static enum status
from_version(struct tx *tx, struct version *v, const char *rest)
{
	struct ctx *cx = tx_ctx(tx);
	const char *slash = strrchr(rest, '/');
	struct version other;
	int32_t number;
	enum status st;

	if (slash == NULL || !str_int64(slash + 1, &(int64_t){ 0 }))
		return wrong(cx, v->source,
			"A models:/ source is models:/<model_id> or models:/<name>/<version>.");
	if ((st = name_version(cx, slash + 1, &number)) != OK)
		return st;
	st = store_version_get(tx, arena_strn(cx->arena, rest, (size_t)(slash - rest)), number, &other);
	if (st == NOT_FOUND)
		return fail(cx, NOT_FOUND, "Model Version (name=%.*s, version=%d) not found",
			(int)(slash - rest), rest, number);
	v->storage_location = other.storage_location;
	return st;
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
	if (!str_eq(v->run_uuid, uuid))
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
	v->storage_location = st != OK        ? NULL
			      : *path == '\0' ? run.artifact_uri
					      : arena_printf(cx->arena, "%s/%s", run.artifact_uri, path);
	return st;
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
	if (!str_empty(v->run_uuid) && store_run_find(tx, v->run_uuid, &run) == OK &&
		artifact_path_of_uri(cx, run.artifact_uri, &folder) == OK)
		inside = lies_inside(path, folder);
	if (!inside && v->logged_model_uuid != NULL &&
		store_logged_model_get(tx, v->logged_model_uuid, &m) == OK &&
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

enum status
source_resolve(struct tx *tx, struct version *v)
{
	struct ctx *cx = tx_ctx(tx);
	const char *unsafe;
	enum status st;

	if (str_empty(v->source))
		return fail(cx, INVALID, "Missing value for required parameter 'source'.");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (str_starts(v->source, refused[i]))
			return fail(cx, INVALID, "'source' cannot use the '%.*s' scheme: '%.200s'",
				(int)strlen(refused[i]) - 1, refused[i], v->source);
	if (str_starts(v->source, "models:/m-") && strchr(v->source + strlen("models:/m-"), '/') == NULL)
		return from_logged_model(tx, v, v->source + strlen("models:/"));
	if (str_starts(v->source, "models:/"))
		return from_version(tx, v, v->source + strlen("models:/"));
	if (str_starts(v->source, "runs:/"))
		return from_run(tx, v, v->source + strlen("runs:/"));
	if (str_starts(v->source, "mlflow-artifacts:"))
		return from_proxy(tx, v);
	/* a place of the client's own: kept as text, never opened; still no ".." */
	unsafe = strstr(v->source, "://") != NULL ? strstr(v->source, "://") + 3
						  : v->source + strspn(v->source, "/");
	if (v->source[0] == '/' || str_starts(v->source, "file:"))
		return wrong(cx, v->source,
			"To use a local path as a model version source, it would have to lie in the artifact "
			"directory of a run of this server, "
			"which keeps no local paths: log the files to a run first.");
	if ((st = artifact_path(cx, unsafe, true, &unsafe)) != OK)
		return wrong(
			cx, v->source, "It must not hold \"..\", '#', backslashes or control characters.");
	v->storage_location = v->source;
	return OK;
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
