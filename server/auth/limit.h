/*
 * How fast passwords may be guessed. Only wrong ones count. The pause of an account is kept in its row, shared by all
 * servers; those of addresses, of networks and of names that nobody has are kept here, in tables of fixed size under
 * a keyed hash. Any thread; never blocks for long.
 */
#ifndef AUTH_LIMIT_H
#define AUTH_LIMIT_H

#include <stdint.h>

#define AUTH_LIMIT_FORGET_MS (24 * 3600 * (int64_t)1000) /* failures older than this do not count */

void auth_limit_setup(void); /* nothing remembered */

/* The rule of an account: how long to wait yet. 0: go on. From the fifth failure 1 s, doubled with each up to 15 min. */
int64_t auth_limit_pause_ms(int64_t failed_count, int64_t failed_unix_ms, int64_t now_unix_ms);
/* The same for a name that no user has, so that it behaves like one that has. */
int64_t auth_limit_name_ms(const char *name, int64_t now_unix_ms);
void auth_limit_name_failed(const char *name, int64_t now_unix_ms);

/* How long whoever calls from this address must wait yet: for its own sake, its /64's, or everybody's. 0: go on. */
int64_t auth_limit_address_ms(const char *address, int64_t now_mono_ms);
void auth_limit_address_failed(const char *address, int64_t now_mono_ms);

#endif
