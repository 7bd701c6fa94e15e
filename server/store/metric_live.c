#include "store/metric_live.h"

#include "store/query.h"
#include "store/sql.h"

struct news_reader {
	metric_news_fn *each;
	void *arg;
};

static enum status
news_from_row(struct row *row, void *arg)
{
	const struct news_reader *r = arg;
	struct metric_news news = { .run_id = row_int8(row, "run_id"), .moved = row_bool(row, "moved") };

	if (!news.moved)
		news.data = row_bytea_lend(row, "data", &news.len);
	return r->each(r->arg, &news);
}

enum status
store_metric_live(
	struct tx *tx, const char *since, const int64_t *run_ids, size_t n, metric_news_fn *each, void *arg)
{
	struct news_reader r = { each, arg };
	struct query q;

	query_init(&q, tx, &SQL_metric_live);
	query_text(&q, since);
	query_int8s(&q, run_ids, n);
	return query_each(&q, news_from_row, &r);
}
