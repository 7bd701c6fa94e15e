/* Whole runs, as the domain reads them, kept beside a table for pages that are asked for again. Inside search only. */
#ifndef SEARCH_KEPT_H
#define SEARCH_KEPT_H

#include "base/arena.h"
#include "domain/run.h"

struct kept; /* one piece of memory, freed with free() */

struct kept *kept_new(const struct run *run);
size_t kept_bytes(const struct kept *k);
struct run *kept_copy(const struct kept *k, struct arena *arena);

#endif
