/* Heap memory of the server: no memory ends the process with a line in the log, so nobody checks. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);                     /* zeroed; owned by the caller, freed with free() */
void *mem_array(size_t n, size_t size);           /* zeroed; refuses overflow */
void *mem_resize(void *p, size_t n, size_t size); /* the new part is not zeroed */
char *mem_str(const char *s);                     /* NULL gives NULL */

#endif
