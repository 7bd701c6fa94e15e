/* Registered models: register, alias, resolve. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "lib/run.h"

static int
make_model(struct call *k, const char *name)
{
	const char *error_code = "";
	int rc;

	jw_text_at(call_body(k), "name", name);
	jw_end(&k->w);
	rc = call_json(k, "POST", "/api/2.0/mlflow/registered-models/create", NULL, &error_code);
	return rc == CAIRN_ECONFLICT ? CAIRN_OK : rc;
}

static int
make_version(struct call *k, const cairn_run *run, const char *name, const char *path, int64_t *version)
{
	const struct json *reply, *made;
	struct jsonw *w = call_body(k);
	int rc;

	jw_text_at(w, "name", name);
	jw_text_at(w, "source",
		*path == '\0' ? run->artifact_uri : arena_printf(k->arena, "%s/%s", run->artifact_uri, path));
	jw_text_at(w, "run_id", run->id);
	jw_end(w);
	if ((rc = call_json(k, "POST", "/api/2.0/mlflow/model-versions/create", &reply, NULL)) != CAIRN_OK)
		return rc;
	if ((rc = reply_object(k, reply, "model_version", &made)) != CAIRN_OK)
		return rc;
	return reply_int(k, made, "version", version);
}

int
cairn_model_register(cairn_run *run, const char *name, const char *artifact_path, int64_t *version)
{
	int64_t number = 0;
	struct call k;
	int rc;

	if (!run_usable(run) || str_empty(name) || artifact_path == NULL)
		return CAIRN_EINVAL;
	call_init(&k, run->client);
	rc = make_model(&k, name);
	if (rc == CAIRN_OK)
		rc = make_version(&k, run, name, artifact_path, &number);
	if (rc == CAIRN_OK && version != NULL)
		*version = number;
	return call_end(&k, rc, run);
}

static int
set_alias(struct call *k, const char *name, const char *alias, int64_t version)
{
	struct jsonw *w = call_body(k);

	jw_text_at(w, "name", name);
	jw_text_at(w, "alias", alias);
	jw_text_at(w, "version", arena_printf(k->arena, "%lld", (long long)version));
	jw_end(w);
	return call_json(k, "POST", "/api/2.0/mlflow/registered-models/alias", NULL, NULL);
}

int
cairn_model_alias(cairn_client *c, const char *name, const char *alias, int64_t version)
{
	struct call k;

	if (!client_usable(c) || str_empty(name) || str_empty(alias))
		return CAIRN_EINVAL;
	call_init(&k, c);
	return call_end(&k, set_alias(&k, name, alias, version), NULL);
}

/* ---- resolve ---- */

/* "name@alias" or "name@17": the last @ divides. */
static int
split(struct call *k, const char *reference, char **name, char **target, int64_t *version)
{
	const char *at = strrchr(reference, '@');

	if (at == NULL || at == reference || at[1] == '\0')
		return fault_set(&k->fault, CAIRN_EINVAL,
			"\"%s\" names no version: write NAME@ALIAS or NAME@VERSION, for example "
			"fraud@champion",
			reference);
	*name = arena_strn(k->arena, reference, (size_t)(at - reference));
	*target = arena_str(k->arena, at + 1);
	*version = 0;
	if (strspn(*target, "0123456789") == strlen(*target) &&
		(!str_int64(*target, version) || *version < 1))
		return fault_set(&k->fault, CAIRN_EINVAL, "\"%s\" is no version: they begin with 1", *target);
	return CAIRN_OK;
}

static bool
digest_form(const char *digest)
{
	return str_starts(digest, "sha256:") && strlen(digest) == 71 &&
	       strspn(digest + 7, "0123456789abcdef") == 64;
}

static int
read_ref(struct call *k, const struct json *reply, cairn_ref *out)
{
	const char *model, *digest;
	int rc;

	*out = (cairn_ref){ 0 };
	if ((rc = reply_text(k, reply, "model", &model)) != CAIRN_OK ||
		(rc = reply_text(k, reply, "manifest_digest", &digest)) != CAIRN_OK ||
		(rc = reply_int(k, reply, "version", &out->version)) != CAIRN_OK ||
		(rc = reply_int(k, reply, "size", &out->size)) != CAIRN_OK ||
		(rc = reply_int(k, reply, "files", &out->files)) != CAIRN_OK)
		return rc;
	if (!digest_form(digest))
		return fault_set(&k->fault, CAIRN_EINTEGRITY,
			"the server gave no SHA-256 for version %lld of \"%s\"", (long long)out->version,
			model);
	if (!str_copy(out->model, sizeof(out->model), model) ||
		!str_copy(out->alias, sizeof(out->alias), text_or_empty(reply, "alias")) ||
		!str_copy(out->digest, sizeof(out->digest), digest))
		return fault_set(&k->fault, CAIRN_EINTERNAL, "a name in the server's answer is too long");
	if (json_member(reply, "generation") != NULL)
		return reply_int(k, reply, "generation", &out->generation);
	return CAIRN_OK;
}

static int
resolve(struct call *k, const char *reference, cairn_ref *out)
{
	const struct json *reply;
	char *name = NULL, *target = NULL, *path;
	int64_t version = 0;
	int rc = split(k, reference, &name, &target, &version);

	if (rc != CAIRN_OK)
		return rc;
	path = arena_printf(k->arena, "/api/v1/models/%s/%s/%s", url_part(k, name),
		version > 0 ? "versions" : "aliases", url_part(k, target));
	if ((rc = call_json(k, "GET", path, &reply, NULL)) != CAIRN_OK)
		return rc;
	if ((rc = read_ref(k, reply, out)) != CAIRN_OK)
		return rc;
	if (!str_eq(out->model, name) || (version > 0 && out->version != version))
		return fault_set(&k->fault, CAIRN_EINTEGRITY,
			"asked for %s, the server answered with %s@%lld", reference, out->model,
			(long long)out->version);
	return CAIRN_OK;
}

int
cairn_resolve(cairn_client *c, const char *reference, cairn_ref *out)
{
	struct call k;

	if (!client_usable(c) || reference == NULL || out == NULL)
		return CAIRN_EINVAL;
	call_init(&k, c);
	return call_end(&k, resolve(&k, reference, out), NULL);
}
