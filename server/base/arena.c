#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The first block is small, for most requests need little; later ones double up to a bound. */
#define FIRST_BLOCK   4096
#define LARGEST_BLOCK (256 * 1024)

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(max_align_t) char data[];
};

struct arena {
	struct block *blocks; /* the newest first */
	size_t held;
};

static struct block *
block_new(struct arena *a, size_t size)
{
	struct block *b = mem_alloc(sizeof(*b) + size);

	b->size = size;
	b->next = a->blocks;
	a->blocks = b;
	a->held += size;
	return b;
}

struct arena *
arena_new(void)
{
	return mem_alloc(sizeof(struct arena));
}

static void
free_blocks(struct block *b)
{
	while (b != NULL) {
		struct block *next = b->next;

		free(b);
		b = next;
	}
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	free_blocks(a->blocks);
	free(a);
}

void
arena_reset(struct arena *a)
{
	struct block *keep = a->blocks;

	if (keep == NULL)
		return;
	free_blocks(keep->next);
	keep->next = NULL;
	memset(keep->data, 0, keep->used);
	keep->used = 0;
	a->held = keep->size;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct block *b = a->blocks;
	void *p;

	assert(size <= SIZE_MAX / 2);
	size = (size + align - 1) / align * align;
	if (b == NULL || b->size - b->used < size) {
		size_t want = b == NULL ? FIRST_BLOCK : b->size * 2;

		if (want > LARGEST_BLOCK)
			want = LARGEST_BLOCK;
		b = block_new(a, size > want ? size : want);
	}
	p = b->data + b->used;
	b->used += size;
	return p;
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
	assert(size == 0 || n <= SIZE_MAX / 2 / size);
	return arena_alloc(a, n * size);
}

void *
arena_copy(struct arena *a, const void *from, size_t size)
{
	void *p = arena_alloc(a, size);

	if (size > 0)
		memcpy(p, from, size);
	return p;
}

char *
arena_str(struct arena *a, const char *s)
{
	return s == NULL ? NULL : arena_strn(a, s, strlen(s));
}

char *
arena_strn(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	if (n > 0)
		memcpy(p, s, n);
	return p;
}

char *
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	int n;
	char *p;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	assert(n >= 0);
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

size_t
arena_size(const struct arena *a)
{
	return a->held;
}
