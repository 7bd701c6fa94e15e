/*
 * The thread that compacts: takes the runs that are due (due.h), and every ten minutes, and at the start, looks what others left in
 * the database. It works while all living servers read what it writes, and says so for itself. Its connections are its own.
 */
#ifndef INGEST_COMPACTOR_H
#define INGEST_COMPACTOR_H

#include <stdint.h>

struct compactor;
struct ingest;
struct pool;

struct compactor_options {
	struct pool *pool;
	struct ingest *ingest; /* lives longer; knows what is due */
};

struct compactor *compactor_start(const struct compactor_options *options);
void compactor_stop(struct compactor *c); /* NULL is fine */

#endif
