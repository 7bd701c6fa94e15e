/* Whether the parts that everything stands on answer. From memory: never blocks. */
#ifndef DOMAIN_HEALTH_H
#define DOMAIN_HEALTH_H

#include <stdbool.h>
#include "base/ctx.h"

bool health_database(const struct parts *parts);

#endif
