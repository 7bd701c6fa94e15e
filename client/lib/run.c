/* Runs: start, resume, log, flush, end. */
#include "lib/run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define BODY_LIMIT (16 * 1024 * 1024) /* a full batch of the longest keys and values is far below */

bool
run_usable(const cairn_run *run)
{
	return run != NULL && client_usable(run->client);
}

void
run_set_error(cairn_run *run, const struct fault *f)
{
	pthread_mutex_lock(&run->lock);
	run->last = *f;
	pthread_mutex_unlock(&run->lock);
}

int
cairn_run_error(cairn_run *run, char *message, size_t size)
{
	int code;

	if (message != NULL && size > 0)
		message[0] = '\0';
	if (!run_usable(run))
		return CAIRN_EINVAL;
	pthread_mutex_lock(&run->lock);
	code = run->last.code;
	if (message != NULL && size > 0)
		snprintf(message, size, "%s", run->last.message);
	pthread_mutex_unlock(&run->lock);
	return code;
}

/* ---- life ---- */

static void
run_destroy(cairn_run *run)
{
	queue_fini(&run->queue);
	buf_fini(&run->body);
	pthread_mutex_destroy(&run->lock);
	free(run->batch);
	free(run->artifact_uri);
	free(run->metrics_path);
	free(run);
}

/* The sender takes no signals: they are the program's. */
static bool
start_sender(cairn_run *run)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	run->sending = pthread_create(&run->sender, NULL, sender_main, run) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return run->sending;
}

static int
run_new(struct call *k, const struct json *info, cairn_run **out)
{
	const char *id, *experiment, *uri;
	cairn_run *run;

	if (reply_text(k, info, "run_id", &id) != CAIRN_OK ||
		reply_text(k, info, "experiment_id", &experiment) != CAIRN_OK ||
		reply_text(k, info, "artifact_uri", &uri) != CAIRN_OK)
		return k->fault.code;
	if (strlen(id) >= CAIRN_ID_SIZE || strlen(experiment) >= CAIRN_ID_SIZE)
		return fault_set(&k->fault, CAIRN_EINTERNAL, "the server's ids are longer than %d bytes",
			CAIRN_ID_SIZE - 1);
	run = calloc(1, sizeof(*run));
	if (run == NULL)
		return fault_set(&k->fault, CAIRN_EINTERNAL, "out of memory");
	run->client = k->client;
	str_copy(run->id, sizeof(run->id), id);
	str_copy(run->experiment_id, sizeof(run->experiment_id), experiment);
	pthread_mutex_init(&run->lock, NULL);
	buf_init(&run->body, BODY_LIMIT);
	run->artifact_uri = strdup(uri);
	run->metrics_path = strdup(arena_printf(k->arena, "/api/v1/runs/%s/metrics", url_part(k, id)));
	run->batch = calloc(1, sizeof(*run->batch));
	if (!queue_init(&run->queue, k->client->queue_points, k->client->drop) || run->artifact_uri == NULL ||
		run->metrics_path == NULL || run->batch == NULL || !start_sender(run)) {
		run_destroy(run);
		return fault_set(
			&k->fault, CAIRN_EINTERNAL, "no memory for the run's queue, or no thread for it");
	}
	*out = run;
	return CAIRN_OK;
}

void
cairn_run_free(cairn_run *run)
{
	if (!run_usable(run))
		return;
	atomic_store(&run->stop, true);
	queue_stop(&run->queue);
	pthread_join(run->sender, NULL);
	run_destroy(run);
}

static int
get_experiment(struct call *k, const char *name, char id[CAIRN_ID_SIZE], const char **error_code)
{
	const struct json *reply, *experiment;
	const char *text;
	int rc;
	char *path = arena_printf(
		k->arena, "/api/2.0/mlflow/experiments/get-by-name?experiment_name=%s", url_part(k, name));

	*error_code = "";
	if ((rc = call_json(k, "GET", path, &reply, error_code)) != CAIRN_OK)
		return rc;
	if ((rc = reply_object(k, reply, "experiment", &experiment)) != CAIRN_OK ||
		(rc = reply_text(k, experiment, "experiment_id", &text)) != CAIRN_OK)
		return rc;
	if (str_eq(text_or_empty(experiment, "lifecycle_stage"), "deleted"))
		return fault_set(&k->fault, CAIRN_EINVAL,
			"experiment \"%s\" is deleted: restore it, or use another name", name);
	return str_copy(id, CAIRN_ID_SIZE, text)
		       ? CAIRN_OK
		       : fault_set(&k->fault, CAIRN_EINTERNAL, "the experiment's id is longer than %d bytes",
				 CAIRN_ID_SIZE - 1);
}

static int
make_experiment(struct call *k, const char *name, char id[CAIRN_ID_SIZE])
{
	const struct json *reply;
	const char *text, *error_code = "";
	int rc;

	jw_text_at(call_body(k), "name", name);
	jw_end(&k->w);
	rc = call_json(k, "POST", "/api/2.0/mlflow/experiments/create", &reply, &error_code);
	if (rc == CAIRN_ECONFLICT) /* somebody else made it meanwhile */
		return get_experiment(k, name, id, &error_code);
	if (rc != CAIRN_OK || (rc = reply_text(k, reply, "experiment_id", &text)) != CAIRN_OK)
		return rc;
	str_copy(id, CAIRN_ID_SIZE, text);
	return CAIRN_OK;
}

static int
find_experiment(struct call *k, const char *name, char id[CAIRN_ID_SIZE])
{
	const char *error_code;
	int rc = get_experiment(k, name, id, &error_code);

	if (rc == CAIRN_ENOTFOUND && str_eq(error_code, "RESOURCE_DOES_NOT_EXIST"))
		return make_experiment(k, name, id);
	return rc;
}

int
cairn_experiment(cairn_client *c, const char *name, char id[CAIRN_ID_SIZE])
{
	struct call k;

	if (!client_usable(c) || name == NULL || id == NULL)
		return CAIRN_EINVAL;
	call_init(&k, c);
	return call_end(&k, find_experiment(&k, name, id), NULL);
}

static int
create_run(struct call *k, const cairn_run_options *o, cairn_run **out)
{
	const struct json *reply, *run, *info;
	char id[CAIRN_ID_SIZE];
	struct jsonw *w;
	int rc;

	if (o->experiment_id == NULL &&
		(rc = find_experiment(k, o->experiment != NULL ? o->experiment : "Default", id)) != CAIRN_OK)
		return rc;
	w = call_body(k);
	jw_text_at(w, "experiment_id", o->experiment_id != NULL ? o->experiment_id : id);
	jw_int_at(w, "start_time", o->start_unix_ms != 0 ? o->start_unix_ms : clock_unix_ms());
	jw_text_at(w, "run_name", o->name);
	jw_end(w);
	if ((rc = call_json(k, "POST", "/api/2.0/mlflow/runs/create", &reply, NULL)) != CAIRN_OK)
		return rc;
	if ((rc = reply_object(k, reply, "run", &run)) != CAIRN_OK ||
		(rc = reply_object(k, run, "info", &info)) != CAIRN_OK)
		return rc;
	return run_new(k, info, out);
}

int
cairn_run_start(cairn_client *c, const cairn_run_options *options, cairn_run **out)
{
	static const cairn_run_options none;
	const cairn_run_options *o = options == NULL ? &none : options;
	struct call k;
	int rc;

	if (out == NULL)
		return CAIRN_EINVAL;
	*out = NULL;
	if (!client_usable(c))
		return CAIRN_EINVAL;
	call_init(&k, c);
	rc = call_end(&k, create_run(&k, o, out), NULL);
	for (size_t i = 0; rc == CAIRN_OK && i < o->param_count; i++)
		cairn_run_param(*out, o->params[i].key, o->params[i].value);
	for (size_t i = 0; rc == CAIRN_OK && i < o->tag_count; i++)
		cairn_run_tag(*out, o->tags[i].key, o->tags[i].value);
	return rc;
}

static int
get_run(struct call *k, const char *run_id, cairn_run **out)
{
	const struct json *reply, *run, *info;
	int rc;
	char *path = arena_printf(k->arena, "/api/2.0/mlflow/runs/get?run_id=%s", url_part(k, run_id));

	if ((rc = call_json(k, "GET", path, &reply, NULL)) != CAIRN_OK)
		return rc;
	if ((rc = reply_object(k, reply, "run", &run)) != CAIRN_OK ||
		(rc = reply_object(k, run, "info", &info)) != CAIRN_OK)
		return rc;
	return run_new(k, info, out);
}

int
cairn_run_resume(cairn_client *c, const char *run_id, cairn_run **out)
{
	struct call k;

	if (out == NULL)
		return CAIRN_EINVAL;
	*out = NULL;
	if (!client_usable(c) || str_empty(run_id))
		return CAIRN_EINVAL;
	call_init(&k, c);
	return call_end(&k, get_run(&k, run_id, out), NULL);
}

const char *
cairn_run_id(const cairn_run *run)
{
	return run == NULL ? "" : run->id;
}

const char *
cairn_run_experiment_id(const cairn_run *run)
{
	return run == NULL ? "" : run->experiment_id;
}

/* ---- logging ---- */

int
cairn_run_metric_at(cairn_run *run, const char *key, double value, int64_t step, int64_t unix_ms)
{
	if (!run_usable(run) || key == NULL)
		return CAIRN_EINVAL;
	return queue_point(&run->queue, key, value, step, unix_ms);
}

int
cairn_run_metric(cairn_run *run, const char *key, double value, int64_t step)
{
	return cairn_run_metric_at(run, key, value, step, clock_unix_ms());
}

int
cairn_run_param(cairn_run *run, const char *key, const char *value)
{
	if (!run_usable(run) || key == NULL || value == NULL)
		return CAIRN_EINVAL;
	return queue_label(&run->queue, ITEM_PARAM, key, value);
}

int
cairn_run_tag(cairn_run *run, const char *key, const char *value)
{
	if (!run_usable(run) || key == NULL || value == NULL)
		return CAIRN_EINVAL;
	return queue_label(&run->queue, ITEM_TAG, key, value);
}

void
cairn_run_stats(cairn_run *run, cairn_run_counts *out)
{
	if (out == NULL)
		return;
	*out = (cairn_run_counts){ 0 };
	if (run_usable(run))
		queue_counts(&run->queue, out);
}

/* ---- flush and end ---- */

/* All dealt with: was anything lost? */
static int
tell_losses(cairn_run *run, struct fault *f)
{
	cairn_run_counts n;

	queue_counts(&run->queue, &n);
	if (n.dropped == 0)
		return CAIRN_OK;
	pthread_mutex_lock(&run->queue.lock);
	*f = run->queue.lost;
	pthread_mutex_unlock(&run->queue.lock);
	return f->code;
}

static int
flush_until(cairn_run *run, int64_t deadline_mono_ms, struct fault *f)
{
	cairn_run_counts n;

	if (queue_wait(&run->queue, deadline_mono_ms))
		return tell_losses(run, f);
	queue_counts(&run->queue, &n);
	return fault_set(f, CAIRN_ETIMEOUT, "%llu items still wait to be sent to %s%s%s",
		(unsigned long long)n.queued, run->client->address,
		n.last_code != CAIRN_OK ? "; the last failure: " : "", n.last_error);
}

int
cairn_run_flush(cairn_run *run, int64_t timeout_ms)
{
	struct fault f = { 0 };
	int rc;

	if (!run_usable(run))
		return CAIRN_EINVAL;
	rc = flush_until(
		run, clock_mono_ms() + (timeout_ms < 0 ? run->client->end_timeout_ms : timeout_ms), &f);
	if (rc != CAIRN_OK)
		run_set_error(run, &f);
	return rc;
}

static const char *
status_name(enum cairn_run_status status)
{
	switch (status) {
	case CAIRN_FINISHED:
		return "FINISHED";
	case CAIRN_FAILED:
		return "FAILED";
	case CAIRN_KILLED:
		return "KILLED";
	}
	return NULL;
}

static int
update_status(cairn_run *run, const char *status, int64_t end_unix_ms, int64_t deadline_mono_ms)
{
	struct call k;
	struct jsonw *w;

	call_init(&k, run->client);
	k.deadline_mono_ms = deadline_mono_ms;
	w = call_body(&k);
	jw_text_at(w, "run_id", run->id);
	jw_text_at(w, "status", status);
	jw_int_at(w, "end_time", end_unix_ms);
	jw_end(w);
	return call_end(&k, call_json(&k, "POST", "/api/2.0/mlflow/runs/update", NULL, NULL), run);
}

int
cairn_run_end(cairn_run *run, enum cairn_run_status status)
{
	int64_t now = clock_unix_ms(), deadline;
	struct fault f = { 0 };
	int rc, ended;

	if (!run_usable(run) || status_name(status) == NULL)
		return CAIRN_EINVAL;
	deadline = clock_mono_ms() + run->client->end_timeout_ms;
	rc = flush_until(run, deadline, &f);
	if (rc == CAIRN_ETIMEOUT) {
		run_set_error(run, &f);
		return rc;
	}
	ended = update_status(run, status_name(status), now, deadline);
	if (ended == CAIRN_OK && rc != CAIRN_OK)
		run_set_error(run, &f);
	return ended != CAIRN_OK ? ended : rc;
}
