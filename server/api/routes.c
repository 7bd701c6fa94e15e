/*
 * The API as one table. A row: method, path, operation (openapi/openapi.yaml), what it needs, of which object, the
 * largest body in bytes, where it runs (http/route.h), handler.
 */
#include "api/accounts.h"
#include "api/api.h"
#include "api/handlers.h"
#include "api/web.h"
#include "auth/permission.h"

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)

/* MLflow's routes stand twice: for clients, and under the prefix that its own pages use. */
#define TWIN(method, major, path, operation, needs, object, limit, mode, handler)                            \
	{ method, "/api/" major path, operation, needs, object, limit, mode, handler },                      \
	{                                                                                                    \
		method, "/ajax-api/" major path, operation "Ajax", needs, object, limit, mode, handler       \
	}

/* clang-format off */
static const struct route routes[] = {

	/* the server */
	{ "GET", "/health", "health",
		PUBLIC, &object_none, 0, INLINE, api_health },
	{ "GET", "/version", "version",
		PUBLIC, &object_none, 0, INLINE, api_version },
	{ "GET", "/api/v1/status", "status",
		SIGNED_IN, &object_none, 0, SCANNED, api_status },
	TWIN("GET", "3.0", "/mlflow/server-info", "serverInfo",
		SIGNED_IN, &object_none, 0, SCANNED, api_server_info),

	/* accounts */
	{ "POST", "/api/v1/login", "login",
		PUBLIC, &object_none, KIB(4), WORKER, api_login },
	{ "POST", "/api/v1/logout", "logout",
		SIGNED_IN, &object_none, KIB(4), WORKER, api_logout },
	{ "GET", "/api/v1/me", "me",
		SIGNED_IN, &object_none, 0, WORKER, api_me },
	{ "PUT", "/api/v1/me/password", "setMyPassword",
		SIGNED_IN, &object_none, KIB(4), WORKER, api_me_password },
	{ "GET", "/api/v1/tokens", "listTokens",
		SIGNED_IN, &object_none, 0, WORKER, api_token_list },
	{ "POST", "/api/v1/tokens", "createToken",
		SIGNED_IN, &object_none, KIB(4), WORKER, api_token_create },
	{ "DELETE", "/api/v1/tokens/{id}", "revokeToken",
		SIGNED_IN, &object_none, KIB(4), WORKER, api_token_revoke },
	{ "GET", "/api/v1/users", "listUsers",
		ADMIN, &object_server, 0, WORKER, api_user_list },
	{ "POST", "/api/v1/users", "createUser",
		ADMIN, &object_server, KIB(4), WORKER, api_user_create },
	{ "PATCH", "/api/v1/users/{username}", "updateUser",
		ADMIN, &object_server, KIB(4), WORKER, api_user_update },
	{ "DELETE", "/api/v1/users/{username}", "deleteUser",
		ADMIN, &object_server, KIB(4), WORKER, api_user_delete },

	/* experiments */
	{ "GET", "/api/v1/experiments", "experimentOverview",
		READ, &experiments_all, 0, WORKER, api_experiment_overview },
	TWIN("POST", "2.0", "/mlflow/experiments/create", "createExperiment",
		EDIT, &object_server, MIB(1), WORKER, api_experiment_create),
	TWIN("GET", "2.0", "/mlflow/experiments/get", "getExperiment",
		READ, &experiment_in_query, MIB(1), WORKER, api_experiment_get),
	TWIN("GET", "2.0", "/mlflow/experiments/get-by-name", "getExperimentByName",
		READ, &experiment_name_in_query, MIB(1), WORKER, api_experiment_get_by_name),
	TWIN("POST", "2.0", "/mlflow/experiments/search", "searchExperiments",
		READ, &experiments_all, MIB(1), WORKER, api_experiment_search),
	TWIN("GET", "2.0", "/mlflow/experiments/search", "searchExperimentsByQuery",
		READ, &experiments_all, MIB(1), WORKER, api_experiment_search),
	TWIN("POST", "2.0", "/mlflow/experiments/update", "updateExperiment",
		MANAGE, &experiment_in_body, MIB(1), WORKER, api_experiment_update),
	TWIN("POST", "2.0", "/mlflow/experiments/delete", "deleteExperiment",
		MANAGE, &experiment_in_body, MIB(1), WORKER, api_experiment_delete),
	TWIN("POST", "2.0", "/mlflow/experiments/restore", "restoreExperiment",
		MANAGE, &experiment_in_body, MIB(1), WORKER, api_experiment_restore),
	TWIN("POST", "2.0", "/mlflow/experiments/set-experiment-tag", "setExperimentTag",
		EDIT, &experiment_in_body, MIB(1), WORKER, api_experiment_tag_set),
	TWIN("POST", "2.0", "/mlflow/experiments/delete-experiment-tag", "deleteExperimentTag",
		EDIT, &experiment_in_body, MIB(1), WORKER, api_experiment_tag_delete),

	/* runs */
	TWIN("POST", "2.0", "/mlflow/runs/create", "createRun",
		EDIT, &experiment_in_body, MIB(1), WORKER, api_run_create),
	TWIN("GET", "2.0", "/mlflow/runs/get", "getRun",
		READ, &run_in_query, MIB(1), WORKER, api_run_get),
	TWIN("POST", "2.0", "/mlflow/runs/update", "updateRun",
		EDIT, &run_in_body, MIB(1), WORKER, api_run_update),
	TWIN("POST", "2.0", "/mlflow/runs/delete", "deleteRun",
		MANAGE, &run_in_body, MIB(1), WORKER, api_run_delete),
	TWIN("POST", "2.0", "/mlflow/runs/restore", "restoreRun",
		MANAGE, &run_in_body, MIB(1), WORKER, api_run_restore),
	TWIN("POST", "2.0", "/mlflow/runs/search", "searchRuns",
		READ, &experiments_in_body, MIB(1), WORKER, api_run_search),
	TWIN("POST", "2.0", "/mlflow/runs/log-metric", "logMetric",
		EDIT, &run_in_body, MIB(1), SCANNED, api_metric_log),
	TWIN("POST", "2.0", "/mlflow/runs/log-batch", "logBatch",
		EDIT, &run_in_body, MIB(4), SCANNED, api_batch_log),
	TWIN("POST", "2.0", "/mlflow/runs/log-parameter", "logParam",
		EDIT, &run_in_body, MIB(1), WORKER, api_run_param_log),
	TWIN("POST", "2.0", "/mlflow/runs/set-tag", "setTag",
		EDIT, &run_in_body, MIB(1), WORKER, api_run_tag_set),
	TWIN("POST", "2.0", "/mlflow/runs/delete-tag", "deleteTag",
		EDIT, &run_in_body, MIB(1), WORKER, api_run_tag_delete),
	TWIN("POST", "2.0", "/mlflow/runs/log-model", "logModel",
		EDIT, &run_in_body, MIB(1), WORKER, api_run_log_model),
	TWIN("POST", "2.0", "/mlflow/runs/log-inputs", "logInputs",
		EDIT, &run_in_body, MIB(20), WORKER, api_run_log_inputs),
	TWIN("POST", "2.0", "/mlflow/runs/outputs", "logOutputs",
		EDIT, &run_in_body, MIB(1), WORKER, api_run_log_outputs),

	{ "POST", "/ajax-api/2.0/mlflow/experiments/search-datasets", "searchDatasets",
		READ, &experiments_in_body, MIB(1), WORKER, api_dataset_search },
	{ "GET", "/api/v1/runs/{run_id}/origin", "runOrigin",
		READ, &run_in_path, 0, WORKER, api_run_origin },

	/* metrics */
	TWIN("GET", "2.0", "/mlflow/metrics/get-history", "getMetricHistory",
		READ, &run_in_query, MIB(1), WORKER, api_metric_history),
	TWIN("GET", "2.0", "/mlflow/metrics/get-history-bulk", "getMetricHistoryBulk",
		READ, &runs_in_query, MIB(1), WORKER, api_metric_history_bulk),
	TWIN("GET", "2.0", "/mlflow/metrics/get-history-bulk-interval", "getMetricHistoryBulkInterval",
		READ, &runs_in_query, MIB(1), WORKER, api_metric_history_interval),
	{ "POST", "/api/v1/runs/{run_id}/metrics", "logMetrics",
		EDIT, &run_in_path, MIB(4), BINARY, api_metrics_log },
	{ "GET", "/api/v1/metrics/series", "metricSeries",
		READ, &runs_in_query, 0, WORKER, api_metric_series },
	{ "POST", "/api/v1/metrics/series", "metricSeriesOfMany",
		READ, &runs_in_body, MIB(1), WORKER, api_metric_series },
	{ "POST", "/api/v1/metrics/grouped", "metricGroups",
		READ, &runs_in_groups, MIB(1), WORKER, api_metric_grouped },
	{ "POST", "/api/v1/metrics/summaries", "metricSummaries",
		READ, &runs_in_body, MIB(1), WORKER, api_metric_summaries },
	{ "GET", "/api/v1/runs/{run_id}/metrics", "runMetrics",
		READ, &run_in_path, 0, WORKER, api_run_metrics },
	{ "GET", "/api/v1/metrics/live", "watchMetrics",
		READ, &runs_in_query, 0, WORKER, api_metric_live },

	/* logged models */
	TWIN("POST", "2.0", "/mlflow/logged-models", "createLoggedModel",
		EDIT, &experiment_in_body, MIB(1), WORKER, api_logged_model_create),
	TWIN("POST", "2.0", "/mlflow/logged-models/search", "searchLoggedModels",
		READ, &experiments_in_body, MIB(1), WORKER, api_logged_model_search),
	TWIN("GET", "2.0", "/mlflow/logged-models/{model_id}", "getLoggedModel",
		READ, &logged_model_in_path, MIB(1), WORKER, api_logged_model_get),
	TWIN("PATCH", "2.0", "/mlflow/logged-models/{model_id}", "finalizeLoggedModel",
		EDIT, &logged_model_in_path, MIB(1), WORKER, api_logged_model_finalize),
	TWIN("DELETE", "2.0", "/mlflow/logged-models/{model_id}", "deleteLoggedModel",
		MANAGE, &logged_model_in_path, MIB(1), WORKER, api_logged_model_delete),
	TWIN("POST", "2.0", "/mlflow/logged-models/{model_id}/params", "logLoggedModelParams",
		EDIT, &logged_model_in_path, MIB(1), WORKER, api_logged_model_params_log),
	TWIN("PATCH", "2.0", "/mlflow/logged-models/{model_id}/tags", "setLoggedModelTags",
		EDIT, &logged_model_in_path, MIB(1), WORKER, api_logged_model_tags_set),
	TWIN("DELETE", "2.0", "/mlflow/logged-models/{model_id}/tags/{tag_key}", "deleteLoggedModelTag",
		EDIT, &logged_model_in_path, MIB(1), WORKER, api_logged_model_tag_delete),
	TWIN("GET", "2.0", "/mlflow/logged-models/{model_id}/artifacts/directories", "listLoggedModelArtifacts",
		READ, &logged_model_in_path, MIB(1), WORKER, api_logged_model_files),
	TWIN("GET", "2.0", "/mlflow/logged-models/{model_id}/artifacts/files", "getLoggedModelArtifact",
		READ, &logged_model_in_path, 0, STREAMED, api_logged_model_file),

	/* the registry */
	TWIN("POST", "2.0", "/mlflow/registered-models/create", "createRegisteredModel",
		EDIT, &object_server, MIB(1), WORKER, api_model_create),
	TWIN("GET", "2.0", "/mlflow/registered-models/get", "getRegisteredModel",
		READ, &model_in_query, MIB(1), WORKER, api_model_get),
	TWIN("POST", "2.0", "/mlflow/registered-models/rename", "renameRegisteredModel",
		MANAGE, &model_in_body, MIB(1), WORKER, api_model_rename),
	TWIN("PATCH", "2.0", "/mlflow/registered-models/update", "updateRegisteredModel",
		EDIT, &model_in_body, MIB(1), WORKER, api_model_update),
	TWIN("DELETE", "2.0", "/mlflow/registered-models/delete", "deleteRegisteredModel",
		MANAGE, &model_in_body, MIB(1), WORKER, api_model_delete),
	TWIN("GET", "2.0", "/mlflow/registered-models/search", "searchRegisteredModels",
		READ, &models_all, MIB(1), WORKER, api_model_search),
	TWIN("POST", "2.0", "/mlflow/registered-models/get-latest-versions", "getLatestVersions",
		READ, &model_in_body, MIB(1), WORKER, api_model_latest),
	TWIN("GET", "2.0", "/mlflow/registered-models/get-latest-versions", "getLatestVersionsByQuery",
		READ, &model_in_query, MIB(1), WORKER, api_model_latest),
	TWIN("POST", "2.0", "/mlflow/registered-models/set-tag", "setRegisteredModelTag",
		EDIT, &model_in_body, MIB(1), WORKER, api_model_tag_set),
	TWIN("DELETE", "2.0", "/mlflow/registered-models/delete-tag", "deleteRegisteredModelTag",
		EDIT, &model_in_body, MIB(1), WORKER, api_model_tag_delete),
	TWIN("POST", "2.0", "/mlflow/registered-models/alias", "setRegisteredModelAlias",
		EDIT, &model_in_body, MIB(1), WORKER, api_alias_set),
	TWIN("DELETE", "2.0", "/mlflow/registered-models/alias", "deleteRegisteredModelAlias",
		EDIT, &model_in_body, MIB(1), WORKER, api_alias_delete),
	TWIN("GET", "2.0", "/mlflow/registered-models/alias", "getModelVersionByAlias",
		READ, &model_in_query, MIB(1), WORKER, api_alias_get),
	TWIN("POST", "2.0", "/mlflow/model-versions/create", "createModelVersion",
		EDIT, &model_in_body, MIB(1), WORKER, api_version_create),
	TWIN("GET", "2.0", "/mlflow/model-versions/get", "getModelVersion",
		READ, &model_in_query, MIB(1), WORKER, api_version_get),
	TWIN("PATCH", "2.0", "/mlflow/model-versions/update", "updateModelVersion",
		EDIT, &model_in_body, MIB(1), WORKER, api_version_update),
	TWIN("POST", "2.0", "/mlflow/model-versions/transition-stage", "transitionModelVersionStage",
		EDIT, &model_in_body, MIB(1), WORKER, api_version_stage),
	TWIN("DELETE", "2.0", "/mlflow/model-versions/delete", "deleteModelVersion",
		MANAGE, &model_in_body, MIB(1), WORKER, api_version_delete),
	TWIN("GET", "2.0", "/mlflow/model-versions/search", "searchModelVersions",
		READ, &models_all, MIB(1), WORKER, api_version_search),
	TWIN("GET", "2.0", "/mlflow/model-versions/get-download-uri", "getModelVersionDownloadUri",
		READ, &model_in_query, MIB(1), WORKER, api_version_download_uri),
	TWIN("POST", "2.0", "/mlflow/model-versions/set-tag", "setModelVersionTag",
		EDIT, &model_in_body, MIB(1), WORKER, api_version_tag_set),
	TWIN("DELETE", "2.0", "/mlflow/model-versions/delete-tag", "deleteModelVersionTag",
		EDIT, &model_in_body, MIB(1), WORKER, api_version_tag_delete),

	/* webhooks */
	TWIN("POST", "2.0", "/mlflow/webhooks", "createWebhook",
		MANAGE, &object_server, MIB(1), WORKER, api_webhook_create),
	TWIN("GET", "2.0", "/mlflow/webhooks", "listWebhooks",
		MANAGE, &object_server, MIB(1), WORKER, api_webhook_list),
	TWIN("GET", "2.0", "/mlflow/webhooks/{webhook_id}", "getWebhook",
		MANAGE, &object_server, MIB(1), WORKER, api_webhook_get),
	TWIN("PATCH", "2.0", "/mlflow/webhooks/{webhook_id}", "updateWebhook",
		MANAGE, &object_server, MIB(1), WORKER, api_webhook_update),
	TWIN("DELETE", "2.0", "/mlflow/webhooks/{webhook_id}", "deleteWebhook",
		MANAGE, &object_server, MIB(1), WORKER, api_webhook_delete),
	TWIN("POST", "2.0", "/mlflow/webhooks/{webhook_id}/test", "testWebhook",
		MANAGE, &object_server, MIB(1), WORKER, api_webhook_test),

	/* artifacts */
	TWIN("GET", "2.0", "/mlflow/artifacts/list", "listArtifacts",
		READ, &run_in_query, MIB(1), WORKER, api_run_files),
	TWIN("GET", "2.0", "/mlflow-artifacts/artifacts", "listProxiedArtifacts",
		READ, &artifact_in_query, MIB(1), WORKER, api_artifact_list_root),
	TWIN("GET", "2.0", "/mlflow-artifacts/artifacts/{path...}", "getProxiedArtifact",
		READ, &artifact_in_path, 0, STREAMED, api_artifact_get),
	TWIN("PUT", "2.0", "/mlflow-artifacts/artifacts/{path...}", "putProxiedArtifact",
		EDIT, &artifact_in_path, MIB(1 << 20), STREAMED, api_artifact_put),
	TWIN("DELETE", "2.0", "/mlflow-artifacts/artifacts/{path...}", "deleteProxiedArtifact",
		MANAGE, &artifact_in_path, MIB(1), WORKER, api_artifact_delete),
	TWIN("POST", "2.0", "/mlflow-artifacts/mpu/create/{path...}", "createMultipartUpload",
		EDIT, &artifact_in_path, MIB(1), WORKER, api_artifact_no_multipart),
	TWIN("POST", "2.0", "/mlflow-artifacts/mpu/complete/{path...}", "completeMultipartUpload",
		EDIT, &artifact_in_path, MIB(1), WORKER, api_artifact_no_multipart),
	TWIN("POST", "2.0", "/mlflow-artifacts/mpu/abort/{path...}", "abortMultipartUpload",
		EDIT, &artifact_in_path, MIB(1), WORKER, api_artifact_no_multipart),
	TWIN("GET", "2.0", "/mlflow-artifacts/presigned/{path...}", "presignArtifact",
		READ, &artifact_in_path, 0, WORKER, api_artifact_no_presigned),
	TWIN("POST", "2.0", "/mlflow/artifacts/presigned-upload-url", "presignUpload",
		EDIT, &run_in_body, MIB(1), WORKER, api_artifact_no_presigned),
	TWIN("POST", "2.0", "/mlflow/artifacts/presigned-download-url", "presignDownload",
		READ, &run_in_body, MIB(1), WORKER, api_artifact_no_presigned),
	{ "POST", "/ajax-api/2.0/mlflow/upload-artifact", "uploadArtifact",
		EDIT, &run_in_query, MIB(11), STREAMED, api_run_upload },
	{ "GET", "/get-artifact", "getArtifact",
		READ, &run_in_query, 0, STREAMED, api_run_file },
	{ "GET", "/model-versions/get-artifact", "getModelVersionArtifact",
		READ, &model_in_query, 0, STREAMED, api_version_file },

	/* deploy tools */
	{ "GET", "/api/v1/models/{name}/aliases/{alias}", "resolveAlias",
		READ, &model_in_path, 0, WORKER, api_deploy_alias },
	{ "GET", "/api/v1/models/{name}/aliases/{alias}/history", "aliasHistory",
		READ, &model_in_path, 0, WORKER, api_deploy_alias_history },
	{ "GET", "/api/v1/models/{name}/versions/{version}", "resolveVersion",
		READ, &model_in_path, 0, WORKER, api_deploy_version },
	{ "GET", "/api/v1/models/{name}/versions/{version}/manifest", "versionManifest",
		READ, &model_in_path, 0, WORKER, api_deploy_manifest },
	{ "GET", "/api/v1/models/{name}/versions/{version}/blobs/{sha256}", "versionBlob",
		READ, &model_in_path, 0, STREAMED, api_deploy_blob },

	/* the web UI: every path that is nothing else */
	{ "GET", "/{path...}", "web",
		PUBLIC, &object_none, 0, INLINE, api_web },
};
/* clang-format on */

const struct route *
api_routes(size_t *n)
{
	*n = sizeof(routes) / sizeof(routes[0]);
	return routes;
}
