/* What the files of compaction share. Inside ingest only. */
#ifndef INGEST_COMPACT_PARTS_H
#define INGEST_COMPACT_PARTS_H

#include "ingest/chunk.h"
#include "ingest/codec.h"
#include "ingest/compact.h"
#include "store/metric_chunks.h"

/* Samples that grow. */
struct heap {
	struct sample *items; /* owned */
	size_t n, room;
};
/* Room for n more, at its end; the caller counts them in. */
struct sample *heap_room(struct heap *h, size_t n);
void heap_add(struct heap *h, const struct sample *samples, size_t n);

/* New points of a series: sorted, without twins. */
struct fresh {
	int32_t key_id;
	struct sample *samples; /* in compact.split */
	size_t n;
	struct series_summary *known; /* what is stored already; NULL: nothing */
};

struct compact {
	struct codec *codec;
	struct chunk_coder *coder;

	/* the transaction */
	struct tx *tx;
	int64_t run_id;
	bool settle;
	struct compacted *out;
	int64_t seq, seqs_left; /* names for rows */
	size_t rows;            /* of the tail, to be asked for at once */

	/* what was taken from the tail: points, then sorted by series */
	struct tail_point *points;
	size_t point_count, point_room;
	uint32_t *owners; /* of each point: its place among `series` */
	struct fresh *series;
	size_t series_count, series_room;
	uint32_t *slots; /* key_id -> place among `series` + 1 */
	size_t slot_count;
	struct heap split;

	/* rows on their way to metric_chunk */
	struct buf copy, data, preview;

	struct heap merged; /* a stretch of a series and what is added to it */
	struct heap loose;  /* the short series of a block */
};

/* ---- compact_write.c ---- */

/* Samples as one chunk, cut into several where they are many. In stored order, without twins. */
enum status compact_write_series(
	struct compact *c, int32_t key_id, const struct sample *samples, size_t n) must_check;
/* Series of one block as one bundle. */
enum status compact_write_bundle(
	struct compact *c, int32_t bundle, const struct bundle_series *series, size_t n) must_check;
/* What was written is in the table from now on. */
enum status compact_flush(struct compact *c) must_check;

/* ---- compact_series.c ---- */

/*
 * Points of a series that are in no chunk yet, in order, become chunks: together with those that they lie within. What was written
 * for this series has been flushed.
 */
enum status compact_series(
	struct compact *c, int32_t key_id, const struct sample *samples, size_t n) must_check;
/* Drop those of a series' new points that are in its chunks. */
enum status compact_subtract_chunks(struct compact *c, struct fresh *f) must_check;

/* ---- compact_block.c ---- */

/* New points of the series of one block: series[0..n), by key_id. */
enum status compact_block(struct compact *c, struct fresh *series, size_t n) must_check;

enum status compact_damage(struct compact *c, const char *what) must_check;

#endif
