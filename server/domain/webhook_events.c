#include "domain/webhook_events.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"

/* In the order of their numbers. */
static const char *const entities[] = { "REGISTERED_MODEL", "MODEL_VERSION", "MODEL_VERSION_TAG",
	"MODEL_VERSION_ALIAS", "PROMPT", "PROMPT_VERSION", "PROMPT_TAG", "PROMPT_VERSION_TAG", "PROMPT_ALIAS",
	"BUDGET_POLICY" };
static const char *const actions[] = { "CREATED", "UPDATED", "DELETED", "SET", "EXCEEDED" };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct known {
	struct webhook_event event;
	const char *example;
};

/* The examples are MLflow's. Budgets are none of ours: one may ask to hear of them, and never will. */
static const struct known known[] = {
	{ { "REGISTERED_MODEL", "CREATED" },
		"{\"name\": \"example_model\", \"tags\": {\"example_key\": \"example_value\"}, "
		"\"description\": \"An example registered model\"}" },
	{ { "MODEL_VERSION", "CREATED" },
		"{\"name\": \"example_model\", \"version\": \"1\", \"source\": \"models:/123\", "
		"\"run_id\": \"abcd1234abcd5678\", \"tags\": {\"example_key\": \"example_value\"}, "
		"\"description\": \"An example model version\"}" },
	{ { "MODEL_VERSION_TAG", "SET" },
		"{\"name\": \"example_model\", \"version\": \"1\", \"key\": \"example_key\", "
		"\"value\": \"example_value\"}" },
	{ { "MODEL_VERSION_TAG", "DELETED" },
		"{\"name\": \"example_model\", \"version\": \"1\", \"key\": \"example_key\"}" },
	{ { "MODEL_VERSION_ALIAS", "CREATED" },
		"{\"name\": \"example_model\", \"alias\": \"example_alias\", \"version\": \"1\"}" },
	{ { "MODEL_VERSION_ALIAS", "DELETED" },
		"{\"name\": \"example_model\", \"alias\": \"example_alias\"}" },
	{ { "PROMPT", "CREATED" },
		"{\"name\": \"example_prompt\", \"tags\": {\"example_key\": \"example_value\"}, "
		"\"description\": \"An example prompt\"}" },
	{ { "PROMPT_VERSION", "CREATED" },
		"{\"name\": \"example_prompt\", \"version\": \"1\", \"template\": \"Hello {{name}}!\", "
		"\"tags\": {\"example_key\": \"example_value\"}, "
		"\"description\": \"An example prompt version\"}" },
	{ { "PROMPT_TAG", "SET" },
		"{\"name\": \"example_prompt\", \"key\": \"example_key\", \"value\": \"example_value\"}" },
	{ { "PROMPT_TAG", "DELETED" }, "{\"name\": \"example_prompt\", \"key\": \"example_key\"}" },
	{ { "PROMPT_VERSION_TAG", "SET" },
		"{\"name\": \"example_prompt\", \"version\": \"1\", \"key\": \"example_key\", "
		"\"value\": \"example_value\"}" },
	{ { "PROMPT_VERSION_TAG", "DELETED" },
		"{\"name\": \"example_prompt\", \"version\": \"1\", \"key\": \"example_key\"}" },
	{ { "PROMPT_ALIAS", "CREATED" },
		"{\"name\": \"example_prompt\", \"alias\": \"example_alias\", \"version\": \"1\"}" },
	{ { "PROMPT_ALIAS", "DELETED" }, "{\"name\": \"example_prompt\", \"alias\": \"example_alias\"}" },
	{ { "BUDGET_POLICY", "EXCEEDED" },
		"{\"budget_policy_id\": \"bp-abc123\", \"budget_unit\": \"USD\", \"budget_amount\": 100.0, "
		"\"current_spend\": 105.5, \"duration_unit\": \"MONTHS\", \"duration_value\": 1, "
		"\"target_scope\": \"ENDPOINT\", \"workspace\": \"default\", \"target_value\": "
		"\"ep-abc123\", \"window_start\": 1704067200000}" },
};

const char *
webhook_entity(int number)
{
	return number >= 1 && (size_t)number <= COUNT(entities) ? entities[number - 1] : NULL;
}

const char *
webhook_action(int number)
{
	return number >= 1 && (size_t)number <= COUNT(actions) ? actions[number - 1] : NULL;
}

static const struct known *
find(const struct webhook_event *event)
{
	for (size_t i = 0; i < COUNT(known); i++)
		if (str_eq(known[i].event.entity, event->entity) &&
			str_eq(known[i].event.action, event->action))
			return &known[i];
	return NULL;
}

enum status
webhook_event_check(struct ctx *cx, const struct webhook_event *event)
{
	struct buf valid;
	enum status st;

	if (find(event) != NULL)
		return OK;
	buf_init(&valid, 1024);
	for (size_t i = 0; i < COUNT(known); i++)
		if (str_eq(known[i].event.entity, event->entity))
			buf_printf(&valid, "%s%s", valid.len > 0 ? ", " : "", known[i].event.action);
	st = fail(cx, INVALID, "Invalid action '%.40s' for entity '%.40s'. Valid actions are: %s",
		event->action, event->entity, valid.len > 0 ? valid.data : "none");
	buf_fini(&valid);
	return st;
}

const char *
webhook_event_example(const struct webhook_event *event)
{
	const struct known *k = find(event);

	return k == NULL ? "{}" : k->example;
}

struct webhook_event
webhook_event_from(struct ctx *cx, const char *text)
{
	const char *dot = strchr(text, '.');

	if (dot == NULL)
		return (struct webhook_event){ text, "" };
	return (struct webhook_event){ arena_strn(cx->arena, text, (size_t)(dot - text)), dot + 1 };
}
