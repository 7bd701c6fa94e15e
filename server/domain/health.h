/* Whether the parts that everything stands on answer. From memory: never blocks. */
#ifndef DOMAIN_HEALTH_H
#define DOMAIN_HEALTH_H

#include <stdbool.h>
#include "base/ctx.h"

bool health_database(const struct parts *parts);
/* PostgreSQL's version, 150014 for 15.14; 0 before the first connection. */
int health_database_version(const struct parts *parts);

#endif
