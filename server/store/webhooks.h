/* Rows of webhooks and their deliveries. NOT_FOUND comes without a sentence where one row was asked for. */
#ifndef STORE_WEBHOOKS_H
#define STORE_WEBHOOKS_H

#include "domain/webhook.h"
#include "store/tx.h"

enum status store_webhook_insert(struct tx *tx, const struct webhook *w, int64_t now_unix_ms) must_check;
enum status store_webhook_get(struct tx *tx, const char *uuid, struct webhook *out) must_check;
enum status store_webhook_lock(struct tx *tx, const char *uuid, struct webhook *out) must_check;
/* The newest first, after (created, webhook_id). */
enum status store_webhook_list(struct tx *tx, int64_t created_unix_ms, int64_t webhook_id, int64_t limit,
	struct webhook **out, size_t *n) must_check;
enum status store_webhook_update(struct tx *tx, const struct webhook *w, int64_t now_unix_ms) must_check;
enum status store_webhook_delete(struct tx *tx, int64_t webhook_id, int64_t now_unix_ms) must_check;
enum status store_webhook_release(struct tx *tx, const struct delivery *d) must_check;

enum status store_outbox_fan_out(
	struct tx *tx, int64_t now_unix_ms, int64_t most, int64_t *events) must_check;

/* In one transaction, in this order. */
enum status store_webhook_claim(
	struct tx *tx, int64_t now_unix_ms, int64_t most, int64_t **webhook_ids, size_t *n) must_check;
struct delivery_claim {
	const int64_t *webhook_ids;
	size_t n;
	int64_t now_unix_ms, until_unix_ms;
};
enum status store_delivery_claim(
	struct tx *tx, const struct delivery_claim *claim, struct delivery **out, size_t *n) must_check;

enum status store_delivery_done(struct tx *tx, int64_t delivery_id) must_check;
struct delivery_failure {
	int64_t next_unix_ms, now_unix_ms;
	bool give_up;
	int status; /* 0: none came */
	const char *error;
};
enum status store_delivery_failed(
	struct tx *tx, int64_t delivery_id, const struct delivery_failure *f) must_check;
enum status store_delivery_postpone(struct tx *tx, int64_t delivery_id) must_check;
enum status store_delivery_drop(struct tx *tx, int64_t webhook_id) must_check;
enum status store_delivery_sweep(struct tx *tx, int64_t before_unix_ms) must_check;

#endif
