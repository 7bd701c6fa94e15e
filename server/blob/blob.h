/*
 * Object storage: bytes under keys that the server makes; written once, never overwritten. A folder (dir.c); S3 has the same face.
 * Keys are [a-z0-9/_-], made by blob_key(); no text of a client is ever part of one. Any thread; calls block.
 * No transaction may be open, and no connection held, while these are called.
 */
#ifndef BLOB_BLOB_H
#define BLOB_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ctx.h"
#include "base/hash.h"

#define BLOB_KEY_SIZE 64

struct blob_store;
struct blob_writer;
struct blob_reader;

/* uri: "file:///path" or a plain path. On failure NULL and one sentence. */
struct blob_store *blob_open(const char *uri, char *error, size_t error_size);
void blob_close(struct blob_store *s);

/* The identity kept in the store itself: read it ("" when none), or write it into a store that has none. */
enum status blob_identity(struct blob_store *s, struct ctx *cx, char out[64]) must_check;
enum status blob_identify(struct blob_store *s, struct ctx *cx, const char *identity) must_check;

/* A new random key, unlike any other. */
void blob_key(char out[BLOB_KEY_SIZE]);

/* Write a whole object, streaming. It is there (durably) after blob_write_end, or not at all. */
enum status blob_write_begin(
	struct blob_store *s, struct ctx *cx, const char *key, struct blob_writer **out) must_check;
enum status blob_write(struct blob_writer *w, struct ctx *cx, const void *data, size_t len) must_check;
struct blob_sum {
	int64_t size_bytes;
	uint8_t sha256[SHA256_BYTES];
};
enum status blob_write_end(
	struct blob_writer **w, struct ctx *cx, struct blob_sum *sum) must_check; /* takes *w */
void blob_write_abort(struct blob_writer **w); /* takes *w; NULL inside is fine */

/* Read [from, from + length); length -1: to the end. NOT_FOUND when the key has no object. */
enum status blob_read_begin(struct blob_store *s, struct ctx *cx, const char *key, int64_t from,
	int64_t length, struct blob_reader **out) must_check;
enum status blob_read(struct blob_reader *r, struct ctx *cx, void *out, size_t size,
	size_t *got) must_check;            /* *got 0 at the end */
void blob_read_end(struct blob_reader **r); /* takes *r; NULL inside is fine */

enum status blob_delete(
	struct blob_store *s, struct ctx *cx, const char *key) must_check; /* a missing one is OK */

#endif
