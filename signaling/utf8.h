/* UTF-8 (RFC 3629): strict reading, character by character. Pure. Any thread. */
#ifndef MCU_SIGNALING_UTF8_H
#define MCU_SIGNALING_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the character at *p of a terminated text and moves *p behind it. False
 * on an invalid sequence (overlong, surrogate, too large, cut off) and at the
 * end; *p then stays. */
bool utf8_next(const char **p, uint32_t *c);
bool utf8_valid(const char *text);
/* Characters; those of an invalid text are counted by octets. */
size_t utf8_length(const char *text);
/* Whether a character above ASCII is a letter, digit or mark of some script. */
bool utf8_is_letter(uint32_t c);

#endif
