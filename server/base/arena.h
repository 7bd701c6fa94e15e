/* Memory of one request: allocated piece by piece, freed at once. One thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdarg.h>
#include "base/status.h"

struct arena;

/* NULL never: no memory ends the process (base/mem.h). */
struct arena *arena_new(void);
void arena_free(struct arena *a);  /* NULL is fine */
void arena_reset(struct arena *a); /* all pieces gone, the first block kept */

/* Aligned for any type, zeroed. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_array(struct arena *a, size_t n, size_t size);
void *arena_copy(struct arena *a, const void *from, size_t size);
char *arena_str(struct arena *a, const char *s);            /* NULL gives NULL */
char *arena_strn(struct arena *a, const char *s, size_t n); /* adds the NUL */
char *arena_printf(struct arena *a, const char *fmt, ...) printf_like(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap);
size_t arena_size(const struct arena *a); /* bytes held */

#endif
