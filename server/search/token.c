/*
 * Text into tokens, by the rules of the SQL lexer MLflow uses, as far as its filters can tell: the same quotes end at
 * the same places, the same characters make a number.
 */
#include "search/parts.h"

#include <string.h>
#include "base/str.h"
#include "base/utf8.h"

void
lexer_init(struct lexer *x, const char *text)
{
	size_t len = strlen(text);

	*x = (struct lexer){ .text = text, .at = text, .end = text + len };
	x->last_single = memrchr(text, '\'', len);
	x->last_double = memrchr(text, '"', len);
	x->last_backtick = memrchr(text, '`', len);
}

static bool
is_blank(uint32_t cp)
{
	if (cp <= 0x20)
		return cp == 0x20 || (cp >= 9 && cp <= 13) || (cp >= 0x1c && cp <= 0x1f);
	return cp == 0x85 || cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 ||
	       cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

const char *
lexer_skip_blank(const char *s, const char *end)
{
	while (s < end) {
		const char *next = s;

		if (!is_blank(utf8_next(&next, end)))
			break;
		s = next;
	}
	return s;
}

static bool
is_digit(const char *s, const char *end)
{
	return s < end && *s >= '0' && *s <= '9';
}

static bool
is_word(const char *s, const char *end)
{
	return s < end && utf8_is_word(utf8_next(&s, end));
}

static const char *
skip_digits(const char *s, const char *end)
{
	while (is_digit(s, end))
		s++;
	return s;
}

static const char *
skip_word(const char *s, const char *end)
{
	while (s < end) {
		const char *next = s;
		uint32_t cp = utf8_next(&next, end);

		if (cp != '$' && cp != '#' && !utf8_is_word(cp))
			break;
		s = next;
	}
	return s;
}

/*
 * The end of what opens at s, or NULL. A doubled quote and a quote after a backslash belong to the text, unless no
 * other quote is left to end it: 'C:\' is whole when nothing follows, as a regular expression that backtracks finds.
 */
static const char *
skip_quoted(const char *s, const char *last, bool escapes)
{
	char quote = *s++;

	while (s <= last) {
		bool pair = s + 1 <= last && s[1] == quote;

		if (*s == quote && !(pair && s + 2 <= last))
			return s + 1;
		s += pair && s + 2 <= last && (*s == quote || (escapes && *s == '\\')) ? 2 : 1;
	}
	return NULL;
}

static const char *
skip_any_quoted(const struct lexer *x, const char *s)
{
	if (*s == '\'')
		return skip_quoted(s, x->last_single, true);
	if (*s == '"')
		return skip_quoted(s, x->last_double, true);
	return skip_quoted(s, x->last_backtick, false);
}

/* One link of a name at s, or NULL. */
static const char *
skip_link(const struct lexer *x, const char *s, bool first)
{
	if (s >= x->end)
		return NULL;
	if (*s == '`' || *s == '"' || (*s == '\'' && !first))
		return skip_any_quoted(x, s);
	return is_word(s, x->end) ? skip_word(s, x->end) : NULL;
}

/* A dot that no link follows stays with the name: the parser then says that the key is missing. */
static const char *
skip_name(const struct lexer *x, const char *s)
{
	const char *after = skip_link(x, s, true);

	while (after && after < x->end && *after == '.') {
		const char *link = skip_link(x, after + 1, false);

		if (!link && !(after + 1 < x->end && after[1] == '.'))
			return after + 1;
		after = link ? link : after + 1;
	}
	return after;
}

/* A decimal number at s: -5, 5., .5, 1.5e-3. NULL: none, or a word that begins with digits. */
static const char *
skip_number(const char *s, const char *end, enum token_kind *kind)
{
	const char *at = s + (*s == '-');
	const char *after = skip_digits(at, end);
	const char *fraction = after < end && *after == '.' ? skip_digits(after + 1, end) : after;
	const char *e = fraction == after + 1 ? after : fraction;

	*kind = TOKEN_FLOAT;
	if (after > at && e < end && (*e == 'e' || *e == 'E')) {
		const char *exponent = e + 1 + (e + 1 < end && e[1] == '-');

		if (is_digit(exponent, end))
			return skip_digits(exponent, end);
	}
	if (fraction == after)
		*kind = TOKEN_INT;
	if (fraction - at < 1 || (fraction - at == 1 && *at == '.') || is_word(fraction, end))
		return NULL;
	return fraction;
}

/* 0x1F, 12x, 1.5x: no number, and no name either. NULL: a name may begin with one digit. */
static const char *
skip_malformed(const char *s, const char *end)
{
	const char *digits = skip_digits(s, end);

	if (digits == s)
		return NULL;
	if (digits - s > 1 || (digits < end && (*digits == '.' || *digits == 'x' || *digits == 'X')))
		return skip_word(digits + (*digits == '.'), end);
	return NULL;
}

static struct token
token_at(struct lexer *x, enum token_kind kind, const char *end)
{
	struct token t = { kind, x->at, (size_t)(end - x->at) };

	x->at = end;
	return t;
}

static enum token_kind
kind_of_sign(char c)
{
	if (c == '(')
		return TOKEN_OPEN;
	if (c == ')')
		return TOKEN_CLOSE;
	return c == ';' ? TOKEN_SEMICOLON : TOKEN_OTHER;
}

struct token
lexer_next(struct lexer *x)
{
	enum token_kind kind;
	const char *end;
	const char *s;

	s = x->at = lexer_skip_blank(x->at, x->end);
	if (s >= x->end)
		return token_at(x, TOKEN_END, s);
	if ((*s == '-' || *s == '.' || is_digit(s, x->end)) && (end = skip_number(s, x->end, &kind)) != NULL)
		return token_at(x, kind, end);
	if ((end = skip_malformed(s, x->end)) != NULL)
		return token_at(x, TOKEN_OTHER, end);
	if (*s == '\'' && (end = skip_any_quoted(x, s)) != NULL)
		return token_at(x, TOKEN_TEXT, end);
	if ((end = skip_name(x, s)) != NULL)
		return token_at(x, TOKEN_NAME, end);
	for (end = s; end < x->end && strchr("<>=~!", *end);)
		end++;
	if (end > s)
		return token_at(x, TOKEN_COMPARE, end);
	end = s;
	utf8_next(&end, x->end);
	return token_at(x, kind_of_sign(*s), end);
}

bool
token_is(const struct token *t, const char *word)
{
	return t->kind == TOKEN_NAME && t->len == strlen(word) && strncasecmp(t->text, word, t->len) == 0;
}

size_t
token_shown(const struct token *t)
{
	size_t n = t->len;

	if (n <= 80)
		return n;
	for (n = 80; n > 0 && ((unsigned char)t->text[n] & 0xc0) == 0x80;)
		n--;
	return n;
}
