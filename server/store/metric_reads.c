#include "store/metric_reads.h"

#include "store/query.h"
#include "store/sql.h"

struct snapshot {
	const char *text;
	int64_t system_identifier;
};

static enum status
snapshot_from_row(struct row *row, void *out)
{
	struct snapshot *s = out;

	s->text = row_text(row, "snapshot");
	s->system_identifier = row_int8(row, "system_identifier");
	return OK;
}

enum status
store_metric_snapshot(struct tx *tx, const char **snapshot, int64_t *system_identifier)
{
	struct snapshot s = { 0 };
	struct query q;
	enum status st;

	query_init(&q, tx, &SQL_metric_snapshot);
	st = query_one(&q, snapshot_from_row, &s);
	*snapshot = s.text;
	*system_identifier = s.system_identifier;
	return st;
}
