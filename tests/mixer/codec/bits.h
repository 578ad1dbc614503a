/* Headers written down bit by bit, for the tests of the parsers. */
#ifndef TESTS_MIXER_CODEC_BITS_H
#define TESTS_MIXER_CODEC_BITS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct bits_out {
	uint8_t data[256];
	size_t n; /* bits */
};

static inline void bits_put(struct bits_out *b, unsigned n, uint32_t v)
{
	while (n--) {
		if (b->n / 8 >= sizeof b->data)
			abort();
		if (v >> n & 1)
			b->data[b->n / 8] |= (uint8_t)(0x80 >> b->n % 8);
		b->n++;
	}
}

/* Ones and zeros; anything else is for the eye. */
static inline void bits_puts(struct bits_out *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '0' || *s == '1')
			bits_put(b, 1, (uint32_t)(*s - '0'));
	}
}

static inline size_t bits_len(const struct bits_out *b)
{
	return (b->n + 7) / 8;
}

#endif
