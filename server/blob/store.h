/* What a kind of store implements. Inside blob only. */
#ifndef BLOB_STORE_H
#define BLOB_STORE_H

#include "blob/blob.h"

struct blob_ops {
	void (*close)(struct blob_store *s);
	enum status (*identity)(struct blob_store *s, struct ctx *cx, char out[64]);
	enum status (*identify)(struct blob_store *s, struct ctx *cx, const char *identity);
	enum status (*write_begin)(
		struct blob_store *s, struct ctx *cx, const char *key, struct blob_writer **out);
	enum status (*write)(struct blob_writer *w, struct ctx *cx, const void *data, size_t len);
	enum status (*write_end)(
		struct blob_writer *w, struct ctx *cx); /* durable when OK; frees w either way */
	void (*write_abort)(struct blob_writer *w);     /* frees w */
	enum status (*read_begin)(struct blob_store *s, struct ctx *cx, const char *key, int64_t from,
		int64_t length, struct blob_reader **out);
	enum status (*read)(struct blob_reader *r, struct ctx *cx, void *out, size_t size, size_t *got);
	void (*read_end)(struct blob_reader *r); /* frees r */
	enum status (*delete)(struct blob_store *s, struct ctx *cx, const char *key);
};

/* First member of every store, writer and reader. The size and the hash are kept by blob.c. */
struct blob_store {
	const struct blob_ops *ops;
};
struct blob_writer {
	const struct blob_ops *ops;
	struct sha256 hash;
	int64_t size_bytes;
};
struct blob_reader {
	const struct blob_ops *ops;
};

struct blob_store *blob_dir_open(const char *path, char *error, size_t error_size);

#endif
