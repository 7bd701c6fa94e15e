#include "domain/world.h"

#include "base/box.h"
#include "domain/registry.h"
#include "domain/webhook.h"
#include "outbound/outbound.h"

static const uint8_t key[BOX_KEY_BYTES] = { 7 };

/* A world whose webhooks may go to a port of loopback where nobody listens. */
static struct world
start(void **state)
{
	static const char *const allow[] = { "127.0.0.0/8" };
	struct world w = world_start(state);
	char error[200];

	w.t->parts.outbound = outbound_new(allow, 1, error, sizeof(error));
	w.t->parts.box = box_new(key);
	assert_non_null(w.t->parts.outbound);
	return w;
}

static void
stop(struct world *w)
{
	outbound_free((struct outbound *)(uintptr_t)w->t->parts.outbound);
	box_free((struct box *)(uintptr_t)w->t->parts.box);
	world_stop(w);
}

static struct webhook
new_webhook(struct world *w, const char *name)
{
	const struct webhook_event created = { "REGISTERED_MODEL", "CREATED" };
	const struct webhook_change in = { .name = name,
		.url = "http://127.0.0.1:1/",
		.events = &created,
		.event_count = 1,
		.secret = "s" };
	struct webhook out;

	ok(w, webhook_create(w->cx, &in, &out));
	return out;
}

static void
new_model(struct world *w, const char *name)
{
	struct model m;

	ok(w, model_create(w->cx, name, NULL, NULL, 0, &m));
}

static size_t
claim(struct world *w, size_t most, struct delivery **out)
{
	size_t n = 0;

	ok(w, webhook_claim(w->cx, most, out, &n));
	return n;
}

static size_t
fan_out(struct world *w)
{
	size_t n = 0;

	ok(w, webhook_fan_out(w->cx, &n));
	return n;
}

static void
each_webhook_gets_a_delivery_of_its_own_and_nobody_else_none(void **state)
{
	struct world w = start(state);

	new_model(&w, "unheard");
	assert_int_equal(fan_out(&w), 1);
	assert_int_equal(world_number(&w, "SELECT count(*) FROM cairn.webhook_delivery"), 0);
	(void)new_webhook(&w, "a");
	(void)new_webhook(&w, "b");
	new_model(&w, "heard");
	assert_int_equal(fan_out(&w), 1);
	assert_int_equal(fan_out(&w), 0);
	assert_int_equal(world_number(&w, "SELECT count(*) FROM cairn.outbox"), 0);
	assert_int_equal(world_number(&w, "SELECT count(DISTINCT uuid) FROM cairn.webhook_delivery"), 2);
	stop(&w);
}

static void
a_webhook_is_sent_to_by_one_at_a_time_in_order(void **state)
{
	struct world w = start(state);
	struct delivery *first, *other, *second;

	(void)new_webhook(&w, "a");
	new_model(&w, "m1");
	new_model(&w, "m2");
	(void)fan_out(&w);
	assert_int_equal(claim(&w, 16, &first), 1);
	assert_non_null(strstr(first->data_json, "m1"));
	assert_int_equal(first->attempts, 1);
	assert_int_equal(claim(&w, 16, &other), 0);

	/* whoever had it was lost: after its time another one takes it up; if the lost one comes back, it lets nobody in */
	(void)pg_sql(w.t, "UPDATE cairn.webhook SET busy_until_unix_ms = 1");
	assert_int_equal(claim(&w, 16, &second), 1);
	assert_string_equal(second->uuid, first->uuid);
	assert_int_equal(second->attempts, 2);
	first->lease_unix_ms -= 1;
	ok(&w, webhook_deliver(w.cx, first, &(atomic_bool){ false }));
	assert_int_equal(claim(&w, 16, &other), 0);
	ok(&w, webhook_deliver(w.cx, second, &(atomic_bool){ false }));
	assert_int_equal(claim(&w, 16, &other), 1);
	assert_non_null(strstr(other->data_json, "m2"));
	stop(&w);
}

static void *
claim_all(void *arg)
{
	struct worker *k = arg;
	struct delivery *d;
	size_t n, *total = k->arg;

	k->st = OK;
	for (int i = 0; i < 30 && k->st == OK; i++) {
		k->st = webhook_claim(&k->cx, 3, &d, &n);
		*total += n;
	}
	return NULL;
}

static void
servers_do_not_take_each_others_deliveries(void **state)
{
	struct world w = start(state);
	struct worker k[3];
	size_t total[3] = { 0 };

	for (int i = 0; i < 20; i++)
		(void)new_webhook(&w, "a");
	new_model(&w, "m");
	(void)fan_out(&w);
	for (int i = 0; i < 3; i++)
		worker_start(&k[i], &w, claim_all, &total[i]);
	for (int i = 0; i < 3; i++) {
		worker_end(&k[i]);
		assert_int_equal(k[i].st, OK);
	}
	assert_int_equal(total[0] + total[1] + total[2], 20);
	assert_int_equal(world_number(&w, "SELECT max(attempts) FROM cairn.webhook_delivery"), 1);
	assert_int_equal(world_number(&w, "SELECT min(attempts) FROM cairn.webhook_delivery"), 1);
	stop(&w);
}

static void
it_is_given_up_after_the_last_attempt_and_forgotten_later(void **state)
{
	struct world w = start(state);
	struct delivery *d;

	(void)new_webhook(&w, "a");
	new_model(&w, "m");
	(void)fan_out(&w);
	for (int i = 1; i <= WEBHOOK_ATTEMPTS; i++) {
		assert_int_equal(
			world_number(&w, "SELECT count(given_up_unix_ms) FROM cairn.webhook_delivery"), 0);
		assert_int_equal(claim(&w, 1, &d), 1);
		ok(&w, webhook_deliver(w.cx, d, &(atomic_bool){ false }));
		assert_int_equal(world_number(&w, "SELECT attempts FROM cairn.webhook_delivery"), i);
		(void)pg_sql(w.t, "UPDATE cairn.webhook_delivery SET next_unix_ms = 0");
	}
	assert_int_equal(claim(&w, 1, &d), 0);
	assert_non_null(strstr(pg_sql(w.t, "SELECT last_error FROM cairn.webhook_delivery"), "onnect"));
	ok(&w, webhook_sweep(w.cx));
	assert_int_equal(world_number(&w, "SELECT count(given_up_unix_ms) FROM cairn.webhook_delivery"), 1);
	(void)pg_sql(w.t, "UPDATE cairn.webhook_delivery SET given_up_unix_ms = 1");
	ok(&w, webhook_sweep(w.cx));
	assert_int_equal(world_number(&w, "SELECT count(*) FROM cairn.webhook_delivery"), 0);
	stop(&w);
}

static void
an_attempt_that_we_break_off_does_not_count(void **state)
{
	struct world w = start(state);
	struct delivery *d;

	(void)new_webhook(&w, "a");
	new_model(&w, "m");
	(void)fan_out(&w);
	assert_int_equal(claim(&w, 1, &d), 1);
	ok(&w, webhook_deliver(w.cx, d, &(atomic_bool){ true }));
	assert_int_equal(world_number(&w, "SELECT attempts FROM cairn.webhook_delivery"), 0);
	assert_int_equal(claim(&w, 1, &d), 1);
	stop(&w);
}

static void
pauses_double_up_to_a_minute_and_grow_when_asked(void **state)
{
	(void)state;
	for (int64_t i = 1; i <= 6; i++)
		assert_int_equal(webhook_backoff_ms(i, 0, 0), 1000 << (i - 1));
	assert_int_equal(webhook_backoff_ms(7, 0, 0), 60000);
	assert_int_equal(webhook_backoff_ms(1000, 0, 0), 60000);
	assert_int_equal(webhook_backoff_ms(0, 0, 0), 1000);
	assert_in_range(webhook_backoff_ms(1, 0, UINT64_MAX), 1000, 1999);
	assert_int_equal(webhook_backoff_ms(1, 90, 0), 90000);
	assert_int_equal(webhook_backoff_ms(5, 3, 0), 16000);
	assert_int_equal(webhook_backoff_ms(1, INT64_MAX, 0), 3600000);
}

world_main(pg_test(each_webhook_gets_a_delivery_of_its_own_and_nobody_else_none),
	pg_test(a_webhook_is_sent_to_by_one_at_a_time_in_order),
	pg_test(servers_do_not_take_each_others_deliveries),
	pg_test(it_is_given_up_after_the_last_attempt_and_forgotten_later),
	pg_test(an_attempt_that_we_break_off_does_not_count),
	cmocka_unit_test(pauses_double_up_to_a_minute_and_grow_when_asked))
