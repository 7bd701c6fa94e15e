/*
 * The runs of one experiment in columns: attributes, params, tags, datasets, the latest value of each metric, and other numbers of
 * those metrics that somebody wants. A row keeps its place for ever; cells come in pages of 1,024 rows, and a page without a value is not there. Texts are kept once and named by
 * numbers. Inside search only. No locks: whoever writes is alone, any number may read meanwhile when nobody writes.
 */
#ifndef SEARCH_TABLE_H
#define SEARCH_TABLE_H

#include "domain/run.h"
#include "ingest/ingest.h"
#include "search/kept.h"
#include "search/search.h"

#define PAGE_ROWS  1024u
#define UUID_BYTES 16

/* ---- texts.c: texts and their numbers, from 1; 0 is none ---- */

struct texts {
	char *pool;
	uint32_t *ends; /* ends[id]: one past its bytes and the NUL behind them */
	uint32_t *slots;
	size_t len, room;    /* of the pool */
	size_t n, ends_room; /* n: the greatest number */
	size_t slot_count;   /* a power of two */
	uint64_t seed[2];
};

void texts_init(struct texts *t);
void texts_fini(struct texts *t);
/* Any bytes; 0: no room (4 GiB). */
uint32_t texts_put(struct texts *t, const char *data, size_t len);
uint32_t texts_find(const struct texts *t, const char *data, size_t len); /* 0: not there */
size_t texts_bytes(const struct texts *t);

static inline const char *
texts_get(const struct texts *t, uint32_t id)
{
	return t->pool + t->ends[id - 1];
}

static inline size_t
texts_length(const struct texts *t, uint32_t id)
{
	return t->ends[id] - t->ends[id - 1] - 1u;
}

/* ---- table.c ---- */

#define NO_NUMBER                                                                                            \
	UINT64_C(0x7ff8a5a5a5a5a5a5) /* a NaN that is no value; those that are values are all alike */

static inline bool
is_there(double cell)
{
	uint64_t bits;

	__builtin_memcpy(&bits, &cell, sizeof(bits));
	return bits != NO_NUMBER;
}

struct pages {
	void **at;
	size_t n;
};

struct few {
	uint32_t row;
	uint32_t text;
	double number;
};

#define FEW_MOST 64u

struct column {
	enum search_entity entity;
	enum search_aggregate aggregate;
	uint32_t name;      /* of the table's texts */
	bool number;        /* cells are doubles, else numbers of texts */
	bool list;          /* the texts are lists: text NUL text NUL … */
	uint32_t few_count; /* up to FEW_MOST cells are kept here, sorted by row, and then in pages */
	struct few *few;
	uint32_t few_room;
	struct pages pages;
	uint64_t stamp; /* of the row that was put last */
};

/* ROW_PLAIN: there is nothing to know of the run but what is here, and its metrics; and it cannot be removed for good just now. */
enum row_state {
	ROW_THERE = 1,
	ROW_DELETED = 2,
	ROW_ENDED = 4,
	ROW_PLAIN = 8,
	ROW_STATUS = 16 /* times its number */
};

struct table {
	struct texts texts;
	size_t rows;
	struct pages run_ids, uuids, starts, ends, states; /* int64, 16 bytes, int64, int64, uint8 */
	struct pages versions;                             /* uint32: changes with each change of the row */
	struct pages kept;                                 /* struct kept *: owned, NULL when there is none */
	size_t kept_bytes;
	uint32_t *index; /* run_id -> row + 1 */
	size_t index_size;
	struct column **columns;
	size_t column_count, column_room;
	uint32_t *column_index; /* entity, aggregate and name -> column + 1 */
	size_t column_index_size;
	struct column **wanted; /* those of them that are no latest values */
	size_t wanted_count;
	char *uri_prefix; /* owned: artifact_uri of plain rows is this, their uuid, and "/artifacts"; NULL: not known yet */
	uint64_t stamp;
	size_t bytes;      /* held, without the texts */
	size_t tidied_len; /* of the texts, when there was no garbage in them */
	bool unfit;        /* something does not fit here: the runs must be searched another way */
};

/* A run with all that is searched. Texts are copied. */
struct table_run {
	const struct run *run; /* attributes, params, tags */
	const char *status;
	const struct run_latest *metrics;
	struct search_value datasets[3]; /* name, digest, context: VALUE_TEXTS or VALUE_MISSING */
};

void table_init(struct table *t);
void table_fini(struct table *t);
void table_put(struct table *t, const struct table_run *in); /* new, or instead of what was there */
void table_remove(struct table *t, int64_t run_id);
/* After some puts: texts that nothing names any more go when they are many. */
void table_tidy(struct table *t);
size_t table_bytes(const struct table *t);
uint32_t table_version(const struct table *t, uint32_t row);
const struct kept *table_kept(const struct table *t, uint32_t row); /* NULL: none */
/* Keep a whole run, as it is in the version of its row that the caller has seen; nothing happens when that has changed. */
void table_keep(struct table *t, const struct run *run, uint32_t version);
void table_drop_kept(struct table *t);

/*
 * Another number of a metric than the latest, from now on: rows that are put have it, those that are there already get it by
 * table_fill(). `latest`: all metrics of the run. A row that is not there, or a column that is not wanted, is left alone.
 */
void table_want(struct table *t, enum search_aggregate aggregate, const char *key);
void table_fill(
	struct table *t, enum search_aggregate aggregate, const char *key, const struct run_latest *latest);
void table_drop(struct table *t, enum search_aggregate aggregate, const char *key);

/* NULL: no row has a value. */
const struct column *table_column(
	const struct table *t, enum search_entity entity, enum search_aggregate aggregate, const char *name);
size_t column_bytes(const struct column *c);
/* The cells of 1,024 rows: from the column, or made in `scratch` (room for as many doubles). NULL: no value among them. */
const void *column_page(const struct column *c, size_t page, void *scratch);
double column_number(const struct column *c, uint32_t row);
uint32_t column_text(const struct column *c, uint32_t row);

/* ---- whole.c: runs out of a table ---- */

struct whole;

/* For the rows of one search; lives in the arena. NULL: the columns are so many that each run would take long. */
struct whole *whole_new(const struct table *t, struct arena *arena, size_t runs);
/* All of a run but its metrics and experiment_id, copied to the arena; NULL: it is not plain. */
struct run *whole_run(const struct whole *w, uint32_t row);

static inline const void *
pages_page(const struct pages *p, size_t page)
{
	return page < p->n ? p->at[page] : NULL;
}

#endif
