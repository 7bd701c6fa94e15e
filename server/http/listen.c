#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "http/listen.h"

#define BACKLOG 511

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

static bool
parse(const char *text, uint16_t port, union address *out, socklen_t *len)
{
	memset(out, 0, sizeof *out);
	if (inet_pton(AF_INET, text, &out->four.sin_addr) == 1) {
		out->four.sin_family = AF_INET;
		out->four.sin_port = htons(port);
		*len = sizeof out->four;
		return true;
	}
	out->six.sin6_family = AF_INET6;
	out->six.sin6_port = htons(port);
	*len = sizeof out->six;
	return inet_pton(AF_INET6, text, &out->six.sin6_addr) == 1;
}

static void
explain(const char *address, uint16_t port, char *error, size_t size)
{
	int reason = errno;

	if (reason == EADDRINUSE)
		snprintf(error, size, "port %u on %s is in use: stop what uses it, or choose another port",
			port, address);
	else if (reason == EACCES)
		snprintf(error, size, "port %u on %s needs more rights: choose a port from 1024 on", port,
			address);
	else if (reason == EADDRNOTAVAIL)
		snprintf(error, size, "%s is not an address of this machine", address);
	else
		snprintf(error, size, "cannot listen on %s port %u: %s", address, port, strerror(reason));
}

static bool
bind_and_listen(int fd, const union address *at, socklen_t len)
{
	int on = 1, off = 0;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (at->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	return bind(fd, &at->any, len) == 0 && listen(fd, BACKLOG) == 0;
}

int
listen_open(const char *address, uint16_t port, char *error, size_t error_size)
{
	union address at;
	socklen_t len;
	int fd;

	if (!parse(address, port, &at, &len)) {
		snprintf(error, error_size, "\"%s\" is not an IPv4 or IPv6 address", address);
		return -1;
	}
	fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind_and_listen(fd, &at, len))
		return fd;
	explain(address, port, error, error_size);
	if (fd >= 0)
		close(fd);
	return -1;
}

uint16_t
listen_port(int fd)
{
	union address at;
	socklen_t len = sizeof at;

	memset(&at, 0, sizeof at);
	if (getsockname(fd, &at.any, &len) != 0)
		return 0;
	return ntohs(at.any.sa_family == AF_INET6 ? at.six.sin6_port : at.four.sin_port);
}
