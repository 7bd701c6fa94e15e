/*
 * Comparing numbers: once, for rows that are given one by one and for columns. Inline, so that a loop over a column with a
 * known operator comes down to one instruction a cell. Inside search only.
 */
#ifndef SEARCH_COMPARE_H
#define SEARCH_COMPARE_H

#include <float.h>
#include <math.h>
#include "search/parts.h"

/* Infinities as MLflow stores them, and NaN where it stores 0. */
static inline double
metric_stored(double v, bool nan_is_zero)
{
	if (isnan(v))
		return nan_is_zero ? 0 : v;
	return isinf(v) ? copysign(DBL_MAX, v) : v;
}

/* Exact, also where the integer has no double. Never NaN. */
static inline int
integer_against_double(int64_t a, double b)
{
	int64_t whole;

	if (b >= 0x1p63)
		return -1;
	if (b < -0x1p63)
		return 1;
	whole = (int64_t)b;
	if (a != whole)
		return a < whole ? -1 : 1;
	return (b < (double)whole) - (b > (double)whole);
}

static inline int
double_against(double a, double b)
{
	return (a > b) - (a < b);
}

/* v against the other; neither is NaN. */
static inline int
number_against(const struct search_value *v, int64_t integer, bool integral, double number)
{
	if (v->is_integer && integral)
		return (v->integer > integer) - (v->integer < integer);
	if (v->is_integer)
		return integer_against_double(v->integer, number);
	if (integral)
		return -integer_against_double(integer, v->number);
	return double_against(v->number, number);
}

static inline bool
order_holds(enum compare_op op, int order)
{
	switch (op) {
	case OP_EQ:
		return order == 0;
	case OP_NE:
		return order != 0;
	case OP_LT:
		return order < 0;
	case OP_LE:
		return order <= 0;
	case OP_GT:
		return order > 0;
	case OP_GE:
		return order >= 0;
	default:
		return false;
	}
}

/* A NaN differs from everything and is neither more nor less than anything. */
static inline bool
double_holds(enum compare_op op, double v, double number)
{
	return isnan(v) ? op == OP_NE : order_holds(op, double_against(v, number));
}

#endif
