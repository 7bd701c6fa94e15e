/*
 * Chunks, bundles, previews and summaries: points a second and bytes a point, on one core, beside memcpy of the same points.
 *   build/release/bench/chunk_bench [seconds for each figure]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/hash.h"
#include "base/mem.h"
#include "ingest/chunk.h"

#define CHUNKS       64 /* different ones, so that no branch is learnt by heart */
#define SERIES       150
#define STEPS        20
#define BUNDLE_POINT (SERIES * STEPS)

struct bench {
	struct chunk_coder *coder;
	double seconds;
	struct sample *points; /* CHUNKS * CHUNK_POINTS */
	struct sample *copy;
	struct buf rows[CHUNKS];
};

static uint64_t seed = 88172645463325252u;

static uint64_t
random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(2685821657736338717);
}

static double
unit(void)
{
	return (double)(random_bits() >> 11) * 0x1p-53;
}

static double
noise(void)
{
	return unit() + unit() + unit() - 1.5;
}

/* ---- what is measured on ---- */

static double
from_float32(size_t i)
{
	return (double)(float)(2.5 * exp(-(double)i / 3000) + 0.05 * noise());
}

static double
full_noise(size_t i)
{
	(void)i;
	return unit();
}

static double
four_decimals(size_t i)
{
	return round((0.9 - 0.5 * exp(-(double)i / 2000) + 0.2 * noise()) * 1e4) / 1e4;
}

static double
counter(size_t i)
{
	return (double)(i * 32);
}

static const struct sort {
	const char *name;
	double (*value)(size_t i);
	bool jitter; /* of times; else one a second */
} sorts[] = {
	{ "from float32", from_float32, false },
	{ "from float32, times jitter", from_float32, true },
	{ "noise in all bits", full_noise, false },
	{ "4 decimals", four_decimals, false },
	{ "counter", counter, false },
};

static void
fill(struct bench *b, const struct sort *sort)
{
	int64_t time = 1700000000000;

	for (size_t i = 0; i < CHUNKS * CHUNK_POINTS; i++) {
		time += sort->jitter ? 950 + (int64_t)(100 * unit()) : 1000;
		b->points[i] = (struct sample){ sort->value(i), time, (int64_t)i };
	}
}

/* ---- measuring ---- */

/* Of the processor alone: what else runs on the machine does not count. */
static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Points a second of `work`, which does `points` of them in each of CHUNKS calls. */
static double
rate(struct bench *b, void (*work)(struct bench *b, size_t chunk), size_t points)
{
	double start = cpu_seconds(), now, done = 0;

	do {
		for (size_t i = 0; i < CHUNKS; i++)
			work(b, i);
		done += (double)(CHUNKS * points);
		now = cpu_seconds();
	} while (now - start < b->seconds);
	return done / (now - start);
}

static void
must(bool done)
{
	if (!done)
		abort();
}

static void
copy_chunk(struct bench *b, size_t i)
{
	memcpy(b->copy + i * CHUNK_POINTS, b->points + i * CHUNK_POINTS, CHUNK_POINTS * sizeof(*b->copy));
}

static void
encode_chunk(struct bench *b, size_t i)
{
	buf_clear(&b->rows[i]);
	chunk_encode(b->coder, b->points + i * CHUNK_POINTS, CHUNK_POINTS, &b->rows[i]);
}

static void
decode_chunk(struct bench *b, size_t i)
{
	const struct sample *got;
	size_t n;

	must(chunk_decode(b->coder, b->rows[i].data, b->rows[i].len, &got, &n) && n == CHUNK_POINTS);
}

static void
encode_preview(struct bench *b, size_t i)
{
	buf_clear(&b->rows[i]);
	preview_encode(b->coder, b->points + i * CHUNK_POINTS, CHUNK_POINTS, &b->rows[i]);
}

static void
decode_preview(struct bench *b, size_t i)
{
	const struct preview *got;
	size_t n;

	must(preview_decode(b->coder, b->rows[i].data, b->rows[i].len, &got, &n));
}

/* A run of SERIES metrics: its points, cut in pieces of STEPS. */
static void
series_of(struct bench *b, size_t run, struct bundle_series out[SERIES])
{
	for (size_t s = 0; s < SERIES; s++)
		out[s] = (struct bundle_series){ (int32_t)s + 1,
			b->points + (run * BUNDLE_POINT + s * STEPS) % (CHUNKS * CHUNK_POINTS - STEPS),
			STEPS };
}

static void
encode_bundle(struct bench *b, size_t i)
{
	struct bundle_series series[SERIES];

	series_of(b, i, series);
	buf_clear(&b->rows[i]);
	bundle_encode(b->coder, series, SERIES, &b->rows[i]);
}

static void
decode_bundle(struct bench *b, size_t i)
{
	const struct bundle_series *got;
	size_t n;

	must(bundle_decode(b->coder, b->rows[i].data, b->rows[i].len, NULL, 0, &got, &n) && n == SERIES);
}

static void
decode_one(struct bench *b, size_t i)
{
	const struct bundle_series *got;
	int32_t key = (int32_t)(i % SERIES) + 1;
	size_t n;

	must(bundle_decode(b->coder, b->rows[i].data, b->rows[i].len, &key, 1, &got, &n) && n == 1);
}

static void
encode_summary(struct bench *b, size_t i)
{
	struct bundle_series series[SERIES];
	struct series_summary all[SERIES];
	struct preview p;

	series_of(b, i, series);
	for (size_t s = 0; s < SERIES; s++) {
		preview_start(&p, &series[s].samples[0]);
		for (size_t k = 1; k < STEPS; k++)
			preview_add(&p, &series[s].samples[k]);
		all[s] = (struct series_summary){ (int32_t)s + 1, p.first, p.last, p.min, p.max, p.sum, p.n,
			p.real };
	}
	buf_clear(&b->rows[i]);
	summary_encode(b->coder, all, SERIES, &b->rows[i]);
}

static void
decode_summary(struct bench *b, size_t i)
{
	const struct series_summary *got;
	size_t n;

	must(summary_decode(b->coder, b->rows[i].data, b->rows[i].len, &got, &n) && n == SERIES);
}

/* ---- the tables ---- */

static double
bytes_each(const struct bench *b)
{
	size_t bytes = 0;

	for (size_t i = 0; i < CHUNKS; i++)
		bytes += b->rows[i].len;
	return (double)bytes / CHUNKS;
}

static void
print_chunks(struct bench *b, const struct sort *sort)
{
	double encoded, decoded, copied, bytes, made, read;

	fill(b, sort);
	copied = rate(b, copy_chunk, CHUNK_POINTS);
	encoded = rate(b, encode_chunk, CHUNK_POINTS);
	bytes = bytes_each(b) / CHUNK_POINTS;
	decoded = rate(b, decode_chunk, CHUNK_POINTS);
	made = rate(b, encode_preview, CHUNK_POINTS);
	read = rate(b, decode_preview, 1);
	printf("%-28s %6.2f %8.1f %8.1f %8.1f | %6.0f %8.1f %8.2f\n", sort->name, bytes, encoded / 1e6,
		decoded / 1e6, copied / 1e6, bytes_each(b), made / 1e6, read / 1e6);
}

/* All series at the same steps; their times too, or each some milliseconds later than the one before. */
static void
share_moments(struct bench *b, bool times)
{
	for (size_t i = 0; i < CHUNKS * CHUNK_POINTS; i++) {
		int64_t at = (int64_t)(i % STEPS), series = (int64_t)(i / STEPS % SERIES);

		b->points[i].step = at * 100;
		b->points[i].time_unix_ms = 1700000000000 + at * 61234 + at * at % 37;
		if (!times)
			b->points[i].time_unix_ms += series * 3 + (int64_t)(random_bits() % 3);
	}
}

static void
print_bundles(struct bench *b, const struct sort *sort, bool times)
{
	double bytes, encoded, decoded, one, made, read;

	fill(b, sort);
	share_moments(b, times);
	encoded = rate(b, encode_bundle, BUNDLE_POINT);
	bytes = bytes_each(b) / BUNDLE_POINT;
	decoded = rate(b, decode_bundle, BUNDLE_POINT);
	one = rate(b, decode_one, 1);
	made = rate(b, encode_summary, BUNDLE_POINT);
	read = rate(b, decode_summary, BUNDLE_POINT);
	printf("%-22s %-6s %5.2f %8.1f %8.1f %8.1f | %6.2f %8.1f %8.1f\n", sort->name,
		times ? "shared" : "near", bytes, encoded / 1e6, decoded / 1e6, 1e6 / one,
		bytes_each(b) / BUNDLE_POINT, made / 1e6, read / 1e6);
}

int
main(int argc, char **argv)
{
	struct bench b = { .seconds = argc > 1 ? strtod(argv[1], NULL) : 0.3 };

	if (!hash_setup())
		return 1;
	b.coder = chunk_coder_new();
	b.points = mem_array(CHUNKS * CHUNK_POINTS, sizeof(*b.points));
	b.copy = mem_array(CHUNKS * CHUNK_POINTS, sizeof(*b.copy));
	for (size_t i = 0; i < CHUNKS; i++)
		buf_init(&b.rows[i], 1u << 20);
	printf("chunks of %d points; million points a second of processor time\n", CHUNK_POINTS);
	printf("%-28s %6s %8s %8s %8s | %6s %8s %8s\n", "values", "B/pt", "encode", "decode", "memcpy", "B",
		"preview", "M read");
	for (size_t i = 0; i < sizeof(sorts) / sizeof(*sorts); i++)
		print_chunks(&b, &sorts[i]);
	printf("\nbundles of %d series of %d steps; their summaries\n", SERIES, STEPS);
	printf("%-22s %-6s %5s %8s %8s %8s | %6s %8s %8s\n", "values", "times", "B/pt", "encode", "decode",
		"us one", "B/pt", "encode", "decode");
	for (size_t i = 0; i < 4; i++)
		for (int times = 0; times < 2; times++)
			print_bundles(&b, &sorts[i], times == 1);
	for (size_t i = 0; i < CHUNKS; i++)
		buf_fini(&b.rows[i]);
	free(b.points);
	free(b.copy);
	chunk_coder_free(b.coder);
	return 0;
}
