/* What the server says of itself. */
#include <stdio.h>
#include <string.h>

#include "api/accounts.h"
#include "api/api.h"
#include "api/handlers.h"
#include "api/io.h"
#include "base/clock.h"
#include "domain/health.h"

/* Clients gate newer features on it: below 3.4 none of them sends spans. */
#define PROTOCOL_VERSION "3.2.0"

static void
plain(struct response *rs, const char *text)
{
	response_type(rs, "text/plain; charset=utf-8");
	buf_str(response_body(rs), text);
}

enum status
api_health(struct request *rq, struct response *rs)
{
	if (health_database(request_ctx(rq)->parts)) {
		plain(rs, "OK");
		return OK;
	}
	response_status(rs, 503);
	plain(rs, "PostgreSQL is away\n");
	return OK;
}

enum status
api_version(struct request *rq, struct response *rs)
{
	(void)rq;
	plain(rs, PROTOCOL_VERSION);
	return OK;
}

enum status
api_server_info(struct request *rq, struct response *rs)
{
	struct jsonw w;

	(void)rq;
	io_begin(&w, rs);
	jw_text_at(&w, "store_type", "SqlStore");
	jw_bool_at(&w, "workspaces_enabled", false);
	jw_bool_at(&w, "trace_archival_enabled", false);
	jw_bool_at(&w, "multipart_uploads_enabled", false);
	jw_bool_at(&w, "multipart_downloads_enabled", false);
	jw_bool_at(&w, "presigned_upload_run_id_supported", false);
	jw_bool_at(&w, "presigned_upload_model_id_supported", false);
	return io_end(&w);
}

enum status
api_status(struct request *rq, struct response *rs)
{
	const struct api_options *o = api_options();
	int number = health_database_version(request_ctx(rq)->parts);
	char version[32];
	struct jsonw w;

	snprintf(version, sizeof(version), "%d.%d", number / 10000, number % 10000);
	io_begin(&w, rs);
	jw_text_at(&w, "version", o->version);
	jw_int_at(&w, "started_unix_ms", o->started_unix_ms);
	jw_int_at(&w, "uptime_ms", clock_unix_ms() - o->started_unix_ms);
	jw_bool_at(&w, "auth", o->auth_on);
	jw_object_at(&w, "database");
	jw_text_at(&w, "version", version);
	jw_bool_at(&w, "healthy", health_database(request_ctx(rq)->parts));
	jw_end(&w);
	api_write_caller(&w, request_ctx(rq));
	return io_end(&w);
}
