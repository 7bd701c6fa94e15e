/* From points to tail rows ready for COPY. Inside ingest only; one thread at a time. */
#ifndef INGEST_ROWS_H
#define INGEST_ROWS_H

#include <pthread.h>
#include "ingest/codec.h"
#include "ingest/ingest.h"
#include "ingest/keys.h"
#include "store/metric_log.h"

/* Numbers for rows, in blocks of a sequence. Any thread. */
struct seqs {
	pthread_mutex_t lock;
	int64_t next;
	int64_t left;
};
void seqs_init(struct seqs *s);
void seqs_fini(struct seqs *s);
void seqs_forget(struct seqs *s); /* what is left of the block is not used */

struct made_row {
	struct metric_tail_row row; /* without its data */
	size_t end;
};

#define ROWS_NAMES 512

/* Names found while points are added: the same few come again, by the same addresses, which stay theirs until rows_clear(). */
struct named {
	const char *name;
	int32_t key_id;
};

struct rows {
	struct codec *codec;
	struct seqs *seqs;
	struct key_work *keys;
	struct buf copy; /* the rows */
	struct buf data; /* one row's data */
	struct tail_point *points;
	size_t n, room;
	struct named names[ROWS_NAMES];
	struct made_row *list; /* the rows, and where the data of each ends in `copy` */
	size_t made, list_room;
};
void rows_init(struct rows *r, struct keys *keys, struct seqs *seqs);
void rows_fini(struct rows *r);
void rows_clear(struct rows *r);

/* Append points; those whose name has no number yet get 0, and are noted in r->keys. */
void rows_add_points(struct rows *r, int64_t experiment_id, const struct point *points, size_t n);
/* After key_work_make(): fill in what was 0. `from`: where the points stand in r->points. */
void rows_fill_keys(struct rows *r, int64_t experiment_id, const struct point *points, size_t n, size_t from);
/* Pack r->points[from..from+n) as rows of a run; rows stay under a page. tx may be a tx_auto(). */
enum status rows_pack(struct rows *r, struct tx *tx, int64_t run_id, size_t from, size_t n) must_check;
/* The r->made rows, their data lent until the next change. */
void rows_list(const struct rows *r, struct metric_tail_row *out);

#endif
