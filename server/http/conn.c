#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/internal.h"

#define REFUSALS_MS 10000

struct conn *
conn_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void
write_address(const struct sockaddr *from, char out[INET6_ADDRSTRLEN])
{
	char text[INET6_ADDRSTRLEN] = "";

	if (from->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)from)->sin_addr, text,
			sizeof text);
	else if (from->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, text,
			sizeof text);
	/* what a dual-stack socket says of a client by IPv4 */
	memcpy(out, text, sizeof text);
	if (str_starts(text, "::ffff:") && strchr(text, '.') != NULL)
		memmove(out, text + 7, strlen(text + 7) + 1);
}

static struct conn *
conn_new(struct http_server *s, struct MHD_Connection *connection)
{
	struct conn *c = mem_alloc(sizeof *c);

	c->server = s;
	c->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	write_address(MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
		c->address);
	conn_watch(c, http_limits.headers_ms, 0);
	pthread_mutex_lock(&s->conns.lock);
	c->next = s->conns.head;
	if (c->next != NULL)
		c->next->prev = c;
	s->conns.head = c;
	pthread_mutex_unlock(&s->conns.lock);
	return c;
}

static void
conn_free(struct conn *c)
{
	struct http_server *s = c->server;

	pthread_mutex_lock(&s->conns.lock);
	if (c->next != NULL)
		c->next->prev = c->prev;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		s->conns.head = c->next;
	pthread_mutex_unlock(&s->conns.lock);
	/* born with a first line, but its headers never came whole */
	if (c->request != NULL)
		request_release(c->request);
	if (c->linger)
		linger_add(s->linger, c->fd, http_limits.linger_ms);
	free(c);
}

/*
 * Where the headers leave libmicrohttpd no memory for an answer it hangs up without one, or waits for what it has no room for.
 * So these few bytes go by the socket itself, and nothing else will.
 */
bool
conn_too_long(struct conn *c, size_t bytes, bool line)
{
	char answer[256];
	int n;

	if (bytes <= HTTP_HEAD_BYTES)
		return false;
	n = snprintf(answer, sizeof answer,
		"HTTP/1.1 %s\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 45\r\n\r\n"
		"a request's headers have at most %5d bytes\n",
		line ? "414 URI Too Long" : "431 Request Header Fields Too Large", HTTP_HEAD_BYTES);
	(void)!send(c->fd, answer, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(c->fd, SHUT_WR);
	c->linger = true;
	conn_watch(c, 1, 0);
	return true;
}

/* A line in the log for many of them. */
static void
say_refused(struct http_server *s, const char *address)
{
	int64_t now = clock_mono_ms(), said = atomic_load(&s->refusal_said_mono_ms);

	if (said != 0 && now - said < REFUSALS_MS)
		return;
	if (atomic_compare_exchange_strong(&s->refusal_said_mono_ms, &said, now))
		log_warn("connections_of_address",
			"address=%s message=\"it has %u connections, which is the most of one address\"",
			address, s->options.connections_per_address);
}

/* Two event loops that count at once may let one too many in. */
enum MHD_Result
conn_accept(void *server, const struct sockaddr *from, socklen_t len)
{
	struct http_server *s = server;
	char address[INET6_ADDRSTRLEN];
	unsigned n = 0;

	(void)len;
	write_address(from, address);
	if (s->options.connections_per_address == 0 || str_starts(address, "127.") || str_eq(address, "::1"))
		return MHD_YES;
	pthread_mutex_lock(&s->conns.lock);
	for (const struct conn *c = s->conns.head; c != NULL; c = c->next)
		n += str_eq(c->address, address);
	pthread_mutex_unlock(&s->conns.lock);
	if (n < s->options.connections_per_address)
		return MHD_YES;
	say_refused(s, address);
	return MHD_NO;
}

/* The socket is closed after the notice, so that the sweeper never touches somebody else's. */
void
conn_notify(void *server, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = conn_new(server, connection);
	} else if (*context != NULL) {
		conn_free(*context);
		*context = NULL;
	}
}

void
conn_watch(struct conn *c, int64_t window_ms, int64_t need)
{
	atomic_store(&c->deadline_mono_ms, 0);
	atomic_store(&c->moved, 0);
	atomic_store(&c->need, need);
	atomic_store(&c->window_ms, window_ms);
	atomic_store(&c->deadline_mono_ms, window_ms > 0 ? clock_mono_ms() + window_ms : 0);
}

void
conn_moved(struct conn *c, size_t bytes)
{
	atomic_fetch_add(&c->moved, (int64_t)bytes);
}

static void
sweep_one(struct conn *c, int64_t now)
{
	int64_t deadline = atomic_load(&c->deadline_mono_ms);
	int64_t need = atomic_load(&c->need);

	if (deadline == 0 || now < deadline)
		return;
	if (need > 0 && atomic_load(&c->moved) >= need) {
		atomic_store(&c->moved, 0);
		/* unless the event loop has set another deadline meanwhile */
		atomic_compare_exchange_strong(
			&c->deadline_mono_ms, &deadline, now + atomic_load(&c->window_ms));
		return;
	}
	atomic_store(&c->too_slow, true);
	shutdown(c->fd, SHUT_RDWR);
}

void
conn_sweep(struct conn_list *list)
{
	int64_t now = clock_mono_ms();

	pthread_mutex_lock(&list->lock);
	for (struct conn *c = list->head; c != NULL; c = c->next)
		sweep_one(c, now);
	pthread_mutex_unlock(&list->lock);
}

void
conn_cut_all(struct conn_list *list)
{
	pthread_mutex_lock(&list->lock);
	for (struct conn *c = list->head; c != NULL; c = c->next)
		shutdown(c->fd, SHUT_RDWR);
	pthread_mutex_unlock(&list->lock);
}
