/*
 * Series of a run that were logged together have the same steps, mostly also the same times: each such list (an axis) stands once.
 * Times that only accompany those of another axis stand as distances from them. Values stand in blocks of some thousands, so that one
 * series is taken out without unpacking all.
 */
#include "ingest/chunk_coder.h"

#include <assert.h>
#include <string.h>

#define BLOCK_VALUES     4096 /* a block ends with the series that reaches it */
#define DIRECTORY_SERIES 3    /* numbers of a series in the directory */
#define DIRECTORY_AXIS   3    /* and of an axis */
#define POINT_MOST       (2 * PACK_VARINT_MOST + PACK_VALUE_MOST)
#define SPARE            160 /* bytes beside the points: of a series in directory, axes and block; of all */

/* ---- writing ---- */

struct axis {
	uint64_t hash;
	const struct bundle_series *of; /* the first that has it */
	uint64_t bytes;                 /* of its numbers */
	uint64_t base;                  /* of times: 0, or the axis it is told from, counted from 1 */
};

struct axes {
	struct axis steps[BUNDLE_KEYS], times[BUNDLE_KEYS];
	size_t step_count, time_count;
	uint32_t steps_of[BUNDLE_KEYS], times_of[BUNDLE_KEYS]; /* of a series */
	uint32_t counts[BUNDLE_KEYS];
};

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

typedef bool same_fn(const struct bundle_series *a, const struct bundle_series *b);

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
put_axis_steps(uint8_t *p, const struct bundle_series *s)
{
	struct deltas d = { 0 };

	for (size_t i = 0; i < s->n; i++)
		p = put_next(p, &d, s->samples[i].step);
	return p;
}

static uint8_t *
put_axis_times(uint8_t *p, const struct bundle_series *s)
{
	struct deltas d = { 0 };

	for (size_t i = 0; i < s->n; i++)
		p = put_next(p, &d, s->samples[i].time_unix_ms);
	return p;
}

/* The distances from another axis of as many times, each as its change. */
static uint8_t *
put_axis_distances(uint8_t *p, const struct bundle_series *s, const struct bundle_series *base)
{
	uint64_t last = 0;

	for (size_t i = 0; i < s->n; i++) {
		uint64_t distance =
			(uint64_t)s->samples[i].time_unix_ms - (uint64_t)base->samples[i].time_unix_ms;

		p = put_varint(p, zigzag(distance - last));
		last = distance;
	}
	return p;
}

static uint8_t *
put_all_steps(uint8_t *p, struct axes *a)
{
	for (size_t i = 0; i < a->step_count; i++) {
		uint8_t *from = p;

		p = put_axis_steps(p, a->steps[i].of);
		a->steps[i].bytes = (uint64_t)(p - from);
	}
	return p;
}

/* From the last axis that stands by itself, when that is shorter. */
static uint8_t *
put_all_times(uint8_t *p, struct axes *a, uint8_t *other)
{
	size_t base = 0;

	for (size_t i = 0; i < a->time_count; i++) {
		struct axis *axis = &a->times[i];
		size_t len = (size_t)(put_axis_times(p, axis->of) - p), near = SIZE_MAX;

		if (i > 0 && a->times[base].of->n == axis->of->n)
			near = (size_t)(put_axis_distances(other, axis->of, a->times[base].of) - other);
		axis->bytes = near < len ? near : len;
		axis->base = near < len ? base + 1 : 0;
		if (near < len)
			memcpy(p, other, near);
		else
			base = i;
		p += axis->bytes;
	}
	return p;
}

static uint8_t *
put_directory(
	struct chunk_coder *c, uint8_t *p, const struct axes *a, const struct bundle_series *series, size_t n)
{
	size_t most =
		(DIRECTORY_SERIES * n + DIRECTORY_AXIS * (a->step_count + a->time_count)) * PACK_VARINT_MOST;
	uint8_t *column = scratch_room(&c->numbers, most, 1), *end = column;
	int32_t key = first_key((size_t)series[0].key_id / BUNDLE_KEYS);

	for (size_t i = 0; i < a->step_count; i++)
		end = put_varint(put_varint(end, a->steps[i].of->n), a->steps[i].bytes);
	for (size_t i = 0; i < a->time_count; i++)
		end = put_varint(
			put_varint(put_varint(end, a->times[i].of->n), a->times[i].bytes), a->times[i].base);
	for (size_t i = 0; i < n; key = series[i++].key_id)
		end = put_varint(end, (uint64_t)(series[i].key_id - key));
	for (size_t i = 0; i < n; i++)
		end = put_varint(end, a->steps_of[i]);
	for (size_t i = 0; i < n; i++)
		end = put_varint(end, a->times_of[i]);
	return put_sized_column(&c->packer, p, column, (size_t)(end - column));
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
	uint8_t *block = scratch_room(&c->column, pack_values_most(all, n), 1), *end;

	for (size_t s = 0; s < n; s++)
		for (size_t i = 0; i < series[s].n; i++)
			*to++ = series[s].samples[i].value;
	end = put_values(&c->packer, block, values, counts, n);
	p = put_varint(p, (uint64_t)(end - block));
	memcpy(p, block, (size_t)(end - block));
	return p + (end - block);
}

/* All steps' numbers, then all times'; the room behind them is for a second try. */
static uint8_t *
put_axes(struct chunk_coder *c, uint8_t *p, struct axes *a, const struct bundle_series *series, size_t n,
	size_t points)
{
	uint8_t *steps = scratch_room(&c->column, 3 * points, PACK_VARINT_MOST);
	uint8_t *times = put_all_steps(steps, a);
	uint8_t *end = put_all_times(times, a, steps + 2 * points * PACK_VARINT_MOST);

	p = put_varint(put_varint(p, a->step_count), a->time_count);
	p = put_directory(c, p, a, series, n);
	p = put_sized_column(&c->packer, p, steps, (size_t)(times - steps));
	return put_sized_column(&c->packer, p, times, (size_t)(end - times));
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
	payload = scratch_room(&c->payload, SPARE + n * SPARE + points * POINT_MOST, 1);
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
	size_t n, bytes, base; /* as of struct axis */
	size_t at;             /* its numbers, in their column */
	size_t place;          /* its numbers, unpacked */
	bool ready;
};

struct axes_in {
	struct axis_in steps[BUNDLE_KEYS], times[BUNDLE_KEYS];
	size_t step_count, time_count, points;
	struct reader step_column, time_column;
	uint32_t counts[BUNDLE_KEYS];
	uint32_t steps_of[BUNDLE_KEYS], times_of[BUNDLE_KEYS];
	int32_t keys[BUNDLE_KEYS];
	bool wanted[BUNDLE_KEYS];
};

/* The axes of one kind; how many numbers and bytes they have together. */
static void
get_axis_list(struct reader *r, struct axis_in *axes, size_t count, bool times)
{
	size_t bytes = 0, numbers = 0;

	for (size_t i = 0; i < count; i++) {
		struct axis_in *axis = &axes[i];

		axis->n = get_size(r, 1, BUNDLE_POINTS_MAX - numbers);
		axis->bytes = get_size(r, axis->n, axis->n * PACK_VARINT_MOST);
		axis->base = times ? get_size(r, 0, i) : 0;
		if (axis->base > 0 && (axes[axis->base - 1].base > 0 || axes[axis->base - 1].n != axis->n))
			r->damaged = true;
		axis->at = bytes;
		axis->place = numbers;
		axis->ready = false;
		bytes += axis->bytes;
		numbers += axis->n;
	}
}

static void
get_series_list(struct reader *r, struct axes_in *a, size_t n, size_t part)
{
	int32_t key = first_key(part);

	for (size_t i = 0; i < n; i++)
		a->keys[i] = key = get_key(r, key, i == 0, part);
	for (size_t i = 0; i < n; i++)
		a->steps_of[i] = (uint32_t)get_size(r, 0, a->step_count - 1);
	for (size_t i = 0; i < n; i++)
		a->times_of[i] = (uint32_t)get_size(r, 0, a->time_count - 1);
	a->points = 0;
	for (size_t i = 0; i < n; i++) {
		a->counts[i] = (uint32_t)a->steps[a->steps_of[i]].n;
		a->points += a->counts[i];
		if (a->times[a->times_of[i]].n != a->counts[i] || a->points > BUNDLE_POINTS_MAX)
			r->damaged = true;
	}
}

static bool
get_directory(struct chunk_coder *c, struct reader *r, struct axes_in *a, size_t n, size_t part)
{
	size_t numbers;
	struct reader in;

	a->step_count = get_size(r, 1, n);
	a->time_count = get_size(r, 1, n);
	numbers = DIRECTORY_SERIES * n + DIRECTORY_AXIS * (a->step_count + a->time_count);
	in = get_sized_column(&c->packer, r, &c->payload, numbers * PACK_VARINT_MOST);
	if (r->damaged || in.damaged)
		return false;
	get_axis_list(&in, a->steps, a->step_count, false);
	get_axis_list(&in, a->times, a->time_count, true);
	if (!in.damaged)
		get_series_list(&in, a, n, part);
	return !in.damaged && in.at == in.end;
}

/* The columns of an axis list's numbers, as long as the directory says, and room for the numbers. */
static bool
get_axis_column(struct chunk_coder *c, struct reader *r, const struct axis_in *last, struct scratch *bytes,
	struct scratch *numbers, struct reader *out)
{
	size_t len = last->at + last->bytes;

	*out = get_sized_column(&c->packer, r, bytes, len);
	scratch_room(numbers, last->place + last->n, sizeof(int64_t));
	return !out->damaged && reader_left(out) == len;
}

static bool
unpack_plain(const struct reader *column, struct axis_in *axis, int64_t *numbers)
{
	struct reader in = { column->at + axis->at, column->at + axis->at + axis->bytes, false };
	int64_t *to = numbers + axis->place;
	struct deltas d = { 0 };

	if (axis->ready)
		return true;
	for (size_t i = 0; i < axis->n; i++)
		to[i] = get_next(&in, &d);
	axis->ready = true;
	return !in.damaged && in.at == in.end;
}

static bool
unpack_times(struct axes_in *a, size_t at, int64_t *numbers)
{
	struct axis_in *axis = &a->times[at], *base = axis->base > 0 ? &a->times[axis->base - 1] : NULL;
	struct reader in = { a->time_column.at + axis->at, a->time_column.at + axis->at + axis->bytes,
		false };
	int64_t *to = numbers + axis->place;
	const int64_t *from;
	uint64_t distance = 0;

	if (base == NULL || axis->ready)
		return unpack_plain(&a->time_column, axis, numbers);
	if (!unpack_plain(&a->time_column, base, numbers))
		return false;
	from = numbers + base->place;
	for (size_t i = 0; i < axis->n; i++) {
		distance += unzigzag(get_varint(&in));
		to[i] = (int64_t)((uint64_t)from[i] + distance);
	}
	axis->ready = true;
	return !in.damaged && in.at == in.end;
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

/* Values become samples of the wanted series from..to of a block. */
static bool
give_block(struct chunk_coder *c, struct axes_in *a, size_t from, size_t to, struct bundle_series **series,
	struct sample **samples)
{
	const double *values = c->values.data;

	for (size_t s = from; s < to; values += a->counts[s++]) {
		struct axis_in *steps = &a->steps[a->steps_of[s]];
		const int64_t *step, *time;

		if (!a->wanted[s])
			continue;
		if (!unpack_plain(&a->step_column, steps, c->steps.data) ||
			!unpack_times(a, a->times_of[s], c->times.data))
			return false;
		step = (const int64_t *)c->steps.data + steps->place;
		time = (const int64_t *)c->times.data + a->times[a->times_of[s]].place;
		*(*series)++ = (struct bundle_series){ a->keys[s], *samples, a->counts[s] };
		for (size_t i = 0; i < a->counts[s]; i++)
			*(*samples)++ = (struct sample){ values[i], time[i], step[i] };
	}
	return true;
}

static bool
any_wanted(const struct axes_in *a, size_t from, size_t to)
{
	while (from < to && !a->wanted[from])
		from++;
	return from < to;
}

static bool
get_blocks(struct chunk_coder *c, struct reader *r, struct axes_in *a, size_t n, struct bundle_series *series,
	struct sample *samples)
{
	size_t values, end;

	for (size_t from = 0; from < n; from = end) {
		size_t len = get_size(r, 1, reader_left(r));
		struct reader block = { r->at, r->at + len, false };

		end = block_end(a->counts, from, n, &values);
		if (r->damaged || len > reader_left(r))
			return false;
		r->at += len;
		if (!any_wanted(a, from, end))
			continue;
		if (!get_values(&c->packer, &block, scratch_room(&c->values, values, sizeof(double)),
			    a->counts + from, end - from) ||
			reader_left(&block) > 0 || !give_block(c, a, from, end, &series, &samples))
			return false;
	}
	return reader_left(r) == 0;
}

bool
bundle_decode(struct chunk_coder *c, const void *data, size_t len, const int32_t *keys, size_t key_count,
	const struct bundle_series **series, size_t *n)
{
	struct axes_in *a = scratch_room(&c->axes, 1, sizeof(*a));
	size_t part, all, points;
	struct reader r;

	if (!pack_open(PACK_BUNDLE, data, len, &r))
		return false;
	part = get_size(&r, 0, PARTS_MOST);
	all = get_size(&r, 1, BUNDLE_KEYS);
	if (r.damaged || !get_directory(c, &r, a, all, part) ||
		!get_axis_column(
			c, &r, &a->steps[a->step_count - 1], &c->column, &c->steps, &a->step_column) ||
		!get_axis_column(
			c, &r, &a->times[a->time_count - 1], &c->numbers, &c->times, &a->time_column))
		return false;
	*n = choose(a, all, keys, key_count, &points);
	*series = scratch_room(&c->bundle, BUNDLE_KEYS, sizeof(**series));
	return get_blocks(c, &r, a, all, c->bundle.data,
		scratch_room(&c->bundle_samples, points + 1, sizeof(struct sample)));
}
