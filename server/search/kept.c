#include "search/kept.h"

#include <string.h>

#include "base/mem.h"
#include "ingest/ingest.h"

struct kept {
	_Alignas(16) size_t bytes;
	struct run run;
};

/* Where copies go, one behind the other; without `at` their sizes are counted. */
struct room {
	char *at;
	size_t used;
};

static void *
copy(struct room *r, const void *from, size_t size)
{
	void *to = r->at == NULL ? NULL : r->at + r->used;

	r->used += (size + 15) & ~(size_t)15;
	if (to != NULL && size > 0)
		memcpy(to, from, size);
	return to;
}

static const char *
copy_text(struct room *r, const char *text)
{
	return text == NULL ? NULL : copy(r, text, strlen(text) + 1);
}

static struct key_value *
copy_pairs(struct room *r, const struct key_value *from, size_t n)
{
	struct key_value *to = copy(r, from, n * sizeof(*from));

	for (size_t i = 0; i < n; i++) {
		struct key_value pair = { copy_text(r, from[i].key), copy_text(r, from[i].value) };

		if (to != NULL)
			to[i] = pair;
	}
	return to;
}

static struct dataset
copy_dataset(struct room *r, const struct dataset *d)
{
	return (struct dataset){ copy_text(r, d->name), copy_text(r, d->digest), copy_text(r, d->source_type),
		copy_text(r, d->source), copy_text(r, d->schema), copy_text(r, d->profile) };
}

static struct run_input *
copy_inputs(struct room *r, const struct run_input *from, size_t n)
{
	struct run_input *to = copy(r, from, n * sizeof(*from));

	for (size_t i = 0; i < n; i++) {
		struct run_input in = { copy_dataset(r, &from[i].dataset),
			copy_pairs(r, from[i].tags, from[i].tag_count), from[i].tag_count };

		if (to != NULL)
			to[i] = in;
	}
	return to;
}

static void
copy_models(struct room *r, const struct run *from, struct run *to)
{
	const char **inputs = copy(r, from->model_inputs, from->model_input_count * sizeof(*inputs));
	struct run_output *outputs = copy(r, from->outputs, from->output_count * sizeof(*outputs));

	for (size_t i = 0; i < from->model_input_count; i++) {
		const char *uuid = copy_text(r, from->model_inputs[i]);

		if (inputs != NULL)
			inputs[i] = uuid;
	}
	for (size_t i = 0; i < from->output_count; i++) {
		const char *uuid = copy_text(r, from->outputs[i].model_uuid);

		if (outputs != NULL)
			outputs[i].model_uuid = uuid;
	}
	to->model_inputs = inputs;
	to->outputs = outputs;
}

static const struct run_latest *
copy_metrics(struct room *r, const struct run_latest *from)
{
	struct run_latest *to = from == NULL ? NULL : copy(r, from, sizeof(*from));
	struct latest *keys = from == NULL ? NULL : copy(r, from->keys, from->n * sizeof(*keys));

	for (size_t i = 0; from != NULL && i < from->n; i++) {
		const char *key = copy_text(r, from->keys[i].key);

		if (keys != NULL)
			keys[i].key = key;
	}
	if (to != NULL)
		to->keys = keys;
	return to;
}

static struct run
copy_run(struct room *r, const struct run *from)
{
	struct run to = *from;

	to.uuid = copy_text(r, from->uuid);
	to.name = copy_text(r, from->name);
	to.user_text = copy_text(r, from->user_text);
	to.artifact_uri = copy_text(r, from->artifact_uri);
	to.params = copy_pairs(r, from->params, from->param_count);
	to.tags = copy_pairs(r, from->tags, from->tag_count);
	to.inputs = copy_inputs(r, from->inputs, from->input_count);
	copy_models(r, from, &to);
	to.metrics = copy_metrics(r, from->metrics);
	return to;
}

struct kept *
kept_new(const struct run *run)
{
	struct room room = { 0 };
	struct kept *k;

	(void)copy_run(&room, run);
	k = mem_alloc(sizeof(*k) + room.used);
	k->bytes = room.used;
	room = (struct room){ .at = (char *)(k + 1) };
	k->run = copy_run(&room, run);
	return k;
}

size_t
kept_bytes(const struct kept *k)
{
	return sizeof(*k) + k->bytes;
}

struct run *
kept_copy(const struct kept *k, struct arena *arena)
{
	struct run *run = arena_alloc(arena, sizeof(*run));
	struct room room = { .at = arena_alloc(arena, k->bytes + 1) };

	*run = copy_run(&room, &k->run);
	return run;
}
