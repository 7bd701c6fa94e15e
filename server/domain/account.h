/* Who may come in: a user, and the tokens that speak for one. */
#ifndef DOMAIN_ACCOUNT_H
#define DOMAIN_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

struct user {
	int64_t user_id;
	const char *name;
	bool is_admin;
	bool disabled; /* may not come in, by whatever credential; what he made stays his */
	int64_t created_unix_ms;
};

/* All but the token itself, which is shown once and never kept. */
struct user_token {
	int64_t token_id;
	const char *name;
	int64_t created_unix_ms;
	bool has_expires_unix_ms; /* false: never */
	int64_t expires_unix_ms;
	bool has_last_used_unix_ms; /* false: not yet */
	int64_t last_used_unix_ms;  /* to the minute */
};

#endif
