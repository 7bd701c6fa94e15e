/* The folder of the socket is the lock on the door: 0700, the owner's alone. */
#include "postgres/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/hash.h"

#define SOCKET_NAME "/.s.PGSQL.5432"
#define SOCKET_MOST 107

/* libpq takes a comma in a host for the start of the next one. */
static bool
fits(const char *path)
{
	return strlen(path) + strlen(SOCKET_NAME) <= SOCKET_MOST && strchr(path, ',') == NULL;
}

/* The same name at each start, so that nothing piles up; owner_folder() refuses one that somebody else made. */
static bool
folder_under(const char *base, const char *name, const struct owner *owner, char *out, size_t size)
{
	char ignored[256];
	const struct reason why = { ignored, sizeof(ignored) };

	if ((size_t)snprintf(out, size, "%s/cairn-%s", base, name) >= size || !fits(out))
		return false;
	return owner_folder(owner, out, &why) == OK;
}

enum status
socket_folder(const char *folder, const struct owner *owner, char *out, size_t size, const struct reason *why)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	uint8_t sum[SHA256_BYTES];
	char name[17];

	if ((size_t)snprintf(out, size, "%s/run", folder) < size && fits(out))
		return owner_folder(owner, out, why);
	sha256_of(folder, strlen(folder), sum);
	hex_encode(name, sum, 8);
	if (!owner->drop && runtime != NULL && runtime[0] == '/' &&
		folder_under(runtime, name, owner, out, size))
		return OK;
	if (folder_under("/tmp", name, owner, out, size))
		return OK;
	(void)snprintf(out, size, "/tmp/cairn-XXXXXX");
	if (mkdtemp(out) == NULL)
		return refuse(why,
			"no folder for PostgreSQL's socket could be made in /tmp, and %s is too deep for one",
			folder);
	return owner_folder(owner, out, why);
}

void
socket_conninfo(const char *socket_folder, char *out, size_t size)
{
	char quoted[2 * PATH_MAX];
	size_t n = 0;

	for (const char *c = socket_folder; *c != '\0' && n + 3 < sizeof(quoted); c++) {
		if (*c == '\'' || *c == '\\')
			quoted[n++] = '\\';
		quoted[n++] = *c;
	}
	quoted[n] = '\0';
	(void)snprintf(out, size, "host='%s' port=5432 user=cairn dbname=postgres", quoted);
}
