/* What every handler needs: a request into a struct, a struct out as JSON. */
#ifndef API_IO_H
#define API_IO_H

#include "base/fields.h"
#include "base/jsonw.h"
#include "domain/experiment.h"
#include "http/route.h"
#include "ingest/ingest.h"

/* From the query on GET (its JSON body when there is no query), from the JSON body otherwise; an empty body is {}. */
enum status io_read(struct request *rq, const struct field *fields, void *out) must_check;

/* An answer that is one object: begin, write members, end. */
void io_begin(struct jsonw *w, struct response *rs);
enum status io_end(struct jsonw *w);
enum status io_empty(struct response *rs); /* {} */

void io_id_at(struct jsonw *w, const char *key, int64_t id); /* an id of the protocol: a string of digits */
void io_pairs_at(struct jsonw *w, const char *key, const struct key_value *pairs,
	size_t n); /* [{"key":…,"value":…}]; none: left out */
void io_value_at(struct jsonw *w, const char *key,
	double v); /* of a metric: NaN is "NaN", infinities are the largest doubles */
/* An item of a metric's history; run_id NULL: left out. */
void io_sample(struct jsonw *w, const char *key, const struct sample *s, const char *run_id);

/* An enum that came as its number, 1 to `most`: proto3 JSON allows both. */
bool io_enum_number(const char *text, int most, int *out);
/* An array of objects as a member, left out when it is empty: `write` writes one object's members. */
typedef void io_item_fn(struct jsonw *w, const void *item);
void io_array_at(
	struct jsonw *w, const char *key, const void *items, size_t n, size_t size, io_item_fn *write);
/* The answer of a search: the array, then next_page_token unless NULL. */
struct io_list {
	const char *key;
	const void *items;
	size_t n, size;
	io_item_fn *write;
	const char *next_token;
};
enum status io_reply_list(struct response *rs, const struct io_list *list);

/* What searches have in common: filter, order_by, max_results, page_token, and a view where they have one. */
struct io_search {
	int64_t max_results; /* when it is not given; 0: it must be */
	const char *view;    /* the view's name in the request: "view_type", "run_view_type"; NULL: none */
	const char **experiment_ids; /* out */
	size_t experiment_id_count;  /* out */
};
enum status io_read_search(struct request *rq, struct io_search *how, struct search_in *out) must_check;

#endif
