/*
 * Lines: the samples of runs x keys, wherever their rows are. Loading them takes one statement: what lies in tail rows and bundles is
 * decoded (loose), chunks are known by their ranges, and by their previews where those were asked for. Then lines_merge() brings
 * loose samples and the data of the chunks that are wanted in order, line after line. One snapshot. Inside ingest only.
 */
#ifndef INGEST_LINES_H
#define INGEST_LINES_H

#include "ingest/chunk.h"
#include "ingest/merge.h"

/* What of a series is wanted; ranges are inclusive. */
struct line_window {
	int64_t step_lo, step_hi, time_lo_unix_ms, time_hi_unix_ms;
	const struct sample *after; /* in history order; NULL: all */
	size_t most;                /* loose samples that are kept, the first in history order; 0: all */
};
#define LINE_WINDOW_ALL                                                                                      \
	(struct line_window)                                                                                 \
	{                                                                                                    \
		INT64_MIN, INT64_MAX, INT64_MIN, INT64_MAX, NULL, 0                                          \
	}

struct lines_in {
	const struct read_run *runs; /* no twins */
	size_t run_count;
	const char *const *keys; /* no twins */
	size_t key_count;
	struct line_window window;
	bool by_time;          /* history order; else stored order */
	int64_t previews_from; /* chunks of a series in the window; 0: no previews */
	int64_t stretches; /* of previews that are wanted of a series: neighbours are joined when there are many more */
};

/* A chunk that lies in the window or across its edge. */
struct piece {
	int64_t step_lo, step_hi, time_lo_unix_ms, time_hi_unix_ms;
	int64_t first_unix_ms, seq; /* the time of its first sample in stored order */
	int64_t n;
	const struct preview *previews; /* in the arena; NULL: none */
	size_t preview_count;
	bool wanted; /* its data: for the caller to say, before lines_merge() */
};

struct line {
	int64_t run_id;
	int32_t key_id; /* 0: the run has no such key */
	struct line_window window;
	struct sample *loose; /* owned; in order, without twins */
	size_t n, room;
	bool cut;             /* the window's `most` has dropped some: those kept are settled up to n */
	struct piece *pieces; /* owned; by where they begin */
	size_t piece_count, piece_room;
	/* of the whole series, whatever the window; lo > hi when there is nothing */
	int64_t step_lo, step_hi, time_lo_unix_ms, time_hi_unix_ms;
};

struct lines {
	struct tx *tx;
	const struct lines_in *in;
	struct line *lines; /* of run r and key k: lines[r * key_count + k] */
	size_t n;
	struct codec *codec;
	struct chunk_coder *coder;
	struct line_place *places;      /* of runs, sorted */
	struct line_names *experiments; /* what their numbers for the keys are, sorted */
	size_t experiment_count;
	struct sample *scratch; /* owned */
	size_t scratch_room;
	size_t loose; /* samples that there is room for, in all lines */
};

#define LINES_LOOSE_MOST (1u << 23) /* so many samples of tails are held in memory for one read */
#define LINES_LOOSE_ALL  (1u << 24) /* and for all reads at once */
/*
 * `in` is borrowed until lines_fini(), which may follow a failure. UNAVAILABLE: more than that wait for compaction; fewer lines at a time
 * may do.
 */
enum status lines_load(struct lines *l, struct tx *tx, const struct lines_in *in) must_check;
void lines_fini(struct lines *l);
/* Of one line less is wanted than was loaded. */
void line_narrow(struct line *line, const struct line_window *w);

/* All of the chunk lies in it. */
bool line_piece_inside(const struct line_window *w, const struct piece *p);

/* Each line in its order: start, its spans (of the window only), end. When `more` becomes false, its line is over. */
struct line_reader {
	enum status (*start)(void *arg, size_t line, bool *more);
	merge_span_fn *span;
	enum status (*end)(void *arg, size_t line);
	void *arg;
	int64_t batch;      /* samples of chunks that are asked for at once; 0: all that are wanted */
	const bool *enough; /* when it becomes true, no other line is read; NULL: all are */
};
enum status lines_merge(struct lines *l, const struct line_reader *reader) must_check;

#endif
