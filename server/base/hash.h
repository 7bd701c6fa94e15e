/*
 * Hashes, MACs, randomness and encodings, by libsodium; SHA-256 by libcrypto, which uses the processor's own instructions.
 * Any thread; call hash_setup() once at start.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

#define SHA256_BYTES 32
#define SHA256_HEX   65 /* with the NUL */

bool hash_setup(void) must_check; /* false: libsodium does not start */

struct sha256 {
	uint64_t state[16]; /* room for libcrypto's state */
};
void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *data, size_t len);
void sha256_end(struct sha256 *h, uint8_t out[SHA256_BYTES]);
void sha256_of(const void *data, size_t len, uint8_t out[SHA256_BYTES]);

void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[SHA256_BYTES]);
/* A keyed hash for tables in memory that an attacker feeds (BLAKE2b); the key is 32 bytes. */
void keyed_hash(const uint8_t key[32], const void *data, size_t len, uint8_t out[32]);
uint32_t crc32c(uint32_t crc, const void *data, size_t len); /* start with 0 */

void random_bytes(void *out, size_t len);
uint64_t random_u64(void);
void random_hex(char *out, size_t bytes); /* writes 2 * bytes digits and a NUL */

bool same_bytes(const void *a, const void *b, size_t len); /* in constant time */
void wipe(void *p, size_t len);

void hex_encode(char *out, const void *data, size_t len); /* 2 * len digits and a NUL, lower case */
bool hex_decode(void *out, size_t len, const char *hex);  /* exactly 2 * len digits */
/* URL-safe, no padding. out has room for (len * 4 + 2) / 3 + 1 bytes. */
void base64url_encode(char *out, size_t out_size, const void *data, size_t len);
/* The ordinary alphabet, padded. */
void base64_encode(char *out, size_t out_size, const void *data, size_t len);
/* The ordinary alphabet (HTTP Basic), padded. False when malformed or larger than out_size. */
bool base64_decode(void *out, size_t out_size, size_t *len, const char *text, size_t text_len);
bool base64url_decode(void *out, size_t out_size, size_t *len, const char *text, size_t text_len);

#endif
