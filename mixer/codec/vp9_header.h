/* The uncompressed header of VP9 frames and the index of superframes (VP9
 * bitstream specification 0.6, 6.2, 7.2 and Annex B): what must be known before a
 * decoder may see them. Pure, bounded, for hostile input. */
#ifndef MCU_MIXER_CODEC_VP9_HEADER_H
#define MCU_MIXER_CODEC_VP9_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VP9_MAX_FRAMES = 8 };

/* What an access unit is made of: frames that lie one behind the other. */
struct vp9_superframe {
	unsigned n; /* 1…VP9_MAX_FRAMES */
	size_t len[VP9_MAX_FRAMES];
};

struct vp9_header {
	uint8_t profile;       /* 0…3; 0 is 4:2:0 with 8 bit */
	bool show_existing;    /* shows an earlier frame; nothing else is said then */
	bool key, show, intra_only;
	bool has_size;         /* otherwise that of a reference, which the decoder knows */
	uint32_t width, height; /* 1…65536 when has_size */
	/* Of key and intra-only frames; otherwise 0. */
	uint8_t bit_depth, subsampling_x, subsampling_y;
};

/* Without an index the whole is one frame. 0, or -EBADMSG when an index asks for
 * more than is there or for an empty frame. */
int vp9_superframe_parse(struct vp9_superframe *out, const uint8_t *data, size_t len);

/* 0, or -EBADMSG when it is truncated or says what the specification forbids. */
int vp9_header_parse(struct vp9_header *out, const uint8_t *frame, size_t len);

#endif
