/*
 * JSON out, on one core: the history of a metric and the columns of a chart as the API writes them, beside the same by printf with
 * %.17g and by jansson; and doubles to text alone.
 *   build/release/bench/json_bench [points]
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "api/io.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/number_text.h"

#define ROUNDS 3

struct bench {
	struct sample *samples;
	size_t n;
	struct buf out;
	double history_least, chart_least; /* million points a second */
};

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- histories: [{"key":…,"value":…,"timestamp":…,"step":…},…] ---- */

static void
history_by_us(struct bench *b)
{
	struct jsonw w;

	jw_init(&w, &b->out);
	jw_object(&w);
	jw_array_at(&w, "metrics");
	for (size_t i = 0; i < b->n; i++)
		io_sample(&w, "train/loss", &b->samples[i], NULL);
	jw_end(&w);
	jw_end(&w);
}

static void
history_by_printf(struct bench *b)
{
	buf_str(&b->out, "{\"metrics\":[");
	for (size_t i = 0; i < b->n; i++)
		buf_printf(&b->out, "%s{\"key\":\"%s\",\"value\":%.17g,\"timestamp\":%lld,\"step\":%lld}",
			i > 0 ? "," : "", "train/loss", b->samples[i].value,
			(long long)b->samples[i].time_unix_ms, (long long)b->samples[i].step);
	buf_str(&b->out, "]}");
}

static int
take(const char *text, size_t len, void *to)
{
	buf_add(to, text, len);
	return 0;
}

static void
history_by_jansson(struct bench *b)
{
	json_t *root = json_object(), *list = json_array();

	for (size_t i = 0; i < b->n; i++)
		json_array_append_new(list,
			json_pack("{s:s,s:f,s:I,s:I}", "key", "train/loss", "value", b->samples[i].value,
				"timestamp", (json_int_t)b->samples[i].time_unix_ms, "step",
				(json_int_t)b->samples[i].step));
	json_object_set_new(root, "metrics", list);
	json_dump_callback(root, take, &b->out, JSON_COMPACT);
	json_decref(root);
}

/* ---- charts: {"step":[…],"time":[…],"first":[…],"last":[…],"min":[…],"max":[…],"mean":[…],"count":[…]} ---- */

static const char *const reals[] = { "first", "last", "min", "max", "mean" };

static void
chart_by_us(struct bench *b)
{
	struct jsonw w;

	jw_init(&w, &b->out);
	jw_object(&w);
	jw_array_at(&w, "step");
	for (size_t i = 0; i < b->n; i++)
		jw_int(&w, b->samples[i].step);
	jw_end(&w);
	jw_array_at(&w, "time");
	for (size_t i = 0; i < b->n; i++)
		jw_int(&w, b->samples[i].time_unix_ms);
	jw_end(&w);
	for (size_t r = 0; r < sizeof(reals) / sizeof(*reals); r++) {
		jw_array_at(&w, reals[r]);
		for (size_t i = 0; i < b->n; i++)
			jw_real(&w, b->samples[i].value);
		jw_end(&w);
	}
	jw_array_at(&w, "count");
	for (size_t i = 0; i < b->n; i++)
		jw_int(&w, 500);
	jw_end(&w);
	jw_end(&w);
}

static void
chart_by_printf(struct bench *b)
{
	buf_str(&b->out, "{\"step\":[");
	for (size_t i = 0; i < b->n; i++)
		buf_printf(&b->out, "%s%lld", i > 0 ? "," : "", (long long)b->samples[i].step);
	buf_str(&b->out, "],\"time\":[");
	for (size_t i = 0; i < b->n; i++)
		buf_printf(&b->out, "%s%lld", i > 0 ? "," : "", (long long)b->samples[i].time_unix_ms);
	for (size_t r = 0; r < sizeof(reals) / sizeof(*reals); r++) {
		buf_printf(&b->out, "],\"%s\":[", reals[r]);
		for (size_t i = 0; i < b->n; i++)
			buf_printf(&b->out, "%s%.17g", i > 0 ? "," : "", b->samples[i].value);
	}
	buf_str(&b->out, "],\"count\":[");
	for (size_t i = 0; i < b->n; i++)
		buf_printf(&b->out, "%s%d", i > 0 ? "," : "", 500);
	buf_str(&b->out, "]}");
}

static void
chart_by_jansson(struct bench *b)
{
	json_t *root = json_object(), *steps = json_array(), *times = json_array(), *counts = json_array();

	for (size_t i = 0; i < b->n; i++) {
		json_array_append_new(steps, json_integer(b->samples[i].step));
		json_array_append_new(times, json_integer(b->samples[i].time_unix_ms));
		json_array_append_new(counts, json_integer(500));
	}
	json_object_set_new(root, "step", steps);
	json_object_set_new(root, "time", times);
	for (size_t r = 0; r < sizeof(reals) / sizeof(*reals); r++) {
		json_t *list = json_array();

		for (size_t i = 0; i < b->n; i++)
			json_array_append_new(list, json_real(b->samples[i].value));
		json_object_set_new(root, reals[r], list);
	}
	json_object_set_new(root, "count", counts);
	json_dump_callback(root, take, &b->out, JSON_COMPACT);
	json_decref(root);
}

/* ---- doubles alone ---- */

static void
text_by_us(struct bench *b)
{
	char text[DOUBLE_TEXT];

	for (size_t i = 0; i < b->n; i++)
		b->out.len += double_text(text, b->samples[i].value) & 1;
}

static void
text_by_printf(struct bench *b)
{
	char text[DOUBLE_TEXT];

	for (size_t i = 0; i < b->n; i++)
		b->out.len += (size_t)snprintf(text, sizeof(text), "%.17g", b->samples[i].value) & 1;
}

/* ---- the table ---- */

static double
full(size_t i)
{
	return exp(-(double)i / 3e5) + 1e-3 * (double)(random_u64() >> 11) * 0x1p-53;
}

static double
from_float32(size_t i)
{
	return (double)(float)full(i);
}

static double
four_decimals(size_t i)
{
	return round(full(i) * 1e4) / 1e4;
}

static double
integers(size_t i)
{
	return (double)(i % 100000);
}

/* The best of some rounds, in million points a second; the buffer is new each time, as an answer's is. */
static double
rate(struct bench *b, void (*work)(struct bench *b))
{
	double best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		double start = cpu_seconds(), took;

		buf_init(&b->out, (size_t)4 << 30);
		work(b);
		took = cpu_seconds() - start;
		best = (double)b->n / took > best ? (double)b->n / took : best;
		buf_fini(&b->out);
	}
	return best / 1e6;
}

/* What is beside us is ten times as slow: a tenth of the points will do. */
static double
rate_other(struct bench *b, void (*work)(struct bench *b))
{
	struct bench few = *b;

	few.n = few.n > 10 ? few.n / 10 : few.n;
	return rate(&few, work);
}

static void
print_row(struct bench *b, const char *name, double (*value)(size_t i))
{
	double history, chart;

	for (size_t i = 0; i < b->n; i++)
		b->samples[i] = (struct sample){ value(i), 1700000000000 + 1013 * (int64_t)i, (int64_t)i };
	history = rate(b, history_by_us);
	chart = rate(b, chart_by_us);
	b->history_least = fmin(b->history_least, history);
	b->chart_least = fmin(b->chart_least, chart);
	printf("%-14s %6.1f %6.1f %6.1f | %6.1f %6.1f %6.1f | %6.1f %6.1f\n", name, history,
		rate_other(b, history_by_printf), rate_other(b, history_by_jansson), chart,
		rate_other(b, chart_by_printf), rate_other(b, chart_by_jansson), rate(b, text_by_us),
		rate_other(b, text_by_printf));
}

int
main(int argc, char **argv)
{
	struct bench b = { .n = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 1000000,
		.history_least = (double)INFINITY,
		.chart_least = (double)INFINITY };

	if (!hash_setup())
		return 1;
	b.samples = mem_array(b.n, sizeof(*b.samples));
	printf("%zu points; million points a second of processor time (charts: a point has five reals, three "
	       "integers)\n",
		b.n);
	printf("%-14s %20s | %20s | %13s\n", "", "history", "chart", "double");
	printf("%-14s %6s %6s %6s | %6s %6s %6s | %6s %6s\n", "values", "Cairn", "%.17g", "janss.", "Cairn",
		"%.17g", "janss.", "Cairn", "%.17g");
	print_row(&b, "full doubles", full);
	print_row(&b, "from float32", from_float32);
	print_row(&b, "4 decimals", four_decimals);
	print_row(&b, "integers", integers);
	printf("history: %.1f M points/s and more; chart: %.1f M buckets/s and more\n", b.history_least,
		b.chart_least);
	free(b.samples);
	return 0;
}
