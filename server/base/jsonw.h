/*
 * Writing JSON straight into a buffer: no tree, no allocation. Commas are kept by the writer.
 *   jw_object(&w); jw_text_at(&w, "name", name); jw_int_at(&w, "start_time", ms); jw_end(&w);
 * NaN and infinities are the strings "NaN", "Infinity", "-Infinity" (proto3 JSON).
 */
#ifndef BASE_JSONW_H
#define BASE_JSONW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

struct jsonw {
	struct buf *buf;
	int depth;
	bool comma[72]; /* at this depth something stands already */
	bool array[72];
};

void jw_init(struct jsonw *w, struct buf *buf);
void jw_object(struct jsonw *w);
void jw_array(struct jsonw *w);
void jw_end(struct jsonw *w); /* of the innermost object or array */
void jw_key(struct jsonw *w, const char *key);
void jw_text(struct jsonw *w, const char *s); /* NULL is null */
void jw_textn(struct jsonw *w, const char *s, size_t len);
void jw_int(struct jsonw *w, int64_t v);
void jw_real(struct jsonw *w, double v); /* shortest text that reads back to the same double */
void jw_bool(struct jsonw *w, bool v);
void jw_null(struct jsonw *w);
void jw_raw(struct jsonw *w, const char *json, size_t len); /* JSON that is already text */

/* key and value in one call */
void jw_object_at(struct jsonw *w, const char *key);
void jw_array_at(struct jsonw *w, const char *key);
void jw_text_at(struct jsonw *w, const char *key, const char *s); /* NULL: the member is left out */
void jw_int_at(struct jsonw *w, const char *key, int64_t v);
void jw_real_at(struct jsonw *w, const char *key, double v);
void jw_bool_at(struct jsonw *w, const char *key, bool v);

#endif
