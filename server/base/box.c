#include "base/box.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/mem.h"

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES

static_assert(BOX_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "the size of a key");
static_assert(BOX_OVERHEAD == NONCE + crypto_aead_xchacha20poly1305_ietf_ABYTES, "what sealing adds");

struct box {
	uint8_t key[BOX_KEY_BYTES];
	char id[17];
};

struct box *
box_new(const uint8_t key[BOX_KEY_BYTES])
{
	static const char what[] = "cairn box key id";
	struct box *b = mem_alloc(sizeof(*b));
	uint8_t id[32];

	memcpy(b->key, key, sizeof(b->key));
	keyed_hash(key, what, sizeof(what), id);
	hex_encode(b->id, id, 8);
	return b;
}

void
box_free(struct box *b)
{
	if (b == NULL)
		return;
	wipe(b, sizeof(*b));
	free(b);
}

const char *
box_key_id(const struct box *b)
{
	return b->id;
}

void
box_seal(const struct box *b, const char *about, const void *text, size_t len, uint8_t *out)
{
	random_bytes(out, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		out + NONCE, NULL, text, len, (const uint8_t *)about, strlen(about), NULL, out, b->key);
}

bool
box_open(const struct box *b, const char *about, const uint8_t *sealed, size_t len, void *out)
{
	if (len < BOX_OVERHEAD)
		return false;
	return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed + NONCE, len - NONCE,
		       (const uint8_t *)about, strlen(about), sealed, b->key) == 0;
}
