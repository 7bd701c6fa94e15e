/* Which of the installed PostgreSQL versions to run. */
#include "postgres/parts.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

struct search {
	int wanted; /* 0: the newest */
	struct programs *best;
	struct buf seen; /* "13, 15" */
};

static int
program_version(const char *postgres)
{
	char command[PATH_MAX + 16], line[128] = "";
	const char *at;
	FILE *f;

	if (strchr(postgres, '\'') != NULL)
		return 0;
	(void)snprintf(command, sizeof(command), "'%s' --version", postgres);
	f = popen(command, "re");
	if (f == NULL)
		return 0;
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	(void)pclose(f);
	at = strstr(line, "(PostgreSQL) ");
	return at == NULL ? 0 : (int)strtol(at + strlen("(PostgreSQL) "), NULL, 10);
}

static void
consider(struct search *s, const char *folder)
{
	struct programs p = { 0 };

	if ((size_t)snprintf(p.initdb, sizeof(p.initdb), "%s/initdb", folder) >= sizeof(p.initdb) ||
		(size_t)snprintf(p.postgres, sizeof(p.postgres), "%s/postgres", folder) >= sizeof(p.postgres))
		return;
	if (access(p.initdb, X_OK) != 0 || access(p.postgres, X_OK) != 0)
		return;
	p.version = program_version(p.postgres);
	if (p.version == 0)
		return;
	buf_printf(&s->seen, "%s%d", s->seen.len > 0 ? ", " : "", p.version);
	if (s->wanted != 0 ? p.version == s->wanted && s->best->version == 0
			   : p.version >= OLDEST_VERSION && p.version > s->best->version)
		*s->best = p;
}

static void
consider_list(struct search *s, const char *list)
{
	char *copy = mem_str(list), *rest = copy, *folder;

	while (rest != NULL && (folder = strsep(&rest, ":")) != NULL) {
		if (folder[0] == '/')
			consider(s, folder);
	}
	free(copy);
}

static void
consider_packages(struct search *s)
{
	static const char *const patterns[] = { "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
		"/usr/local/pgsql/bin" };
	glob_t found = { 0 };

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		(void)glob(patterns[i], i > 0 ? GLOB_APPEND : 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		consider(s, found.gl_pathv[i]);
	globfree(&found);
	if (s->best->version == 0 && getenv("PATH") != NULL)
		consider_list(s, getenv("PATH"));
}

static enum status
not_found(const struct search *s, const char *cluster, const struct reason *why)
{
	if (s->wanted != 0)
		return refuse(why,
			"%s was made by PostgreSQL %d, which is not installed (installed: %s): install the "
			"package postgresql-%d, or "
			"dump it with version %d and load it into a new folder",
			cluster, s->wanted, s->seen.len > 0 ? s->seen.data : "none", s->wanted, s->wanted);
	if (s->seen.len > 0)
		return refuse(why,
			"PostgreSQL %d or newer is needed (installed: %s): install a newer package, or give "
			"--database",
			OLDEST_VERSION, s->seen.data);
	return refuse(why, "PostgreSQL's programs initdb and postgres were not found in "
			   "/usr/lib/postgresql/*/bin or PATH: "
			   "install the package postgresql, or give --database");
}

enum status
programs_find(
	const char *search, int version, const char *cluster, struct programs *out, const struct reason *why)
{
	struct search s = { .wanted = version, .best = out };
	enum status st = OK;

	memset(out, 0, sizeof(*out));
	buf_init(&s.seen, 256);
	if (search != NULL)
		consider_list(&s, search);
	else
		consider_packages(&s);
	if (out->version == 0)
		st = not_found(&s, cluster, why);
	buf_fini(&s.seen);
	return st;
}
