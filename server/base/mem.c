#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static void *
have(void *p)
{
	if (p == NULL) {
		log_error("no_memory", "message=\"the process is out of memory\"");
		abort();
	}
	return p;
}

void *
mem_alloc(size_t size)
{
	return have(calloc(1, size > 0 ? size : 1));
}

void *
mem_array(size_t n, size_t size)
{
	return have(calloc(n > 0 ? n : 1, size > 0 ? size : 1));
}

void *
mem_resize(void *p, size_t n, size_t size)
{
	if (size > 0 && n > SIZE_MAX / size)
		return have(NULL);
	return have(realloc(p, n * size > 0 ? n * size : 1));
}

char *
mem_str(const char *s)
{
	return s == NULL ? NULL : have(strdup(s));
}
