/* Histories and samples of one key. */
#include <string.h>

#include "base/log.h"
#include "ingest/lines.h"
#include "store/tx.h"

#define RUNS_AT_ONCE 16 /* whose tails are in memory together */

enum status
damaged_row(struct ctx *cx, int64_t run_id)
{
	log_error("metric_damage", "run=%lld message=\"a row of metric_tail cannot be read\"",
		(long long)run_id);
	return fail(cx, INTERNAL, "stored metrics of this run cannot be read");
}

/* At most this many samples can come of a line. */
static size_t
bound_of(const struct line *line)
{
	size_t n = line->n;

	for (size_t i = 0; i < line->piece_count; i++)
		n += (size_t)line->pieces[i].n;
	return n;
}

/* ---- a page ---- */

struct page {
	struct arena *arena;
	const struct line *line;
	struct sample *samples;
	size_t n, most;
};

static enum status
page_start(void *arg, size_t line, bool *more)
{
	struct page *p = arg;
	size_t bound = bound_of(p->line);

	(void)line;
	if (bound < p->most)
		p->most = bound;
	p->samples = p->most > 0 ? arena_array(p->arena, p->most, sizeof(*p->samples)) : NULL;
	*more = p->most > 0;
	return OK;
}

static enum status
page_span(void *arg, const struct sample *samples, size_t n, bool *more)
{
	struct page *p = arg;

	if (n > p->most - p->n)
		n = p->most - p->n;
	memcpy(&p->samples[p->n], samples, n * sizeof(*samples));
	p->n += n;
	*more = p->n < p->most;
	return OK;
}

static enum status
nothing_at_end(void *arg, size_t line)
{
	(void)arg;
	(void)line;
	return OK;
}

enum status
ingest_history(struct tx *tx, const struct read_run *run, const char *key, const struct sample *after,
	size_t limit, struct sample **out, size_t *n)
{
	struct page page = { .arena = tx_ctx(tx)->arena, .most = limit == SIZE_MAX ? limit : limit + 1 };
	struct lines_in in = { run, 1, &key, 1, LINE_WINDOW_ALL, true, 0, 0 };
	const struct line_reader reader = { page_start, page_span, nothing_at_end, &page,
		page.most > INT32_MAX ? 0 : (int64_t)page.most + CHUNK_POINTS, NULL };
	struct lines l;
	enum status st;

	in.window.after = after;
	in.window.most = page.most;
	if ((st = lines_load(&l, tx, &in)) == OK) {
		page.line = l.lines;
		st = lines_merge(&l, &reader);
	}
	lines_fini(&l);
	*out = st == OK && page.n > 0 ? page.samples : NULL;
	*n = st == OK ? page.n : 0;
	return st;
}

/* ---- several runs ---- */

struct several {
	ingest_span_fn *each;
	void *arg;
	size_t first, run; /* of these runs, which are some of the caller's; the one that is read */
	size_t left;
	bool enough;
};

static enum status
histories_start(void *arg, size_t line, bool *more)
{
	struct several *s = arg;

	s->run = s->first + line;
	*more = s->left > 0;
	return OK;
}

static enum status
histories_span(void *arg, const struct sample *samples, size_t n, bool *more)
{
	struct several *s = arg;

	if (n > s->left)
		n = s->left;
	s->left -= n;
	s->enough = s->left == 0;
	*more = !s->enough;
	return s->each(s->arg, s->run, samples, n);
}

enum status
ingest_histories(struct tx *tx, const struct read_run *runs, size_t n, const char *key, size_t limit,
	ingest_span_fn *each, void *arg)
{
	struct several s = { .each = each, .arg = arg, .left = limit, .enough = limit == 0 };
	enum status st = OK;

	for (; st == OK && s.first < n && !s.enough; s.first += RUNS_AT_ONCE) {
		struct lines_in in = { runs + s.first,
			n - s.first < RUNS_AT_ONCE ? n - s.first : RUNS_AT_ONCE, &key, 1, LINE_WINDOW_ALL,
			true, 0, 0 };
		const struct line_reader reader = { histories_start, histories_span, nothing_at_end, &s,
			(int64_t)s.left + CHUNK_POINTS, &s.enough };
		struct lines l;

		in.window.most = s.left;
		if ((st = lines_load(&l, tx, &in)) == OK)
			st = lines_merge(&l, &reader);
		lines_fini(&l);
	}
	return st;
}

/* ---- tiles ---- */

struct tiles {
	struct several to;
	const struct lines *lines;
	size_t most;
	size_t *counts; /* of each line; SIZE_MAX: not known before it is read */
	bool counting;
	size_t line;
	size_t at;         /* samples of this line so far */
	size_t tile, pick; /* the next tile and which sample it gives */
};

static bool
apart(const struct line *line)
{
	const struct piece *p = line->pieces;
	size_t n = line->piece_count;

	for (size_t i = 0; i < n; i++) {
		if (!line_piece_inside(&line->window, &p[i]))
			return false;
		if (i > 0 && p[i].step_lo <= p[i - 1].step_hi &&
			(p[i].step_lo < p[i - 1].step_hi || p[i].first_unix_ms <= p[i - 1].time_hi_unix_ms))
			return false;
	}
	return n == 0 || line->n == 0 || line->loose[0].step > p[n - 1].step_hi;
}

static void
want_all(struct line *line, bool wanted)
{
	for (size_t i = 0; i < line->piece_count; i++)
		line->pieces[i].wanted = wanted;
}

static enum status
count_start(void *arg, size_t line, bool *more)
{
	struct tiles *t = arg;

	t->line = line;
	*more = t->counts[line] == SIZE_MAX;
	if (*more)
		t->counts[line] = 0;
	return OK;
}

static enum status
count_span(void *arg, const struct sample *samples, size_t n, bool *more)
{
	struct tiles *t = arg;

	(void)samples;
	(void)more;
	t->counts[t->line] += n;
	return OK;
}

/* How many samples each line has: from the ranges of its rows, when nothing overlaps and nothing is cut, or by reading it. */
static enum status
count_lines(struct tiles *t, struct lines *l)
{
	const struct line_reader reader = { count_start, count_span, nothing_at_end, t, 0, NULL };
	bool known = true;
	enum status st;

	for (size_t i = 0; i < l->n; i++) {
		bool whole = apart(&l->lines[i]);

		t->counts[i] = whole ? bound_of(&l->lines[i]) : SIZE_MAX;
		want_all(&l->lines[i], !whole);
		known = known && whole;
	}
	if (!known && (st = lines_merge(l, &reader)) != OK)
		return st;
	for (size_t i = 0; i < l->n; i++)
		want_all(&l->lines[i], true);
	return OK;
}

static void
next_pick(struct tiles *t)
{
	size_t n = t->counts[t->line], tiles = n < t->most ? n : t->most;

	if (t->tile >= tiles)
		t->pick = SIZE_MAX;
	else if (t->tile + 1 == tiles && n > t->most)
		t->pick = n - 1;
	else
		t->pick = t->tile * (n / tiles) + (t->tile < n % tiles ? t->tile : n % tiles);
	t->tile++;
}

static enum status
tiles_start(void *arg, size_t line, bool *more)
{
	struct tiles *t = arg;

	t->line = line;
	t->at = t->tile = 0;
	next_pick(t);
	*more = t->pick != SIZE_MAX;
	return OK;
}

static enum status
tiles_span(void *arg, const struct sample *samples, size_t n, bool *more)
{
	struct tiles *t = arg;
	enum status st = OK;

	for (; st == OK && t->pick < t->at + n; next_pick(t))
		st = t->to.each(t->to.arg, t->to.first + t->line, &samples[t->pick - t->at], 1);
	t->at += n;
	*more = t->pick != SIZE_MAX;
	return st;
}

static enum status
tiles_of(struct tiles *t, struct tx *tx, const struct lines_in *in)
{
	const struct line_reader reader = { tiles_start, tiles_span, nothing_at_end, t, 0, NULL };
	struct lines l;
	enum status st = lines_load(&l, tx, in);

	if (st == OK && (st = count_lines(t, &l)) == OK)
		st = lines_merge(&l, &reader);
	lines_fini(&l);
	return st;
}

enum status
ingest_tiles(struct tx *tx, const struct read_run *runs, size_t n, const char *key, int64_t step_lo,
	int64_t step_hi, size_t most, ingest_span_fn *each, void *arg)
{
	size_t counts[RUNS_AT_ONCE];
	struct tiles t = { .to = { .each = each, .arg = arg }, .most = most, .counts = counts };
	enum status st = OK;

	for (; st == OK && t.to.first < n; t.to.first += RUNS_AT_ONCE) {
		struct lines_in in = { runs + t.to.first,
			n - t.to.first < RUNS_AT_ONCE ? n - t.to.first : RUNS_AT_ONCE, &key, 1,
			LINE_WINDOW_ALL, false, 0, 0 };

		in.window.step_lo = step_lo;
		in.window.step_hi = step_hi;
		st = tiles_of(&t, tx, &in);
	}
	return st;
}
