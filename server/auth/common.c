#include "auth/common.h"

#include <stddef.h>
#include <string.h>
#include "base/hash.h"
#include "base/str.h"

#define LONGEST 128 /* a longer one is judged by its first bytes */
#define SPARE   5   /* characters that must remain once the words are gone */

/* Whole ones, folded as fold() folds: common passwords of twelve characters and more that are no run of words below. */
static const char *const whole[] = { "correcthorsebatterystaple", "thequickbrownfox", "iloveyousomuch",
	"ihatepasswords", "trustno1trustno1", "opensesame", "maytheforcebewithyou", "tobeornottobe",
	"neverforgetthis", "youshallnotpass", "imthebestever", "jesuslovesme", "liverpoolfc",
	"manchesterunited", "chelseafootball", "fuckyoufuckyou", "christophercolumbus", "qazwsxedcrfv",
	"qazwsxedcrfvtgb", "zaqxswcdevfr", "qweasdzxcqweasdzxc", "unknownunknown", "basketballer",
	"skateboarding", "cheerleading", "onceuponatime", "happybirthday", "merrychristmas", "rememberthis",
	"dontforgetme", "nopasswordneeded", "1q2w3e4r5t6y", "1q2w3e4r5t6y7u", "q1w2e3r4t5y6", "1qaz2wsx3edc",
	"1qaz2wsx3edc4rfv", "zaq12wsxcde3", "1qazxsw23edc", "a1b2c3d4e5f6", "1a2b3c4d5e6f" };

/* Words that add nothing. Folded; longest first where one begins another. */
static const char *const words[] = { "administrator", "passphrase", "passwort", "password", "passwd",
	"motdepasse", "contrasena", "experiment", "tracking", "training", "registry", "postgres", "superuser",
	"internet", "computer", "football", "baseball", "princess", "sunshine", "superman", "starwars",
	"trustno", "whatever", "iloveyou", "changeit", "changeme", "letmein", "welcome", "default", "account",
	"example", "monkey", "dragon", "master", "shadow", "summer", "winter", "spring", "autumn", "secret",
	"access", "server", "mlflow", "cairn", "admin", "guest", "hello", "login", "model", "qwertyuiop",
	"qwertzuiop", "qwerty", "qwertz", "azerty", "asdfghjkl", "asdfgh", "asdf", "zxcvbnm", "zxcvbn",
	"zxcv", "root", "user", "test", "temp", "demo", "love", "pass", "abc", "xyz", "qaz", "wsx", "edc",
	"the", "my" };

/* Rows that hands and tongues run along, either way. */
static const char *const rows[] = { "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm" };

/* Lower case, and the usual digits for letters. */
static char
fold_char(char c)
{
	static const char from[] = "0134578@$!|", to[] = "oieastbasil";
	const char *at;

	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	at = c == '\0' ? NULL : strchr(from, c);
	return at != NULL ? to[at - from] : c;
}

static void
lower(char out[LONGEST], const char *s, bool fold)
{
	size_t i = 0;

	for (; s[i] != '\0' && i < LONGEST - 1; i++)
		out[i] = fold                         ? fold_char(s[i])
			 : s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] - 'A' + 'a')
						      : s[i];
	out[i] = '\0';
}

/* The same one to six bytes again and again. */
static bool
repeats(const char *s)
{
	size_t len = strlen(s);

	for (size_t period = 1; period <= 6 && period * 2 <= len; period++) {
		if (memcmp(s, s + period, len - period) == 0)
			return true;
	}
	return false;
}

static void
take_out(char *s, const char *word)
{
	size_t len = strlen(word);

	for (char *at = s; len >= 2 && (at = strstr(at, word)) != NULL;)
		memmove(at, at + len, strlen(at + len) + 1);
}

/* How many bytes from here run along a row, up or down. */
static size_t
run_along(const char *s, const char *row)
{
	const char *at = *s == '\0' ? NULL : strchr(row, *s);
	size_t up = 1, down = 1;

	if (at == NULL)
		return 0;
	while (at[up] != '\0' && s[up] == at[up])
		up++;
	while (at - row >= (ptrdiff_t)down && s[down] == at[-(ptrdiff_t)down])
		down++;
	return up > down ? up : down;
}

static void
take_out_runs(char *s)
{
	size_t len;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (char *at = s; *at != '\0';) {
			len = run_along(at, rows[i]);
			if (len >= 4)
				memmove(at, at + len, strlen(at + len) + 1);
			else
				at++;
		}
	}
}

/* Letters that are left, and digits unless they run one up or down or stand still. */
static size_t
worth(const char *s, bool digits)
{
	size_t n = 0;

	for (size_t i = 0; s[i] != '\0'; i++) {
		if ((s[i] >= 'a' && s[i] <= 'z') || (unsigned char)s[i] >= 0x80)
			n++;
		else if (digits && s[i] >= '0' && s[i] <= '9' && i > 0) {
			int step = s[i] - s[i - 1];
			n += step < -1 || step > 1;
		}
	}
	return n;
}

static size_t
what_is_left(char s[LONGEST], const char *name, bool digits)
{
	take_out(s, name);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		take_out(s, words[i]);
	take_out_runs(s);
	return worth(s, digits);
}

static bool
is_whole(const char *s)
{
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		if (str_eq(s, whole[i]))
			return true;
	}
	return false;
}

bool
password_is_common(const char *password, const char *user_name)
{
	char plain[LONGEST], folded[LONGEST], name[LONGEST], name_folded[LONGEST];
	bool common;

	lower(plain, password, false);
	lower(folded, password, true);
	lower(name, user_name != NULL ? user_name : "", false);
	lower(name_folded, user_name != NULL ? user_name : "", true);
	common = repeats(plain) || is_whole(plain) || is_whole(folded);
	/* Digits may be themselves or stand for letters: enough must be left either way. */
	common = common || what_is_left(plain, name, true) < SPARE ||
		 what_is_left(folded, name_folded, false) < SPARE;
	wipe(plain, sizeof(plain));
	wipe(folded, sizeof(folded));
	return common;
}
