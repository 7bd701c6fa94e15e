#include "domain/health.h"

#include "store/pool.h"

bool
health_database(const struct parts *parts)
{
	return pool_healthy(parts->pool);
}

int
health_database_version(const struct parts *parts)
{
	return pool_server_version(parts->pool);
}
