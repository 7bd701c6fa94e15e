/*
 * Any body of log-batch and log-metric. No crash, and what is accepted is whole, valid text. Wherever jansson (which refuses twin
 * members, too) reads an object, the scanner says what reading jansson's tree says: the same points, or a refusal. Any bytes as a number:
 * strtod's double, bit for bit.
 */
#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/str.h"
#include "base/utf8.h"
#include "ingest/number.h"
#include "ingest/scanner.h"

#define DEPTH_MOST 64
#define TEXT_MOST  200 /* bytes of a double as text */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- what is accepted is whole ---- */

static void
check_text(const char *s)
{
	assert(s != NULL && utf8_valid(s, strlen(s)));
}

static void
check(const struct scanned_batch *b)
{
	check_text(b->run_id);
	assert(b->run_id[0] != '\0');
	for (size_t i = 0; i < b->n; i++) {
		check_text(b->points[i].key);
		assert(b->points[i].key[0] != '\0');
		if (b->models != NULL && b->models[i].model_id != NULL)
			check_text(b->models[i].model_id);
	}
	for (size_t i = 0; i < b->param_count; i++) {
		check_text(b->params[i].key);
		check_text(b->params[i].value);
	}
	for (size_t i = 0; i < b->tag_count; i++) {
		check_text(b->tags[i].key);
		check_text(b->tags[i].value);
	}
}

/* ---- the same from jansson's tree ---- */

static bool
too_deep(const json_t *v, int depth)
{
	const char *name;
	json_t *inner;
	size_t i;

	if (!json_is_object(v) && !json_is_array(v))
		return false;
	if (depth == DEPTH_MOST)
		return true;
	json_object_foreach((json_t *)(uintptr_t)v, name, inner) if (too_deep(inner, depth + 1)) return true;
	json_array_foreach(v, i, inner) if (too_deep(inner, depth + 1)) return true;
	return false;
}

/* A member by either of its names; *good false when both are there. NULL: absent, or null. */
static const json_t *
member(const json_t *o, const char *snake, const char *camel, bool *good)
{
	const json_t *a = json_object_get(o, snake), *b = camel == NULL ? NULL : json_object_get(o, camel);

	*good = *good && (a == NULL || b == NULL);
	a = a != NULL ? a : b;
	return json_is_null(a) ? NULL : a;
}

/* "" for what is absent */
static const char *
text_of(const json_t *o, const char *snake, const char *camel, bool *good)
{
	const json_t *v = member(o, snake, camel, good);

	*good = *good && (v == NULL || json_is_string(v));
	return v != NULL && json_is_string(v) ? json_string_value(v) : "";
}

static bool
number_of(const json_t *v, double *out)
{
	if (json_is_string(v))
		return json_string_length(v) < TEXT_MOST && str_double(json_string_value(v), out);
	*out = json_number_value(v);
	return json_is_number(v);
}

/* An integer that came as text is read by jansson again. */
static bool
integer_of(const json_t *v, int64_t *out)
{
	if (json_is_string(v)) {
		const char *s = json_string_value(v);
		size_t n = strlen(s);
		bool plain = strchr("-0123456789", s[0]) != NULL && strchr("0123456789", s[n - 1]) != NULL;
		json_t *again = plain ? json_loads(s, JSON_DECODE_ANY, NULL) : NULL;
		bool good = again != NULL && json_is_number(again) && integer_of(again, out);

		json_decref(again);
		return good;
	}
	if (json_is_integer(v)) {
		*out = json_integer_value(v);
		return true;
	}
	if (!json_is_real(v) || json_real_value(v) != floor(json_real_value(v)) ||
		json_real_value(v) < -0x1p63 || json_real_value(v) >= 0x1p63)
		return false;
	*out = (int64_t)json_real_value(v);
	return true;
}

static bool
is_empty(const json_t *v)
{
	return v == NULL || (json_is_string(v) && json_string_length(v) == 0);
}

/* False: refused. With no value or time *whole is false: refused too, but only after all the rest was read. */
static bool
metric_of(const json_t *o, struct point *out, bool *whole)
{
	bool good = true;
	const json_t *value = member(o, "value", NULL, &good), *time = member(o, "timestamp", NULL, &good),
		     *step = member(o, "step", NULL, &good);

	out->key = text_of(o, "key", NULL, &good);
	(void)text_of(o, "model_id", "modelId", &good);
	(void)text_of(o, "dataset_name", "datasetName", &good);
	(void)text_of(o, "dataset_digest", "datasetDigest", &good);
	out->step = 0;
	good = good && (is_empty(value) || number_of(value, &out->value)) &&
	       (is_empty(time) || integer_of(time, &out->time_unix_ms)) &&
	       (is_empty(step) || integer_of(step, &out->step));
	*whole = out->key[0] != '\0' && !is_empty(value) && !is_empty(time);
	return good;
}

static bool
pairs_good(const json_t *list)
{
	const json_t *o;
	size_t i;

	if (list != NULL && !json_is_array(list))
		return false;
	json_array_foreach(list, i, o)
	{
		bool good = json_is_object(o);

		(void)text_of(o, "value", NULL, &good);
		if (text_of(o, "key", NULL, &good)[0] == '\0' || !good)
			return false;
	}
	return true;
}

static bool
has_run(const json_t *o, const char **out)
{
	bool good = true;
	const char *id = text_of(o, "run_id", "runId", &good),
		   *uuid = text_of(o, "run_uuid", "runUuid", &good);

	*out = id[0] != '\0' ? id : uuid;
	return good && **out != '\0';
}

static void
same_point(const struct point *p, const struct point *want, const json_t *o)
{
	uint64_t a, b;

	assert(strcmp(p->key, want->key) == 0 && p->time_unix_ms == want->time_unix_ms &&
		p->step == want->step);
	if (json_is_integer(json_object_get(o, "value")) && want->value == 0)
		assert(p->value == 0); /* jansson forgets the sign of -0 */
	else if (isnan(want->value))
		assert(isnan(p->value));
	else {
		memcpy(&a, &p->value, sizeof(a));
		memcpy(&b, &want->value, sizeof(b));
		assert(a == b);
	}
}

static void
compare_batch(const json_t *root, bool accepted, const struct scanned_batch *b)
{
	bool good = true;
	const json_t *metrics = member(root, "metrics", NULL, &good), *o;
	const char *run;
	size_t i;

	good = has_run(root, &run) && pairs_good(member(root, "params", NULL, &good)) &&
	       pairs_good(member(root, "tags", NULL, &good)) && (metrics == NULL || json_is_array(metrics)) &&
	       !too_deep(root, 0);
	json_array_foreach(metrics, i, o)
	{
		struct point want;
		bool whole = false;

		good = good && json_is_object(o) && metric_of(o, &want, &whole) && whole;
		if (good && accepted && i < b->n)
			same_point(&b->points[i], &want, o);
	}
	assert(good == accepted);
	assert(!good || (b->n == json_array_size(metrics) && strcmp(b->run_id, run) == 0));
}

static void
compare_metric(const json_t *root, bool accepted, const struct scanned_batch *b)
{
	struct point want;
	bool whole = false;
	const char *run;
	bool good = has_run(root, &run) && metric_of(root, &want, &whole) && whole && !too_deep(root, 0);

	assert(good == accepted);
	if (good)
		same_point(&b->points[0], &want, root);
}

/* ---- numbers ---- */

static void
compare_number(const char *data, size_t size)
{
	struct number n;
	const char *after = number_read(data, data + size, &n);
	double got = 0, want;
	char *text, *end;

	if (after == NULL)
		return;
	text = strndup(data, (size_t)(after - data));
	want = strtod(text, &end);
	assert(*end == '\0');
	assert(number_double(&n, &got) == (bool)isfinite(want));
	assert(!isfinite(want) || memcmp(&got, &want, sizeof(got)) == 0);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *body = (const char *)data;
	struct scanned_batch batch, metric;
	bool is_batch, is_metric;
	json_t *root;
	struct ctx cx;

	if (!hash_setup())
		return 1;
	compare_number(body, size);
	ctx_init(&cx, arena_new(), NULL);
	if ((is_batch = scan_log_batch(&cx, body, size, &batch) == OK))
		check(&batch);
	else
		assert(cx.message[0] != '\0' && strchr(cx.message, '\n') == NULL);
	if ((is_metric = scan_log_metric(&cx, body, size, &metric) == OK)) {
		assert(metric.n == 1);
		check(&metric);
	}
	root = json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(root)) {
		compare_batch(root, is_batch, &batch);
		compare_metric(root, is_metric, &metric);
	} else if (root != NULL) {
		assert(!is_batch && !is_metric);
	}
	json_decref(root);
	arena_free(cx.arena);
	return 0;
}
