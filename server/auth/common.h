/* Is a password one that everybody tries first? */
#ifndef AUTH_COMMON_H
#define AUTH_COMMON_H

#include <stdbool.h>

/*
 * True for the common long passwords, for one short pattern said again and again ("abcabcabcabc"), for rows of the
 * keyboard and the alphabet, and for what is left too short once well-known words, rows, digits and the user's name are
 * taken out ("Cairn-Password-2026!"). Case and the usual digits for letters make no difference.
 */
bool password_is_common(const char *password, const char *user_name);

#endif
