#include "domain/event.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jsonw.h"
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

static void
tags_at(struct jsonw *w, const struct key_value *tags, size_t n)
{
	jw_object_at(w, "tags");
	for (size_t i = 0; i < n; i++)
		jw_text_at(w, tags[i].key, tags[i].value);
	jw_end(w);
}

enum status
event_model_created(struct tx *tx, const struct model *m)
{
	struct event e;

	event_begin(&e, tx);
	jw_text_at(&e.w, "name", m->name);
	tags_at(&e.w, m->tags, m->tag_count);
	jw_text_at(&e.w, "description", m->description == NULL ? "" : m->description);
	return event_end(&e, "REGISTERED_MODEL", "CREATED");
}

enum status
event_version_created(struct tx *tx, const struct version *v)
{
	struct event e;

	event_begin(&e, tx);
	jw_text_at(&e.w, "name", v->model);
	version_at(&e.w, v->version);
	jw_text_at(&e.w, "source", v->source);
	jw_text_at(&e.w, "run_id", v->run_uuid == NULL ? "" : v->run_uuid);
	tags_at(&e.w, v->tags, v->tag_count);
	jw_text_at(&e.w, "description", v->description == NULL ? "" : v->description);
	return event_end(&e, "MODEL_VERSION", "CREATED");
}

enum status
event_version_tag(struct tx *tx, const struct version *v, const char *key, const char *value)
{
	struct event e;

	event_begin(&e, tx);
	jw_text_at(&e.w, "name", v->model);
	version_at(&e.w, v->version);
	jw_text_at(&e.w, "key", key);
	jw_text_at(&e.w, "value", value);
	return event_end(&e, "MODEL_VERSION_TAG", value == NULL ? "DELETED" : "SET");
}

enum status
event_alias(struct tx *tx, const char *model, const char *alias, int64_t version)
{
	struct event e;

	event_begin(&e, tx);
	jw_text_at(&e.w, "name", model);
	jw_text_at(&e.w, "alias", alias);
	if (version != 0)
		version_at(&e.w, version);
	return event_end(&e, "MODEL_VERSION_ALIAS", version != 0 ? "CREATED" : "DELETED");
}
