#include "ingest/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/metrics.h"

#define ROW_POINTS 900  /* at most in a row */
#define ROW_BYTES  8000 /* at most in a row of more than one point: with its head it stays in one page */
#define COPY_LIMIT (256u << 20)

void
seqs_init(struct seqs *s)
{
	pthread_mutex_init(&s->lock, NULL);
	s->next = s->left = 0;
}

void
seqs_fini(struct seqs *s)
{
	pthread_mutex_destroy(&s->lock);
}

void
seqs_forget(struct seqs *s)
{
	pthread_mutex_lock(&s->lock);
	s->left = 0;
	pthread_mutex_unlock(&s->lock);
}

static bool
seqs_take(struct seqs *s, int64_t *out)
{
	bool have;

	pthread_mutex_lock(&s->lock);
	have = s->left > 0;
	if (have) {
		*out = s->next++;
		s->left--;
	}
	pthread_mutex_unlock(&s->lock);
	return have;
}

/* PostgreSQL is asked without the lock; of two who ask at once, one block is kept. */
static enum status
seqs_next(struct seqs *s, struct tx *tx, int64_t *out)
{
	enum status st;

	if (seqs_take(s, out))
		return OK;
	if ((st = store_metric_seq_block(tx, out)) != OK)
		return st;
	pthread_mutex_lock(&s->lock);
	s->next = *out + 1;
	s->left = METRIC_SEQ_BLOCK - 1;
	pthread_mutex_unlock(&s->lock);
	return OK;
}

void
rows_init(struct rows *r, struct keys *keys, struct seqs *seqs)
{
	memset(r, 0, sizeof(*r));
	r->codec = codec_new();
	r->keys = key_work_new(keys);
	r->seqs = seqs;
	buf_init(&r->copy, COPY_LIMIT);
	buf_init(&r->data, COPY_LIMIT);
}

void
rows_fini(struct rows *r)
{
	codec_free(r->codec);
	key_work_free(r->keys);
	buf_fini(&r->copy);
	buf_fini(&r->data);
	free(r->points);
	free(r->list);
}

void
rows_clear(struct rows *r)
{
	buf_clear(&r->copy);
	key_work_forget(r->keys);
	memset(r->names, 0, sizeof(r->names));
	r->n = r->made = 0;
}

/* A name that had no number is looked for again once those that were missing are made. */
static int32_t
find_key(struct rows *r, int64_t experiment_id, const char *name)
{
	size_t at = (size_t)((uint64_t)(uintptr_t)name * UINT64_C(0x9e3779b97f4a7c15) >> 32) % ROWS_NAMES;
	struct named *m = &r->names[at];

	if (m->name != name || (m->key_id == 0 && key_work_missing(r->keys) == 0))
		*m = (struct named){ name, key_work_find(r->keys, experiment_id, name) };
	return m->key_id;
}

void
rows_add_points(struct rows *r, int64_t experiment_id, const struct point *points, size_t n)
{
	size_t from = r->n;

	if (r->n + n > r->room) {
		r->room = (r->n + n) * 2;
		r->points = mem_resize(r->points, r->room, sizeof(*r->points));
	}
	for (size_t i = 0; i < n; i++)
		r->points[from + i] = (struct tail_point){ .step = points[i].step,
			.time_unix_ms = points[i].time_unix_ms,
			.value = points[i].value };
	r->n += n;
	rows_fill_keys(r, experiment_id, points, n, from);
}

void
rows_fill_keys(struct rows *r, int64_t experiment_id, const struct point *points, size_t n, size_t from)
{
	for (size_t i = 0; i < n; i++)
		if (r->points[from + i].key_id == 0)
			r->points[from + i].key_id = find_key(r, experiment_id, points[i].key);
}

static void
add_row(struct rows *r, int64_t run_id, int64_t seq, int32_t n)
{
	if (r->made == r->list_room) {
		r->list_room = r->made * 2 + 64;
		r->list = mem_resize(r->list, r->list_room, sizeof(*r->list));
	}
	metric_tail_row(&r->copy, run_id, seq, n, r->data.data, r->data.len);
	r->list[r->made++] = (struct made_row){ { run_id, seq, n, NULL, r->data.len }, r->copy.len };
}

void
rows_list(const struct rows *r, struct metric_tail_row *out)
{
	for (size_t i = 0; i < r->made; i++) {
		out[i] = r->list[i].row;
		out[i].data = r->copy.data + r->list[i].end - out[i].len;
	}
}

enum status
rows_pack(struct rows *r, struct tx *tx, int64_t run_id, size_t from, size_t n)
{
	size_t most = ROW_POINTS;

	while (n > 0) {
		size_t take = n < most ? n : most;
		int64_t seq;
		enum status st;

		buf_clear(&r->data);
		codec_encode(r->codec, r->points + from, take, &r->data);
		if (r->data.len > ROW_BYTES && take > 1) {
			most = take / 2 + 1 < take ? take / 2 + 1 : take / 2;
			continue;
		}
		if ((st = seqs_next(r->seqs, tx, &seq)) != OK)
			return st;
		add_row(r, run_id, seq, (int32_t)take);
		from += take;
		n -= take;
	}
	return OK;
}
