#include "lib/queue.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/utf8.h"

#define LABEL_BYTES (256 * 1024) /* of text in one batch, so that a request stays under a server's limit */
#define HURRY_MS    500

/* ---- keys ---- */

static bool
key_char(uint32_t cp)
{
	return utf8_is_word(cp) || cp == '/' || cp == '.' || cp == '-' || cp == ' ' || cp == ':';
}

/* Nothing that a path would read as another path: no leading or doubled slash, no "." or ".." part, no slash at the end. */
static bool
plain_path(const char *key)
{
	const char *part = key;

	if (str_starts(key, ".."))
		return false;
	for (;;) {
		size_t n = strcspn(part, "/");

		if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		if (part[n] == '\0')
			return true;
		part += n + 1;
	}
}

bool
key_allowed(const char *key)
{
	size_t len = strlen(key);
	const char *s = key;

	if (len == 0 || len > KEY_CHARS * 4 || !utf8_valid(key, len) || utf8_count(key, len) > KEY_CHARS)
		return false;
	while (s < key + len)
		if (!key_char(utf8_next(&s, key + len)))
			return false;
	return plain_path(key);
}

static uint32_t
hash(const char *s)
{
	uint32_t h = 2166136261U;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619U;
	return h;
}

/* Where the key is, or where it would go. */
static uint32_t *
slot_of(const struct queue *q, const char *key)
{
	size_t i = hash(key) & (q->slot_count - 1);

	while (q->slots[i] != 0 && strcmp(q->keys[q->slots[i] - 1], key) != 0)
		i = (i + 1) & (q->slot_count - 1);
	return &q->slots[i];
}

/* Doubles the table, with room for as many keys as half of it. */
static bool
grow_keys(struct queue *q)
{
	size_t n = q->slot_count == 0 ? 64 : q->slot_count * 2;
	uint32_t *slots = calloc(n, sizeof(*slots));
	char **keys = realloc(q->keys, n / 2 * sizeof(*keys));

	if (keys != NULL)
		q->keys = keys;
	if (slots == NULL || keys == NULL) {
		free(slots);
		return false;
	}
	free(q->slots);
	q->slots = slots;
	q->slot_count = n;
	for (size_t i = 0; i < q->key_count; i++)
		*slot_of(q, q->keys[i]) = (uint32_t)i + 1;
	return true;
}

/* The number of a key, known or new. */
static int
key_number(struct queue *q, const char *key, uint32_t *out)
{
	uint32_t *slot = slot_of(q, key);
	char *mine;

	if (*slot == 0) {
		if (!key_allowed(key))
			return CAIRN_EINVAL;
		if (q->key_count >= LIMIT_KEYS || (q->key_count + 1 > q->slot_count / 2 && !grow_keys(q)))
			return CAIRN_ECONFLICT;
		if ((mine = strdup(key)) == NULL)
			return CAIRN_ECONFLICT;
		slot = slot_of(q, key);
		q->keys[q->key_count++] = mine;
		*slot = (uint32_t)q->key_count;
	}
	*out = *slot - 1;
	return CAIRN_OK;
}

/* ---- life ---- */

bool
queue_init(struct queue *q, size_t points, enum cairn_drop drop)
{
	pthread_condattr_t mono;

	*q = (struct queue){ .size = points, .drop = drop };
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&mono);
	pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
	pthread_cond_init(&q->wake, &mono);
	pthread_cond_init(&q->settled, &mono);
	pthread_condattr_destroy(&mono);
	q->ring = calloc(points, sizeof(*q->ring));
	return q->ring != NULL && grow_keys(q);
}

static void
free_labels(struct label *l)
{
	while (l != NULL) {
		struct label *next = l->next;

		free(l);
		l = next;
	}
}

void
queue_fini(struct queue *q)
{
	for (size_t i = 0; i < q->key_count; i++)
		free(q->keys[i]);
	free(q->keys);
	free(q->slots);
	free(q->ring);
	free_labels(q->first);
	pthread_cond_destroy(&q->wake);
	pthread_cond_destroy(&q->settled);
	pthread_mutex_destroy(&q->lock);
}

/* ---- producers ---- */

static void
note_loss(struct queue *q, int code, const char *why)
{
	if (q->lost.code == CAIRN_OK)
		fault_set(&q->lost, code, "%s", why);
}

static int
refuse(struct queue *q, int code, const char *why)
{
	q->dropped++;
	note_loss(q, code, why);
	return code;
}

/* True: a place is free now. */
static bool
make_room(struct queue *q)
{
	if (q->count < q->size)
		return true;
	if (q->drop == CAIRN_DROP_NEWEST)
		return false;
	q->head = (q->head + 1) % q->size;
	q->count--;
	q->points_out++;
	q->dropped++;
	note_loss(q, CAIRN_ECONFLICT, "the queue was full: the oldest points were dropped");
	return true;
}

static int
add_point(struct queue *q, const char *key, const struct point *p)
{
	struct point *place;
	uint32_t number = 0;
	int rc = key_number(q, key, &number);

	if (rc == CAIRN_EINVAL)
		return refuse(q, rc,
			"a metric's key was not allowed: up to 250 letters, digits, blanks and _ - . / :");
	if (rc != CAIRN_OK)
		return refuse(q, rc, "there are too many different metric keys, or no memory for another");
	if (!make_room(q))
		return refuse(q, CAIRN_ECONFLICT, "the queue was full: new points were dropped");
	place = &q->ring[(q->head + q->count++) % q->size];
	*place = *p;
	place->key = number;
	q->points_in++;
	if (q->count == 1 || q->count == LIMIT_BATCH)
		pthread_cond_signal(&q->wake);
	return CAIRN_OK;
}

int
queue_point(struct queue *q, const char *key, double value, int64_t step, int64_t unix_ms)
{
	const struct point p = { .step = step, .unix_ms = unix_ms, .value = value };
	int rc;

	pthread_mutex_lock(&q->lock);
	if (unix_ms < 0)
		rc = refuse(q, CAIRN_EINVAL, "a metric's time was negative");
	else
		rc = add_point(q, key, &p);
	pthread_mutex_unlock(&q->lock);
	return rc;
}

static struct label *
label_new(enum item_kind kind, const char *key, const char *text)
{
	size_t key_len = strlen(key) + 1, text_len = strlen(text) + 1;
	struct label *l = malloc(sizeof(*l) + key_len + text_len);

	if (l == NULL)
		return NULL;
	l->next = NULL;
	l->kind = kind;
	memcpy(l->key, key, key_len);
	l->text = l->key + key_len;
	memcpy(l->text, text, text_len);
	return l;
}

static int
check_label(struct queue *q, enum item_kind kind, const char *key, const char *text)
{
	size_t len = strlen(text), most = kind == ITEM_PARAM ? PARAM_CHARS : TAG_CHARS;

	if (!key_allowed(key))
		return refuse(q, CAIRN_EINVAL,
			"a parameter's or tag's key was not allowed: up to 250 letters, digits, blanks and _ "
			"- . / :");
	if (len > most * 4 || !utf8_valid(text, len) || utf8_count(text, len) > most)
		return refuse(q, CAIRN_EINVAL,
			kind == ITEM_PARAM
				? "a parameter's value was no UTF-8 text of at most 6000 characters"
				: "a tag's value was no UTF-8 text of at most 8000 characters");
	if (q->label_count >= LIMIT_WAITING_LABELS)
		return refuse(q, CAIRN_ECONFLICT, "too many parameters and tags were waiting");
	return CAIRN_OK;
}

int
queue_label(struct queue *q, enum item_kind kind, const char *key, const char *text)
{
	struct label *l = label_new(kind, key, text);
	int rc;

	pthread_mutex_lock(&q->lock);
	rc = l == NULL ? refuse(q, CAIRN_ECONFLICT, "no memory for a parameter or tag")
		       : check_label(q, kind, key, text);
	if (rc == CAIRN_OK) {
		*(q->first == NULL ? &q->first : &q->tail->next) = l;
		q->tail = l;
		q->label_count++;
		q->labels_in++;
		l = NULL;
		pthread_cond_signal(&q->wake);
	}
	pthread_mutex_unlock(&q->lock);
	free(l);
	return rc;
}

/* ---- the sender ---- */

static struct timespec
moment(int64_t mono_ms)
{
	return (struct timespec){ .tv_sec = (time_t)(mono_ms / 1000),
		.tv_nsec = (long)(mono_ms % 1000) * 1000000L };
}

/* Two values for one key do not go into one request. */
static bool
in_batch(const struct batch *b, const struct label *l)
{
	for (size_t i = 0; i < b->labels; i++)
		if (b->items[i].kind == l->kind && strcmp(b->items[i].key, l->key) == 0)
			return true;
	return false;
}

static void
take_labels(struct queue *q, struct batch *b)
{
	size_t bytes = 0;

	while (q->first != NULL && b->labels < LIMIT_LABELS && !in_batch(b, q->first)) {
		struct label *l = q->first;

		bytes += strlen(l->text) + strlen(l->key);
		if (b->labels > 0 && bytes > LABEL_BYTES)
			break;
		q->first = l->next;
		q->label_count--;
		l->next = b->owned;
		b->owned = l;
		b->items[b->labels++] = (struct item){ .kind = l->kind, .key = l->key, .text = l->text };
	}
	b->count = b->labels;
}

static void
take_points(struct queue *q, struct batch *b)
{
	while (q->count > 0 && b->count < LIMIT_BATCH) {
		const struct point *p = &q->ring[q->head];

		b->items[b->count++] = (struct item){
			.kind = ITEM_POINT,
			.key = q->keys[p->key],
			.value = p->value,
			.step = p->step,
			.unix_ms = p->unix_ms,
		};
		q->head = (q->head + 1) % q->size;
		q->count--;
	}
}

bool
queue_take(struct queue *q, struct batch *b, int64_t linger_ms)
{
	struct timespec until;
	bool go;

	b->count = b->labels = 0;
	b->owned = NULL;
	pthread_mutex_lock(&q->lock);
	while (!q->stop && q->count == 0 && q->first == NULL)
		pthread_cond_wait(&q->wake, &q->lock);
	until = moment(clock_mono_ms() + linger_ms);
	while (!q->stop && q->hurry == 0 && q->count < LIMIT_BATCH)
		if (pthread_cond_timedwait(&q->wake, &q->lock, &until) != 0)
			break;
	go = !q->stop;
	if (go) {
		take_labels(q, b);
		take_points(q, b);
	}
	pthread_mutex_unlock(&q->lock);
	return go;
}

static void
settle(struct queue *q, const struct batch *b, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		*(b->items[i].kind == ITEM_POINT ? &q->points_out : &q->labels_out) += 1;
	pthread_cond_broadcast(&q->settled);
}

void
queue_sent(struct queue *q, const struct batch *b, size_t from, size_t to)
{
	pthread_mutex_lock(&q->lock);
	q->sent += to - from;
	settle(q, b, from, to);
	pthread_mutex_unlock(&q->lock);
}

void
queue_lost(struct queue *q, const struct batch *b, size_t from, size_t to, const struct fault *f)
{
	pthread_mutex_lock(&q->lock);
	q->dropped += to - from;
	q->last = *f;
	if (q->lost.code == CAIRN_OK)
		q->lost = *f;
	settle(q, b, from, to);
	pthread_mutex_unlock(&q->lock);
}

void
queue_failure(struct queue *q, const struct fault *f)
{
	pthread_mutex_lock(&q->lock);
	q->last = *f;
	q->retries++;
	pthread_mutex_unlock(&q->lock);
}

void
queue_request(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->requests++;
	pthread_mutex_unlock(&q->lock);
}

bool
queue_sleep(struct queue *q, int64_t ms, bool may_hurry)
{
	int64_t until_ms = clock_mono_ms() + ms;
	bool go;

	pthread_mutex_lock(&q->lock);
	while (!q->stop && clock_mono_ms() < until_ms) {
		struct timespec until;

		if (may_hurry && q->hurry > 0 && until_ms > clock_mono_ms() + HURRY_MS)
			until_ms = clock_mono_ms() + HURRY_MS;
		until = moment(until_ms);
		pthread_cond_timedwait(&q->wake, &q->lock, &until);
	}
	go = !q->stop;
	pthread_mutex_unlock(&q->lock);
	return go;
}

void
batch_clear(struct batch *b)
{
	free_labels(b->owned);
	b->owned = NULL;
	b->count = b->labels = 0;
}

/* ---- those who wait ---- */

bool
queue_wait(struct queue *q, int64_t deadline_mono_ms)
{
	const struct timespec until = moment(deadline_mono_ms);
	uint64_t points, labels;
	bool done;

	pthread_mutex_lock(&q->lock);
	points = q->points_in;
	labels = q->labels_in;
	q->hurry++;
	pthread_cond_signal(&q->wake);
	while (q->points_out < points || q->labels_out < labels)
		if (pthread_cond_timedwait(&q->settled, &q->lock, &until) != 0)
			break;
	done = q->points_out >= points && q->labels_out >= labels;
	q->hurry--;
	pthread_mutex_unlock(&q->lock);
	return done;
}

void
queue_stop(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->stop = true;
	pthread_cond_broadcast(&q->wake);
	pthread_mutex_unlock(&q->lock);
}

void
queue_counts(struct queue *q, cairn_run_counts *out)
{
	pthread_mutex_lock(&q->lock);
	out->queued = q->points_in - q->points_out + q->labels_in - q->labels_out;
	out->sent = q->sent;
	out->dropped = q->dropped;
	out->requests = q->requests;
	out->retries = q->retries;
	out->last_code = q->last.code;
	str_copy(out->last_error, sizeof(out->last_error), q->last.message);
	pthread_mutex_unlock(&q->lock);
}
