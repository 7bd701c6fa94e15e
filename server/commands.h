/* The commands beside serve. Each returns an exit code and says on standard error, in one sentence, what failed. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "config.h"
#include "database.h"

int command_migrate(const struct config *c);
int command_account(const struct config *c); /* user …, token … */

/* Has SIGTERM or SIGINT come? They are blocked and stay pending. */
bool stop_asked(void);

/* A user who is made with a random password: 20 characters and the NUL. */
#define RANDOM_PASSWORD 21
void random_password(char out[RANDOM_PASSWORD]);

#endif
