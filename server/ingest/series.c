/*
 * A line's samples stream through the merge into bins; the first few are kept as well, for series that turn out to be short. Chunks
 * whose previews will do are not asked for.
 */
#include "ingest/series.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ingest/series_parts.h"
#include "store/tx.h"

#define STRETCHES 4 /* a bucket: as fine as previews need to be */

struct building {
	const struct series_in *in; /* a slice of the request */
	size_t first_run;           /* of it */
	struct lines lines;
	const struct series_range *range; /* for all lines alike; NULL: each has its own */
	series_fn *each;                  /* unless each_bins */
	series_bins_fn *each_bins;
	void *arg;
	struct bucket *points; /* owned, like kept: room for as many as buckets */
	/* of the current line: */
	struct bins bins;
	struct sample *kept;
	int64_t n;
	bool exact;
};

/* ---- ranges ---- */

static int64_t
sum_of(int64_t a, int64_t b)
{
	int64_t sum;

	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return b > 0 ? INT64_MAX : INT64_MIN;
}

static int64_t
difference_of(int64_t a, int64_t b)
{
	int64_t difference;

	if (!__builtin_sub_overflow(a, b, &difference))
		return difference;
	return b < 0 ? INT64_MAX : INT64_MIN;
}

static bool
by_time(const struct series_in *in)
{
	return in->x == SERIES_TIME || in->x == SERIES_RELATIVE;
}

/* The time that is 0 of x. */
static int64_t
origin_of(const struct building *b, size_t line)
{
	const struct read_run *run = &b->in->runs[line / b->in->key_count];

	if (b->in->x != SERIES_RELATIVE)
		return 0;
	return run->start_unix_ms != 0 ? run->start_unix_ms : b->lines.lines[line].time_lo_unix_ms;
}

/* From the first sample of a series to its last, as from and to cut it. */
static struct series_range
range_of(const struct building *b, size_t line)
{
	const struct line *l = &b->lines.lines[line];
	const struct line_window *w = &l->window;

	if (l->step_lo > l->step_hi)
		return (struct series_range){ INT64_MAX, INT64_MIN };
	if (by_time(b->in))
		return (struct series_range){ l->time_lo_unix_ms > w->time_lo_unix_ms ? l->time_lo_unix_ms
										      : w->time_lo_unix_ms,
			l->time_hi_unix_ms < w->time_hi_unix_ms ? l->time_hi_unix_ms : w->time_hi_unix_ms };
	return (struct series_range){ l->step_lo > w->step_lo ? l->step_lo : w->step_lo,
		l->step_hi < w->step_hi ? l->step_hi : w->step_hi };
}

/* All have one step: they are told apart by time. */
static struct series_range
times_of(const struct line *l)
{
	struct series_range r = { INT64_MAX, INT64_MIN };

	for (size_t i = 0; i < l->piece_count; i++) {
		if (l->pieces[i].time_lo_unix_ms < r.lo)
			r.lo = l->pieces[i].time_lo_unix_ms;
		if (l->pieces[i].time_hi_unix_ms > r.hi)
			r.hi = l->pieces[i].time_hi_unix_ms;
	}
	if (l->n > 0 && l->loose[0].time_unix_ms < r.lo)
		r.lo = l->loose[0].time_unix_ms;
	if (l->n > 0 && l->loose[l->n - 1].time_unix_ms > r.hi)
		r.hi = l->loose[l->n - 1].time_unix_ms;
	return r;
}

/* False: nothing of the line is wanted. */
static bool
grid_of(const struct building *b, size_t line, struct grid *out)
{
	const struct line *l = &b->lines.lines[line];
	struct series_range r = range_of(b, line);
	bool time = by_time(b->in);

	if (r.lo > r.hi || l->n + l->piece_count == 0)
		return false;
	if (b->range != NULL) {
		int64_t origin = origin_of(b, line);

		r = (struct series_range){ sum_of(b->range->lo, origin), sum_of(b->range->hi, origin) };
	} else if (!time && r.lo == r.hi) {
		r = times_of(l);
		time = true;
	}
	*out = grid_make(time, r.lo, r.hi, b->in->buckets);
	return true;
}

/* ---- which chunks are drawn from their previews ---- */

static bool
fine_enough(const struct piece *p, const struct grid *g)
{
	long double width = ((long double)((uint64_t)g->hi - (uint64_t)g->lo) + 1) / (long double)g->n;

	for (size_t i = 0; i < p->preview_count; i++) {
		const struct preview *v = &p->previews[i];
		uint64_t extent = g->by_time ? (uint64_t)v->time_hi_unix_ms - (uint64_t)v->time_lo_unix_ms
					     : (uint64_t)v->last.step - (uint64_t)v->first.step;

		if ((long double)extent * 3 > width * 2)
			return false;
		if (g->by_time && (v->first.time_unix_ms != v->time_lo_unix_ms ||
					  v->last.time_unix_ms != v->time_hi_unix_ms))
			return false; /* its first and last are not those in order of time */
	}
	return p->preview_count > 0;
}

/* The place of its first sample, or earlier; of its last, or later. */
static struct place_in_order
begin_of(const struct piece *p, bool time)
{
	return time ? (struct place_in_order){ p->time_lo_unix_ms, p->step_lo }
		    : (struct place_in_order){ p->step_lo, p->first_unix_ms };
}

static struct place_in_order
end_of(const struct piece *p, bool time)
{
	return time ? (struct place_in_order){ p->time_hi_unix_ms, p->step_hi }
		    : (struct place_in_order){ p->step_hi, p->time_hi_unix_ms };
}

static struct place_in_order
place_of(const struct sample *s, bool time)
{
	return time ? (struct place_in_order){ s->time_unix_ms, s->step }
		    : (struct place_in_order){ s->step, s->time_unix_ms };
}

/* Is there a loose sample between the ends of this chunk? */
static bool
meets_loose(const struct line *l, const struct piece *p, bool time)
{
	const struct place_in_order begin = begin_of(p, time), end = end_of(p, time);
	struct place_in_order at;
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		at = place_of(&l->loose[middle], time);
		if (merge_compare_places(&at, &begin) < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	if (lo == l->n)
		return false;
	at = place_of(&l->loose[lo], time);
	return merge_compare_places(&at, &end) <= 0;
}

/* Is there nothing else of the series between its ends? Then none of its samples is a twin of another's. */
static bool
stands_alone(const struct line *l, size_t piece, const struct place_in_order *end_before, bool time)
{
	const struct piece *p = &l->pieces[piece];
	const struct place_in_order begin = begin_of(p, time), end = end_of(p, time);

	if (piece > 0 && merge_compare_places(end_before, &begin) >= 0)
		return false;
	if (piece + 1 < l->piece_count) {
		const struct place_in_order next = begin_of(p + 1, time);

		if (merge_compare_places(&end, &next) >= 0)
			return false;
	}
	return !meets_loose(l, p, time);
}

static void
choose(struct building *b, size_t line)
{
	struct line *l = &b->lines.lines[line];
	struct place_in_order last = { INT64_MIN, INT64_MIN };
	bool time = by_time(b->in);
	int64_t drawn = 0;
	struct grid grid;

	if (!grid_of(b, line, &grid))
		return;
	for (size_t i = 0; i < l->piece_count; i++) {
		struct piece *p = &l->pieces[i];
		const struct place_in_order end = end_of(p, time);

		p->wanted = p->previews == NULL || !line_piece_inside(&l->window, p) ||
			    !fine_enough(p, &grid) || !stands_alone(l, i, &last, time);
		if (!p->wanted)
			drawn += p->n;
		if (merge_compare_places(&end, &last) > 0)
			last = end;
	}
	if (drawn > (int64_t)b->in->buckets || (b->range != NULL && drawn > 0))
		return;
	for (size_t i = 0; i < l->piece_count; i++) /* so few may have to be given exactly */
		l->pieces[i].wanted = true;
}

/* ---- a line ---- */

static enum status
start_line(void *arg, size_t line, bool *more)
{
	struct building *b = arg;
	const struct line *l = &b->lines.lines[line];
	struct grid grid;

	b->n = 0;
	b->exact = true;
	*more = grid_of(b, line, &grid);
	if (!*more)
		return OK;
	bins_reset(&b->bins, &grid);
	for (size_t i = 0; i < l->piece_count; i++) {
		const struct piece *p = &l->pieces[i];

		if (p->wanted)
			continue;
		b->exact = false;
		b->n += p->n;
		for (size_t k = 0; k < p->preview_count; k++)
			bins_add_preview(&b->bins, &p->previews[k]);
	}
	return OK;
}

static enum status
add_span(void *arg, const struct sample *samples, size_t n, bool *more)
{
	struct building *b = arg;
	size_t room = b->n < (int64_t)b->in->buckets ? b->in->buckets - (size_t)b->n : 0;

	(void)more;
	if (b->kept != NULL && room > 0)
		memcpy(&b->kept[b->n], samples, (n < room ? n : room) * sizeof(*samples));
	b->n += (int64_t)n;
	bins_add(&b->bins, samples, n);
	return OK;
}

static enum status
end_line(void *arg, size_t line)
{
	struct building *b = arg;
	struct series out = { b->first_run + line / b->in->key_count, line % b->in->key_count, b->n, b->exact,
		b->points, 0 };

	if (b->n == 0)
		return OK;
	if (b->each_bins != NULL)
		return b->each_bins(b->arg, &b->bins);
	if (b->n <= (int64_t)b->in->buckets)
		for (int64_t i = 0; i < b->n; i++)
			b->points[out.point_count++] = bucket_of_sample(&b->kept[i]);
	else
		out.point_count = bins_take(&b->bins, b->points);
	for (size_t i = 0; i < out.point_count; i++)
		b->points[i].x = by_time(b->in)
					 ? difference_of(b->points[i].time_lo_unix_ms, origin_of(b, line))
					 : b->points[i].step_lo;
	return b->each(b->arg, &out);
}

/* ---- the whole ---- */

struct series_in
series_slice(const struct series_in *in, size_t first, size_t lines_at_once)
{
	struct series_in out = *in;
	size_t most = in->key_count < lines_at_once ? lines_at_once / in->key_count : 1;

	out.runs += first;
	out.run_count = in->run_count - first < most ? in->run_count - first : most;
	return out;
}

static struct line_window
window_of(const struct series_in *in)
{
	struct line_window w = LINE_WINDOW_ALL;

	if (in->x == SERIES_STEP) {
		w.step_lo = in->from;
		w.step_hi = in->to;
	} else if (in->x == SERIES_TIME) {
		w.time_lo_unix_ms = in->from;
		w.time_hi_unix_ms = in->to;
	}
	return w; /* of a relative time the origin may not be known yet */
}

static void
narrow(struct building *b, size_t line)
{
	struct line_window w = LINE_WINDOW_ALL;
	int64_t origin = origin_of(b, line);

	if (b->in->from != INT64_MIN)
		w.time_lo_unix_ms = sum_of(b->in->from, origin);
	if (b->in->to != INT64_MAX)
		w.time_hi_unix_ms = sum_of(b->in->to, origin);
	line_narrow(&b->lines.lines[line], &w);
}

/* Chunks of a series from which on some of their stretches may be narrow enough. */
static int64_t
previews_from(const struct series_in *in)
{
	return in->exact ? 0 : (int64_t)(in->buckets * 3 / (PREVIEW_BUCKETS * 2)) + 1;
}

static enum status
load(struct building *b, struct tx *tx, struct lines_in *in)
{
	enum status st;

	*in = (struct lines_in){ b->in->runs, b->in->run_count, b->in->keys, b->in->key_count,
		window_of(b->in), by_time(b->in), previews_from(b->in), (int64_t)b->in->buckets * STRETCHES };
	if ((st = lines_load(&b->lines, tx, in)) != OK)
		return st;
	for (size_t i = 0; b->in->x == SERIES_RELATIVE && i < b->lines.n; i++)
		narrow(b, i);
	return OK;
}

static enum status
build_slice(struct building *b, struct tx *tx)
{
	const struct line_reader reader = { start_line, add_span, end_line, b, 0, NULL };
	struct lines_in in;
	enum status st = load(b, tx, &in);

	for (size_t i = 0; st == OK && i < b->lines.n; i++)
		choose(b, i);
	if (st == OK)
		st = lines_merge(&b->lines, &reader);
	lines_fini(&b->lines);
	return st;
}

/* Slice by slice, each in memory that is given back before the next. */
static enum status
slices(struct building *b, struct tx *tx, const struct series_in *in,
	enum status (*work)(struct building *b, struct tx *tx))
{
	struct ctx *cx = tx_ctx(tx);
	struct arena *own = cx->arena;
	struct series_in slice;
	enum status st = OK;

	cx->arena = arena_new();
	b->in = &slice;
	for (; st == OK && b->first_run < in->run_count && in->key_count > 0;
		b->first_run += slice.run_count) {
		arena_reset(cx->arena);
		slice = series_slice(in, b->first_run, SERIES_AT_ONCE);
		st = work(b, tx);
	}
	arena_free(cx->arena);
	cx->arena = own;
	return st;
}

enum status
ingest_series(struct tx *tx, const struct series_in *in, series_fn *each, void *arg)
{
	struct building b = { .each = each, .arg = arg };
	enum status st;

	if (in->x == SERIES_METRIC)
		return series_over_metric(tx, in, each, arg);
	b.kept = mem_array(in->buckets, sizeof(*b.kept));
	b.points = mem_array(in->buckets, sizeof(*b.points));
	st = slices(&b, tx, in, build_slice);
	bins_fini(&b.bins);
	free(b.kept);
	free(b.points);
	return st;
}

enum status
series_bins(struct tx *tx, const struct series_in *in, const struct series_range *range, series_bins_fn *each,
	void *arg)
{
	struct building b = { .range = range, .each_bins = each, .arg = arg };
	enum status st = slices(&b, tx, in, build_slice);

	bins_fini(&b.bins);
	return st;
}

static enum status
widen_slice(struct building *b, struct tx *tx)
{
	struct series_range *out = b->arg;
	struct lines_in in;
	enum status st = load(b, tx, &in);

	for (size_t i = 0; st == OK && i < b->lines.n; i++) {
		struct series_range r = range_of(b, i);
		int64_t origin;

		if (r.lo > r.hi)
			continue;
		origin = origin_of(b, i);
		if (difference_of(r.lo, origin) < out->lo)
			out->lo = difference_of(r.lo, origin);
		if (difference_of(r.hi, origin) > out->hi)
			out->hi = difference_of(r.hi, origin);
	}
	lines_fini(&b->lines);
	return st;
}

enum status
series_range(struct tx *tx, const struct series_in *in, struct series_range *out)
{
	struct series_in plain = *in;
	struct building b = { .arg = out };

	*out = (struct series_range){ INT64_MAX, INT64_MIN };
	plain.exact = true; /* no previews: they say nothing about the range */
	return slices(&b, tx, &plain, widen_slice);
}
