#include "auth/permission.h"

#include "auth/auth.h"

const struct resolver object_none = { OBJECT_NONE, IN_NOTHING, NULL };
const struct resolver object_server = { OBJECT_SERVER, IN_NOTHING, NULL };
const struct resolver experiment_in_body = { OBJECT_EXPERIMENT, IN_BODY, "experiment_id" };
const struct resolver experiment_in_query = { OBJECT_EXPERIMENT, IN_QUERY, "experiment_id" };
const struct resolver experiment_name_in_query = { OBJECT_EXPERIMENT, IN_QUERY, "experiment_name" };
const struct resolver experiments_in_body = { OBJECT_EXPERIMENT, IN_BODY, "experiment_ids" };
const struct resolver experiments_all = { OBJECT_EXPERIMENT, IN_NOTHING, NULL };
const struct resolver run_in_body = { OBJECT_RUN, IN_BODY, "run_id" };
const struct resolver run_in_query = { OBJECT_RUN, IN_QUERY, "run_id" };
const struct resolver run_in_path = { OBJECT_RUN, IN_PATH, "run_id" };
const struct resolver runs_in_query = { OBJECT_RUN, IN_QUERY, "run_id" };
const struct resolver runs_in_body = { OBJECT_RUN, IN_BODY, "run_ids" };
const struct resolver runs_in_groups = { OBJECT_RUN, IN_BODY, "groups.run_ids" };
const struct resolver logged_model_in_path = { OBJECT_LOGGED_MODEL, IN_PATH, "model_id" };
const struct resolver artifact_in_path = { OBJECT_ARTIFACT, IN_PATH, "path" };
const struct resolver artifact_in_query = { OBJECT_ARTIFACT, IN_QUERY, "path" };
const struct resolver model_in_body = { OBJECT_MODEL, IN_BODY, "name" };
const struct resolver model_in_query = { OBJECT_MODEL, IN_QUERY, "name" };
const struct resolver model_in_path = { OBJECT_MODEL, IN_PATH, "name" };
const struct resolver models_all = { OBJECT_MODEL, IN_NOTHING, NULL };

enum status
permission_of(struct ctx *cx, enum permission needs)
{
	if (needs == PUBLIC)
		return OK;
	if (!auth_on()) {
		if (needs != ADMIN)
			return OK;
		return fail(cx, NOT_IMPLEMENTED,
			"this server was started with --auth off: there are no users; start it with --auth "
			"on");
	}
	if (cx->actor.user_id == 0)
		return fail(cx, UNAUTHENTICATED,
			"sign in first: send a user name and password (Basic) or a token (Bearer)");
	if (needs == ADMIN && !cx->actor.is_admin)
		return fail(cx, DENIED, "only an administrator may do this");
	return OK;
}

enum status
permission_check(struct request *rq, const struct route *route)
{
	return permission_of(request_ctx(rq), (enum permission)route->needs);
}
