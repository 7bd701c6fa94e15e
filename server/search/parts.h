/* What the sources of this folder share: tokens, the table of a target, the tree, and the compiled search. */
#ifndef SEARCH_PARTS_H
#define SEARCH_PARTS_H

#include "base/buf.h"
#include "search/search.h"

#define MAX_DEPTH  64    /* of parentheses and NOTs: nobody writes that many, and the parser recurses */
#define MAX_TERMS  1000  /* comparisons: MLflow's own parser gives up at 10,000 tokens, ten a comparison */
#define MAX_LISTED 10000 /* texts in IN lists: there, three tokens each */
#define MAX_ORDER  100   /* clauses of order_by */

/* ---- token.c ---- */

enum token_kind {
	TOKEN_END,
	TOKEN_NAME, /* a word, `…` or "…", or a chain of them joined by dots, raw: quotes and all */
	TOKEN_TEXT, /* '…', raw */
	TOKEN_INT,
	TOKEN_FLOAT,
	TOKEN_COMPARE, /* a run of < > = ~ ! */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_SEMICOLON,
	TOKEN_OTHER, /* a character that has no place in a filter */
};

struct token {
	enum token_kind kind;
	const char *text; /* inside the filter */
	size_t len;
};

struct lexer {
	const char *text;
	const char *at;
	const char *end;
	const char *last_single; /* the last ' " ` of the text, NULL without one */
	const char *last_double;
	const char *last_backtick;
};

void lexer_init(struct lexer *x, const char *text); /* valid UTF-8 */
struct token lexer_next(struct lexer *x);
const char *lexer_skip_blank(const char *s, const char *end); /* white space as Unicode has it */
bool token_is(const struct token *t, const char *word);       /* a bare word, in any case */
/* A text in quotes at *s by Python's rules, which MLflow reads lists by; appended to out, *s moved on. False: ill-formed. */
bool literal_read(const char **s, const char *end, struct buf *out);
size_t token_shown(const struct token *t); /* bytes of it that an error message shows */

/* ---- schema.c ---- */

enum compare_op {
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_LIKE,
	OP_ILIKE,
	OP_IN,
	OP_NOT_IN,
	OP_IS_NULL,
	OP_NOT_NULL
};
#define OP_BIT(op) (1u << (op))
#define OPS_NUMBER                                                                                           \
	(OP_BIT(OP_EQ) | OP_BIT(OP_NE) | OP_BIT(OP_LT) | OP_BIT(OP_LE) | OP_BIT(OP_GT) | OP_BIT(OP_GE))
#define OPS_TEXT (OP_BIT(OP_EQ) | OP_BIT(OP_NE) | OP_BIT(OP_LIKE) | OP_BIT(OP_ILIKE))
#define OPS_LIST (OP_BIT(OP_IN) | OP_BIT(OP_NOT_IN))
#define OPS_ID   (OP_BIT(OP_EQ) | OP_BIT(OP_NE) | OPS_LIST)
#define OPS_NULL (OP_BIT(OP_IS_NULL) | OP_BIT(OP_NOT_NULL))

enum column_type {
	TYPE_TEXT,
	TYPE_NUMBER,       /* times and metrics: 5, 1.5e3 */
	TYPE_WHOLE,        /* 5, no fraction */
	TYPE_WHOLE_QUOTED, /* 5 or '5' */
	TYPE_ID,           /* '5' */
	TYPE_STATUS,       /* 'READY' or '2': of a logged model */
};

#define CAN_FILTER 1u
#define CAN_ORDER  2u

struct attribute {
	const char *name;
	const char *canonical; /* NULL: the name itself */
	enum column_type type;
	unsigned ops;
	unsigned can;
};

struct entity_name {
	const char *name;
	enum search_entity entity;
};

struct tie {
	const char *attribute;
	bool descending;
};

struct schema {
	const struct entity_name *entities; /* up to a NULL name */
	const char *entities_text;          /* for messages */
	const struct attribute *attributes; /* up to a NULL name */
	unsigned text_ops;                  /* of params, tags and datasets, beside IS NULL */
	unsigned dataset_ops;
	bool quoted_entity;    /* `params`.x is params.x */
	bool quoted_attribute; /* "run_name" is run_name */
	bool quoted_key;       /* params."x" is params.x; else only backticks are taken off */
	bool aggregates;       /* functions of metrics */
	bool exact_case;       /* LIKE, ILIKE and IN in capitals only */
	bool bare_values;      /* params.x = 5 and params.x = abc are texts; "abc" keeps its quotes */
	bool plain_order;      /* order keys are names of the list, nothing around them */
	bool nan_is_zero;      /* metrics: compared and ordered as 0 */
	bool hides_prompts; /* rows with the tag mlflow.prompt.is_prompt = 'true' are only there when asked for */
	struct tie default_order[4]; /* when none is given; up to a NULL attribute */
	struct tie ties[3];
};

const struct schema *schema_of(enum search_target target);
const struct attribute *schema_attribute(const struct schema *sc, const char *name, unsigned can);
char *schema_keys(struct ctx *cx, const struct schema *sc, unsigned can); /* "'name', 'run_id'" */

/* An identifier as written, resolved. */
struct operand {
	enum search_entity entity;
	const char *name; /* canonical, arena */
	enum column_type type;
	unsigned ops;
	bool as_number; /* number(params.x) */
	enum search_aggregate aggregate;
};

/* A fault is a sentence without position (arena); NULL: none. */
const char *schema_resolve(struct ctx *cx, const struct schema *sc, const char *raw, size_t len, unsigned can,
	struct operand *out) must_check;

/* A word right before a parenthesis, in any case. */
struct function {
	const char *name;
	bool as_number;                  /* of a param or a tag: its text read as a number */
	enum search_aggregate aggregate; /* else of a metric */
};
const struct function *schema_function(
	const struct schema *sc, const struct token *name); /* NULL: there is none */
const char *schema_functions(const struct schema *sc);      /* "number(params.x), …" */
const char *function_argument(const struct function *f);    /* "a metric such as metrics.loss" */
/* A fault is a sentence without position (arena); NULL: none. */
const char *function_apply(struct ctx *cx, const struct function *f, struct operand *o) must_check;

/* ---- match.c ---- */

struct pattern;
/* NULL: the pattern ends in its escape character. */
struct pattern *pattern_compile(struct arena *a, const char *text, bool fold);
bool pattern_matches(const struct pattern *p, const char *text);

enum node_kind { NODE_AND, NODE_OR, NODE_NOT, NODE_TERM, NODE_TRUE };

struct node {
	enum node_kind kind;
	struct node *first; /* children */
	struct node *next;  /* sibling */

	/* NODE_TERM */
	enum compare_op op;
	int slot;
	bool text_side; /* the rows' values are texts; else numbers */
	bool as_number; /* texts, read as numbers */
	bool nan_is_zero;
	bool is_metric;
	bool is_prompt_tag;
	bool integral; /* the right side, or its list, is integers */
	double number;
	int64_t integer;
	const char *text;
	struct pattern *pattern;
	const char **texts; /* IN, sorted */
	int64_t *integers;  /* IN, sorted */
	size_t count;
};

/* One comparison (NODE_TERM) on the value of its column. */
bool term_matches(const struct node *n, const struct search_value *v);
void node_list_sort(struct node *n);

/* ---- the compiled search ---- */

struct order {
	int slot;
	bool descending;
	bool is_metric;
};

struct search {
	struct arena *arena;
	enum search_target target;
	const struct schema *schema;
	struct node *root; /* NULL: every row */
	int prompt_slot;   /* -1: nothing hidden */
	struct search_column *columns;
	size_t column_count;
	size_t column_size;
	struct order *orders;
	size_t order_count;
	uint8_t hash[32]; /* of target, filter, order and scope */
};

int search_column_add(struct search *s, const struct search_column *column); /* its slot */

/* parse.c */
enum status filter_parse(struct ctx *cx, struct search *s, const char *filter) must_check;

/* order.c */
/* search_compare() of rows that hold the values of the order alone, one behind the other. */
int order_compare(const struct search *s, const struct search_value *a, const struct search_value *b);
enum status order_parse(struct ctx *cx, struct search *s, const char *const *order_by, size_t n) must_check;
enum status order_fields(
	struct ctx *cx, struct search *s, const struct search_field *fields, size_t n) must_check;

#endif
