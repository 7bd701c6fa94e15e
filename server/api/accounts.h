/* Sign-in, one's own account, tokens, users: JSON to and from auth/account.h. All of them run on a worker. */
#ifndef API_ACCOUNTS_H
#define API_ACCOUNTS_H

#include "base/jsonw.h"
#include "http/route.h"

handler_fn api_login;        /* POST /api/v1/login {username, password}; PUBLIC */
handler_fn api_logout;       /* POST /api/v1/logout */
handler_fn api_me;           /* GET /api/v1/me */
handler_fn api_me_password;  /* PUT /api/v1/me/password {current_password, password} */
handler_fn api_token_list;   /* GET /api/v1/tokens */
handler_fn api_token_create; /* POST /api/v1/tokens {name, expires_in_days?} */
handler_fn api_token_revoke; /* DELETE /api/v1/tokens/{id} */
handler_fn api_user_list;    /* GET /api/v1/users; ADMIN, as the rest */
handler_fn api_user_create;  /* POST /api/v1/users {username, password, is_admin?} */
handler_fn api_user_update;  /* PATCH /api/v1/users/{username} {password?, is_admin?, disabled?} */
handler_fn api_user_delete;  /* DELETE /api/v1/users/{username} */

/* The member "user": who is asking, or null when nobody signed in. */
void api_write_caller(struct jsonw *w, const struct ctx *cx);

#endif
