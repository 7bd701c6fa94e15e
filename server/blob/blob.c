#include "blob/blob.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "blob/store.h"

struct blob_store *
blob_open(const char *uri, char *error, size_t error_size)
{
	if (str_starts(uri, "file://"))
		return blob_dir_open(uri + strlen("file://"), error, error_size);
	if (strstr(uri, "://") == NULL)
		return blob_dir_open(uri, error, error_size);
	snprintf(error, error_size,
		"blobs cannot lie at \"%.200s\": give a folder, as a path or as file:///path", uri);
	return NULL;
}

void
blob_close(struct blob_store *s)
{
	if (s != NULL)
		s->ops->close(s);
}

enum status
blob_identity(struct blob_store *s, struct ctx *cx, char out[64])
{
	return s->ops->identity(s, cx, out);
}

enum status
blob_identify(struct blob_store *s, struct ctx *cx, const char *identity)
{
	return s->ops->identify(s, cx, identity);
}

/* The first two digits spread the objects over folders. */
void
blob_key(char out[BLOB_KEY_SIZE])
{
	char hex[41];

	random_hex(hex, 20);
	snprintf(out, BLOB_KEY_SIZE, "objects/%.2s/%s", hex, hex + 2);
}

enum status
blob_write_begin(struct blob_store *s, struct ctx *cx, const char *key, struct blob_writer **out)
{
	enum status st = s->ops->write_begin(s, cx, key, out);

	if (st != OK)
		return st;
	(*out)->ops = s->ops;
	(*out)->size_bytes = 0;
	sha256_init(&(*out)->hash);
	return OK;
}

enum status
blob_write(struct blob_writer *w, struct ctx *cx, const void *data, size_t len)
{
	sha256_add(&w->hash, data, len);
	w->size_bytes += (int64_t)len;
	return w->ops->write(w, cx, data, len);
}

enum status
blob_write_end(struct blob_writer **w, struct ctx *cx, struct blob_sum *sum)
{
	struct blob_writer *mine = *w;

	*w = NULL;
	sum->size_bytes = mine->size_bytes;
	sha256_end(&mine->hash, sum->sha256);
	return mine->ops->write_end(mine, cx);
}

void
blob_write_abort(struct blob_writer **w)
{
	if (*w != NULL)
		(*w)->ops->write_abort(*w);
	*w = NULL;
}

enum status
blob_read_begin(struct blob_store *s, struct ctx *cx, const char *key, int64_t from, int64_t length,
	struct blob_reader **out)
{
	enum status st = s->ops->read_begin(s, cx, key, from, length, out);

	if (st == OK)
		(*out)->ops = s->ops;
	return st;
}

enum status
blob_read(struct blob_reader *r, struct ctx *cx, void *out, size_t size, size_t *got)
{
	return r->ops->read(r, cx, out, size, got);
}

void
blob_read_end(struct blob_reader **r)
{
	if (*r != NULL)
		(*r)->ops->read_end(*r);
	*r = NULL;
}

enum status
blob_delete(struct blob_store *s, struct ctx *cx, const char *key)
{
	return s->ops->delete (s, cx, key);
}
