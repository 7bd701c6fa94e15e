#include "store/accounts.h"

#include "store/query.h"
#include "store/sql.h"

static enum status
user_from_row(struct row *row, void *out)
{
	struct user *u = out;

	u->user_id = row_int8(row, "user_id");
	u->name = row_text(row, "name");
	u->is_admin = row_bool(row, "is_admin");
	u->disabled = row_bool(row, "disabled");
	u->created_unix_ms = row_int8(row, "created_unix_ms");
	return OK;
}

static enum status
secret_from_row(struct row *row, void *out)
{
	struct user_secret *s = out;

	s->password = row_text(row, "password");
	s->password_unix_ms = row_int8(row, "password_unix_ms");
	s->failed_count = row_int8(row, "failed_count");
	s->failed_unix_ms = row_int8(row, "failed_unix_ms");
	return user_from_row(row, &s->user);
}

static enum status
token_from_row(struct row *row, void *out)
{
	struct user_token *t = out;

	t->token_id = row_int8(row, "token_id");
	t->name = row_text(row, "name");
	t->created_unix_ms = row_int8(row, "created_unix_ms");
	t->has_expires_unix_ms = !row_null(row, "expires_unix_ms");
	t->expires_unix_ms = row_int8(row, "expires_unix_ms");
	t->has_last_used_unix_ms = !row_null(row, "last_used_unix_ms");
	t->last_used_unix_ms = row_int8(row, "last_used_unix_ms");
	return OK;
}

static enum status
credential_from_row(struct row *row, void *out)
{
	struct credential *c = out;

	c->token_id = row_int8(row, "token_id");
	c->expires_unix_ms = row_int8(row, "expires_unix_ms");
	c->used_unix_ms = row_int8(row, "used_unix_ms");
	return user_from_row(row, &c->user);
}

enum status
store_user_insert(struct tx *tx, const struct user_insert *in, struct user *out)
{
	struct query q;
	enum status st;

	query_init(&q, tx, &SQL_user_insert);
	query_text(&q, in->name);
	query_text(&q, in->password);
	query_bool(&q, in->is_admin);
	query_int8(&q, in->now_unix_ms);
	st = query_one(&q, user_from_row, out);
	if (st == ALREADY_EXISTS)
		return fail(tx_ctx(tx), st, "there is already a user \"%s\"", in->name);
	return st;
}

enum status
store_user_find(struct tx *tx, const char *name, struct user_secret *out, bool *found)
{
	struct query q;

	query_init(&q, tx, &SQL_user_by_name);
	query_text(&q, name);
	return query_maybe(&q, secret_from_row, out, found);
}

enum status
store_user_lock(struct tx *tx, int64_t user_id, struct user_secret *out, bool *found)
{
	struct query q;

	query_init(&q, tx, &SQL_user_lock);
	query_int8(&q, user_id);
	return query_maybe(&q, secret_from_row, out, found);
}

enum status
store_user_list(struct tx *tx, struct user **out, size_t *n)
{
	struct query q;

	query_init(&q, tx, &SQL_user_list);
	return query_list(&q, user_from_row, sizeof(struct user), out, n);
}

enum status
store_user_admins_lock(struct tx *tx, int64_t **out, size_t *n)
{
	struct query q;

	query_init(&q, tx, &SQL_user_admins_lock);
	return query_list(&q, row_read_int8, sizeof(int64_t), out, n);
}

enum status
store_user_password(struct tx *tx, int64_t user_id, const char *password, int64_t now_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_user_password);
	query_int8(&q, user_id);
	query_text(&q, password);
	query_int8(&q, now_unix_ms);
	return query_run(&q, NULL);
}

enum status
store_user_rehash(struct tx *tx, int64_t user_id, const char *old, const char *password)
{
	struct query q;

	query_init(&q, tx, &SQL_user_rehash);
	query_int8(&q, user_id);
	query_text(&q, old);
	query_text(&q, password);
	return query_run(&q, NULL);
}

enum status
store_user_update(struct tx *tx, int64_t user_id, bool is_admin, bool disabled, struct user *out)
{
	struct query q;

	query_init(&q, tx, &SQL_user_update);
	query_int8(&q, user_id);
	query_bool(&q, is_admin);
	query_bool(&q, disabled);
	return query_one(&q, user_from_row, out);
}

enum status
store_user_delete(struct tx *tx, int64_t user_id)
{
	struct query q;

	query_init(&q, tx, &SQL_user_delete);
	query_int8(&q, user_id);
	return query_run(&q, NULL);
}

enum status
store_user_failed(struct tx *tx, int64_t user_id, int64_t now_unix_ms, int64_t forget_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_user_failed);
	query_int8(&q, user_id);
	query_int8(&q, now_unix_ms);
	query_int8(&q, forget_ms);
	return query_run(&q, NULL);
}

enum status
store_user_clear_failed(struct tx *tx, int64_t user_id)
{
	struct query q;

	query_init(&q, tx, &SQL_user_clear_failed);
	query_int8(&q, user_id);
	return query_run(&q, NULL);
}

enum status
store_token_insert(struct tx *tx, const struct token_insert *in, struct user_token *out)
{
	struct query q;

	query_init(&q, tx, &SQL_token_insert);
	query_int8(&q, in->user_id);
	query_bytea(&q, in->hash, SHA256_BYTES);
	query_text(&q, in->name);
	query_int8(&q, in->now_unix_ms);
	query_int8_or_null(&q, in->has_expires_unix_ms, in->expires_unix_ms);
	return query_one(&q, token_from_row, out);
}

enum status
store_token_find(struct tx *tx, const uint8_t hash[SHA256_BYTES], int64_t now_unix_ms, struct credential *out,
	bool *found)
{
	struct query q;

	query_init(&q, tx, &SQL_token_find);
	query_bytea(&q, hash, SHA256_BYTES);
	query_int8(&q, now_unix_ms);
	return query_maybe(&q, credential_from_row, out, found);
}

enum status
store_token_list(struct tx *tx, int64_t user_id, struct user_token **out, size_t *n)
{
	struct query q;

	query_init(&q, tx, &SQL_token_list);
	query_int8(&q, user_id);
	return query_list(&q, token_from_row, sizeof(struct user_token), out, n);
}

enum status
store_token_revoke(struct tx *tx, int64_t user_id, int64_t token_id, bool *found)
{
	struct query q;
	int64_t affected = 0;
	enum status st;

	query_init(&q, tx, &SQL_token_revoke);
	query_int8(&q, user_id);
	query_int8(&q, token_id);
	st = query_run(&q, &affected);
	*found = affected > 0;
	return st;
}

enum status
store_token_touch(struct tx *tx, int64_t token_id, int64_t now_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_token_touch);
	query_int8(&q, token_id);
	query_int8(&q, now_unix_ms);
	return query_run(&q, NULL);
}

enum status
store_session_insert(struct tx *tx, const uint8_t hash[SHA256_BYTES], int64_t user_id, int64_t now_unix_ms,
	int64_t expires_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_session_insert);
	query_bytea(&q, hash, SHA256_BYTES);
	query_int8(&q, user_id);
	query_int8(&q, now_unix_ms);
	query_int8(&q, expires_unix_ms);
	return query_run(&q, NULL);
}

enum status
store_session_find(struct tx *tx, const uint8_t hash[SHA256_BYTES], int64_t now_unix_ms, int64_t idle_ms,
	struct credential *out, bool *found)
{
	struct query q;

	query_init(&q, tx, &SQL_session_find);
	query_bytea(&q, hash, SHA256_BYTES);
	query_int8(&q, now_unix_ms);
	query_int8(&q, idle_ms);
	return query_maybe(&q, credential_from_row, out, found);
}

enum status
store_session_touch(struct tx *tx, const uint8_t hash[SHA256_BYTES], int64_t now_unix_ms)
{
	struct query q;

	query_init(&q, tx, &SQL_session_touch);
	query_bytea(&q, hash, SHA256_BYTES);
	query_int8(&q, now_unix_ms);
	return query_run(&q, NULL);
}

enum status
store_session_delete(struct tx *tx, const uint8_t hash[SHA256_BYTES])
{
	struct query q;

	query_init(&q, tx, &SQL_session_delete);
	query_bytea(&q, hash, SHA256_BYTES);
	return query_run(&q, NULL);
}

enum status
store_session_delete_user(struct tx *tx, int64_t user_id)
{
	struct query q;

	query_init(&q, tx, &SQL_session_delete_user);
	query_int8(&q, user_id);
	return query_run(&q, NULL);
}

enum status
store_session_sweep(struct tx *tx, int64_t now_unix_ms, int64_t idle_ms, int64_t user_id, int64_t keep)
{
	struct query q;

	query_init(&q, tx, &SQL_session_sweep);
	query_int8(&q, now_unix_ms);
	query_int8(&q, idle_ms);
	query_int8(&q, user_id);
	query_int8(&q, keep);
	return query_run(&q, NULL);
}
