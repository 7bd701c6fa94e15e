#include "auth/password.h"

#include <argon2.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "auth/common.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/utf8.h"

#define SALT_BYTES 16
#define HASH_BYTES 32
#define INSIDE     2
#define WAITING    16
#define WAIT_MS    10000

static struct password_cost cost = { 19456, 2, 1 };
static char dummy[PASSWORD_PHC]; /* of a password that nobody knows; written once, at the start */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t left;
	int inside;
	int waiting;
} gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 };

enum status
password_setup(struct ctx *cx, const struct password_cost *given)
{
	static const struct password_cost usual = { 19456, 2, 1 };
	char nobody[PASSWORD_RANDOM];
	enum status st;

	cost = given != NULL ? *given : usual;
	password_random(nobody);
	st = password_hash(cx, nobody, dummy);
	wipe(nobody, sizeof(nobody));
	return st;
}

enum status
password_rules(struct ctx *cx, const char *password, const char *user_name)
{
	size_t len = strlen(password);

	if (len > PASSWORD_MOST)
		return fail(cx, INVALID, "the password must be at most %d bytes long", PASSWORD_MOST);
	if (!utf8_valid(password, len))
		return fail(cx, INVALID, "the password must be valid UTF-8");
	if (utf8_count(password, len) < PASSWORD_LEAST)
		return fail(cx, INVALID, "the password must be at least %d characters long", PASSWORD_LEAST);
	if (password_is_common(password, user_name))
		return fail(cx, INVALID,
			"the password is too easy to guess: it is a common one, or made of a name or one "
			"pattern");
	return OK;
}

/* ---- the gate ---- */

static struct timespec
gate_deadline(const struct ctx *cx)
{
	int64_t wait = WAIT_MS, at;

	if (cx->deadline_mono_ms != 0 && cx->deadline_mono_ms - clock_mono_ms() < wait)
		wait = cx->deadline_mono_ms - clock_mono_ms();
	at = clock_mono_ms() + (wait > 0 ? wait : 0);
	return (struct timespec){ .tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000 };
}

static bool
gate_wait(const struct ctx *cx)
{
	struct timespec until = gate_deadline(cx);
	int error = 0;

	gate.waiting++;
	while (gate.inside >= INSIDE && error != ETIMEDOUT)
		error = pthread_cond_clockwait(&gate.left, &gate.lock, CLOCK_MONOTONIC, &until);
	gate.waiting--;
	return gate.inside < INSIDE;
}

enum status
password_enter(struct ctx *cx)
{
	bool in = true;

	pthread_mutex_lock(&gate.lock);
	if (gate.inside >= INSIDE)
		in = gate.waiting < WAITING && gate_wait(cx);
	if (in)
		gate.inside++;
	pthread_mutex_unlock(&gate.lock);
	return in ? OK : fail(cx, UNAVAILABLE, "too many are signing in at once; try again in a moment");
}

void
password_leave(void)
{
	pthread_mutex_lock(&gate.lock);
	gate.inside--;
	pthread_cond_signal(&gate.left);
	pthread_mutex_unlock(&gate.lock);
}

/* ---- the hash ---- */

enum status
password_hash(struct ctx *cx, const char *password, char phc[PASSWORD_PHC])
{
	uint8_t salt[SALT_BYTES];
	int error;

	random_bytes(salt, sizeof(salt));
	error = argon2id_hash_encoded(cost.passes, cost.memory_kib, cost.lanes, password, strlen(password),
		salt, sizeof(salt), HASH_BYTES, phc, PASSWORD_PHC);
	if (error == ARGON2_MEMORY_ALLOCATION_ERROR)
		return fail(
			cx, UNAVAILABLE, "there is no memory for a password's hash; try again in a moment");
	if (error != ARGON2_OK)
		return fail(cx, INTERNAL, "argon2: %s", argon2_error_message(error));
	return OK;
}

static bool
is_weak(const char *phc)
{
	unsigned m = 0, t = 0, p = 0;
	int end = 0;

	if (sscanf(phc, "$argon2id$v=19$m=%9u,t=%9u,p=%9u$%n", &m, &t, &p, &end) != 3 || end == 0)
		return true;
	return m < cost.memory_kib || t < cost.passes || p < cost.lanes;
}

enum status
password_verify(struct ctx *cx, const char *phc, const char *password, bool *right, bool *weak)
{
	size_t len = strlen(password);
	int error;

	*right = *weak = false;
	if (len > PASSWORD_MOST)
		return OK;
	error = argon2id_verify(phc != NULL ? phc : dummy, password, len);
	if (error == ARGON2_MEMORY_ALLOCATION_ERROR)
		return fail(
			cx, UNAVAILABLE, "there is no memory for a password's hash; try again in a moment");
	if (error != ARGON2_OK && error != ARGON2_VERIFY_MISMATCH)
		return fail(cx, INTERNAL, "argon2: %s", argon2_error_message(error));
	*right = phc != NULL && error == ARGON2_OK;
	*weak = *right && is_weak(phc);
	return OK;
}

enum status
password_make(struct ctx *cx, const char *password, char phc[PASSWORD_PHC])
{
	enum status st = password_enter(cx);

	if (st != OK)
		return st;
	st = password_hash(cx, password, phc);
	password_leave();
	return st;
}

void
password_random(char out[PASSWORD_RANDOM])
{
	/* 58 of them: none that look alike */
	static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
	const size_t n = sizeof(letters) - 1;
	uint8_t byte;

	for (size_t i = 0; i < PASSWORD_RANDOM - 1;) {
		random_bytes(&byte, 1);
		if (byte < 256 / n * n)
			out[i++] = letters[byte % n];
	}
	out[PASSWORD_RANDOM - 1] = '\0';
}

void
password_wipe(const char *password)
{
	char *writable;

	if (password == NULL)
		return;
	memcpy(&writable, &password, sizeof(writable));
	wipe(writable, strlen(writable));
}
