#include "store/sqlstate.h"

#include <stddef.h>
#include <string.h>

/* The first prefix that fits wins: whole codes stand before their class. The last fits all. */
static const struct sqlstate table[] = {
	{ "08", UNAVAILABLE, true, "the connection to PostgreSQL was lost; try again" },
	{ "22021", INVALID, false, "text must be valid UTF-8 without NUL bytes" },
	{ "22P05", INVALID, false, "text must be valid UTF-8 without NUL bytes" },
	{ "23503", NOT_FOUND, false, "something that the request refers to does not exist" },
	{ "23505", ALREADY_EXISTS, false, "it exists already" },
	{ "25006", UNAVAILABLE, true, "PostgreSQL takes no writes at the moment; try again" },
	{ "25P03", UNAVAILABLE, true, "the transaction waited too long and was ended; try again" },
	{ "26000", UNAVAILABLE, true, "the connection to PostgreSQL lost its state; try again" },
	{ "40001", UNAVAILABLE, false, "another change came in between; try again" },
	{ "40P01", UNAVAILABLE, false, "another change came in between; try again" },
	{ "53100", UNAVAILABLE, false, "PostgreSQL's disk is full; try again when there is room" },
	{ "53200", UNAVAILABLE, false, "PostgreSQL is out of memory; try again" },
	{ "53300", UNAVAILABLE, false, "PostgreSQL has too many connections; try again" },
	{ "53", UNAVAILABLE, false, "PostgreSQL is short of resources; try again" },
	{ "54000", INVALID, false, "a key or a name is too long" },
	{ "55P03", UNAVAILABLE, false, "another change holds a lock for too long; try again" },
	{ "57014", TIMED_OUT, false, "PostgreSQL took too long and the query was ended" },
	{ "57P", UNAVAILABLE, true, "PostgreSQL is stopping or starting; try again" },
	{ "58", UNAVAILABLE, false, "PostgreSQL met an error of its disk or system; try again" },
	{ "", INTERNAL, false, "PostgreSQL refused a statement" },
};

const struct sqlstate *
sqlstate_find(const char *code)
{
	const struct sqlstate *s = table;

	if (code == NULL || code[0] == '\0')
		return &table[0];
	while (strncmp(code, s->prefix, strlen(s->prefix)) != 0)
		s++;
	return s;
}
