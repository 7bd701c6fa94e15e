/* Text as users write it: valid UTF-8 without NUL; compared without regard to case by one fold of our own. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool utf8_valid(const char *s, size_t len);   /* no NUL, no overlong form, no surrogate */
size_t utf8_count(const char *s, size_t len); /* code points of valid text */
/* The next code point of valid text; moves *s on. 0 at the end. */
uint32_t utf8_next(const char **s, const char *end);
size_t utf8_put(char out[4], uint32_t cp); /* bytes written */
uint32_t utf8_fold(
	uint32_t cp); /* simple case folding: Latin, Greek, Cyrillic, Armenian, Georgian, full width */
bool utf8_is_word(uint32_t cp);    /* Python's \w: letters, digits, marks of any script, and _ */
bool utf8_is_control(uint32_t cp); /* C0, DEL, C1 */

#endif
