#include "jobs/webhooks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "domain/webhook.h"

#define EVERY_S  1
#define SENDERS  16
#define FAN_OUTS 100 /* statements in a row, before something is sent */

struct webhooks {
	const struct parts *parts;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* a sender ended, or it is time to stop */
	unsigned senders;
	bool ended;
	atomic_bool stopping;
	bool failing; /* the log has it */
};

/* Owned by its thread, with the arena that holds the delivery. */
struct sender {
	struct webhooks *all;
	struct arena *arena;
	struct delivery delivery;
};

static void
copy_delivery(struct arena *a, const struct delivery *from, struct delivery *to)
{
	*to = *from;
	to->uuid = arena_str(a, from->uuid);
	to->webhook_uuid = arena_str(a, from->webhook_uuid);
	to->url = arena_str(a, from->url);
	to->entity = arena_str(a, from->entity);
	to->action = arena_str(a, from->action);
	to->data_json = arena_str(a, from->data_json);
	to->secret_key_id = arena_str(a, from->secret_key_id);
	if (from->secret != NULL)
		to->secret = arena_copy(a, from->secret, from->secret_len);
}

static void
sender_ended(struct webhooks *w)
{
	pthread_mutex_lock(&w->lock);
	w->senders--;
	w->ended = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

static void *
send_one(void *arg)
{
	struct sender *s = arg;
	struct webhooks *w = s->all;
	struct ctx cx;

	ctx_init(&cx, s->arena, w->parts);
	if (webhook_deliver(&cx, &s->delivery, &w->stopping) != OK)
		log_warn("webhook", "webhook=%s delivery=%s message=\"%s\"", s->delivery.webhook_uuid,
			s->delivery.uuid, cx.message);
	arena_free(s->arena);
	free(s);
	sender_ended(w);
	return NULL;
}

/* Without a thread the delivery's time passes, and somebody takes it up again. */
static void
start_sender(struct webhooks *w, const struct delivery *d)
{
	struct sender *s = mem_alloc(sizeof(*s));
	pthread_t thread;

	s->all = w;
	s->arena = arena_new();
	copy_delivery(s->arena, d, &s->delivery);
	pthread_mutex_lock(&w->lock);
	w->senders++;
	pthread_mutex_unlock(&w->lock);
	if (pthread_create(&thread, NULL, send_one, s) == 0) {
		pthread_detach(thread);
		return;
	}
	log_warn("webhook", "message=\"no thread to send with\"");
	arena_free(s->arena);
	free(s);
	sender_ended(w);
}

static size_t
free_senders(struct webhooks *w)
{
	size_t n;

	pthread_mutex_lock(&w->lock);
	n = SENDERS - w->senders;
	w->ended = false;
	pthread_mutex_unlock(&w->lock);
	return n;
}

static enum status
look(struct webhooks *w, struct ctx *cx)
{
	size_t n = 1, room;
	struct delivery *due;
	enum status st = OK;

	for (int i = 0; n > 0 && i < FAN_OUTS && !w->stopping; i++)
		if ((st = webhook_fan_out(cx, &n)) != OK)
			return st;
	if ((room = free_senders(w)) == 0 || w->stopping)
		return OK;
	if ((st = webhook_claim(cx, room, &due, &n)) != OK)
		return st;
	for (size_t i = 0; i < n; i++)
		start_sender(w, &due[i]);
	return OK;
}

/* PostgreSQL's absences are in the log already. */
static void
look_or_say(struct webhooks *w, struct arena *arena)
{
	struct ctx cx;
	enum status st;

	ctx_init(&cx, arena, w->parts);
	st = look(w, &cx);
	if (st != OK && !w->failing)
		log_warn("webhook", "message=\"%s\"", cx.message);
	w->failing = st != OK;
	arena_reset(arena);
}

static void
sleep_until_next(struct webhooks *w)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += EVERY_S;
	pthread_mutex_lock(&w->lock);
	while (!w->stopping && !w->ended && pthread_cond_timedwait(&w->wake, &w->lock, &until) == 0)
		continue;
	pthread_mutex_unlock(&w->lock);
}

static void *
work(void *arg)
{
	struct webhooks *w = arg;
	struct arena *arena = arena_new();

	while (!w->stopping) {
		look_or_say(w, arena);
		sleep_until_next(w);
	}
	arena_free(arena);
	return NULL;
}

struct webhooks *
webhooks_start(const struct parts *parts)
{
	struct webhooks *w = mem_alloc(sizeof(*w));
	pthread_condattr_t attr;

	w->parts = parts;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&w->thread, NULL, work, w) != 0) {
		log_error("jobs", "message=\"no thread for webhooks\"");
		abort();
	}
	return w;
}

void
webhooks_stop(struct webhooks *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_mutex_lock(&w->lock);
	while (w->senders > 0)
		pthread_cond_wait(&w->wake, &w->lock);
	pthread_mutex_unlock(&w->lock);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
