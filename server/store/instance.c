#include "store/instance.h"

#include "store/query.h"
#include "store/sql.h"

static enum status
instance_from_row(struct row *row, void *out)
{
	struct instance *in = out;

	in->instance_id = row_text(row, "instance_id");
	in->same_cluster = row_bool(row, "same_cluster");
	in->has_blobs = row_bool(row, "has_blobs");
	return OK;
}

enum status
store_instance_get(struct tx *tx, struct instance *out)
{
	struct query q;

	query_init(&q, tx, &SQL_instance_get);
	return query_one(&q, instance_from_row, out);
}
