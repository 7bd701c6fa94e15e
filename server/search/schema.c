/*
 * One table per target: which identifiers there are, what they are called besides, which comparators they take, how rows
 * are ordered by default and in ties. Taken from MLflow 3.17's search_utils.py, search_logged_model_utils.py and both SQL stores.
 */
#include "search/parts.h"

#include <string.h>
#include "base/buf.h"
#include "base/str.h"

#define BOTH (CAN_FILTER | CAN_ORDER)

static const struct entity_name run_entities[] = {
	{ "metric", ENTITY_METRIC },
	{ "metrics", ENTITY_METRIC },
	{ "parameter", ENTITY_PARAM },
	{ "parameters", ENTITY_PARAM },
	{ "param", ENTITY_PARAM },
	{ "params", ENTITY_PARAM },
	{ "tag", ENTITY_TAG },
	{ "tags", ENTITY_TAG },
	{ "attribute", ENTITY_ATTRIBUTE },
	{ "attributes", ENTITY_ATTRIBUTE },
	{ "attr", ENTITY_ATTRIBUTE },
	{ "run", ENTITY_ATTRIBUTE },
	{ "dataset", ENTITY_DATASET },
	{ "datasets", ENTITY_DATASET },
	{ NULL, ENTITY_ATTRIBUTE },
};

static const struct entity_name registry_entities[] = {
	{ "attribute", ENTITY_ATTRIBUTE },
	{ "tag", ENTITY_TAG },
	{ "tags", ENTITY_TAG },
	{ NULL, ENTITY_ATTRIBUTE },
};

static const struct entity_name logged_model_entities[] = {
	{ "attributes", ENTITY_ATTRIBUTE },
	{ "metrics", ENTITY_METRIC },
	{ "params", ENTITY_PARAM },
	{ "tags", ENTITY_TAG },
	{ NULL, ENTITY_ATTRIBUTE },
};

static const struct attribute run_attributes[] = {
	{ "run_id", NULL, TYPE_TEXT, OPS_TEXT | OPS_LIST, BOTH },
	{ "run_name", NULL, TYPE_TEXT, OPS_TEXT, BOTH },
	{ "run name", "run_name", TYPE_TEXT, OPS_TEXT, CAN_FILTER },
	{ "Run name", "run_name", TYPE_TEXT, OPS_TEXT, CAN_FILTER },
	{ "Run Name", "run_name", TYPE_TEXT, OPS_TEXT, CAN_FILTER },
	{ "user_id", NULL, TYPE_TEXT, OPS_TEXT, BOTH },
	{ "status", NULL, TYPE_TEXT, OPS_TEXT, BOTH },
	{ "artifact_uri", NULL, TYPE_TEXT, OPS_TEXT, BOTH },
	{ "start_time", NULL, TYPE_NUMBER, OPS_NUMBER, BOTH },
	{ "end_time", NULL, TYPE_NUMBER, OPS_NUMBER, BOTH },
	{ "created", "start_time", TYPE_NUMBER, OPS_NUMBER, BOTH },
	{ "Created", "start_time", TYPE_NUMBER, OPS_NUMBER, BOTH },
	{ NULL, NULL, TYPE_TEXT, 0, 0 },
};

static const struct attribute experiment_attributes[] = {
	{ "name", NULL, TYPE_TEXT, OPS_TEXT, BOTH },
	{ "experiment_id", NULL, TYPE_ID, OPS_ID, BOTH },
	{ "creation_time", NULL, TYPE_WHOLE, OPS_NUMBER, BOTH },
	{ "last_update_time", NULL, TYPE_WHOLE, OPS_NUMBER, BOTH },
	{ NULL, NULL, TYPE_TEXT, 0, 0 },
};

static const struct attribute model_attributes[] = {
	{ "name", NULL, TYPE_TEXT, OPS_TEXT | OPS_LIST, BOTH },
	{ "timestamp", "last_updated_timestamp", TYPE_WHOLE, OPS_NUMBER, CAN_ORDER },
	{ "last_updated_timestamp", NULL, TYPE_WHOLE, OPS_NUMBER, CAN_ORDER },
	{ NULL, NULL, TYPE_TEXT, 0, 0 },
};

static const struct attribute version_attributes[] = {
	{ "name", NULL, TYPE_TEXT, OPS_TEXT | OPS_LIST, BOTH },
	{ "version_number", NULL, TYPE_WHOLE_QUOTED, OPS_NUMBER, BOTH },
	{ "run_id", NULL, TYPE_TEXT, OPS_TEXT | OPS_LIST, CAN_FILTER },
	{ "source_path", NULL, TYPE_TEXT, OPS_TEXT, CAN_FILTER },
	{ "creation_timestamp", NULL, TYPE_WHOLE, OPS_NUMBER, CAN_ORDER },
	{ "last_updated_timestamp", NULL, TYPE_WHOLE, OPS_NUMBER, CAN_ORDER },
	{ NULL, NULL, TYPE_TEXT, 0, 0 },
};

static const struct attribute logged_model_attributes[] = {
	{ "name", NULL, TYPE_TEXT, OPS_TEXT | OPS_LIST, BOTH },
	{ "model_id", NULL, TYPE_TEXT, OPS_TEXT | OPS_LIST, BOTH },
	{ "model_type", NULL, TYPE_TEXT, OPS_TEXT | OPS_LIST, BOTH },
	{ "source_run_id", NULL, TYPE_TEXT, OPS_TEXT | OPS_LIST, BOTH },
	{ "artifact_location", NULL, TYPE_TEXT, OPS_TEXT | OPS_LIST, BOTH },
	{ "lifecycle_stage", NULL, TYPE_TEXT, OPS_TEXT | OPS_LIST, BOTH },
	{ "status_message", NULL, TYPE_TEXT, OPS_TEXT | OPS_LIST, BOTH },
	{ "status", NULL, TYPE_STATUS, OPS_ID, BOTH },
	{ "experiment_id", NULL, TYPE_ID, OPS_ID, BOTH },
	{ "creation_timestamp", NULL, TYPE_NUMBER, OPS_NUMBER, BOTH },
	{ "creation_time", "creation_timestamp", TYPE_NUMBER, OPS_NUMBER, BOTH },
	{ "creation_timestamp_ms", "creation_timestamp", TYPE_NUMBER, OPS_NUMBER, BOTH },
	{ "last_updated_timestamp", NULL, TYPE_NUMBER, OPS_NUMBER, BOTH },
	{ "last_updated_timestamp_ms", "last_updated_timestamp", TYPE_NUMBER, OPS_NUMBER, BOTH },
	{ NULL, NULL, TYPE_TEXT, 0, 0 },
};

static const struct schema schemas[] = {
	[SEARCH_RUNS] = {
		.entities = run_entities,
		.entities_text = "'metric', 'parameter', 'tag', 'attribute', 'dataset'",
		.attributes = run_attributes,
		.text_ops = OPS_TEXT,
		.dataset_ops = OPS_TEXT | OPS_LIST,
		.quoted_entity = true,
		.quoted_attribute = true,
		.quoted_key = true,
		.aggregates = true,
		.ties = { { "start_time", true }, { "run_id", false } },
	},
	[SEARCH_EXPERIMENTS] = {
		.entities = registry_entities,
		.entities_text = "'attribute', 'tag', 'tags'",
		.attributes = experiment_attributes,
		.text_ops = OPS_TEXT,
		.quoted_attribute = true,
		.quoted_key = true,
		.exact_case = true,
		.default_order = { { "creation_time", true }, { "experiment_id", false } },
		.ties = { { "experiment_id", true } },
	},
	[SEARCH_MODELS] = {
		.entities = registry_entities,
		.entities_text = "'attribute', 'tag', 'tags'",
		.attributes = model_attributes,
		.text_ops = OPS_TEXT,
		.quoted_key = true,
		.plain_order = true,
		.hides_prompts = true,
		.ties = { { "name", false } },
	},
	[SEARCH_VERSIONS] = {
		.entities = registry_entities,
		.entities_text = "'attribute', 'tag', 'tags'",
		.attributes = version_attributes,
		.text_ops = OPS_TEXT,
		.quoted_key = true,
		.hides_prompts = true,
		.default_order = { { "last_updated_timestamp", true }, { "name", false }, { "version_number", true } },
		.ties = { { "name", false }, { "version_number", true } },
	},
	[SEARCH_LOGGED_MODELS] = {
		.entities = logged_model_entities,
		.entities_text = "'attributes', 'metrics', 'params', 'tags'",
		.attributes = logged_model_attributes,
		.text_ops = OPS_TEXT | OPS_LIST,
		.bare_values = true,
		.nan_is_zero = true,
		.ties = { { "creation_timestamp", true }, { "model_id", false } },
	},
};

static const char *const dataset_keys[] = { "name", "digest", "context" };

const struct schema *
schema_of(enum search_target target)
{
	return &schemas[target];
}

const struct attribute *
schema_attribute(const struct schema *sc, const char *name, unsigned can)
{
	for (const struct attribute *a = sc->attributes; a->name; a++)
		if ((a->can & can) != 0 && strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

char *
schema_keys(struct ctx *cx, const struct schema *sc, unsigned can)
{
	struct buf b;
	char *text;

	buf_init(&b, 1024);
	for (const struct attribute *a = sc->attributes; a->name; a++)
		if (a->can & can)
			buf_printf(&b, "%s'%s'", b.len ? ", " : "", a->name);
	text = arena_strn(cx->arena, b.data ? b.data : "", b.len);
	buf_fini(&b);
	return text;
}

/* Takes one pair of the quote off when it is there. */
static char *
trim_pair(char *s, char quote)
{
	size_t n = strlen(s);

	if (n < 2 || s[0] != quote || s[n - 1] != quote)
		return s;
	s[n - 1] = '\0';
	return s + 1;
}

static char *
trim_backticks(char *s)
{
	while (*s == '`')
		s++;
	for (size_t n = strlen(s); n > 0 && s[n - 1] == '`'; n--)
		s[n - 1] = '\0';
	return s;
}

static char *
trim_key(const struct schema *sc, char *key)
{
	if (!sc->quoted_key)
		return trim_backticks(key);
	if (strlen(key) >= 2 && *key == '\'')
		key = trim_pair(key, '\'');
	else
		key = trim_pair(key, '"');
	return trim_pair(key, '`');
}

static const char *
resolve_attribute(struct ctx *cx, const struct schema *sc, char *key, unsigned can, struct operand *out)
{
	const struct attribute *a;

	if (sc->quoted_attribute || sc->bare_values)
		key = trim_key(sc, key);
	if (!(a = schema_attribute(sc, key, can)))
		return arena_printf(cx->arena, "Invalid attribute key '%.200s' specified. Valid keys are %s",
			key, schema_keys(cx, sc, can));
	*out = (struct operand){ .entity = ENTITY_ATTRIBUTE, .type = a->type, .ops = a->ops | OPS_NULL };
	out->name = a->canonical ? a->canonical : a->name;
	return NULL;
}

static const char *
resolve_dataset(struct ctx *cx, const struct schema *sc, const char *key, struct operand *out)
{
	for (size_t i = 0; i < sizeof dataset_keys / sizeof *dataset_keys; i++)
		if (strcmp(key, dataset_keys[i]) == 0) {
			*out = (struct operand){ .entity = ENTITY_DATASET,
				.name = dataset_keys[i],
				.type = TYPE_TEXT,
				.ops = sc->dataset_ops | OPS_NULL };
			return NULL;
		}
	return arena_printf(cx->arena,
		"Invalid dataset key '%.200s' specified. Valid keys are 'name', 'digest', 'context'", key);
}

static const char *
resolve_key(struct ctx *cx, const struct schema *sc, enum search_entity entity, const char *key,
	struct operand *out)
{
	if (entity == ENTITY_DATASET)
		return resolve_dataset(cx, sc, key, out);
	*out = (struct operand){
		.entity = entity, .name = key, .type = TYPE_TEXT, .ops = sc->text_ops | OPS_NULL
	};
	if (entity == ENTITY_METRIC) {
		out->type = TYPE_NUMBER;
		out->ops = OPS_NUMBER | OPS_NULL;
	}
	return NULL;
}

const char *
schema_resolve(struct ctx *cx, const struct schema *sc, const char *raw, size_t len, unsigned can,
	struct operand *out)
{
	char *entity = arena_strn(cx->arena, raw, len);
	char *key = strchr(entity, '.');
	const struct entity_name *e;

	if (!key)
		return resolve_attribute(cx, sc, entity, can, out);
	*key++ = '\0';
	if (sc->quoted_entity)
		entity = trim_pair(entity, '`');
	for (e = sc->entities; e->name && strcmp(e->name, entity) != 0;)
		e++;
	if (!e->name)
		return arena_printf(cx->arena, "Invalid entity type '%.200s'. Valid values are %s", entity,
			sc->entities_text);
	if (e->entity == ENTITY_ATTRIBUTE)
		return resolve_attribute(cx, sc, key, can, out);
	if (!*key)
		return arena_printf(cx->arena,
			"Invalid identifier '%.200s.': a key is expected right after the dot", entity);
	return resolve_key(cx, sc, e->entity, trim_key(sc, key), out);
}

/* ---- functions ---- */

static const struct function functions[] = {
	{ "number", true, AGGREGATE_LAST },
	{ "last", false, AGGREGATE_LAST },
	{ "first", false, AGGREGATE_FIRST },
	{ "min", false, AGGREGATE_MIN },
	{ "max", false, AGGREGATE_MAX },
	{ "mean", false, AGGREGATE_MEAN },
	{ "count", false, AGGREGATE_COUNT },
};

const struct function *
schema_function(const struct schema *sc, const struct token *name)
{
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (token_is(name, functions[i].name) && (functions[i].as_number || sc->aggregates))
			return &functions[i];
	return NULL;
}

const char *
schema_functions(const struct schema *sc)
{
	return sc->aggregates
		       ? "number(params.x), and of metrics min, max, first, last, mean and count, as in "
			 "min(metrics.x)"
		       : "number(params.x)";
}

const char *
function_argument(const struct function *f)
{
	return f->as_number ? "a param or a tag" : "a metric such as metrics.loss";
}

const char *
function_apply(struct ctx *cx, const struct function *f, struct operand *o)
{
	bool fits = f->as_number ? o->entity == ENTITY_PARAM || o->entity == ENTITY_TAG
				 : o->entity == ENTITY_METRIC;

	if (!fits)
		return arena_printf(cx->arena, "%s(…) takes %s", f->name, function_argument(f));
	o->as_number = f->as_number;
	o->aggregate = f->aggregate;
	if (f->as_number) {
		o->type = TYPE_NUMBER;
		o->ops = OPS_NUMBER;
	}
	return NULL;
}
