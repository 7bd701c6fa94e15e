/* What PostgreSQL says, kept small, and quoted when it does not start. */
#include "postgres/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/log.h"
#include "base/str.h"

#define ROTATE_BYTES (1024 * 1024)
#define EMPTY_BYTES  (16 * 1024 * 1024)

static int64_t
file_bytes(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? (int64_t)st.st_size : 0;
}

static int
open_append(const char *path)
{
	return open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

enum status
logfile_open(struct logfile *l, const char *folder, const struct reason *why)
{
	char older[PATH_MAX];

	(void)snprintf(l->path, sizeof(l->path), "%s/postgres.log", folder);
	l->fd = open_append(l->path);
	if (l->fd >= 0 && file_bytes(l->fd) > ROTATE_BYTES &&
		snprintf(older, sizeof(older), "%s.1", l->path) < PATH_MAX && rename(l->path, older) == 0) {
		close(l->fd);
		l->fd = open_append(l->path);
	}
	if (l->fd < 0)
		return refuse(why, "PostgreSQL's log %s cannot be opened: %s", l->path, strerror(errno));
	l->start = file_bytes(l->fd);
	return OK;
}

void
logfile_close(struct logfile *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

void
logfile_bound(struct logfile *l)
{
	if (file_bytes(l->fd) <= EMPTY_BYTES)
		return;
	/* it is written with O_APPEND: the writers go on at the new end */
	if (ftruncate(l->fd, 0) == 0)
		log_info("postgres_log_emptied", "path=\"%s\" over_bytes=%d", l->path, EMPTY_BYTES);
	l->start = 0;
}

/* The part of a line that says what is wrong; NULL when the line is no complaint. */
static const char *
complaint(const char *line)
{
	static const char *const marks[] = { "FATAL:", "PANIC:", "ERROR:", "HINT:", "error:" };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const char *at = strstr(line, marks[i]);
		if (at != NULL)
			return at + strlen(marks[i]) + strspn(at + strlen(marks[i]), " ");
	}
	return NULL;
}

static void
join(char *out, size_t size, const char *line)
{
	size_t len = strlen(out);

	if (line[0] != '\0')
		(void)snprintf(out + len, size - len, "%s%s", len > 0 ? "; " : "", line);
}

void
logfile_tail(const struct logfile *l, char *out, size_t size)
{
	char text[4096], *rest = text, *line;
	const char *last = "";
	int64_t end = file_bytes(l->fd);
	int64_t from =
		end - l->start > (int64_t)sizeof(text) - 1 ? end - ((int64_t)sizeof(text) - 1) : l->start;
	ssize_t got = pread(l->fd, text, sizeof(text) - 1, (off_t)from);

	text[got > 0 ? got : 0] = '\0';
	out[0] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL) {
		const char *said = complaint(line);
		if (said != NULL)
			join(out, size, said);
		if (line[0] != '\0')
			last = line;
	}
	if (out[0] == '\0')
		join(out, size, last);
}
