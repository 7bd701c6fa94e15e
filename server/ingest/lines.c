#include "ingest/lines.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "ingest/codec.h"
#include "store/metric_reads.h"
#include "store/metrics.h"

struct line_place {
	int64_t run_id;
	size_t index;
	const struct line_names *names; /* of its experiment; NULL: it knows none of the keys */
};

/* The numbers that one experiment has for the keys. */
struct line_names {
	int64_t experiment_id;
	int32_t *ids; /* sorted */
	size_t *keys; /* which key each stands for */
	size_t n;
};

static enum status
damaged_chunk(struct lines *l, int64_t run_id)
{
	log_error("metric_damage", "run=%lld message=\"a row of metric_chunk cannot be read\"",
		(long long)run_id);
	return fail(tx_ctx(l->tx), INTERNAL, "stored metrics of this run cannot be read");
}

/* ---- names ---- */

static int
by_experiment_and_number(const void *a, const void *b)
{
	const struct metric_key *x = a, *y = b;

	if (x->experiment_id != y->experiment_id)
		return x->experiment_id < y->experiment_id ? -1 : 1;
	return (x->key_id > y->key_id) - (x->key_id < y->key_id);
}

static size_t
key_index(const struct lines_in *in, const char *name)
{
	size_t k = 0;

	while (strcmp(in->keys[k], name) != 0)
		k++;
	return k;
}

static void
add_name(struct lines *l, struct arena *arena, const struct metric_key *key)
{
	struct line_names *names = l->experiments + l->experiment_count - 1;

	if (l->experiment_count == 0 || names->experiment_id != key->experiment_id) {
		names = &l->experiments[l->experiment_count++];
		names->experiment_id = key->experiment_id;
		names->ids = arena_array(arena, l->in->key_count, sizeof(*names->ids));
		names->keys = arena_array(arena, l->in->key_count, sizeof(*names->keys));
	}
	names->ids[names->n] = key->key_id;
	names->keys[names->n++] = key_index(l->in, key->name);
}

static enum status
load_names(struct lines *l, const int64_t *run_ids)
{
	struct arena *arena = tx_ctx(l->tx)->arena;
	struct metric_key *found;
	size_t n;
	enum status st = store_metric_keys_of_runs(
		l->tx, run_ids, l->in->run_count, l->in->keys, l->in->key_count, &found, &n);

	if (st != OK || n == 0)
		return st;
	qsort(found, n, sizeof(*found), by_experiment_and_number);
	l->experiments = arena_array(arena, n, sizeof(*l->experiments));
	for (size_t i = 0; i < n; i++)
		add_name(l, arena, &found[i]);
	return OK;
}

static const struct line_names *
names_of(const struct lines *l, int64_t experiment_id)
{
	size_t lo = 0, hi = l->experiment_count;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (l->experiments[middle].experiment_id < experiment_id)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo < l->experiment_count && l->experiments[lo].experiment_id == experiment_id
		       ? &l->experiments[lo]
		       : NULL;
}

/* The place of a number among those of an experiment; n: it is not wanted. */
static size_t
find_number(const struct line_names *names, int32_t key_id)
{
	size_t lo = 0, hi = names->n;

	while (hi - lo > 1) {
		size_t middle = lo + (hi - lo) / 2;

		if (names->ids[middle] <= key_id)
			lo = middle;
		else
			hi = middle;
	}
	return names->ids[lo] == key_id ? lo : names->n;
}

/* ---- runs ---- */

static int
by_run_id(const void *a, const void *b)
{
	const struct line_place *x = a, *y = b;

	return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

static const struct line_place *
place_of(const struct lines *l, int64_t run_id)
{
	const struct line_place key = { .run_id = run_id };

	return bsearch(&key, l->places, l->in->run_count, sizeof(key), by_run_id);
}

static void
make_lines(struct lines *l)
{
	const struct lines_in *in = l->in;
	struct arena *arena = tx_ctx(l->tx)->arena;

	l->n = in->run_count * in->key_count;
	l->lines = arena_array(arena, l->n, sizeof(*l->lines));
	l->places = arena_array(arena, in->run_count, sizeof(*l->places));
	for (size_t i = 0; i < l->n; i++)
		l->lines[i] = (struct line){ .run_id = in->runs[i / in->key_count].run_id,
			.window = in->window,
			.step_lo = INT64_MAX,
			.step_hi = INT64_MIN,
			.time_lo_unix_ms = INT64_MAX,
			.time_hi_unix_ms = INT64_MIN };
	for (size_t r = 0; r < in->run_count; r++) {
		const struct line_names *names = names_of(l, in->runs[r].experiment_id);

		l->places[r] = (struct line_place){ in->runs[r].run_id, r, names };
		for (size_t i = 0; names != NULL && i < names->n; i++)
			l->lines[r * in->key_count + names->keys[i]].key_id = names->ids[i];
	}
	qsort(l->places, in->run_count, sizeof(*l->places), by_run_id);
}

/* ---- loose samples ---- */

static bool
sample_in(const struct line_window *w, const struct sample *s)
{
	return s->step >= w->step_lo && s->step <= w->step_hi && s->time_unix_ms >= w->time_lo_unix_ms &&
	       s->time_unix_ms <= w->time_hi_unix_ms &&
	       (w->after == NULL || sample_compare_history(s, w->after) > 0);
}

static void
widen(struct line *line, int64_t step_lo, int64_t step_hi, int64_t time_lo, int64_t time_hi)
{
	if (step_lo < line->step_lo)
		line->step_lo = step_lo;
	if (step_hi > line->step_hi)
		line->step_hi = step_hi;
	if (time_lo < line->time_lo_unix_ms)
		line->time_lo_unix_ms = time_lo;
	if (time_hi > line->time_hi_unix_ms)
		line->time_hi_unix_ms = time_hi;
}

/* The first `most` of what is there; whatever comes after the last of them is of no use from now on. */
static void
cut_loose(struct line *line)
{
	line->n = samples_settle(line->loose, line->n, sample_compare_history);
	if (line->n > line->window.most) {
		line->n = line->window.most;
		line->cut = true;
	}
}

static atomic_size_t loose_everywhere; /* that there is room for, in all reads of this process */

static enum status
more_room(struct lines *l, struct line *line)
{
	size_t more = line->room / 2 + 64;

	if (line->window.most > 0 && line->n >= 2 * line->window.most)
		cut_loose(line);
	if (line->n < line->room)
		return OK;
	if (l->loose + more > LINES_LOOSE_MOST || atomic_load(&loose_everywhere) + more > LINES_LOOSE_ALL)
		return fail(tx_ctx(l->tx), UNAVAILABLE,
			"too many points of these runs wait for compaction; ask for fewer runs at a time, or "
			"try again later");
	l->loose += more;
	atomic_fetch_add(&loose_everywhere, more);
	line->room += more;
	line->loose = mem_resize(line->loose, line->room, sizeof(*line->loose));
	return OK;
}

static enum status
add_loose(struct lines *l, struct line *line, const struct sample *s)
{
	enum status st;

	widen(line, s->step, s->step, s->time_unix_ms, s->time_unix_ms);
	if (!sample_in(&line->window, s))
		return OK;
	if (line->cut && sample_compare_history(s, &line->loose[line->window.most - 1]) >= 0)
		return OK;
	if (line->n == line->room && (st = more_room(l, line)) != OK)
		return st;
	line->loose[line->n++] = *s;
	return OK;
}

static enum status
take_tail(struct lines *l, const struct line_place *at, const struct metric_piece *row)
{
	struct line *lines = l->lines + at->index * l->in->key_count;
	const struct line_names *names = at->names;
	const struct tail_point *points;
	enum status st = OK;
	size_t n;

	if (names == NULL)
		return OK;
	if (!codec_decode(l->codec, row->data, row->len, &points, &n))
		return damaged_row(tx_ctx(l->tx), row->run_id);
	for (size_t i = 0; st == OK && i < n; i++) {
		size_t found = find_number(names, points[i].key_id);

		if (found < names->n)
			st = add_loose(l, &lines[names->keys[found]],
				&(struct sample){ points[i].value, points[i].time_unix_ms, points[i].step });
	}
	return st;
}

static enum status
take_bundle(struct lines *l, const struct line_place *at, const struct metric_piece *row)
{
	struct line *lines = l->lines + at->index * l->in->key_count;
	const struct line_names *names = at->names;
	const struct bundle_series *series;
	enum status st = OK;
	size_t n;

	if (!bundle_decode(l->coder, row->data, row->len, names->ids, names->n, &series, &n))
		return damaged_chunk(l, row->run_id);
	for (size_t i = 0; i < n; i++) {
		size_t found = find_number(names, series[i].key_id);

		for (size_t k = 0; st == OK && found < names->n && k < series[i].n; k++)
			st = add_loose(l, &lines[names->keys[found]], &series[i].samples[k]);
	}
	return st;
}

/* ---- chunks ---- */

bool
line_piece_inside(const struct line_window *w, const struct piece *p)
{
	return p->step_lo >= w->step_lo && p->step_hi <= w->step_hi &&
	       p->time_lo_unix_ms >= w->time_lo_unix_ms && p->time_hi_unix_ms <= w->time_hi_unix_ms &&
	       (w->after == NULL || p->time_lo_unix_ms > w->after->time_unix_ms);
}

static bool
piece_meets(const struct line_window *w, const struct piece *p)
{
	return p->step_hi >= w->step_lo && p->step_lo <= w->step_hi &&
	       p->time_hi_unix_ms >= w->time_lo_unix_ms && p->time_lo_unix_ms <= w->time_hi_unix_ms &&
	       (w->after == NULL || p->time_hi_unix_ms >= w->after->time_unix_ms);
}

/* Into how many its n stretches are joined, so that a series of very many chunks is not more memory than its picture needs. */
static size_t
stretches_of(int64_t wanted, int64_t chunks, size_t n)
{
	int64_t each = chunks > 0 ? wanted / chunks + 1 : (int64_t)n;

	return each < (int64_t)n ? (size_t)each : n;
}

static enum status
read_previews(struct lines *l, const struct metric_piece *row, struct piece *p)
{
	const struct preview *previews;
	size_t n, kept;
	struct preview *out;

	if (!preview_decode(l->coder, row->data, row->len, &previews, &n))
		return damaged_chunk(l, row->run_id);
	kept = stretches_of(l->in->stretches, row->chunks, n);
	out = arena_array(tx_ctx(l->tx)->arena, kept, sizeof(*out));
	for (size_t i = 0; i < kept; i++) {
		out[i] = previews[i * n / kept];
		for (size_t k = i * n / kept + 1; k < (i + 1) * n / kept; k++)
			preview_join(&out[i], &previews[k]);
	}
	p->previews = out;
	p->preview_count = kept;
	return OK;
}

static enum status
take_chunk(struct lines *l, const struct line_place *at, const struct metric_piece *row)
{
	size_t found = find_number(at->names, row->key_id);
	struct line *line = &l->lines[at->index * l->in->key_count + at->names->keys[found]];
	struct piece p = { row->step_lo, row->step_hi, row->time_lo_unix_ms, row->time_hi_unix_ms,
		row->first_unix_ms, row->seq, row->n, NULL, 0, true };
	enum status st;

	widen(line, p.step_lo, p.step_hi, p.time_lo_unix_ms, p.time_hi_unix_ms);
	if (!piece_meets(&line->window, &p))
		return OK;
	if (row->data != NULL && (st = read_previews(l, row, &p)) != OK)
		return st;
	if (line->piece_count == line->piece_room) {
		line->piece_room = line->piece_room * 2 + 4;
		line->pieces = mem_resize(line->pieces, line->piece_room, sizeof(*line->pieces));
	}
	line->pieces[line->piece_count++] = p;
	return OK;
}

static enum status
take_row(void *arg, const struct metric_piece *row)
{
	struct lines *l = arg;
	const struct line_place *at = place_of(l, row->run_id);

	if (row->key_id == 0)
		return take_tail(l, at, row);
	return row->key_id < 0 ? take_bundle(l, at, row) : take_chunk(l, at, row);
}

/* ---- loading ---- */

/* Of each run the numbers of the keys, and of the bundles that they may lie in. */
static size_t
name_pairs(const struct lines *l, int64_t *runs, int64_t *keys)
{
	size_t n = 0;

	for (size_t r = 0; r < l->in->run_count; r++) {
		const struct line_names *names = l->places[r].names;
		int32_t bundle = 0;

		for (size_t i = 0; names != NULL && i < names->n; i++) {
			runs[n] = l->places[r].run_id;
			keys[n++] = names->ids[i];
			if (bundle_of(names->ids[i]) == bundle)
				continue;
			bundle = bundle_of(names->ids[i]);
			runs[n] = l->places[r].run_id;
			keys[n++] = bundle;
		}
	}
	return n;
}

static enum status
load_rows(struct lines *l, const int64_t *run_ids)
{
	struct arena *arena = tx_ctx(l->tx)->arena;
	const struct line_window *w = &l->in->window;
	int64_t *runs = arena_array(arena, 2 * l->n, sizeof(*runs));
	int64_t *keys = arena_array(arena, 2 * l->n, sizeof(*keys));
	struct metric_read what = { run_ids, l->in->run_count, runs, keys, name_pairs(l, runs, keys),
		l->in->previews_from, w->step_lo, w->step_hi, w->time_lo_unix_ms, w->time_hi_unix_ms };

	return store_metric_read(l->tx, &what, take_row, l);
}

static int
by_step(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->step_lo != y->step_lo)
		return x->step_lo < y->step_lo ? -1 : 1;
	return (x->first_unix_ms > y->first_unix_ms) - (x->first_unix_ms < y->first_unix_ms);
}

static int
by_time(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->time_lo_unix_ms != y->time_lo_unix_ms)
		return x->time_lo_unix_ms < y->time_lo_unix_ms ? -1 : 1;
	return (x->step_lo > y->step_lo) - (x->step_lo < y->step_lo);
}

static void
settle_line(const struct lines *l, struct line *line)
{
	line->n = samples_settle(
		line->loose, line->n, l->in->by_time ? sample_compare_history : sample_compare_stored);
	if (line->window.most > 0 && line->n > line->window.most)
		line->n = line->window.most;
	if (line->piece_count > 1)
		qsort(line->pieces, line->piece_count, sizeof(*line->pieces),
			l->in->by_time ? by_time : by_step);
}

enum status
lines_load(struct lines *l, struct tx *tx, const struct lines_in *in)
{
	int64_t *run_ids = arena_array(tx_ctx(tx)->arena, in->run_count, sizeof(*run_ids));
	enum status st;

	*l = (struct lines){ .tx = tx, .in = in };
	if (in->run_count == 0 || in->key_count == 0)
		return OK;
	l->codec = codec_new();
	l->coder = chunk_coder_new();
	for (size_t r = 0; r < in->run_count; r++)
		run_ids[r] = in->runs[r].run_id;
	if ((st = load_names(l, run_ids)) != OK)
		return st;
	make_lines(l);
	if (l->experiment_count == 0)
		return OK;
	st = load_rows(l, run_ids);
	for (size_t i = 0; st == OK && i < l->n; i++)
		settle_line(l, &l->lines[i]);
	return st;
}

void
lines_fini(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->lines[i].loose);
		free(l->lines[i].pieces);
	}
	atomic_fetch_sub(&loose_everywhere, l->loose);
	free(l->scratch);
	codec_free(l->codec);
	chunk_coder_free(l->coder);
	*l = (struct lines){ 0 };
}

void
line_narrow(struct line *line, const struct line_window *w)
{
	size_t n = 0, pieces = 0;

	line->window = *w;
	for (size_t i = 0; i < line->n; i++)
		if (sample_in(w, &line->loose[i]))
			line->loose[n++] = line->loose[i];
	for (size_t i = 0; i < line->piece_count; i++)
		if (piece_meets(w, &line->pieces[i]))
			line->pieces[pieces++] = line->pieces[i];
	line->n = n;
	line->piece_count = pieces;
}

/* ---- merging ---- */

struct want {
	size_t line, piece;
};

struct merging {
	struct lines *l;
	const struct line_reader *reader;
	struct merge merge; /* of the current line */
	size_t line;        /* which that is */
	bool open;
	struct want *wants; /* of this batch */
	struct metric_chunk_name *names;
	size_t n;
};

static struct place_in_order
place_of_piece(const struct merge *m, const struct piece *p)
{
	return merge_place(m, p->step_lo, m->by_time ? p->time_lo_unix_ms : p->first_unix_ms);
}

static enum status
open_line(struct merging *g)
{
	const struct line *line = &g->l->lines[g->line];
	enum status st;

	merge_init(&g->merge, g->l->in->by_time, g->reader->span, g->reader->arg);
	g->open = true;
	if ((st = g->reader->start(g->reader->arg, g->line, &g->merge.more)) == OK)
		merge_add(&g->merge, line->loose, line->n);
	return st;
}

static enum status
close_line(struct merging *g)
{
	enum status st = merge_until(&g->merge, NULL);

	merge_fini(&g->merge);
	g->open = false;
	g->line++;
	return st == OK ? g->reader->end(g->reader->arg, g->line - 1) : st;
}

/* Whatever comes before this line is read to its end; the line is open. */
static enum status
go_to_line(struct merging *g, size_t line)
{
	enum status st = OK;

	while (st == OK && g->line < line) {
		if (!g->open && (st = open_line(g)) != OK)
			break;
		st = close_line(g);
	}
	if (st == OK && !g->open && line < g->l->n)
		st = open_line(g);
	return st;
}

static struct sample *
scratch(struct lines *l, size_t n)
{
	if (n > l->scratch_room) {
		l->scratch_room = n * 2;
		l->scratch = mem_resize(l->scratch, l->scratch_room, sizeof(*l->scratch));
	}
	return l->scratch;
}

/* What of a chunk's samples is in the window, in the order of this reading; mostly the samples as they are. */
static const struct sample *
in_order(struct lines *l, const struct line *line, const struct piece *p, const struct sample *samples,
	size_t *n)
{
	bool whole = line_piece_inside(&line->window, p);
	struct sample *own;
	size_t kept = 0;

	if (whole && (!l->in->by_time || samples_rising(samples, *n, sample_compare_history)))
		return samples;
	own = scratch(l, *n);
	for (size_t i = 0; i < *n; i++)
		if (whole || sample_in(&line->window, &samples[i]))
			own[kept++] = samples[i];
	*n = l->in->by_time ? samples_settle(own, kept, sample_compare_history) : kept;
	return own;
}

/* The next piece of the line whose data will come. */
static const struct piece *
wanted_after(const struct line *line, size_t piece)
{
	while (++piece < line->piece_count)
		if (line->pieces[piece].wanted)
			return &line->pieces[piece];
	return NULL;
}

static enum status
merge_chunk(struct merging *g, const struct want *want, const void *data, size_t len)
{
	const struct line *line = &g->l->lines[want->line];
	const struct piece *p = &line->pieces[want->piece], *after = wanted_after(line, want->piece);
	struct place_in_order at = place_of_piece(&g->merge, p), next = { 0 };
	const struct sample *samples;
	size_t n;
	enum status st;

	if ((st = merge_until(&g->merge, &at)) != OK || !g->merge.more)
		return st;
	if (!chunk_decode(g->l->coder, data, len, &samples, &n))
		return damaged_chunk(g->l, line->run_id);
	samples = in_order(g->l, line, p, samples, &n);
	if (after != NULL)
		next = place_of_piece(&g->merge, after);
	return merge_pass(&g->merge, samples, n, after == NULL ? NULL : &next);
}

static enum status
take_data(void *arg, size_t at, const void *data, size_t len)
{
	struct merging *g = arg;
	const struct want *want = &g->wants[at];
	enum status st = go_to_line(g, want->line);

	if (st != OK || !g->merge.more)
		return st;
	return merge_chunk(g, want, data, len);
}

/* The next chunks that are wanted, from `from` on, at least `batch` samples of them; where to go on. */
static struct want
next_batch(struct merging *g, struct want from)
{
	const struct lines *l = g->l;
	int64_t samples = 0;

	g->n = 0;
	if (g->reader->enough != NULL && *g->reader->enough)
		return (struct want){ l->n, 0 };
	for (; from.line < l->n; from = (struct want){ from.line + 1, 0 }) {
		const struct line *line = &l->lines[from.line];

		for (; from.piece < line->piece_count; from.piece++) {
			const struct piece *p = &line->pieces[from.piece];

			if (!p->wanted)
				continue;
			if (g->open && from.line == g->line && !g->merge.more)
				break;
			if (g->reader->batch > 0 && samples >= g->reader->batch)
				return from;
			samples += p->n;
			g->wants[g->n] = from;
			g->names[g->n++] = (struct metric_chunk_name){ line->run_id, line->key_id, p->step_lo,
				p->first_unix_ms, p->seq };
		}
	}
	return from;
}

enum status
lines_merge(struct lines *l, const struct line_reader *reader)
{
	struct merging g = { .l = l, .reader = reader };
	struct want at = { 0, 0 };
	size_t pieces = 0;
	enum status st = OK;

	for (size_t i = 0; i < l->n; i++)
		pieces += l->lines[i].piece_count;
	g.wants = mem_array(pieces + 1, sizeof(*g.wants));
	g.names = mem_array(pieces + 1, sizeof(*g.names));
	do {
		at = next_batch(&g, at);
		st = store_metric_chunk_data(l->tx, g.names, g.n, take_data, &g);
	} while (st == OK && at.line < l->n);
	if (st == OK)
		st = go_to_line(&g, reader->enough != NULL && *reader->enough ? g.line + g.open : l->n);
	if (g.open)
		merge_fini(&g.merge);
	free(g.wants);
	free(g.names);
	return st;
}
