/*
 * Passwords: argon2id as PHC strings ("$argon2id$v=19$m=19456,t=2,p=1$salt$hash"), what a good one is, and the gate
 * that keeps the expensive hash from being a way to stop the server. Any thread but an event loop.
 */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include <stdbool.h>
#include <stdint.h>
#include "base/ctx.h"

#define PASSWORD_LEAST  12   /* characters; MLflow's rule for its users too */
#define PASSWORD_MOST   1024 /* bytes */
#define PASSWORD_PHC    160  /* room for a PHC string */
#define PASSWORD_RANDOM 25   /* room for a random password */

struct password_cost {
	uint32_t memory_kib;
	uint32_t passes;
	uint32_t lanes;
};

/* NULL: 19,456 KiB, 2 passes, 1 lane. Makes the hash that stands for users who do not exist. */
enum status password_setup(struct ctx *cx, const struct password_cost *cost) must_check;

/* INVALID with a sentence: too short, too long, common, or made of the user's name. */
enum status password_rules(struct ctx *cx, const char *password, const char *user_name) must_check;

/*
 * The gate: two inside, sixteen waiting, more is UNAVAILABLE. Never enter while holding a connection: who is inside may
 * be waiting for one.
 */
enum status password_enter(struct ctx *cx) must_check;
void password_leave(void);

/* Inside the gate. */
enum status password_hash(struct ctx *cx, const char *password, char phc[PASSWORD_PHC]) must_check;
/* phc NULL: never right, and takes as long. *weak: right, but at a lower cost than today's. */
enum status password_verify(
	struct ctx *cx, const char *phc, const char *password, bool *right, bool *weak) must_check;

/* Enter, hash, leave. */
enum status password_make(struct ctx *cx, const char *password, char phc[PASSWORD_PHC]) must_check;

void password_random(char out[PASSWORD_RANDOM]); /* 24 letters and digits, 140 bits */
void password_wipe(
	const char *password); /* text in memory that is really writable (an arena's); NULL is fine */

#endif
