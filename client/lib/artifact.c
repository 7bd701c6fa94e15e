/* Files and folders into a run's artifacts, streamed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "lib/http.h"
#include "lib/run.h"

#define DEEPEST 64

struct upload {
	struct call *call;
	const char *root; /* the run's artifacts, as a path of the server, encoded */
};

/* "mlflow-artifacts:/1/abc/artifacts", or with "//host" in front, gives "1/abc/artifacts". */
static const char *
artifact_root(struct call *k, const char *uri)
{
	static const char scheme[] = "mlflow-artifacts:";
	const char *path;

	if (!str_starts(uri, scheme)) {
		fault_set(&k->fault, CAIRN_EINVAL,
			"the run keeps its artifacts at %s, where only its own tools can write", uri);
		return NULL;
	}
	path = uri + strlen(scheme);
	if (str_starts(path, "//")) {
		path += 2;
		path += strcspn(path, "/");
	}
	path += strspn(path, "/");
	return url_path(k, path);
}

static int
put_fd(struct upload *u, int fd, const char *local, const char *remote)
{
	struct http_request rq = { .method = "PUT", .file = fd };
	struct http_answer a;
	struct stat st;
	int rc;

	if (fstat(fd, &st) != 0)
		return fault_set(&u->call->fault, CAIRN_EIO, "%s: %s", local, strerror(errno));
	rq.file_size = st.st_size;
	rq.path = arena_printf(u->call->arena, "/api/2.0/mlflow-artifacts/artifacts/%s/%s", u->root,
		url_path(u->call, remote));
	u->call->deadline_mono_ms =
		clock_mono_ms() + (u->call->client->retry_ms > 0 ? u->call->client->retry_ms : 0);
	http_answer_init(&a, 0);
	rc = http_call(u->call, &rq, &a);
	http_answer_fini(&a);
	if (rc == CAIRN_EIO) {
		struct fault why = u->call->fault;

		fault_set(&u->call->fault, rc, "%.400s: %.500s", local, why.message);
	}
	return rc;
}

static int put_folder(struct upload *u, int fd, const char *local, const char *remote, int depth);

/* What local is decides; it was opened, so it cannot change under us. */
static int
put_opened(struct upload *u, int fd, const char *local, const char *remote, int depth)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fault_set(&u->call->fault, CAIRN_EIO, "%s: %s", local, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return put_folder(u, fd, local, remote, depth);
	if (!S_ISREG(st.st_mode))
		return fault_set(&u->call->fault, CAIRN_EINVAL, "%s is neither a file nor a folder", local);
	if (*remote == '\0')
		return fault_set(&u->call->fault, CAIRN_EINVAL, "a file needs a name among the artifacts");
	return put_fd(u, fd, local, remote);
}

static int
put_entry(struct upload *u, int folder, const char *name, const char *local, const char *remote, int depth)
{
	struct arena *a = u->call->arena;
	char *from = arena_printf(a, "%s/%s", local, name);
	char *to = *remote == '\0' ? arena_str(a, name) : arena_printf(a, "%s/%s", remote, name);
	struct stat st;
	int fd, rc;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) &&
		fstatat(folder, name, &st, 0) == 0 && S_ISDIR(st.st_mode))
		return fault_set(&u->call->fault, CAIRN_EINVAL,
			"%s is a link to a folder: only links to files are followed", from);
	fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return fault_set(&u->call->fault, CAIRN_EIO, "%s: %s", from, strerror(errno));
	rc = put_opened(u, fd, from, to, depth);
	close(fd);
	return rc;
}

static int
put_folder(struct upload *u, int fd, const char *local, const char *remote, int depth)
{
	struct dirent *entry;
	DIR *dir;
	int rc = CAIRN_OK, mine;

	if (depth >= DEEPEST)
		return fault_set(&u->call->fault, CAIRN_EINVAL, "%s is over %d folders deep", local, DEEPEST);
	mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	dir = mine < 0 ? NULL : fdopendir(mine);
	if (dir == NULL) {
		if (mine >= 0)
			close(mine);
		return fault_set(&u->call->fault, CAIRN_EIO, "%s: %s", local, strerror(errno));
	}
	while (rc == CAIRN_OK && (entry = readdir(dir)) != NULL)
		if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
			rc = put_entry(u, fd, entry->d_name, local, remote, depth + 1);
	closedir(dir);
	return rc;
}

/* The last part of a path, slashes at its end aside; "" for "/", "." and "..". */
static char *
last_part(struct call *k, const char *path)
{
	size_t end = strlen(path), from;
	char *name;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (from = end; from > 0 && path[from - 1] != '/'; from--)
		;
	name = arena_strn(k->arena, path + from, end - from);
	return str_eq(name, ".") || str_eq(name, "..") ? arena_str(k->arena, "") : name;
}

static int
upload(struct call *k, const cairn_run *run, const char *local, const char *remote)
{
	struct upload u = { .call = k, .root = artifact_root(k, run->artifact_uri) };
	int fd, rc;

	if (u.root == NULL)
		return k->fault.code;
	fd = open(local, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return fault_set(&k->fault, CAIRN_EIO, "%s: %s", local, strerror(errno));
	rc = put_opened(&u, fd, local, remote != NULL ? remote : last_part(k, local), 0);
	close(fd);
	return rc;
}

int
cairn_run_artifact(cairn_run *run, const char *local_path, const char *artifact_path)
{
	struct call k;

	if (!run_usable(run) || str_empty(local_path))
		return CAIRN_EINVAL;
	call_init(&k, run->client);
	return call_end(&k, upload(&k, run, local_path, artifact_path), run);
}
