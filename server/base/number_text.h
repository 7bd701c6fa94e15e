/*
 * Numbers to text. A double is the shortest text that reads back to the same double; of several as short the nearest (Schubfach, by
 * Raffaello Giulietti, "The Schubfach way to render doubles"). Its powers of ten are computed when they are first needed. Any thread.
 */
#ifndef BASE_NUMBER_TEXT_H
#define BASE_NUMBER_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define DOUBLE_TEXT 32 /* bytes that a double takes at most, with the NUL */
#define INT_TEXT    24

/* 0.1, 1.0, -0.0, 1e+16, 1e-05: as Python writes them, always with a point or an exponent. v is finite. */
size_t double_text(char out[DOUBLE_TEXT], double v);
size_t int_text(char out[INT_TEXT], int64_t v);

#endif
