/* Addresses and networks: which of them is public, and which network covers which. Nothing here asks anybody. */
#ifndef OUTBOUND_NETWORK_H
#define OUTBOUND_NETWORK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include "base/status.h"

/* An address in its plainest form: IPv4 that came inside of IPv6 (mapped) is IPv4. */
struct address {
	int family; /* AF_INET or AF_INET6 */
	uint8_t bytes[16];
};

struct network {
	struct address base;
	unsigned bits;
};

bool address_parse(const char *text, struct address *out) must_check;
bool address_of(const struct sockaddr *sa, struct address *out) must_check; /* false: neither IPv4 nor IPv6 */
void address_text(const struct address *a, char out[46]);
/*
 * May strangers' servers live there? False for loopback, private, shared (CGNAT), link-local, multicast, documentation,
 * benchmarking and reserved ranges of both families, for site-local and unique-local ones, and for tunnels (6to4, Teredo).
 * An address of NAT64's well-known prefix is what the IPv4 address in it is.
 */
bool address_is_public(const struct address *a);

/* "10.0.0.0/8", "fd00::/8", or one address. Bits behind the prefix must be zero. */
bool network_parse(const char *text, struct network *out) must_check;
bool network_covers(const struct network *n, const struct address *a);

#endif
