/* Every handler of the table, by the file it is in. accounts.h and web.h have their own. */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include "http/route.h"

/* experiments.c */
handler_fn api_experiment_create, api_experiment_get, api_experiment_get_by_name, api_experiment_update,
	api_experiment_delete, api_experiment_restore, api_experiment_tag_set, api_experiment_tag_delete,
	api_experiment_search, api_experiment_overview;

/* runs.c */
handler_fn api_run_create, api_run_get, api_run_origin, api_run_update, api_run_delete, api_run_restore,
	api_run_remove, api_run_param_log, api_run_tag_set, api_run_tag_delete, api_run_log_model,
	api_run_log_inputs, api_run_log_outputs, api_run_search, api_dataset_search;

/* metrics.c */
handler_fn api_metric_log, api_batch_log, api_metrics_log;

/* metric_history.c */
handler_fn api_metric_history, api_metric_history_bulk, api_metric_history_interval;

/* metric_series.c */
handler_fn api_metric_series, api_metric_grouped, api_metric_summaries, api_run_metrics;

/* live.c */
handler_fn api_metric_live;

/* logged_models.c */
handler_fn api_logged_model_create, api_logged_model_get, api_logged_model_finalize, api_logged_model_delete,
	api_logged_model_params_log, api_logged_model_tags_set, api_logged_model_tag_delete,
	api_logged_model_search, api_logged_model_files;

/* models.c */
handler_fn api_model_create, api_model_get, api_model_rename, api_model_update, api_model_delete,
	api_model_tag_set, api_model_tag_delete, api_model_latest, api_alias_set, api_alias_delete,
	api_alias_get, api_version_create, api_version_get, api_version_update, api_version_stage,
	api_version_delete, api_version_tag_set, api_version_tag_delete, api_version_download_uri,
	api_model_search, api_version_search;

/* artifacts.c */
handler_fn api_artifact_put, api_artifact_list_root, api_artifact_get, api_artifact_delete,
	api_artifact_no_multipart, api_artifact_no_presigned, api_run_files, api_run_file, api_run_upload,
	api_run_file, api_version_file, api_logged_model_file;

/* webhooks.c */
handler_fn api_webhook_create, api_webhook_list, api_webhook_get, api_webhook_update, api_webhook_delete,
	api_webhook_test;

/* deploy.c */
handler_fn api_deploy_alias, api_deploy_alias_history, api_deploy_version, api_deploy_manifest,
	api_deploy_blob;

/* status.c */
handler_fn api_health, api_version, api_server_info, api_status;

/* One level of files below root_uri: {root_uri, files}. For listings by run and by logged model. */
enum status api_write_listing(
	struct request *rq, struct response *rs, const char *root_uri, const char *path) must_check;

#endif
