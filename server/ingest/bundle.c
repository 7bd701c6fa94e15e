/*
 * Series of a run that were logged together have the same steps, mostly also the same times: each such list (an axis) stands once.
 * Times that only accompany those of another axis stand as distances from them. Values stand in blocks of some thousands, so that one
 * series is taken out without unpacking all.
 */
#include "ingest/chunk_coder.h"

#include <assert.h>
#include <string.h>

#define BLOCK_VALUES 4096 /* a block ends with the series that reaches it */
#define SERIES_MOST                                                                                          \
	160 /* bytes of a series beside its points: in the directory, of its axes, of its values */
#define POINT_MOST 24
#define DIRECTORY_MOST                                                                                       \
	(10 * BUNDLE_KEYS) /* numbers of a directory: three of each series, three and four of its axes */

/* ---- writing ---- */

struct axis {
	uint64_t hash;
	const struct bundle_series *of; /* the first that has it */
	struct sequence sequence;
	size_t base; /* of times: 0, or the axis that they are told from, counted from 1 */
};

struct axes {
	struct axis steps[BUNDLE_KEYS], times[BUNDLE_KEYS];
	size_t step_count, time_count;
	uint32_t steps_of[BUNDLE_KEYS], times_of[BUNDLE_KEYS]; /* of a series */
	uint32_t counts[BUNDLE_KEYS];
	uint8_t heads[2 * BUNDLE_KEYS * SEQUENCE_HEAD_MOST];
	uint8_t directory[DIRECTORY_MOST * PACK_VARINT_MOST];
};

typedef bool same_fn(const struct bundle_series *a, const struct bundle_series *b);

static bool
same_steps(const struct bundle_series *a, const struct bundle_series *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->samples[i].step != b->samples[i].step)
			return false;
	return true;
}

static bool
same_times(const struct bundle_series *a, const struct bundle_series *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->samples[i].time_unix_ms != b->samples[i].time_unix_ms)
			return false;
	return true;
}

static uint32_t
find_axis(struct axis *axes, size_t *n, uint64_t hash, const struct bundle_series *s, same_fn *same)
{
	for (size_t i = 0; i < *n; i++)
		if (axes[i].hash == hash && axes[i].of->n == s->n && same(axes[i].of, s))
			return (uint32_t)i;
	axes[*n] = (struct axis){ .hash = hash, .of = s };
	return (uint32_t)(*n)++;
}

static void
find_axes(struct axes *a, const struct bundle_series *series, size_t n)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);

	a->step_count = a->time_count = 0;
	for (size_t s = 0; s < n; s++) {
		uint64_t steps = 0, times = 0;

		for (size_t i = 0; i < series[s].n; i++) {
			steps = (steps ^ (uint64_t)series[s].samples[i].step) * odd;
			times = (times ^ (uint64_t)series[s].samples[i].time_unix_ms) * odd;
		}
		a->steps_of[s] = find_axis(a->steps, &a->step_count, steps, &series[s], same_steps);
		a->times_of[s] = find_axis(a->times, &a->time_count, times, &series[s], same_times);
		a->counts[s] = (uint32_t)series[s].n;
	}
}

static uint8_t *
put_steps(struct chunk_coder *c, struct axes *a, uint8_t *head, uint64_t *codes, size_t *made)
{
	uint64_t bits;

	*made = 0;
	for (size_t i = 0; i < a->step_count; i++) {
		const struct bundle_series *s = a->steps[i].of;
		int64_t *numbers = scratch_room(&c->steps, s->n, sizeof(*numbers));

		for (size_t k = 0; k < s->n; k++)
			numbers[k] = s->samples[k].step;
		a->steps[i].sequence = sequence_choose(numbers, s->n, &bits);
		sequence_codes(&a->steps[i].sequence, numbers, s->n, codes + *made);
		head = put_sequence_head(head, &a->steps[i].sequence, s->n);
		*made += s->n - 1;
	}
	return head;
}

/* The times of an axis, or their distances from those of `base` when these are shorter; false: they are not. */
static bool
choose_times(struct chunk_coder *c, struct axis *axis, const struct axis *base)
{
	size_t n = axis->of->n;
	int64_t *times = scratch_room(&c->times, n, sizeof(*times));
	int64_t *distances = scratch_room(&c->values, n, sizeof(*distances));
	const struct sample *samples = axis->of->samples;
	struct sequence near;
	uint64_t bits, near_bits;

	for (size_t i = 0; i < n; i++)
		times[i] = samples[i].time_unix_ms;
	axis->sequence = sequence_choose(times, n, &bits);
	if (base == NULL || base->of->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		distances[i] = (int64_t)((uint64_t)times[i] - (uint64_t)base->of->samples[i].time_unix_ms);
	near = sequence_choose(distances, n, &near_bits);
	if (near_bits > bits)
		return false;
	axis->sequence = near;
	memcpy(times, distances, n * sizeof(*times));
	return true;
}

/* Each is told from the last one that stands by itself, if at all. */
static uint8_t *
put_times(struct chunk_coder *c, struct axes *a, uint8_t *head, uint64_t *codes, size_t *made)
{
	size_t base = 0;

	*made = 0;
	for (size_t i = 0; i < a->time_count; i++) {
		struct axis *axis = &a->times[i];

		if (choose_times(c, axis, i > 0 ? &a->times[base] : NULL))
			axis->base = base + 1;
		else
			base = i;
		sequence_codes(&axis->sequence, c->times.data, axis->of->n, codes + *made);
		head = put_sequence_head(head, &axis->sequence, axis->of->n);
		*made += axis->of->n - 1;
	}
	return head;
}

/* Which axis each series has: 0 the next one that nobody had so far, else its number counted from 1. */
static uint8_t *
put_places(uint8_t *p, const uint32_t *axis_of, size_t n)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < n; i++) {
		bool next = axis_of[i] == seen;

		p = put_varint(p, next ? 0 : axis_of[i] + 1);
		seen += next;
	}
	return p;
}

static uint8_t *
put_directory(struct chunk_coder *c, uint8_t *p, struct axes *a, const struct bundle_series *series, size_t n)
{
	int32_t key = first_key((size_t)series[0].key_id / BUNDLE_KEYS);
	uint8_t *end = a->directory;

	for (size_t i = 0; i < a->step_count; i++)
		end = put_varint(put_varint(end, a->steps[i].of->n), a->steps[i].sequence.form);
	for (size_t i = 0; i < a->time_count; i++) {
		end = put_varint(put_varint(end, a->times[i].of->n), a->times[i].sequence.form);
		end = put_varint(end, a->times[i].base);
	}
	for (size_t i = 0; i < n; key = series[i++].key_id)
		end = put_varint(end, (uint64_t)(series[i].key_id - key));
	end = put_places(end, a->steps_of, n);
	end = put_places(end, a->times_of, n);
	return put_sized_column(&c->packer, p, a->directory, (size_t)(end - a->directory));
}

static uint8_t *
put_axes(struct chunk_coder *c, uint8_t *p, struct axes *a, const struct bundle_series *series, size_t n,
	size_t points)
{
	uint64_t *codes = scratch_room(&c->column, 2 * points, sizeof(*codes));
	size_t steps, times;
	uint8_t *head = put_steps(c, a, a->heads, codes, &steps);

	head = put_times(c, a, head, codes + steps, &times);
	p = put_varint(put_varint(p, a->step_count), a->time_count);
	p = put_directory(c, p, a, series, n);
	p = put_sized_column(&c->packer, p, a->heads, (size_t)(head - a->heads));
	p = put_planes(&c->packer, p, codes, steps);
	return put_planes(&c->packer, p, codes + steps, times);
}

/* Where the block that starts with this series ends, and how many values it has. */
static size_t
block_end(const uint32_t *counts, size_t from, size_t n, size_t *values)
{
	*values = 0;
	while (from < n && *values < BLOCK_VALUES)
		*values += counts[from++];
	return from;
}

static uint8_t *
put_block(struct chunk_coder *c, uint8_t *p, const struct bundle_series *series, const uint32_t *counts,
	size_t n, size_t all)
{
	double *values = scratch_room(&c->values, all, sizeof(*values)), *to = values;
	uint8_t *block = scratch_room(&c->column, values_most(all, n), 1), *end;

	for (size_t s = 0; s < n; s++)
		for (size_t i = 0; i < series[s].n; i++)
			*to++ = series[s].samples[i].value;
	end = put_values(&c->packer, block, values, counts, n);
	p = put_varint(p, (uint64_t)(end - block));
	memcpy(p, block, (size_t)(end - block));
	return p + (end - block);
}

void
bundle_encode(struct chunk_coder *c, const struct bundle_series *series, size_t n, struct buf *out)
{
	struct axes *a = scratch_room(&c->axes, 1, sizeof(*a));
	size_t points = 0, values, end;
	uint8_t *payload, *p;

	assert(n > 0 && n <= BUNDLE_KEYS);
	for (size_t i = 0; i < n; i++)
		points += series[i].n;
	assert(points <= BUNDLE_POINTS_MAX);
	find_axes(a, series, n);
	payload = scratch_room(&c->payload, (n + 2) * SERIES_MOST + points * POINT_MOST, 1);
	p = put_varint(put_varint(payload, (uint64_t)(series[0].key_id / BUNDLE_KEYS)), n);
	p = put_axes(c, p, a, series, n, points);
	for (size_t from = 0; from < n; from = end) {
		end = block_end(a->counts, from, n, &values);
		p = put_block(c, p, series + from, a->counts + from, end - from, values);
	}
	pack_seal(PACK_BUNDLE, payload, (size_t)(p - payload), out);
}

/* ---- reading ---- */

struct axis_in {
	enum sequence_form form;
	struct sequence sequence;
	size_t n, base;
	size_t at;    /* its codes */
	size_t place; /* its numbers, once they are `ready` */
	bool ready;
};

/* The axes of one kind. */
struct axis_list {
	struct axis_in axis[BUNDLE_KEYS];
	size_t count, codes, numbers;
	struct scratch *packed, *unpacked; /* uint64_t, int64_t */
};

struct axes_in {
	struct axis_list steps, times;
	uint32_t counts[BUNDLE_KEYS];
	uint32_t steps_of[BUNDLE_KEYS], times_of[BUNDLE_KEYS];
	int32_t keys[BUNDLE_KEYS];
	bool wanted[BUNDLE_KEYS];
};

static void
get_axis_list(struct reader *r, struct axis_list *list, bool times)
{
	list->codes = list->numbers = 0;
	for (size_t i = 0; i < list->count; i++) {
		struct axis_in *axis = &list->axis[i];

		*axis = (struct axis_in){ .at = list->codes, .place = list->numbers };
		axis->n = get_size(r, 1, BUNDLE_POINTS_MAX - list->numbers);
		axis->form = (enum sequence_form)get_size(r, 0, SEQUENCE_FORMS - 1);
		axis->base = times ? get_size(r, 0, i) : 0;
		if (r->damaged)
			return;
		if (axis->base > 0 &&
			(list->axis[axis->base - 1].base > 0 || list->axis[axis->base - 1].n != axis->n))
			r->damaged = true;
		list->codes += axis->n - 1;
		list->numbers += axis->n;
	}
}

static void
get_places(struct reader *r, uint32_t *axis_of, size_t n, size_t axes)
{
	size_t seen = 0;

	for (size_t i = 0; i < n; i++) {
		size_t place = get_size(r, 0, seen);

		axis_of[i] = (uint32_t)(place == 0 ? seen++ : place - 1);
		if (seen > axes)
			r->damaged = true;
		if (r->damaged)
			return;
	}
}

static void
get_series_list(struct reader *r, struct axes_in *a, size_t n, size_t part)
{
	int32_t key = first_key(part);
	size_t points = 0;

	for (size_t i = 0; i < n; i++)
		a->keys[i] = key = get_key(r, key, i == 0, part);
	get_places(r, a->steps_of, n, a->steps.count);
	get_places(r, a->times_of, n, a->times.count);
	for (size_t i = 0; i < n && !r->damaged; i++) {
		a->counts[i] = (uint32_t)a->steps.axis[a->steps_of[i]].n;
		points += a->counts[i];
		if (a->times.axis[a->times_of[i]].n != a->counts[i] || points > BUNDLE_POINTS_MAX)
			r->damaged = true;
	}
}

static bool
get_directory(struct chunk_coder *c, struct reader *r, struct axes_in *a, size_t n, size_t part)
{
	struct reader in;

	a->steps.count = get_size(r, 1, n);
	a->times.count = get_size(r, 1, n);
	in = get_sized_column(&c->packer, r, &c->payload, DIRECTORY_MOST * PACK_VARINT_MOST);
	if (r->damaged || in.damaged)
		return false;
	get_axis_list(&in, &a->steps, false);
	if (!in.damaged)
		get_axis_list(&in, &a->times, true);
	if (!in.damaged)
		get_series_list(&in, a, n, part);
	return !in.damaged && in.at == in.end;
}

static bool
get_codes(struct chunk_coder *c, struct reader *r, struct axis_list *list)
{
	scratch_room(list->unpacked, list->numbers, sizeof(int64_t));
	return get_planes(
		&c->packer, r, scratch_room(list->packed, list->codes + 1, sizeof(uint64_t)), list->codes);
}

static void
get_heads(struct reader *heads, struct axis_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		get_sequence_head(heads, list->axis[i].form, list->axis[i].n, &list->axis[i].sequence);
}

static bool
get_axes(struct chunk_coder *c, struct reader *r, struct axes_in *a)
{
	struct reader heads =
		get_sized_column(&c->packer, r, &c->payload, 2 * BUNDLE_KEYS * SEQUENCE_HEAD_MOST);

	get_heads(&heads, &a->steps);
	get_heads(&heads, &a->times);
	a->steps.packed = &c->column;
	a->steps.unpacked = &c->steps;
	a->times.packed = &c->draft;
	a->times.unpacked = &c->times;
	return !heads.damaged && heads.at == heads.end && get_codes(c, r, &a->steps) &&
	       get_codes(c, r, &a->times);
}

/* The numbers of an axis, unpacked when they are first asked for. A base has none itself. */
static const int64_t *
axis_numbers(struct axis_list *list, size_t at)
{
	struct axis_in *axis = &list->axis[at];
	int64_t *numbers = (int64_t *)list->unpacked->data + axis->place;
	const int64_t *base;

	if (axis->ready)
		return numbers;
	sequence_numbers(&axis->sequence, (uint64_t *)list->packed->data + axis->at, axis->n, numbers);
	axis->ready = true;
	if (axis->base == 0)
		return numbers;
	base = axis_numbers(list, axis->base - 1);
	for (size_t i = 0; i < axis->n; i++)
		numbers[i] = (int64_t)((uint64_t)numbers[i] + (uint64_t)base[i]);
	return numbers;
}

/* Which series are wanted, and how many points they have. */
static size_t
choose(struct axes_in *a, size_t n, const int32_t *keys, size_t key_count, size_t *points)
{
	size_t k = 0, chosen = 0;

	*points = 0;
	for (size_t i = 0; i < n; i++) {
		while (keys != NULL && k < key_count && keys[k] < a->keys[i])
			k++;
		a->wanted[i] = keys == NULL || (k < key_count && keys[k] == a->keys[i]);
		chosen += a->wanted[i];
		*points += a->wanted[i] ? a->counts[i] : 0;
	}
	return chosen;
}

/* What is given out so far. */
struct given {
	struct bundle_series *series;
	struct sample *samples;
};

static void
give_block(struct axes_in *a, size_t from, size_t to, const double *values, struct given *g)
{
	for (size_t s = from; s < to; values += a->counts[s++]) {
		const int64_t *steps, *times;

		if (!a->wanted[s])
			continue;
		steps = axis_numbers(&a->steps, a->steps_of[s]);
		times = axis_numbers(&a->times, a->times_of[s]);
		*g->series++ = (struct bundle_series){ a->keys[s], g->samples, a->counts[s] };
		for (size_t i = 0; i < a->counts[s]; i++)
			*g->samples++ = (struct sample){ values[i], times[i], steps[i] };
	}
}

static bool
any_wanted(const struct axes_in *a, size_t from, size_t to)
{
	while (from < to && !a->wanted[from])
		from++;
	return from < to;
}

static bool
get_blocks(struct chunk_coder *c, struct reader *r, struct axes_in *a, size_t n, struct given *g)
{
	size_t values, end;

	for (size_t from = 0; from < n; from = end) {
		size_t len = get_size(r, 1, reader_left(r));
		struct reader block = { r->at, r->at + len, false };
		double *to;

		end = block_end(a->counts, from, n, &values);
		if (r->damaged || len > reader_left(r))
			return false;
		r->at += len;
		if (!any_wanted(a, from, end))
			continue;
		to = scratch_room(&c->values, values, sizeof(*to));
		if (!get_values(&c->packer, &block, to, a->counts + from, end - from) ||
			reader_left(&block) > 0)
			return false;
		give_block(a, from, end, to, g);
	}
	return reader_left(r) == 0;
}

bool
bundle_decode(struct chunk_coder *c, const void *data, size_t len, const int32_t *keys, size_t key_count,
	const struct bundle_series **series, size_t *n)
{
	struct axes_in *a = scratch_room(&c->axes, 1, sizeof(*a));
	size_t part, all, points;
	struct given given;
	struct reader r;

	if (!pack_open(PACK_BUNDLE, data, len, &r))
		return false;
	part = get_size(&r, 0, PARTS_MOST);
	all = get_size(&r, 1, BUNDLE_KEYS);
	if (r.damaged || !get_directory(c, &r, a, all, part) || !get_axes(c, &r, a))
		return false;
	*n = choose(a, all, keys, key_count, &points);
	given.series = scratch_room(&c->bundle, BUNDLE_KEYS, sizeof(*given.series));
	given.samples = scratch_room(&c->bundle_samples, points + 1, sizeof(*given.samples));
	*series = given.series;
	return get_blocks(c, &r, a, all, &given);
}
