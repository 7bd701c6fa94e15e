/*
 * Secrets at rest: XChaCha20-Poly1305 under a key that the database never sees. What is sealed opens only under the same
 * key and for the same `about` (the id of the row that it lies in), so that rows cannot be swapped. Any thread.
 */
#ifndef BASE_BOX_H
#define BASE_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

#define BOX_KEY_BYTES 32
#define BOX_OVERHEAD  40 /* nonce and authenticator */

struct box;

struct box *box_new(const uint8_t key[BOX_KEY_BYTES]); /* the key is copied */
void box_free(struct box *b);                          /* wiped; NULL is fine */
const char *box_key_id(const struct box *b); /* 16 hex digits that tell keys apart and say nothing of them */
/* `out` has room for len + BOX_OVERHEAD bytes. */
void box_seal(const struct box *b, const char *about, const void *text, size_t len, uint8_t *out);
/* `out` has room for len - BOX_OVERHEAD bytes. False: another key, another `about`, or changed bytes. */
bool box_open(
	const struct box *b, const char *about, const uint8_t *sealed, size_t len, void *out) must_check;

#endif
