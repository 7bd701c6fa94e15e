#include "domain/event.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "store/registry.h"

/* a body of 1 MiB in which each byte needs an escape fits */
#define EVENT_BYTES (8 << 20)

/* Begins the data object of an event; event_end writes the row. */
struct event {
	struct tx *tx;
	struct buf buf;
	struct jsonw w;
};

static void
event_begin(struct event *e, struct tx *tx)
{
	e->tx = tx;
	buf_init(&e->buf, EVENT_BYTES);
	jw_init(&e->w, &e->buf);
	jw_object(&e->w);
}

static enum status
event_end(struct event *e, const char *entity, const char *action)
{
	enum status st;

	jw_end(&e->w);
	if (e->buf.overflow)
		st = fail(tx_ctx(e->tx), TOO_LARGE,
			"tags and description are more than %d bytes together: make them smaller",
			EVENT_BYTES);
	else
		st = store_outbox_put(e->tx, entity, action, e->buf.data, clock_unix_ms());
	buf_fini(&e->buf);
	return st;
}

static void
version_at(struct jsonw *w, int64_t version)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)version);
	jw_text_at(w, "version", text);
}

/* NULL is null. */
static void
maybe_at(struct jsonw *w, const char *key, const char *text)
{
	jw_key(w, key);
	jw_text(w, text);
}

static bool
is_one_of(const char *key, const char *const *keys)
{
	for (; *keys != NULL; keys++)
		if (str_eq(key, *keys))
			return true;
	return false;
}

static void
tags_at(struct jsonw *w, const struct key_value *tags, size_t n, const char *const *without)
{
	jw_object_at(w, "tags");
	for (size_t i = 0; i < n; i++)
		if (!is_one_of(tags[i].key, without))
			jw_text_at(w, tags[i].key, tags[i].value);
	jw_end(w);
}

static const char *
tag_of(const struct key_value *tags, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(tags[i].key, key))
			return tags[i].value;
	return NULL;
}

/*
 * A prompt is a registered model with this tag; its versions carry it too, and their text in another. How a prompt is
 * kept does not concern those who hear of it: these tags are left out.
 */
#define IS_PROMPT   "mlflow.prompt.is_prompt"
#define PROMPT_TEXT "mlflow.prompt.text"
#define PROMPT_TYPE "_mlflow_prompt_type"

static const char *const no_tags[] = { NULL };
static const char *const inner_tags[] = { IS_PROMPT, PROMPT_TYPE, PROMPT_TEXT, NULL };

static bool
says_prompt(const struct key_value *tags, size_t n)
{
	const char *value = tag_of(tags, n, IS_PROMPT);

	return value != NULL && str_eq_nocase(value, "true");
}

enum status
event_model_created(struct tx *tx, const struct model *m)
{
	bool prompt = says_prompt(m->tags, m->tag_count);
	struct event e;

	event_begin(&e, tx);
	jw_text_at(&e.w, "name", m->name);
	tags_at(&e.w, m->tags, m->tag_count, prompt ? inner_tags : no_tags);
	jw_text_at(&e.w, "description", m->description == NULL ? "" : m->description);
	return event_end(&e, prompt ? "PROMPT" : "REGISTERED_MODEL", "CREATED");
}

enum status
event_version_created(struct tx *tx, const struct version *v)
{
	bool prompt = says_prompt(v->tags, v->tag_count);
	struct event e;

	event_begin(&e, tx);
	jw_text_at(&e.w, "name", v->model);
	version_at(&e.w, v->version);
	if (prompt) {
		maybe_at(&e.w, "template", tag_of(v->tags, v->tag_count, PROMPT_TEXT));
	} else {
		jw_text_at(&e.w, "source", v->source);
		maybe_at(&e.w, "run_id", str_empty(v->run_uuid) ? NULL : v->run_uuid);
	}
	tags_at(&e.w, v->tags, v->tag_count, prompt ? inner_tags : no_tags);
	maybe_at(&e.w, "description", str_empty(v->description) ? NULL : v->description);
	return event_end(&e, prompt ? "PROMPT_VERSION" : "MODEL_VERSION", "CREATED");
}

enum status
event_model_tag(struct tx *tx, const char *model, const char *key, const char *value)
{
	bool prompt;
	struct event e;
	enum status st = store_model_is_prompt(tx, model, &prompt);

	if (st != OK || !prompt)
		return st;
	event_begin(&e, tx);
	jw_text_at(&e.w, "name", model);
	jw_text_at(&e.w, "key", key);
	jw_text_at(&e.w, "value", value);
	return event_end(&e, "PROMPT_TAG", value == NULL ? "DELETED" : "SET");
}

enum status
event_version_tag(struct tx *tx, const struct version *v, const char *key, const char *value)
{
	bool prompt;
	struct event e;
	enum status st = store_model_is_prompt(tx, v->model, &prompt);

	if (st != OK)
		return st;
	event_begin(&e, tx);
	jw_text_at(&e.w, "name", v->model);
	version_at(&e.w, v->version);
	jw_text_at(&e.w, "key", key);
	jw_text_at(&e.w, "value", value);
	return event_end(
		&e, prompt ? "PROMPT_VERSION_TAG" : "MODEL_VERSION_TAG", value == NULL ? "DELETED" : "SET");
}

enum status
event_alias(struct tx *tx, const char *model, const char *alias, int64_t version)
{
	bool prompt;
	struct event e;
	enum status st = store_model_is_prompt(tx, model, &prompt);

	if (st != OK)
		return st;
	event_begin(&e, tx);
	jw_text_at(&e.w, "name", model);
	jw_text_at(&e.w, "alias", alias);
	if (version != 0)
		version_at(&e.w, version);
	return event_end(
		&e, prompt ? "PROMPT_ALIAS" : "MODEL_VERSION_ALIAS", version != 0 ? "CREATED" : "DELETED");
}
