/* Any body of log-batch and log-metric: no crash, and what is accepted is whole, valid text. */
#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/hash.h"
#include "base/utf8.h"
#include "ingest/scanner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(const char *s)
{
	assert(s != NULL && utf8_valid(s, strlen(s)));
}

static void
check(const struct scanned_batch *b)
{
	check_text(b->run_id);
	assert(b->run_id[0] != '\0');
	for (size_t i = 0; i < b->n; i++) {
		check_text(b->points[i].key);
		assert(b->points[i].key[0] != '\0' && b->points[i].time_unix_ms >= 0);
		if (b->models != NULL && b->models[i].model_id != NULL)
			check_text(b->models[i].model_id);
	}
	for (size_t i = 0; i < b->param_count; i++) {
		check_text(b->params[i].key);
		check_text(b->params[i].value);
	}
	for (size_t i = 0; i < b->tag_count; i++) {
		check_text(b->tags[i].key);
		check_text(b->tags[i].value);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scanned_batch batch;
	struct ctx cx;

	if (!hash_setup())
		return 1;
	ctx_init(&cx, arena_new(), NULL);
	if (scan_log_batch(&cx, (const char *)data, size, &batch) == OK)
		check(&batch);
	else
		assert(cx.message[0] != '\0' && strchr(cx.message, '\n') == NULL);
	if (scan_log_metric(&cx, (const char *)data, size, &batch) == OK) {
		assert(batch.n == 1);
		check(&batch);
	}
	arena_free(cx.arena);
	return 0;
}
