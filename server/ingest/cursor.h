/*
 * How far somebody has read: the snapshot of a read and the cluster that it is of, as opaque text. What a snapshot did not see is
 * new to whoever holds it. After dump and restore transaction ids start again: a cursor of another cluster means nothing here.
 */
#ifndef INGEST_CURSOR_H
#define INGEST_CURSOR_H

#include <stdint.h>
#include "base/ctx.h"

#define CURSOR_TEXT_MOST (64u << 10) /* bytes of a cursor's text */

struct tx;

struct cursor {
	int64_t system_identifier; /* of the PostgreSQL cluster, another after a crash: numbers of lost transactions come again */
	const char *snapshot; /* text of a pg_snapshot */
};

/* What this transaction sees (tx_begin_snapshot: all of its reads). The text lives in the arena. */
enum status cursor_now(struct tx *tx, struct cursor *out) must_check;
/* The text, in the arena: safe in a URL and on a line. */
const char *cursor_write(struct ctx *cx, const struct cursor *c);
/* INVALID for anything that cursor_write() cannot have made. A snapshot that passes is one that PostgreSQL takes. */
enum status cursor_read(struct ctx *cx, const char *text, struct cursor *out) must_check;

#endif
