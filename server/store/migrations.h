/* The embedded files of migrations/, in their order; made by the build. Inside store only. */
#ifndef STORE_MIGRATIONS_H
#define STORE_MIGRATIONS_H

#include <stddef.h>

struct migration {
	int number;       /* from 1, without gaps */
	const char *name; /* the file's, without .sql */
	const char *text;
	size_t size;
};

extern const struct migration migrations[]; /* ended by number 0 */
extern const int migration_count;

#endif
