/* Reads bits, most significant first, from octets of strangers. Reading past the
 * end gives zeros and sets bad; nothing else does. For the header parsers. */
#ifndef MCU_MIXER_CODEC_BITREAD_H
#define MCU_MIXER_CODEC_BITREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bitread {
	const uint8_t *data;
	size_t len;
	size_t pos; /* in bits */
	bool bad;
};

static inline uint32_t bitread_bit(struct bitread *b)
{
	uint32_t v;

	if (b->pos >> 3 >= b->len) {
		b->bad = true;
		return 0;
	}
	v = (uint32_t)b->data[b->pos >> 3] >> (7 - (b->pos & 7)) & 1;
	b->pos++;
	return v;
}

/* n: 0…32 */
static inline uint32_t bitread_u(struct bitread *b, unsigned n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 1 | bitread_bit(b);
	return v;
}

#endif
