/* What every handler needs: a request into a struct, a struct out as JSON. */
#ifndef API_IO_H
#define API_IO_H

#include "base/fields.h"
#include "base/jsonw.h"
#include "domain/experiment.h"
#include "http/route.h"

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

/* ACTIVE_ONLY, DELETED_ONLY, ALL, or 1, 2, 3; NULL is ACTIVE_ONLY. */
enum status io_view(struct ctx *cx, const char *parameter, const char *text, enum view *out) must_check;

#endif
