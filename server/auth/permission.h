/*
 * What a route needs, and how the object it is about is found. Every row of api/routes.c names both.
 *
 * Today: whoever is signed in may do everything but manage users, which administrators may. The rows already say what
 * they will need of which object, so that roles can come without touching them.
 */
#ifndef AUTH_PERMISSION_H
#define AUTH_PERMISSION_H

#include "base/ctx.h"
#include "http/route.h"

enum permission {
	PUBLIC = 1, /* anybody, without a sign-in */
	SIGNED_IN,  /* whoever it is: his own account, what concerns no object */
	READ,       /* see the object */
	EDIT,       /* change it, or put something into it */
	MANAGE,     /* delete, restore or rename it, and say who may */
	ADMIN,      /* administrators: users and the server itself */
};

enum object_kind {
	OBJECT_NONE,   /* about nothing that somebody owns */
	OBJECT_SERVER, /* the whole: users, settings, a new experiment or model */
	OBJECT_EXPERIMENT,
	OBJECT_RUN,          /* belongs to its experiment */
	OBJECT_LOGGED_MODEL, /* belongs to its experiment */
	OBJECT_ARTIFACT,     /* belongs to the experiment that its path begins with */
	OBJECT_MODEL,        /* a registered model with its versions and aliases */
};

enum place { IN_NOTHING, IN_BODY, IN_QUERY, IN_PATH };

struct resolver {
	enum object_kind kind;
	enum place place;
	const char *field; /* its name there; may hold several (a list: all of them); NULL with IN_NOTHING */
};

extern const struct resolver object_none; /* nothing */
extern const struct resolver object_server;
extern const struct resolver experiment_in_body;       /* experiment_id */
extern const struct resolver experiment_in_query;      /* experiment_id */
extern const struct resolver experiment_name_in_query; /* experiment_name */
extern const struct resolver experiments_in_body;      /* experiment_ids, a list */
extern const struct resolver experiments_all;          /* a search: the answer holds what one may read */
extern const struct resolver run_in_body;              /* run_id, or its older name run_uuid */
extern const struct resolver run_in_query;             /* run_id, run_uuid */
extern const struct resolver run_in_path;              /* {run_id} */
extern const struct resolver runs_in_query;            /* run_id, repeated */
extern const struct resolver runs_in_body;             /* run_ids, a list */
extern const struct resolver runs_in_groups;           /* groups, each with a list run_ids */
extern const struct resolver logged_model_in_path;     /* {model_id} */
extern const struct resolver artifact_in_path;         /* {path...} */
extern const struct resolver artifact_in_query;        /* path */
extern const struct resolver model_in_body;            /* name */
extern const struct resolver model_in_query;           /* name */
extern const struct resolver model_in_path;            /* {name} */
extern const struct resolver models_all;               /* a search: the answer holds what one may read */

/*
 * After caller_find(). UNAUTHENTICATED when nobody signed in and somebody must; DENIED with what would be needed.
 * With --auth off everything is allowed but ADMIN, which is NOT_IMPLEMENTED: there are no users.
 */
enum status permission_check(struct request *rq, const struct route *route) must_check;
/* The same on what it needs to know. */
enum status permission_of(struct ctx *cx, enum permission needs) must_check;

#endif
