/* The settings of auth, checked once at the start; read by any thread afterwards. */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include <stdbool.h>
#include "base/ctx.h"

struct auth_options {
	bool on; /* false (--auth off): everybody may do everything but manage users */
	const char *
		public_url; /* "https://cairn.example[:port]", as browsers see us; NULL: loopback only. Copied */
};

/*
 * Before the first request and before any other call here; hash_setup() has been called. Takes some 30 ms for the hash
 * that stands for unknown users. INVALID with a sentence when public_url is none; an http:// one leaves a warning in the log.
 */
enum status auth_setup(struct ctx *cx, const struct auth_options *options) must_check;
void auth_fini(void); /* wipes and frees; nobody may call here any more */

bool auth_on(void);
const char *auth_public_url(void); /* without a trailing slash; NULL: none */
bool auth_is_https(void);          /* the public URL is an https:// one: cookies are Secure */

#endif
