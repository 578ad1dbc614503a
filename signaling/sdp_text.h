/* Small text helpers of the SDP readers. Pure. Any thread. */
#ifndef MCU_SIGNALING_SDP_TEXT_H
#define MCU_SIGNALING_SDP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A decimal number up to max and nothing after it; no sign, no blanks. */
static inline bool sdp_u64(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned d = (unsigned)(unsigned char)*text - '0';
		if (d > 9 || v > (max - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return true;
}

/* The next word separated by blanks; ends it with 0 and moves *p behind it.
 * NULL when there is none. */
static inline char *sdp_next_word(char **p)
{
	char *s = *p;
	while (*s == ' ' || *s == '\t')
		s++;
	if (!*s) {
		*p = s;
		return NULL;
	}
	char *w = s;
	while (*s && *s != ' ' && *s != '\t')
		s++;
	if (*s)
		*s++ = 0;
	*p = s;
	return w;
}

/* The same without writing: a word of at most cap - 1 octets is copied to out;
 * false when there is none or it is longer. */
static inline bool sdp_copy_word(const char **p, char *out, size_t cap)
{
	const char *s = *p;
	size_t n = 0;
	while (*s == ' ' || *s == '\t')
		s++;
	while (s[n] && s[n] != ' ' && s[n] != '\t')
		n++;
	*p = s + n;
	if (!n || n >= cap)
		return false;
	for (size_t i = 0; i < n; i++)
		out[i] = s[i];
	out[n] = 0;
	return true;
}

#endif
