#include "lib/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "lib/http.h"
#include "lib/tree.h"

/* One file while it grows: have bytes of it are written and hashed. */
struct growing {
	struct fetch *x;
	const struct manifest_file *file;
	int fd;
	int64_t have;
	struct sha256 hash;
};

static int
io_fault(struct growing *g)
{
	return fault_set(&g->x->call->fault, CAIRN_EIO, "%.300s cannot be written: %s", g->file->path,
		strerror(errno));
}

static void
tell(struct growing *g, int64_t bytes)
{
	g->x->done += bytes;
	if (g->x->progress != NULL)
		g->x->progress(g->x->progress_arg, g->x->done, g->x->total);
}

static bool
start_anew(struct growing *g)
{
	tell(g, -g->have);
	g->have = 0;
	sha256_init(&g->hash);
	if (ftruncate(g->fd, 0) == 0 && lseek(g->fd, 0, SEEK_SET) == 0)
		return true;
	io_fault(g);
	return false;
}

/* The server may answer with the whole file instead of its rest. */
static bool
on_begin(void *arg, long status)
{
	struct growing *g = arg;

	return status == 206 || g->have == 0 || start_anew(g);
}

static bool
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
on_piece(void *arg, const char *data, size_t len)
{
	struct growing *g = arg;

	if ((int64_t)len > g->file->size - g->have) {
		fault_set(&g->x->call->fault, CAIRN_EINTEGRITY,
			"%.300s is longer than the %lld bytes of the manifest", g->file->path,
			(long long)g->file->size);
		return false;
	}
	if (!write_all(g->fd, data, len)) {
		io_fault(g);
		return false;
	}
	sha256_add(&g->hash, data, len);
	g->have += (int64_t)len;
	g->x->fetched += (int64_t)len;
	tell(g, (int64_t)len);
	return true;
}

/* What an earlier try left counts, after it was hashed. */
static int
take_rest(struct growing *g)
{
	char piece[65536];
	struct stat st;
	ssize_t n;

	sha256_init(&g->hash);
	if (fstat(g->fd, &st) != 0)
		return io_fault(g);
	if (!S_ISREG(st.st_mode))
		return fault_set(&g->x->call->fault, CAIRN_EIO, "%.300s stands in the way and is no file",
			g->file->path);
	if (st.st_size > g->file->size)
		return start_anew(g) ? CAIRN_OK : CAIRN_EIO;
	while ((n = read(g->fd, piece, sizeof(piece))) > 0) {
		sha256_add(&g->hash, piece, (size_t)n);
		g->have += n;
	}
	if (n < 0)
		return io_fault(g);
	tell(g, g->have);
	return CAIRN_OK;
}

static bool
is_right(const struct growing *g)
{
	struct sha256 hash = g->hash;
	uint8_t sum[SHA256_BYTES];
	char hex[SHA256_HEX];

	sha256_end(&hash, sum);
	hex_encode(hex, sum, sizeof(sum));
	return g->have == g->file->size && str_eq(hex, g->file->sha256);
}

static int
download(struct growing *g)
{
	const struct http_sink sink = { on_begin, on_piece, g };
	struct call *k = g->x->call;
	struct http_request rq = { .method = "GET", .file_size = -1, .offset = &g->have, .sink = &sink };
	struct http_answer a;
	int rc;

	rq.path = arena_printf(k->arena, "/api/v1/models/%s/versions/%lld/blobs/%s",
		url_part(k, g->x->ref->model), (long long)g->x->ref->version, g->file->sha256);
	rq.etag = arena_printf(k->arena, "sha256:%s", g->file->sha256);
	k->deadline_mono_ms = clock_mono_ms() + (k->client->retry_ms > 0 ? k->client->retry_ms : 0);
	http_answer_init(&a, 0);
	rc = http_call(k, &rq, &a);
	http_answer_fini(&a);
	return rc;
}

static int
fill(struct growing *g)
{
	int64_t rest;
	int rc = take_rest(g);

	if (rc != CAIRN_OK)
		return rc;
	rest = g->have;
	/* a wrong rest of an earlier try, or bytes damaged on the way, deserve one more try from the beginning */
	for (int tries = 0; !is_right(g); tries++) {
		if (tries == 2)
			return fault_set(&g->x->call->fault, CAIRN_EINTEGRITY,
				"%.300s does not have the size and SHA-256 of the manifest (%lld bytes, "
				"sha256:%s)",
				g->file->path, (long long)g->file->size, g->file->sha256);
		if ((tries > 0 || g->have == g->file->size) && !start_anew(g))
			return CAIRN_EIO;
		if (g->have == 0)
			rest = 0;
		if (g->have < g->file->size && (rc = download(g)) != CAIRN_OK)
			return rc;
	}
	g->x->reused += rest;
	return fsync(g->fd) == 0 ? CAIRN_OK : io_fault(g);
}

int
fetch_file(struct fetch *x, const struct manifest_file *file)
{
	struct growing g = { .x = x, .file = file };
	int rc = tree_make_folders(&x->call->fault, x->root, file->path);

	if (rc != CAIRN_OK)
		return rc;
	g.fd = openat(x->root, file->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
	if (g.fd < 0)
		return io_fault(&g);
	rc = fill(&g);
	if (rc == CAIRN_EINTEGRITY)
		unlinkat(x->root, file->path, 0);
	close(g.fd);
	return rc;
}
