#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"
#include "http/linger.h"

#define MOST 256

struct lingering {
	pthread_mutex_t lock; /* of the list; a descriptor is closed by linger_run's thread only */
	int wake_fd;
	size_t count;
	struct {
		int fd;
		int64_t until_mono_ms;
	} list[MOST];
};

struct lingering *
linger_new(void)
{
	struct lingering *l = mem_alloc(sizeof *l);

	pthread_mutex_init(&l->lock, NULL);
	l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return l;
}

void
linger_free(struct lingering *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->count; i++)
		close(l->list[i].fd);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

void
linger_wake(struct lingering *l)
{
	uint64_t one = 1;

	if (write(l->wake_fd, &one, sizeof one) < 0)
		return; /* already awake */
}

void
linger_add(struct lingering *l, int fd, int64_t for_ms)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0)
		return;
	shutdown(copy, SHUT_WR);
	pthread_mutex_lock(&l->lock);
	if (l->count < MOST) {
		l->list[l->count].fd = copy;
		l->list[l->count++].until_mono_ms = clock_mono_ms() + for_ms;
		copy = -1;
	}
	pthread_mutex_unlock(&l->lock);
	if (copy >= 0)
		close(copy);
	else
		linger_wake(l);
}

/* False: the client has closed, or the socket is broken. Bounded, so that one fast client does not hold the others up. */
static bool
drain(int fd)
{
	char scrap[16384];
	ssize_t n = 1;

	for (int i = 0; i < 64 && n > 0; i++)
		n = recv(fd, scrap, sizeof scrap, MSG_DONTWAIT);
	return n != 0;
}

static void
read_all(struct lingering *l, const struct pollfd *polled, size_t n)
{
	int64_t now = clock_mono_ms();
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		bool open = i >= n || polled[i].revents == 0 ||
			    (polled[i].revents == POLLIN && drain(l->list[i].fd));

		if (open && now < l->list[i].until_mono_ms)
			l->list[kept++] = l->list[i];
		else
			close(l->list[i].fd);
	}
	l->count = kept;
}

void
linger_run(struct lingering *l, int64_t wait_ms)
{
	struct pollfd polled[MOST + 1];
	uint64_t count;
	size_t n;

	pthread_mutex_lock(&l->lock);
	n = l->count;
	for (size_t i = 0; i < n; i++)
		polled[i] = (struct pollfd){ .fd = l->list[i].fd, .events = POLLIN };
	pthread_mutex_unlock(&l->lock);
	polled[n] = (struct pollfd){ .fd = l->wake_fd, .events = POLLIN };
	poll(polled, n + 1, (int)wait_ms);
	if (polled[n].revents != 0 && read(l->wake_fd, &count, sizeof count) < 0)
		return;
	pthread_mutex_lock(&l->lock);
	read_all(l, polled, n);
	pthread_mutex_unlock(&l->lock);
}
