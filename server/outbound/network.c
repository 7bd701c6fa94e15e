#include "outbound/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include "base/str.h"

/* The registries of special-purpose addresses (IANA, RFC 6890 and its followers). */
static const struct network not_public[] = {
	{ { AF_INET, { 0 } }, 8 },             /* "this network" */
	{ { AF_INET, { 10 } }, 8 },            /* private */
	{ { AF_INET, { 100, 64 } }, 10 },      /* shared, CGNAT */
	{ { AF_INET, { 127 } }, 8 },           /* loopback */
	{ { AF_INET, { 169, 254 } }, 16 },     /* link-local, and where clouds keep their metadata */
	{ { AF_INET, { 172, 16 } }, 12 },      /* private */
	{ { AF_INET, { 192, 0, 0 } }, 24 },    /* protocol assignments */
	{ { AF_INET, { 192, 0, 2 } }, 24 },    /* documentation */
	{ { AF_INET, { 192, 88, 99 } }, 24 },  /* 6to4 relays */
	{ { AF_INET, { 192, 168 } }, 16 },     /* private */
	{ { AF_INET, { 198, 18 } }, 15 },      /* benchmarks */
	{ { AF_INET, { 198, 51, 100 } }, 24 }, /* documentation */
	{ { AF_INET, { 203, 0, 113 } }, 24 },  /* documentation */
	{ { AF_INET, { 224 } }, 4 },           /* multicast */
	{ { AF_INET, { 240 } }, 4 },           /* reserved, broadcast */
	{ { AF_INET6, { 0x20, 0x01 } }, 23 },  /* protocol assignments, Teredo */
	{ { AF_INET6, { 0x20, 0x01, 0x0d, 0xb8 } }, 32 }, /* documentation */
	{ { AF_INET6, { 0x20, 0x02 } }, 16 },             /* 6to4 */
	{ { AF_INET6, { 0x3f, 0xff } }, 20 },             /* documentation */
};

/* All of IPv6 that is given out to the public is in here. */
static const struct network global_unicast = { { AF_INET6, { 0x20 } }, 3 };
static const struct network nat64 = { { AF_INET6, { 0x00, 0x64, 0xff, 0x9b } }, 96 };
static const struct network mapped = { { AF_INET6, { [10] = 0xff, [11] = 0xff } }, 96 };

static struct address
embedded(const struct address *a)
{
	struct address four = { .family = AF_INET };

	memcpy(four.bytes, a->bytes + 12, 4);
	return four;
}

static void
plain(struct address *a)
{
	if (network_covers(&mapped, a))
		*a = embedded(a);
}

bool
address_parse(const char *text, struct address *out)
{
	*out = (struct address){ 0 };
	if (inet_pton(AF_INET, text, out->bytes) == 1)
		out->family = AF_INET;
	else if (inet_pton(AF_INET6, text, out->bytes) == 1)
		out->family = AF_INET6;
	else
		return false;
	plain(out);
	return true;
}

bool
address_of(const struct sockaddr *sa, struct address *out)
{
	*out = (struct address){ .family = sa->sa_family };
	if (sa->sa_family == AF_INET)
		memcpy(out->bytes, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
	else if (sa->sa_family == AF_INET6)
		memcpy(out->bytes, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
	else
		return false;
	plain(out);
	return true;
}

void
address_text(const struct address *a, char out[46])
{
	if (inet_ntop(a->family, a->bytes, out, 46) == NULL)
		(void)str_copy(out, 46, "?");
}

bool
address_is_public(const struct address *a)
{
	if (network_covers(&nat64, a)) {
		struct address four = embedded(a);

		return address_is_public(&four);
	}
	if (a->family == AF_INET6 && !network_covers(&global_unicast, a))
		return false;
	for (size_t i = 0; i < sizeof(not_public) / sizeof(not_public[0]); i++)
		if (network_covers(&not_public[i], a))
			return false;
	return a->family == AF_INET || a->family == AF_INET6;
}

/* Bit i of an address, counted from the left. */
static bool
bit(const uint8_t *bytes, unsigned i)
{
	return (bytes[i / 8] >> (7 - i % 8) & 1) != 0;
}

bool
network_parse(const char *text, struct network *out)
{
	const char *slash = strchr(text, '/');
	size_t len = slash == NULL ? strlen(text) : (size_t)(slash - text);
	unsigned most;
	char address[64];
	int64_t bits;

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (!address_parse(address, &out->base))
		return false;
	most = out->base.family == AF_INET ? 32 : 128;
	bits = most;
	if (slash != NULL && (!str_int64(slash + 1, &bits) || bits < 0 || bits > most))
		return false;
	out->bits = (unsigned)bits;
	for (unsigned i = out->bits; i < most; i++)
		if (bit(out->base.bytes, i))
			return false;
	return true;
}

bool
network_covers(const struct network *n, const struct address *a)
{
	if (n->base.family != a->family)
		return false;
	for (unsigned i = 0; i < n->bits; i++)
		if (bit(n->base.bytes, i) != bit(a->bytes, i))
			return false;
	return true;
}
