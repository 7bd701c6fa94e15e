/*
 * Rows of user_account, token and session. No rules here: auth/ decides, these write and read.
 * Times are the server's clock. What is read lives in the arena of the transaction's ctx.
 */
#ifndef STORE_ACCOUNTS_H
#define STORE_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/hash.h"
#include "domain/account.h"
#include "store/tx.h"

/* A user with what a sign-in needs to know. */
struct user_secret {
	struct user user;
	const char *password; /* argon2id PHC string; NULL: no sign-in by password */
	int64_t password_unix_ms;
	int64_t failed_count; /* wrong passwords in a row */
	int64_t failed_unix_ms;
};

/* Whom a token or a session stands for. */
struct credential {
	struct user user;
	int64_t token_id;        /* 0: a session */
	int64_t expires_unix_ms; /* 0: never */
	int64_t used_unix_ms;    /* when it was last seen; 0: not yet */
};

struct user_insert {
	const char *name;
	const char *password;
	bool is_admin;
	int64_t now_unix_ms;
};

struct token_insert {
	int64_t user_id;
	const uint8_t *hash; /* SHA256_BYTES */
	const char *name;
	int64_t now_unix_ms;
	bool has_expires_unix_ms;
	int64_t expires_unix_ms;
};

/* ALREADY_EXISTS with a sentence when the name is taken. */
enum status store_user_insert(struct tx *tx, const struct user_insert *in, struct user *out) must_check;
enum status store_user_find(struct tx *tx, const char *name, struct user_secret *out, bool *found) must_check;
/* The same by id, the row locked until the transaction ends. */
enum status store_user_lock(struct tx *tx, int64_t user_id, struct user_secret *out, bool *found) must_check;
enum status store_user_list(struct tx *tx, struct user **out, size_t *n) must_check; /* by name */
/* Ids of the administrators who may come in, locked until the transaction ends: for the rule of the last one. */
enum status store_user_admins_lock(struct tx *tx, int64_t **out, size_t *n) must_check;
/* Also forgets wrong passwords; sessions begun before now are over. */
enum status store_user_password(
	struct tx *tx, int64_t user_id, const char *password, int64_t now_unix_ms) must_check;
/* The same password at today's cost; nothing happens when it was changed meanwhile. */
enum status store_user_rehash(
	struct tx *tx, int64_t user_id, const char *old, const char *password) must_check;
enum status store_user_update(
	struct tx *tx, int64_t user_id, bool is_admin, bool disabled, struct user *out) must_check;
enum status store_user_delete(struct tx *tx, int64_t user_id) must_check;
/* One more wrong password; older ones than forget_ms do not count. Not flushed: a crash may lose it. */
enum status store_user_failed(
	struct tx *tx, int64_t user_id, int64_t now_unix_ms, int64_t forget_ms) must_check;
enum status store_user_clear_failed(struct tx *tx, int64_t user_id) must_check;

enum status store_token_insert(
	struct tx *tx, const struct token_insert *in, struct user_token *out) must_check;
/* Not found when revoked, expired, or its user is disabled. */
enum status store_token_find(struct tx *tx, const uint8_t hash[SHA256_BYTES], int64_t now_unix_ms,
	struct credential *out, bool *found) must_check;
enum status store_token_list(struct tx *tx, int64_t user_id, struct user_token **out, size_t *n) must_check;
enum status store_token_revoke(struct tx *tx, int64_t user_id, int64_t token_id, bool *found) must_check;
enum status store_token_touch(
	struct tx *tx, int64_t token_id, int64_t now_unix_ms) must_check; /* not flushed */

enum status store_session_insert(struct tx *tx, const uint8_t hash[SHA256_BYTES], int64_t user_id,
	int64_t now_unix_ms, int64_t expires_unix_ms) must_check;
/* Not found when over: expired, idle for idle_ms, begun before the password was set, or its user is disabled. */
enum status store_session_find(struct tx *tx, const uint8_t hash[SHA256_BYTES], int64_t now_unix_ms,
	int64_t idle_ms, struct credential *out, bool *found) must_check;
enum status store_session_touch(
	struct tx *tx, const uint8_t hash[SHA256_BYTES], int64_t now_unix_ms) must_check; /* not flushed */
enum status store_session_delete(struct tx *tx, const uint8_t hash[SHA256_BYTES]) must_check;
enum status store_session_delete_user(struct tx *tx, int64_t user_id) must_check; /* all of a user's */
/* Those that are over, anybody's; and of this user all but the newest `keep`. */
enum status store_session_sweep(
	struct tx *tx, int64_t now_unix_ms, int64_t idle_ms, int64_t user_id, int64_t keep) must_check;

#endif
