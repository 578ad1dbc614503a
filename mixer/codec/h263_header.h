/* The start of an H.263 picture (ITU-T H.263, 5.1), which says what must be known before
 * a decoder may see it. Pure, bounded, for hostile input. */
#ifndef MCU_MIXER_CODEC_H263_HEADER_H
#define MCU_MIXER_CODEC_H263_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct h263_header {
	bool key;		/* an intra picture that says its size */
	uint32_t width, height; /* 0: as before (never of a key picture) */
};

/* picture: whole, from its start code on. 0, -EBADMSG when it is truncated or says what
 * the standard forbids, -ENOTSUP for kinds of pictures that are not in H.263-1998's
 * conferences (B, EI, EP). */
int h263_header_parse(struct h263_header *out, const uint8_t *picture, size_t len);

#endif
